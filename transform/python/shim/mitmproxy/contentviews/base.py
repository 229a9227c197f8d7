"""Contentviews up to mitmproxy 11: a call gives a description and lines of styled pieces of text."""
from __future__ import annotations

from abc import ABC, abstractmethod

KEY_MAX = 30

TTextType = str
"""The style of a piece: text, header, offset, error ..."""
TViewLine = list
TViewResult = tuple


class View(ABC):
    """A view of `content_types`, or of what render_priority says."""

    name: str

    @abstractmethod
    def __call__(self, data, *, content_type=None, flow=None, http_message=None, **unknown_metadata):
        """(description, lines) of data, or None if it cannot be seen so. A line is a list of (style, text)."""

    def render_priority(self, data, *, content_type=None, flow=None, http_message=None, **unknown_metadata):
        """How fit the view is: the highest wins. Those of mitmproxy are between 0 and 1."""
        return 0

    def __lt__(self, other):
        return self.name < other.name


def format_pairs(items):
    """Lines of "key: value", with the values below each other."""
    items = list(items)
    if not items:
        return
    width = min(max(len(key) for key, _ in items), KEY_MAX) + 2
    for key, value in items:
        key += b":" if isinstance(key, bytes) else ":"
        yield [("header", key.ljust(width)), ("text", value)]


def format_dict(d):
    """format_pairs of a mapping."""
    return format_pairs(d.items())


def format_text(text):
    """Lines of text or bytes."""
    for line in text.splitlines():
        yield [("text", line)]
