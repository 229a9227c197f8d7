"""The flags of the programs."""
from mitmproxy.utils._live import live_function

common_options = live_function(__name__, "common_options")
mitmproxy = live_function(__name__, "mitmproxy")
mitmdump = live_function(__name__, "mitmdump")
mitmweb = live_function(__name__, "mitmweb")
