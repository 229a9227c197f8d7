"""Messages between the proxy and the addons, as up to 6.x."""
from _flowkit import legacy
from _flowkit.legacy.extras import Reply
from _flowkit.legacy.names import lazy
from _flowkit.legacy.signs import EVENTS as Events  # noqa: F401

legacy.install()
NO_REPLY = object()
__getattr__ = lazy("Channel", "Master", "Server")


class DummyReply(Reply):
    """A reply to nobody."""

    def __init__(self, obj=None):
        super().__init__(obj)

    def send(self, message, force=False):
        self.has_message = True

    def kill(self, force=False):
        self.has_message = True

    def reset(self):
        self.state = "unhandled"
        self.has_message = False

    def mark_reset(self):
        pass


def handler(function):
    """Mark a method of a master as one that takes an event."""
    return function
