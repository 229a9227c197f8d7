"""What a client says first in each mode."""
from mitmproxy import hooks
from mitmproxy.proxy.layer import Layer
from mitmproxy.utils._live import live_class, needs_proxy


class Socks5AuthData:
    """What socks5_auth is given; a script sets `valid`."""

    def __init__(self, client_conn, username, password, valid=False):
        self.client_conn = client_conn
        self.username = username
        self.password = password
        self.valid = valid

    def __repr__(self):
        return "Socks5AuthData(client_conn=%r, username=%r, password=%r, valid=%r)" % (
            self.client_conn,
            self.username,
            self.password,
            self.valid,
        )


DestinationKnown = live_class(__name__, "DestinationKnown", Layer)

globals().update(needs_proxy(__name__, "HttpProxy HttpUpstreamProxy", Layer))
globals().update(needs_proxy(__name__, "ReverseProxy Socks5Proxy TransparentProxy", DestinationKnown))
globals().update(hooks.of_module(__name__))
