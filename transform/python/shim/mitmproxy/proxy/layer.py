"""A protocol of a connection."""
from mitmproxy import hooks
from mitmproxy.utils._live import live_class


class CommandGenerator:
    """The type of what layers return, for annotations."""

    def __class_getitem__(cls, item):
        return cls


Layer = live_class(__name__, "Layer")
NextLayer = live_class(__name__, "NextLayer", Layer)

globals().update(hooks.of_module(__name__))
