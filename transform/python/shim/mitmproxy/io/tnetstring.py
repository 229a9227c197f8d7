"""Typed netstrings, as mitmproxy writes them: `<length>:<data><tag>`.

The tags are , bytes ; text # integer ^ float ! boolean ~ nothing ] list } dictionary. The
entries of a dictionary are written the last one first.
"""
from __future__ import annotations

# How long a length may be: what is larger is no flow.
_DIGITS = 12
_CHUNK = 1 << 20


def dumps(value):
    """Returns value as bytes; a ValueError if there is no form for something in it."""
    pieces = []
    _dump(pieces, value)
    pieces.reverse()
    return b"".join(pieces)


def dump(value, file_handle):
    """Writes value to a file."""
    file_handle.write(dumps(value))


def _dump(pieces, value):
    """Appends the pieces of value, the last one first, and returns how long they are."""
    if value is None:
        pieces.append(b"0:~")
        return 3
    if value is True:
        pieces.append(b"4:true!")
        return 7
    if value is False:
        pieces.append(b"5:false!")
        return 8
    if isinstance(value, bytes):
        return _scalar(pieces, value, b",")
    if isinstance(value, str):
        # What was no UTF-8 in the input becomes what it was.
        return _scalar(pieces, value.encode("utf-8", "surrogateescape"), b";")
    if isinstance(value, int):
        return _scalar(pieces, b"%d" % value, b"#")
    if isinstance(value, float):
        return _scalar(pieces, float.__repr__(value).encode("ascii"), b"^")
    if isinstance(value, (list, tuple)):
        pieces.append(b"]")
        size = sum([_dump(pieces, v) for v in reversed(value)])
    elif isinstance(value, dict):
        pieces.append(b"}")
        size = 0
        for k, v in value.items():
            size += _dump(pieces, v)
            size += _dump(pieces, k)
    else:
        raise ValueError("unserializable object: %r (%s)" % (value, type(value)))
    return size + 1 + _prefix(pieces, size)


def _scalar(pieces, data, tag):
    pieces.append(tag)
    pieces.append(data)
    return len(data) + 1 + _prefix(pieces, len(data))


def _prefix(pieces, size):
    prefix = b"%d:" % size
    pieces.append(prefix)
    return len(prefix)


def loads(string):
    """Returns the value that string begins with."""
    return pop(string)[0]


def pop(data):
    """Returns the value that data begins with, and what is behind it."""
    view = bytes(data)
    value, end = _read(view, 0, len(view))
    return value, data[end:]


def load(file_handle):
    """Returns the next value of a file. Nothing behind it is read."""
    c = file_handle.read(1)
    if not c:
        raise ValueError("not a tnetstring: empty file")
    digits = b""
    while c.isdigit():
        digits += c
        if len(digits) > _DIGITS:
            raise ValueError("not a tnetstring: absurdly large length prefix")
        c = file_handle.read(1)
    if c != b":" or not digits:
        raise ValueError("not a tnetstring: missing or invalid length prefix")
    data = _read_bytes(file_handle, int(digits))
    return parse(file_handle.read(1)[0], data)


def _read_bytes(file_handle, size):
    """Reads size bytes, or what there is. The size is not trusted: no memory is set aside for it."""
    if size <= _CHUNK:
        return file_handle.read(size)
    chunks = []
    while size:
        chunk = file_handle.read(min(size, _CHUNK))
        if not chunk:
            break
        chunks.append(chunk)
        size -= len(chunk)
    if size:
        raise IndexError("not a tnetstring: the file ends in it")
    return b"".join(chunks)


def parse(data_type, data):
    """Returns the value of data by its tag, a number."""
    return _parse(data_type, data, 0, len(data))


def _read(data, start, end):
    """Returns the value at start and where it ends, which is not behind end."""
    colon = data.find(b":", start, min(end, start + _DIGITS + 1))
    digits = data[start:colon] if colon > start else b""
    if not digits.isdigit():
        raise ValueError("not a tnetstring: missing or invalid length prefix: %r" % data[start : min(end, start + 20)])
    begin = colon + 1
    stop = begin + int(digits)
    if stop >= end:
        raise ValueError("not a tnetstring: invalid length prefix: %s" % digits.decode("ascii"))
    return _parse(data[stop], data, begin, stop), stop + 1


_COMMA, _SEMICOLON, _HASH, _CARET, _BANG, _TILDE, _LIST, _DICT = b",;#^!~]}"


def _parse(tag, data, start, end):
    if tag == _COMMA:
        return data[start:end]
    if tag == _SEMICOLON:
        return data[start:end].decode("utf-8")
    if tag == _HASH:
        return _number(int, "integer", data[start:end])
    if tag == _CARET:
        return _number(float, "float", data[start:end])
    if tag == _BANG:
        text = data[start:end]
        if text == b"true":
            return True
        if text == b"false":
            return False
        raise ValueError("not a tnetstring: invalid boolean literal: %r" % text)
    if tag == _TILDE:
        if start != end:
            raise ValueError("not a tnetstring: invalid null literal: %r" % data[start:end])
        return None
    if tag == _LIST:
        values = []
        while start < end:
            value, start = _read(data, start, end)
            values.append(value)
        return values
    if tag == _DICT:
        entries = {}
        while start < end:
            key, start = _read(data, start, end)
            entries[key], start = _read(data, start, end)
        return entries
    raise ValueError("unknown type tag: %d" % tag)


def _number(make, what, text):
    try:
        return make(text)
    except ValueError:
        raise ValueError("not a tnetstring: invalid %s literal: %r" % (what, text)) from None


__all__ = ["dump", "dumps", "load", "loads", "pop"]
