"""Layers that carry other connections."""
from enum import Enum, auto

from mitmproxy.proxy.layer import Layer
from mitmproxy.utils._live import live_class


class TunnelState(Enum):
    INACTIVE = auto()
    ESTABLISHING = auto()
    OPEN = auto()
    CLOSED = auto()


TunnelLayer = live_class(__name__, "TunnelLayer", Layer)
LayerStack = live_class(__name__, "LayerStack")
