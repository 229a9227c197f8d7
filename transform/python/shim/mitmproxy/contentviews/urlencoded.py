from __future__ import annotations

from mitmproxy.contentviews import _utils, base
from mitmproxy.net.http import url
from mitmproxy.utils import strutils


class ViewURLEncoded(base.View):
    name = "URL-encoded"
    syntax_highlight = "yaml"

    def __call__(self, data, **metadata):
        try:
            text = data.decode("ascii")
        except ValueError:
            return None
        return "URLEncoded form", base.format_pairs(url.decode(text))

    def prettify(self, data, metadata):
        try:
            text = data.decode("utf-8")
        except ValueError:
            text = strutils.bytes_to_escaped_str(data)
        pairs = url.decode(text)
        return _utils.yaml_dumps(_utils.merge_repeated_keys(pairs))

    def render_priority(self, data, *, content_type=None, **metadata):
        return float(bool(data) and content_type == "application/x-www-form-urlencoded")
