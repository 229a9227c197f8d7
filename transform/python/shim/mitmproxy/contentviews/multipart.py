from __future__ import annotations

from mitmproxy.contentviews import _utils, base
from mitmproxy.net.http import multipart


class ViewMultipart(base.View):
    name = "Multipart Form"
    syntax_highlight = "yaml"

    @staticmethod
    def _format(pairs):
        yield [("highlight", "Form data:\n")]
        for line in base.format_dict(_first(pairs)):
            yield line

    def __call__(self, data, content_type=None, http_message=None, **metadata):
        # The type that views are told has no boundary.
        if http_message is not None:
            content_type = http_message.headers.get("content-type")
        pairs = _decode(content_type, data)
        return ("Multipart form", self._format(pairs)) if pairs else None

    def prettify(self, data, metadata):
        if metadata.http_message is None:
            raise ValueError("Not an HTTP message")
        pairs = _decode(metadata.http_message.headers.get("content-type"), data)
        return _utils.yaml_dumps(_utils.merge_repeated_keys(_utils.byte_pairs_to_str_pairs(pairs)))

    def render_priority(self, data, *, content_type=None, **metadata):
        return float(bool(data) and content_type == "multipart/form-data")


def _decode(content_type, data):
    if not content_type:
        return []
    decode = getattr(multipart, "decode", None) or multipart.decode_multipart
    return decode(content_type, data)


def _first(pairs):
    first = {}
    for key, value in pairs:
        first.setdefault(key, value)
    return first
