"""Starting browsers."""
from mitmproxy.utils._live import live_class

Browser = live_class(__name__, "Browser")
