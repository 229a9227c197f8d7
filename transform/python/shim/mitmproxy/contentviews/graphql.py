from __future__ import annotations

from mitmproxy.contentviews import base
from mitmproxy.contentviews.json import PARSE_ERROR, parse_json


def _is_query(value):
    return isinstance(value, dict) and "query" in value and "\n" in value["query"]


def _is_batch(value):
    return isinstance(value, list) and isinstance(value[0], dict) and "query" in value[0]


def _query(value):
    """The variables and so on as JSON, below them the text of a query."""
    import json

    rest = dict(value, query="...")
    return "%s\n---\n%s\n" % (json.dumps(rest, indent=2), value["query"])


class ViewGraphQL(base.View):
    name = "GraphQL"
    syntax_highlight = "yaml"

    def __call__(self, data, **metadata):
        text = self._text(data)
        return None if text is None else ("GraphQL", base.format_text(text))

    def prettify(self, data, metadata):
        text = self._text(data)
        if text is None:
            raise ValueError("Not a GraphQL message.")
        return text

    def _text(self, data):
        value = parse_json(data)
        if _is_query(value):
            return _query(value)
        if value is not PARSE_ERROR and _is_batch(value):
            last = len(value) - 1
            return "".join("--- %d/%d\n%s" % (i, last, _query(one)) for i, one in enumerate(value))
        return None

    def render_priority(self, data, *, content_type=None, **metadata):
        if content_type != "application/json" or not data:
            return 0
        value = parse_json(data)
        return 2 if _is_query(value) or _is_batch(value) else 0
