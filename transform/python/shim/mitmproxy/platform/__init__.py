"""What the operating system knows of connections that were redirected to the proxy."""
from mitmproxy.utils._live import live_function

original_addr = None

init_transparent_mode = live_function(__name__, "init_transparent_mode")
