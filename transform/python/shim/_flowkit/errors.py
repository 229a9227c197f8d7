"""Exceptions of flowkit's own."""


class NeedsProxy(NotImplementedError):
    """Raised by what has no meaning when saved flows are replayed, or outside of mitmproxy's own proxy."""

    why = "a live proxy; flowkit replays saved flows"

    def __init__(self, name):
        super().__init__("%s needs %s" % (name, self.why))


class ScriptTimeout(BaseException):
    """Raised within a hook that took longer than --script-timeout.

    It is no Exception, so that a script that catches everything does not catch it.
    """


class Stop(Exception):
    """The end of the run behind the flow in hand."""

    def __init__(self, kind, text="", script=None, hook=""):
        super().__init__(kind)
        self.wire = (kind, text, script.name if script else "", hook)
