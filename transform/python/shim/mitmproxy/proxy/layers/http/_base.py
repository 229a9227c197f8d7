"""What the versions of HTTP have in common."""
from mitmproxy.proxy.commands import Command
from mitmproxy.proxy.events import Event
from mitmproxy.proxy.layer import Layer
from mitmproxy.utils._live import live_class

StreamId = int

HttpCommand = live_class(__name__, "HttpCommand", Command)
HttpConnection = live_class(__name__, "HttpConnection", Layer)
HttpEvent = live_class(__name__, "HttpEvent", Event)
ReceiveHttp = live_class(__name__, "ReceiveHttp", HttpCommand)
