"""What can be made of its state, as in 0.18."""
from mitmproxy.coretypes.serializable import Serializable  # noqa: F401
