"""Proxies behind the proxy."""
from mitmproxy.proxy.tunnel import TunnelLayer
from mitmproxy.utils._live import live_class

HttpUpstreamProxy = live_class(__name__, "HttpUpstreamProxy", TunnelLayer)
