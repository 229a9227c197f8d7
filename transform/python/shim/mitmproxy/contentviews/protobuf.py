"""Protocol Buffers without their definition: field numbers and values."""
from __future__ import annotations

from mitmproxy.contentviews import base

_VARINT, _FIXED64, _BYTES, _GROUP, _GROUP_END, _FIXED32 = range(6)
_DEPTH = 100  # of nested messages
_MARK = object()  # where a group begins


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(data):
    """(number, value) of each field of a message. What is none is a ValueError."""
    at, fields = 0, []
    try:
        while at < len(data):
            key, at = _varint(data, at)
            kind, size = key & 7, 0
            if kind == _VARINT:
                value, at = _varint(data, at)
            elif kind in (_FIXED64, _FIXED32):
                size = 8 if kind == _FIXED64 else 4
                value = int.from_bytes(data[at:at + size], "little")
            elif kind == _BYTES:
                size, at = _varint(data, at)
                value = data[at:at + size]
            elif kind in (_GROUP, _GROUP_END):
                value = _MARK if kind == _GROUP else None
            else:
                raise ValueError("there is no wire type %d" % kind)
            at += size
            if at > len(data):
                raise ValueError("the data ends early")
            fields.append((key >> 3, value))
    except IndexError:
        raise ValueError("the data ends early") from None
    return fields


def _lines(fields, level, depth):
    for number, value in fields:
        space = " " * level
        if value is _MARK:
            yield "%s%d {" % (space, number)
        elif value is None:
            yield space + "}"
        elif isinstance(value, int):
            yield "%s%d: %d" % (space, number, value)
        else:
            inner = _message(value) if depth < _DEPTH else None
            if inner:
                yield "%s%d {" % (space, number)
                for line in _lines(inner, level + 2, depth + 1):
                    yield line
                yield space + "}"
            else:
                yield "%s%d: %s" % (space, number, value.decode("utf-8"))


def _message(data):
    """The fields of bytes that may be a message, None if they are none."""
    try:
        return _fields(data)
    except ValueError:
        return None


def format_pbuf(raw):
    """The fields of a message, one a line; False if it is none."""
    fields = _message(raw)
    return False if fields is None else "".join(line + "\n" for line in _lines(fields, 0, 0))


class ViewProtobuf(base.View):
    name = "Protocol Buffer"
    syntax_highlight = "yaml"
    _types = ("application/x-protobuf", "application/x-protobuffer")

    def __call__(self, data, **metadata):
        return "Protobuf", base.format_text(self.prettify(data, None))

    def prettify(self, data, metadata):
        text = format_pbuf(data)
        if not text:
            raise ValueError("Failed to parse input.")
        return text

    def render_priority(self, data, *, content_type=None, **metadata):
        return float(bool(data) and content_type in self._types)
