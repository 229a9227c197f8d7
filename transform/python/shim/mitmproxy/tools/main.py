"""The entry points."""
from mitmproxy.utils._live import live_function

mitmproxy = live_function(__name__, "mitmproxy")
mitmdump = live_function(__name__, "mitmdump")
mitmweb = live_function(__name__, "mitmweb")
run = live_function(__name__, "run")
