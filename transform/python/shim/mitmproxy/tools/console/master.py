"""mitmproxy, the program."""
from mitmproxy.master import Master
from mitmproxy.utils._live import live_class

ConsoleMaster = live_class(__name__, "ConsoleMaster", Master)
