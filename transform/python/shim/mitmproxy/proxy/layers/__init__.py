"""The protocols that the proxy speaks."""
from mitmproxy.proxy.layers import modes
from mitmproxy.proxy.layers.dns import DNSLayer
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.proxy.layers.quic import ClientQuicLayer, QuicStreamLayer, RawQuicLayer, ServerQuicLayer
from mitmproxy.proxy.layers.tcp import TCPLayer
from mitmproxy.proxy.layers.tls import ClientTLSLayer, ServerTLSLayer
from mitmproxy.proxy.layers.udp import UDPLayer
from mitmproxy.proxy.layers.websocket import WebsocketLayer

__all__ = [
    "modes",
    "DNSLayer",
    "HttpLayer",
    "QuicStreamLayer",
    "TCPLayer",
    "UDPLayer",
    "RawQuicLayer",
    "ClientQuicLayer",
    "ServerQuicLayer",
    "ClientTLSLayer",
    "ServerTLSLayer",
    "WebsocketLayer",
]
