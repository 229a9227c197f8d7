"""Exceptions of flowkit's own."""


class NeedsProxy(NotImplementedError):
    """Raised by what has no meaning when saved flows are replayed."""

    def __init__(self, name):
        super().__init__("%s needs a live proxy; flowkit replays saved flows" % name)


class ScriptTimeout(BaseException):
    """Raised within a hook that took longer than --script-timeout.

    It is no Exception, so that a script that catches everything does not catch it.
    """
