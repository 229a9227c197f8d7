"""UDP."""
from mitmproxy import hooks
from mitmproxy.proxy.events import MessageInjected
from mitmproxy.proxy.layer import Layer
from mitmproxy.utils._live import live_class

UDPLayer = live_class(__name__, "UDPLayer", Layer)
UdpMessageInjected = live_class(__name__, "UdpMessageInjected", MessageInjected)

globals().update(hooks.of_module(__name__))
