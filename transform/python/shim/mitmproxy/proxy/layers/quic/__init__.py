"""QUIC."""
from mitmproxy import hooks
from mitmproxy.proxy.layers.quic._hooks import QuicTlsData, QuicTlsSettings
from mitmproxy.proxy.layers.tls import TLSLayer
from mitmproxy.utils._live import needs_proxy

globals().update(
    needs_proxy(
        __name__,
        "ClientQuicLayer QuicLayer QuicStreamLayer RawQuicLayer ServerQuicLayer",
        TLSLayer,
    )
)
globals().update(
    needs_proxy(
        __name__,
        "CloseQuicConnection QuicConnectionClosed QuicStreamCommand QuicStreamDataReceived QuicStreamEvent"
        " QuicStreamReset QuicStreamStopSending ResetQuicStream SendQuicStreamData StopSendingQuicStream",
    )
)
globals().update(hooks.of_module(__name__))

__all__ = ["QuicTlsData", "QuicTlsSettings"]
