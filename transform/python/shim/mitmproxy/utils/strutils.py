"""Helpers for text and bytes."""
from __future__ import annotations

import codecs
import itertools
import re


def _wrong_type(value):
    return TypeError("Expected str or bytes, but got %s." % type(value).__name__)


def always_bytes(str_or_bytes, *encode_args):
    """The bytes of a str, encoded by `encode_args`; bytes and None as they are."""
    if str_or_bytes is None or isinstance(str_or_bytes, bytes):
        return str_or_bytes
    if isinstance(str_or_bytes, str):
        return str_or_bytes.encode(*encode_args)
    raise _wrong_type(str_or_bytes)


def always_str(str_or_bytes, *decode_args):
    """The str of bytes, decoded by `decode_args`; str and None as they are."""
    if str_or_bytes is None or isinstance(str_or_bytes, str):
        return str_or_bytes
    if isinstance(str_or_bytes, bytes):
        return str_or_bytes.decode(*decode_args)
    raise _wrong_type(str_or_bytes)


# What shows instead of a character that a terminal would obey: a dot.
_dots = {c: ord(".") for c in itertools.chain(range(32), [127])}
_dots_keep_spacing = {c: dot for c, dot in _dots.items() if c not in b"\t\n\r"}
_dot_bytes = bytes(c if 32 <= c < 127 else ord(".") for c in range(256))


def escape_control_characters(text, keep_spacing=True):
    """`text` with dots in place of control characters, but for tabs and line ends if `keep_spacing`."""
    if not isinstance(text, str):
        raise ValueError("text type must be unicode but is %s" % type(text).__name__)
    return text.translate(_dots_keep_spacing if keep_spacing else _dots)


def _escape_table():
    table = {c: chr(c) if 32 <= c < 127 else "\\x%02x" % c for c in range(256)}
    table.update({ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"})
    return table


_escapes = _escape_table()
_escapes_keep_spacing = dict(_escapes)
_escapes_keep_spacing.update({c: chr(c) for c in b"\n\r\t"})


def bytes_to_escaped_str(data, keep_spacing=False, escape_single_quotes=False):
    """Bytes as text of which escaped_str_to_bytes makes the same bytes again.

    keep_spacing: tabs and line ends are not escaped.
    """
    if not isinstance(data, bytes):
        raise ValueError("data must be bytes, but is %s" % type(data).__name__)
    table = _escapes_keep_spacing if keep_spacing else _escapes
    text = "".join([table[c] for c in data])
    return text.replace("'", "\\'") if escape_single_quotes else text


def escaped_str_to_bytes(data):
    """The bytes of text with Python's escapes of bytes literals; other characters are UTF-8."""
    if not isinstance(data, str):
        raise ValueError("data must be str, but is %s" % type(data).__name__)
    return codecs.escape_decode(data)[0]


_LOOK_AT = 100


def is_mostly_bin(s):
    """Whether bytes look like something else than text."""
    if not s:
        return False
    end = _LOOK_AT
    while end < min(len(s), _LOOK_AT + 3) and s[end] & 0xC0 == 0x80:
        end += 1  # within a character of UTF-8
    head = s[:end]
    try:
        head.decode()
        strange = sum(c < 9 or 13 < c < 32 or c == 127 for c in head)
    except UnicodeDecodeError:
        strange = sum(c < 9 or 13 < c < 32 or c > 126 for c in head)
    return strange / len(head) > 0.3


def is_xml(s):
    """Whether bytes begin with < behind white space."""
    return s.lstrip(b" \t\r\n")[:1] == b"<"


def clean_hanging_newline(t):
    """`t` without the line feed at its end: editors add one."""
    return t[:-1] if t and t[-1] == "\n" else t


def hexdump(s):
    """Yields (offset, hex, characters), texts, for every 16 bytes."""
    for i in range(0, len(s), 16):
        part = s[i : i + 16]
        yield (
            "%010x" % i,
            " ".join(["%02x" % c for c in part]).ljust(47),
            part.translate(_dot_bytes).decode(),
        )


# Parts of regexes for special areas.
SINGLELINE_CONTENT = r".*?"
MULTILINE_CONTENT = r"[\s\S]*?"
MULTILINE_CONTENT_LINE_CONTINUATION = r"(?:.|(?<=\\)\n)*?"
NO_ESCAPE = r"(?<!\\)(?:\\\\)*"

_PRIVATE = 0xE000


def split_special_areas(data, area_delimiter):
    """`data` split at what the regexes match, which is every second part: text, area, text ..."""
    return re.split("(%s)" % "|".join(area_delimiter), data, flags=re.MULTILINE)


def escape_special_areas(data, area_delimiter, control_characters):
    """`data` with `control_characters` within special areas moved out of the way.

    unescape_special_areas brings them back. Only ASCII can be moved.
    """
    moved = {ord(c): _PRIVATE + ord(c) for c in control_characters}
    parts = split_special_areas(data, area_delimiter)
    parts[1::2] = [part.translate(moved) for part in parts[1::2]]
    return "".join(parts)


_back = {_PRIVATE + c: c for c in range(256)}


def unescape_special_areas(data):
    """Undoes escape_special_areas."""
    return data.translate(_back)


def cut_after_n_lines(content, n):
    """The first `n` lines of text, with the last one's line feed."""
    end = 0
    for _ in range(n):
        end = content.find("\n", end) + 1
        if end == 0:
            return content
    return content[:end]
