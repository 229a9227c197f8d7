"""The events of QUIC."""
from mitmproxy import hooks
from mitmproxy.tls import QuicTlsData
from mitmproxy.utils._live import live_class

QuicTlsSettings = live_class(__name__, "QuicTlsSettings")

globals().update(hooks.of_module(__name__))

__all__ = ["QuicTlsData", "QuicTlsSettings"]
