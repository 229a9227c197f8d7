"""TCP."""
from mitmproxy import hooks
from mitmproxy.proxy.events import MessageInjected
from mitmproxy.proxy.layer import Layer
from mitmproxy.utils._live import live_class

TCPLayer = live_class(__name__, "TCPLayer", Layer)
TcpMessageInjected = live_class(__name__, "TcpMessageInjected", MessageInjected)

globals().update(hooks.of_module(__name__))
