"""The proxy's configuration, as up to 6.x."""
from _flowkit import legacy
from _flowkit.legacy.names import lazy

legacy.install()
__getattr__ = lazy("ProxyConfig")
