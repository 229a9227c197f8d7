"""What protocols had in common, up to 0.13."""
from _flowkit.legacy import names
from _flowkit.legacy.names import KILL, Error, Flow  # noqa: F401

__getattr__ = names.lazy("ProtocolHandler", "LiveConnection")
