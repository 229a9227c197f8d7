"""What a connection of a client is about."""
from mitmproxy import connection


class Context:
    """A client, the server it talks to, and the layers of protocols between them."""

    def __init__(self, client, options):
        self.client = client
        self.options = options
        self.server = connection.Server(address=None)
        self.layers = []

    def fork(self):
        """A context of the same connections with layers of its own."""
        other = Context(self.client, self.options)
        other.server = self.server
        other.layers = self.layers.copy()
        return other

    def __repr__(self):
        return "Context(\n  %r,\n  %r,\n  layers=[%s]\n)" % (
            self.client,
            self.server,
            ", ".join(map(repr, self.layers)),
        )
