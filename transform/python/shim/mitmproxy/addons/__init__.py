"""mitmproxy's own addons, as far as they mean something for saved flows."""
from mitmproxy.utils._live import live_function

default_addons = live_function(__name__, "default_addons")
