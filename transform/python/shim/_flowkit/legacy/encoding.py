"""Content encodings, as netlib and libmproxy had them."""
from .text import Bytes, to_bytes

ENCODINGS = {"identity", "gzip", "deflate"}

__all__ = ["ENCODINGS", "decode", "encode"]


def _in_order(first, second):
    """Return (content, encoding): up to 0.17 the encoding came first."""
    if isinstance(first, str) and (first.lower() in ENCODINGS or not isinstance(second, str)):
        return to_bytes(second), first
    return to_bytes(first), second


def _run(name, first, second):
    from mitmproxy.net import encoding

    content, kind = _in_order(first, second)
    if content is None or not isinstance(kind, str):
        return None
    try:
        return Bytes(getattr(encoding, name)(content, kind))
    except ValueError:
        return None


def decode(encoding, content):
    """Return the decoded content, None if it cannot be decoded."""
    return _run("decode", encoding, content)


def encode(encoding, content):
    """Return the encoded content, None if the encoding is not known."""
    return _run("encode", encoding, content)
