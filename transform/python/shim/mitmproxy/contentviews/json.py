from __future__ import annotations

import re

from mitmproxy.contentviews import base

PARSE_ERROR = object()

_is_json_type = re.compile(r"application/(.*\+json|json|json-rpc)\Z").match


def parse_json(s):
    """The value of JSON; PARSE_ERROR if it is none."""
    import json

    try:
        return json.loads(s.decode("utf-8"))
    except ValueError:
        return PARSE_ERROR


def format_json(data):
    """Lines of a value as JSON, with sorted keys."""
    import json

    line = []
    for chunk in json.JSONEncoder(indent=4, sort_keys=True, ensure_ascii=False).iterencode(data):
        rows = chunk.split("\n")
        line.append((_style(rows[0]), rows[0]))
        for row in rows[1:]:
            yield line
            line = [(_style(row), row)]
    yield line


def _style(row):
    row = row.lstrip()
    if row.startswith('"'):
        return "json_string"
    if row[:1].isdigit():
        return "json_number"
    if row in ("true", "false", "null"):
        return "json_boolean"
    return "text"


class ViewJSON(base.View):
    name = "JSON"
    syntax_highlight = "yaml"

    def __call__(self, data, **metadata):
        value = parse_json(data)
        return None if value is PARSE_ERROR else ("JSON", format_json(value))

    def prettify(self, data, metadata):
        import json

        return json.dumps(json.loads(data), indent=4, ensure_ascii=False)

    def render_priority(self, data, *, content_type=None, **metadata):
        return 1 if data and content_type and _is_json_type(content_type) else 0
