from __future__ import annotations

from collections import namedtuple
from struct import calcsize, unpack

from mitmproxy.contentviews import base

PARSE_ERROR = object()

ExtType = namedtuple("ExtType", "code data")
_Timestamp = namedtuple("Timestamp", "seconds nanoseconds")

_DEPTH = 500  # of nested values
# By first byte, from 0xca on: the struct of a number.
_NUMBERS = dict(zip(range(0xCA, 0xD4), (">f", ">d", ">B", ">H", ">I", ">Q", ">b", ">h", ">i", ">q")))


class _Reader:
    """MessagePack data, value by value. What is wrong with it is a ValueError."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, n):
        piece = self.data[self.at:self.at + n]
        if len(piece) < n:
            raise ValueError("the data ends early")
        self.at += n
        return piece

    def number(self, form):
        return unpack(form, self.take(calcsize(form)))[0]

    def length(self, first, base_):
        """A length of 1, 2 or 4 bytes, by how far first is behind the code for 1."""
        return self.number((">B", ">H", ">I")[first - base_])

    def value(self, depth=0):
        if depth > _DEPTH:
            raise ValueError("values are nested too deeply")
        first = self.take(1)[0]
        if first < 0x80:
            return first
        if first >= 0xE0:
            return first - 0x100
        if first < 0x90:
            return self.map(first & 0x0F, depth)
        if first < 0xA0:
            return self.list(first & 0x0F, depth)
        if first < 0xC0:
            return self.text(first & 0x1F)
        if first in _NUMBERS:
            return self.number(_NUMBERS[first])
        if first in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[first]
        if first <= 0xC6 and first != 0xC1:
            return self.take(self.length(first, 0xC4))
        if 0xC7 <= first <= 0xC9:
            return self.ext(self.length(first, 0xC7))
        if 0xD4 <= first <= 0xD8:
            return self.ext(1 << (first - 0xD4))
        if 0xD9 <= first <= 0xDB:
            return self.text(self.length(first, 0xD9))
        if first in (0xDC, 0xDD):
            return self.list(self.length(first, 0xDB), depth)
        if first in (0xDE, 0xDF):
            return self.map(self.length(first, 0xDD), depth)
        raise ValueError("0x%02x begins no value" % first)

    def text(self, n):
        return self.take(n).decode("utf-8")

    def list(self, n, depth):
        return [self.value(depth + 1) for _ in range(n)]

    def map(self, n, depth):
        out = {}
        for _ in range(n):
            key = self.value(depth + 1)
            if not isinstance(key, (str, bytes)):
                raise ValueError("a key is a %s" % type(key).__name__)
            out[key] = self.value(depth + 1)
        return out

    def ext(self, n):
        code, data = self.number(">b"), self.take(n)
        if code != -1:
            return ExtType(code, data)
        if n == 4:
            return _Timestamp(unpack(">I", data)[0], 0)
        if n == 8:
            both = unpack(">Q", data)[0]
            return _Timestamp(both & 0x3FFFFFFFF, both >> 34)
        if n == 12:
            nanoseconds, seconds = unpack(">Iq", data)
            return _Timestamp(seconds, nanoseconds)
        raise ValueError("a time of %d bytes" % n)


def parse_msgpack(s):
    """The value of MessagePack data; PARSE_ERROR if it is none."""
    reader = _Reader(s)
    try:
        value = reader.value()
    except ValueError:
        return PARSE_ERROR
    return value if reader.at == len(s) else PARSE_ERROR


def pretty(value):
    """A value as Python writes it, with an element a line."""
    out = []
    _write(value, "\n", out.append)
    return "".join(out)


def _write(value, newline, put):
    """Writes a value; newline begins a line at the place of what is around it."""
    pairs = type(value) is dict
    if not pairs and type(value) is not list:
        put(repr(value))
        return
    put("{" if pairs else "[")
    inner = newline + "    "
    between = inner
    for element in value:
        put(between)
        if pairs:
            put(repr(element) + ": ")
            element = value[element]
        _write(element, inner, put)
        between = "," + inner
    put(newline + ("}" if pairs else "]"))


class ViewMsgPack(base.View):
    name = "MsgPack"
    syntax_highlight = "yaml"
    _types = ("application/msgpack", "application/x-msgpack")

    def __call__(self, data, **metadata):
        value = parse_msgpack(data)
        return None if value is PARSE_ERROR else ("MsgPack", base.format_text(pretty(value)))

    def prettify(self, data, metadata):
        value = parse_msgpack(data)
        if value is PARSE_ERROR:
            raise ValueError("Not MessagePack data.")
        return pretty(value)

    def render_priority(self, data, *, content_type=None, **metadata):
        return float(bool(data) and content_type in self._types)
