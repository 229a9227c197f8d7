"""What proxies connections: names to derive from and to ask for."""
from libmproxy.protocol import KILL, Kill, __getattr__  # noqa: F401
