"""What proxies connections, as in 1.0 to 6.x: names to derive from and to ask for."""
from _flowkit import legacy
from _flowkit.legacy.names import LIVE, Kill, lazy  # noqa: F401

legacy.install()
__getattr__ = lazy(*LIVE)
