"""The proxy."""
from mitmproxy.utils._live import live_class

Proxyserver = live_class(__name__, "Proxyserver")
ServerManager = live_class(__name__, "ServerManager")
ProxyConnectionHandler = live_class(__name__, "ProxyConnectionHandler")
