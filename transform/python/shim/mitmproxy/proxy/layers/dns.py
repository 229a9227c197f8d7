"""DNS."""
from mitmproxy import hooks
from mitmproxy.proxy.layer import Layer
from mitmproxy.utils._live import live_class

DNSLayer = live_class(__name__, "DNSLayer", Layer)

globals().update(hooks.of_module(__name__))
