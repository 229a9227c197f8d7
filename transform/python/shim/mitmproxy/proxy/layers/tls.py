"""TLS."""
from mitmproxy import hooks
from mitmproxy.proxy.tunnel import TunnelLayer
from mitmproxy.utils._live import live_class, live_function

HTTP1_ALPNS = (b"http/1.1", b"http/1.0", b"http/0.9")
HTTP2_ALPN = b"h2"
HTTP3_ALPN = b"h3"
HTTP_ALPNS = (HTTP2_ALPN,) + HTTP1_ALPNS

TLSLayer = live_class(__name__, "TLSLayer", TunnelLayer)
ClientTLSLayer = live_class(__name__, "ClientTLSLayer", TLSLayer)
ServerTLSLayer = live_class(__name__, "ServerTLSLayer", TLSLayer)
MockTLSLayer = live_class(__name__, "MockTLSLayer", TLSLayer)

get_client_hello = live_function(__name__, "get_client_hello")
handshake_record_contents = live_function(__name__, "handshake_record_contents")
parse_client_hello = live_function(__name__, "parse_client_hello")

globals().update(hooks.of_module(__name__))
