"""HTTP."""
from enum import Enum, auto

from mitmproxy import hooks
from mitmproxy.proxy.layer import Layer
from mitmproxy.proxy.layers.http._base import HttpCommand, HttpConnection, HttpEvent, ReceiveHttp, StreamId
from mitmproxy.proxy.layers.http._upstream_proxy import HttpUpstreamProxy
from mitmproxy.utils._live import live_function, needs_proxy


class HTTPMode(Enum):
    regular = auto()
    transparent = auto()
    upstream = auto()


validate_request = live_function(__name__, "validate_request")

globals().update(needs_proxy(__name__, "HttpClient HttpLayer HttpStream", Layer))
globals().update(needs_proxy(__name__, "DropStream GetHttpConnection RegisterHttpConnection SendHttp", HttpCommand))
globals().update(
    needs_proxy(
        __name__,
        "ErrorCode GetHttpConnectionCompleted RequestData RequestEndOfMessage RequestHeaders RequestProtocolError"
        " RequestTrailers ResponseData ResponseEndOfMessage ResponseHeaders ResponseProtocolError ResponseTrailers",
        HttpEvent,
    )
)
globals().update(needs_proxy(__name__, "Http1Client Http1Server Http2Client Http2Server", HttpConnection))
globals().update(hooks.of_module(__name__))

__all__ = ["HTTPMode", "HttpUpstreamProxy", "ReceiveHttp", "StreamId"]
