"""TCP, of which an address is left."""
from mitmproxy.connection import Address as _Address


class Address(_Address):
    """A host and a port."""

    __slots__ = ()

    def __new__(cls, address, use_ipv6=False):
        return super().__new__(cls, address)

    @classmethod
    def wrap(cls, address):
        """Return a tuple as an address."""
        return address if isinstance(address, cls) else cls(address)


def __getattr__(name):
    if name in ("TCPClient", "TCPServer", "BaseHandler", "SSLKeyLogger"):
        from _flowkit.legacy.names import needs_proxy

        return needs_proxy(name)
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
