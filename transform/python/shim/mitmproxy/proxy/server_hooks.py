"""The events of connections."""
from mitmproxy import hooks


class ServerConnectionHookData:
    """What the hooks of a connection to a server are given."""

    def __init__(self, server, client):
        self.server = server
        self.client = client

    def __repr__(self):
        return "ServerConnectionHookData(server=%r, client=%r)" % (self.server, self.client)

    def __eq__(self, other):
        if not isinstance(other, ServerConnectionHookData):
            return NotImplemented
        return (self.server, self.client) == (other.server, other.client)


globals().update(hooks.of_module(__name__))
