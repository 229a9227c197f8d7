"""Domain names as they stand in DNS messages (RFC 1035, section 4.1.4)."""
from __future__ import annotations

import struct

from mitmproxy.net.dns import types

_SIZE = struct.Struct("!B")
_POINTER = struct.Struct("!H")
_IS_POINTER = 0xC0

# Of which parts the data of the types is made that may hold compressed names (RFC 1035,
# RFC 3597): a number of bytes, a name, a text with its length before it, or the rest.
_NAME, _TEXT, _REST = "name", "text", "rest"
_LAYOUTS = {
    types.NS: (_NAME,),
    types.MD: (_NAME,),
    types.MF: (_NAME,),
    types.CNAME: (_NAME,),
    types.SOA: (_NAME, _NAME, 20),
    types.MB: (_NAME,),
    types.MG: (_NAME,),
    types.MR: (_NAME,),
    types.PTR: (_NAME,),
    types.MINFO: (_NAME, _NAME),
    types.MX: (2, _NAME),
    types.RP: (_NAME, _NAME),
    types.AFSDB: (2, _NAME),
    types.RT: (2, _NAME),
    types.SIG: (18, _NAME, _REST),
    types.PX: (2, _NAME, _NAME),
    types.NXT: (_NAME, _REST),
    types.SRV: (6, _NAME),
    types.NAPTR: (4, _TEXT, _TEXT, _TEXT, _NAME),
    types.DNAME: (_NAME,),
}


def cache():
    """Returns an empty cache for names of one message: offset to (name, length)."""
    return {}


def _decode(label, offset):
    try:
        text = label.decode("ascii")
        # Only what begins with the prefix of IDNA is changed by the codec, which is slow to load.
        return label.decode("idna") if "xn--" in text.lower() else text
    except UnicodeError:
        raise struct.error("unpack encountered an illegal characters at offset %d" % offset) from None


def _label(labels, buffer, offset):
    """Appends the label at offset and returns how long it is; 1 for the end of the name."""
    (size,) = _SIZE.unpack_from(buffer, offset)
    if size >= 64:
        raise struct.error("unpack encountered a label of length %d" % size)
    if size:
        label = bytes(buffer[offset + 1 : offset + 1 + size])
        if len(label) != size:
            raise struct.error("unpack requires a label buffer of %d bytes" % size)
        labels.append(_decode(label, offset + 1))
    return size + 1


def _pointed(buffer, offset):
    """Returns where the pointer at offset leads; None if there is none."""
    if (_SIZE.unpack_from(buffer, offset)[0] & _IS_POINTER) != _IS_POINTER:
        return None
    return _POINTER.unpack_from(buffer, offset)[0] & ~(_IS_POINTER << 8)


def unpack_from_with_compression(buffer, offset, cached_names):
    """Returns the name at offset, which may end in a pointer, and how long it is there.

    The cache makes it linear to read all names of a message. A loop of pointers is an error.
    """
    begun = []
    try:
        tail = _read_chain(buffer, offset, cached_names, begun)
    except BaseException:
        for start, _, _ in begun:
            cached_names.pop(start, None)
        raise
    for start, labels, length in reversed(begun):
        if tail is not None:
            labels.append(tail)
        tail = ".".join(labels)
        cached_names[start] = tail, length
    return cached_names[offset]


def _read_chain(buffer, offset, cached_names, begun):
    """Reads parts of names, each of which points to the next, until one is complete.

    Appends [start, labels, length] of each to begun and returns the name that the last one
    points to, if that is known already.
    """
    while True:
        if offset in cached_names:
            known = cached_names[offset]
            if known is None:
                raise struct.error("unpack encountered domain name loop")
            return known[0]
        cached_names[offset] = None
        part = [offset, [], 0]
        begun.append(part)
        at = offset
        while True:
            target = _pointed(buffer, at)
            if target is not None:
                part[2] = at + 2 - offset
                break
            size = _label(part[1], buffer, at)
            at += size
            if size == 1:
                part[2] = at - offset
                return None
        offset = target


def unpack_from(buffer, offset):
    """Returns the name at offset, in which pointers are no names, and how long it is."""
    labels = []
    at = offset
    while True:
        if _SIZE.unpack_from(buffer, at)[0] & _IS_POINTER == _IS_POINTER:
            raise struct.error("unpack encountered a pointer which is not supported in RDATA")
        size = _label(labels, buffer, at)
        at += size
        if size == 1:
            return ".".join(labels), at - offset


def unpack(buffer):
    """Returns the name that the buffer consists of."""
    name, length = unpack_from(buffer, 0)
    if length != len(buffer):
        raise struct.error("unpack requires a buffer of %d bytes" % length)
    return name


def pack(name):
    """Returns the name as it stands in a message, not compressed."""
    if not name:
        return b"\0"
    packed = bytearray()
    for label in name.split("."):
        if not label:
            raise ValueError("domain name '%s' contains empty labels" % name)
        ascii = len(label) < 64 and label.isascii()
        encoded = label.encode("ascii" if ascii else "idna")
        packed.append(len(encoded))
        packed += encoded
    packed.append(0)
    return bytes(packed)


def record_data_can_have_compression(record_type):
    """Whether names in the data of records of the type may be compressed."""
    return record_type in _LAYOUTS


def decompress_from_record_data(buffer, offset, end_data, cached_names):
    """Returns buffer[offset:end_data] with what looks like a pointer to a name written out."""
    data = bytearray()
    while offset < end_data:
        if buffer[offset] & _IS_POINTER == _IS_POINTER and offset + 2 <= end_data:
            try:
                name, size = unpack_from_with_compression(buffer, offset, cached_names)
                data += pack(name)
                offset += size
                continue
            except (struct.error, ValueError):
                pass
        data.append(buffer[offset])
        offset += 1
    return bytes(data)


def decompress_record(record_type, buffer, offset, end, cached_names):
    """Returns the data of a record, buffer[offset:end], with its names written out."""
    layout = _LAYOUTS.get(record_type)
    if layout is None:
        return bytes(buffer[offset:end])
    try:
        return _decompress(layout, buffer, offset, end, cached_names)
    except (struct.error, ValueError):
        return decompress_from_record_data(buffer, offset, end, cached_names)


def _decompress(layout, buffer, offset, end, cached_names):
    data = bytearray()
    for part in layout:
        if part is _NAME:
            name, size = unpack_from_with_compression(buffer, offset, cached_names)
            data += pack(name)
        else:
            size = end - offset if part is _REST else 1 + buffer[offset] if part is _TEXT else part
            data += buffer[offset : offset + size]
        offset += size
        if offset > end:
            raise ValueError("data is too short")
    if offset != end:
        raise ValueError("data is too long")
    return bytes(data)
