"""WebSocket."""
from mitmproxy import hooks
from mitmproxy.proxy.events import MessageInjected
from mitmproxy.proxy.layer import Layer
from mitmproxy.utils._live import live_class

WebsocketLayer = live_class(__name__, "WebsocketLayer", Layer)
WebSocketMessageInjected = live_class(__name__, "WebSocketMessageInjected", MessageInjected)

globals().update(hooks.of_module(__name__))
