"""mitmweb."""
from mitmproxy.master import Master
from mitmproxy.utils._live import live_class

WebMaster = live_class(__name__, "WebMaster", Master)
