"""The filter language, as up to 0.17: what parse() returns is called with a flow."""
from _flowkit import legacy
from _flowkit.legacy.views import unwrap
from mitmproxy import flowfilter as _today

legacy.install()


class Filter:
    """A filter that takes flows of any era."""

    def __init__(self, text, parsed):
        self.pattern = text
        self._parsed = parsed

    def __call__(self, flow):
        return bool(self._parsed(unwrap(flow)))

    def __repr__(self):
        return "<Filter %s>" % self.pattern


def parse(text):
    """Return a filter, or None if text is none."""
    try:
        parsed = _today.parse(text)
    except ValueError:
        return None
    return None if parsed is None else Filter(text, parsed)


def __getattr__(name):
    return getattr(_today, name)
