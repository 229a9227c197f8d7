from __future__ import annotations

from mitmproxy.contentviews import _utils, base


class ViewQuery(base.View):
    """The query of the URL."""

    name = "Query"
    syntax_highlight = "yaml"

    def __call__(self, data, http_message=None, **metadata):
        query = getattr(http_message, "query", None)
        return "Query", base.format_pairs(query.items(multi=True)) if query else base.format_text("")

    def prettify(self, data, metadata):
        if not hasattr(metadata.http_message, "query"):
            raise ValueError("Not an HTTP request.")
        pairs = metadata.http_message.query.items(multi=True)
        return _utils.yaml_dumps(_utils.merge_repeated_keys(pairs))

    def render_priority(self, data, *, http_message=None, **metadata):
        return 0.3 * bool(getattr(http_message, "query", False) and not data)
