"""Views of one kind as the other: those of mitmproxy up to 11 are called, later ones prettify."""
from __future__ import annotations

from mitmproxy.contentviews._api import Contentview, Metadata
from mitmproxy.contentviews.base import View, format_text


class LegacyContentview(Contentview):
    """An old view as a new one."""

    def __init__(self, contentview):
        self.contentview = contentview

    @property
    def name(self):
        return self.contentview.name

    @property
    def syntax_highlight(self):
        return getattr(self.contentview, "syntax_highlight", "none")

    def render_priority(self, data, metadata):
        return self.contentview.render_priority(data, **_keywords(metadata))

    def prettify(self, data, metadata):
        pretty = getattr(self.contentview, "prettify", None)
        if pretty is not None:
            return pretty(data, metadata)
        result = self.contentview(data, **_keywords(metadata))
        if result is None:
            raise ValueError("the data is not of this kind")
        return "\n".join("".join(_text(text) for _, text in line) for line in result[1])


def _keywords(metadata):
    return {
        "content_type": metadata.content_type,
        "flow": metadata.flow,
        "http_message": metadata.http_message,
    }


def _text(text):
    return text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text


class ModernView(View):
    """A new view as an old one."""

    def __init__(self, contentview):
        self.contentview = contentview
        self.name = contentview.name

    def __call__(self, data, *, content_type=None, flow=None, http_message=None, **unknown_metadata):
        metadata = Metadata(content_type=content_type, flow=flow, http_message=http_message)
        return self.name, format_text(self.contentview.prettify(data, metadata))

    def render_priority(self, data, *, content_type=None, flow=None, http_message=None, **unknown_metadata):
        metadata = Metadata(content_type=content_type, flow=flow, http_message=http_message)
        return self.contentview.render_priority(data, metadata)
