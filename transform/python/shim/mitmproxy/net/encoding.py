"""Content codings: how the bodies of messages are compressed.

What is compressed here is, byte by byte, what mitmproxy 12 compresses it to, which takes the
fastest level of each.
"""

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"

fallback = None
"""What undoes and applies codings for which no package is there, a function of
("decode" or "encode", name, bytes); None if there is none."""

limit = 0
"""How many bytes may come out of a decoding at the most, 0 for any number."""

# The body of the last call: (encoded, encoding, errors, decoded). A script that takes a
# body apart and puts it back unchanged gets the very body it had.
_cache = (None, None, None, None)


def decode(encoded, encoding, errors="strict"):
    """Undoes a content coding (bytes become bytes) or a charset (bytes become text).

    A ValueError says that it is unknown or that the data does not obey it.
    """
    global _cache
    if encoded is None:
        return None
    encoding = encoding.lower()
    data, name, mode, decoded = _cache
    if name == encoding and mode == errors and type(encoded) is bytes and (data is encoded or data == encoded):
        return decoded
    try:
        coding = custom_decode.get(encoding)
        if coding is None:
            return _text_decode(encoded, encoding, errors)
        decoded = coding(encoded)
        if encoding in _CACHED:
            _cache = (encoded, encoding, errors, decoded)
        return decoded
    except TypeError:
        raise
    except Exception as e:
        raise _failed(e, "decoding", encoded, encoding) from e


def encode(decoded, encoding, errors="strict"):
    """Applies a content coding (to bytes) or a charset (to text)."""
    global _cache
    if decoded is None:
        return None
    encoding = encoding.lower()
    encoded, name, mode, data = _cache
    if name == encoding and mode == errors and type(decoded) is bytes and (data is decoded or data == decoded):
        return encoded
    try:
        coding = custom_encode.get(encoding)
        if coding is None:
            return _text_encode(decoded, encoding, errors)
        encoded = coding(decoded)
        if encoding in _CACHED:
            _cache = (encoded, encoding, errors, decoded)
        return encoded
    except TypeError:
        raise
    except Exception as e:
        raise _failed(e, "encoding", decoded, encoding) from e


def _failed(e, doing, value, encoding):
    head = value[:10] if isinstance(value, (bytes, str)) else value
    return ValueError(
        "%s when %s %s with %r: %r" % (type(e).__name__, doing, repr(head)[:10], encoding, e)
    )


def _text_decode(data, charset, errors):
    if data:
        try:
            return data.decode(charset, errors)
        except (AttributeError, LookupError):
            pass
    # This takes what is no charset but a codec too, and looks one up for nothing as well.
    import codecs

    return codecs.decode(data, charset, errors)


def _text_encode(text, charset, errors):
    if text:
        try:
            return text.encode(charset, errors)
        except (AttributeError, LookupError):
            pass
    import codecs

    return codecs.encode(text, charset, errors)


def identity(content):
    """Returns content as it is."""
    return content


def decode_gzip(content):
    """Undoes gzip, also several streams one after the other. What is cut off is given as far as it goes."""
    if not content:
        return b""
    import zlib

    # 32: what is zlib's is taken too.
    stream = zlib.decompressobj(15 + 32)
    out = _bounded(stream.decompress(content, _most()))
    tail = stream.unused_data
    if tail[:2] != b"\x1f\x8b":
        return out
    parts = [out]
    while tail[:2] == b"\x1f\x8b":
        stream = zlib.decompressobj(15 + 32)
        parts.append(stream.decompress(tail, _most()))
        tail = stream.unused_data
        _bounded(b"", sum(map(len, parts)))
    return b"".join(parts)


def _most():
    """Returns what zlib is to give at the most: a byte more than it may, to see that it would."""
    return limit + 1 if limit else 0


def _bounded(out, more=0):
    if limit and len(out) + more > limit:
        raise ValueError("the decoded body is larger than %d bytes (--max-script-body)" % limit)
    return out


def encode_gzip(content):
    """Applies gzip, without a time."""
    import zlib

    stream = zlib.compressobj(1, zlib.DEFLATED, -15, 8)
    body = stream.compress(content)
    return b"".join((
        _GZIP_HEADER,
        body,
        stream.flush(),
        zlib.crc32(content).to_bytes(4, "little"),
        (len(content) & 0xFFFFFFFF).to_bytes(4, "little"),
    ))


def decode_deflate(content):
    """Undoes deflate, with or without the wrapping of zlib."""
    if not content:
        return b""
    import zlib

    if not limit:
        try:
            return zlib.decompress(content)
        except zlib.error:
            return zlib.decompress(content, -15)
    try:
        return _inflate(zlib, content, 15)
    except zlib.error:
        return _inflate(zlib, content, -15)


def _inflate(zlib, content, bits):
    stream = zlib.decompressobj(bits)
    out = _bounded(stream.decompress(content, _most()))
    if not stream.eof:
        raise zlib.error("Error -5 while decompressing data: incomplete or truncated stream")
    return out


def encode_deflate(content):
    """Applies deflate, wrapped as zlib does."""
    import zlib

    return zlib.compress(content, 1)


def decode_brotli(content):
    """Undoes Brotli."""
    return _bounded(_package("br")[0](content)) if content else b""


def encode_brotli(content):
    """Applies Brotli."""
    return _package("br")[1](content)


def decode_zstd(content):
    """Undoes Zstandard, also several frames one after the other."""
    return _bounded(_package("zstd")[0](content)) if content else b""


def encode_zstd(content):
    """Applies Zstandard."""
    return _package("zstd")[1](content)


_packages = {}


def _package(name):
    """Returns the functions (decode, encode) of a coding that is not of the standard library."""
    try:
        return _packages[name]
    except KeyError:
        pass
    found = _find_brotli() if name == "br" else _find_zstd()
    if found is None:
        if fallback is None:
            raise ValueError(
                "content-encoding %s needs the Python package %s, which is not installed"
                % (name, "brotli" if name == "br" else "zstandard")
            )
        found = (lambda content: fallback("decode", name, content)), (lambda content: fallback("encode", name, content))
    _packages[name] = found
    return found


def _find_brotli():
    try:
        import brotli
    except ImportError:
        try:
            import brotlicffi as brotli
        except ImportError:
            return None
    return brotli.decompress, lambda content: brotli.compress(content, quality=0)


def _find_zstd():
    try:
        import zstandard
    except ImportError:
        pass
    else:
        return (
            lambda content: zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True).read(_most() or -1),
            lambda content: zstandard.ZstdCompressor(level=1).compress(content),
        )
    try:
        from compression import zstd
    except ImportError:
        try:
            from backports import zstd
        except ImportError:
            return None
    return zstd.decompress, lambda content: zstd.compress(content, 1)


_CACHED = frozenset(("gzip", "deflate", "deflateraw", "br", "zstd"))

custom_decode = {
    "none": identity,
    "identity": identity,
    "gzip": decode_gzip,
    "deflate": decode_deflate,
    "deflateraw": decode_deflate,
    "br": decode_brotli,
    "zstd": decode_zstd,
}

custom_encode = {
    "none": identity,
    "identity": identity,
    "gzip": encode_gzip,
    "deflate": encode_deflate,
    "deflateraw": encode_deflate,
    "br": encode_brotli,
    "zstd": encode_zstd,
}
