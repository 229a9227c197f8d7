"""The proxy: names to derive from and to ask for."""
from libmproxy.proxy import __getattr__  # noqa: F401
