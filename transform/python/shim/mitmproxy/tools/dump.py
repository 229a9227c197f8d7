"""mitmdump."""
from mitmproxy.master import Master
from mitmproxy.utils._live import live_class

DumpMaster = live_class(__name__, "DumpMaster", Master)
