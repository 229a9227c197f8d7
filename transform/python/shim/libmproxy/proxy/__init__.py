"""The proxy: names to derive from and to ask for."""
from _flowkit.legacy import names

__getattr__ = names.lazy("ClientConnection", "ServerConnection", *names.LIVE)
