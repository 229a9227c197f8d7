"""Protocols: up to 0.13 all of HTTP was below it, then what proxies connections."""
from _flowkit.legacy import names
from _flowkit.legacy.names import KILL, Kill  # noqa: F401

__getattr__ = names.lazy(*names.LIVE)
