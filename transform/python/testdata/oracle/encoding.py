"""Content codings, charsets and the bodies in them."""
import gzip
import warnings
import zlib

from _oracle import main

from mitmproxy.http import Headers, Response
from mitmproxy.net import encoding

FAST = "since version 12 the fastest level of compression is taken, and gzip has no time"
GZIP = "since version 12 gzip may be cut off or be zlib's"
CHARSET = "since version 12 a byte order mark counts, and more types are UTF-8"

DEVIATIONS = {
    "encode gzip": FAST,
    "encode GZIP": FAST,
    "encode deflate": FAST,
    "encode deflateRaw": FAST,
    "encode br": FAST,
    "message same gzip": FAST,
    "message same deflate": FAST,
    "message same br": FAST,
    "message decode empty": "since version 10 nothing is done to an empty body",
    "gzip cut off": GZIP,
    "gzip without its end": GZIP,
    "gzip with a tail": GZIP,
    "gzip that is zlib": GZIP,
    "errors gzip": GZIP,
    "errors GZIP": GZIP,
    "text 'text/html; charset=gzip' latin1": GZIP,
    "zstd twice": "since version 10 several frames are read",
}

TEXT = b"hello hello hello, " * 9


def failure(call):
    """Return what a call gives, or the type of its exception alone."""
    try:
        return call()
    except Exception as e:
        return type(e).__name__


ZIPPED = gzip.compress(b"abc", mtime=0)
DEFLATED = zlib.compress(b"abc")

STREAMS = {
    "gzip": (ZIPPED, "gzip"),
    "gzip twice": (ZIPPED + ZIPPED, "gzip"),
    "gzip with zeros": (ZIPPED + b"\0\0", "gzip"),
    "gzip with a tail": (ZIPPED + b"tail", "gzip"),
    "gzip cut off": (gzip.compress(TEXT, mtime=0)[:-12], "gzip"),
    "gzip without its end": (ZIPPED[:-4], "gzip"),
    "gzip with a wrong sum": (ZIPPED[:-8] + b"\0" * 8, "gzip"),
    "gzip that is zlib": (DEFLATED, "gzip"),
    "gzip that is plain": (b"plain", "gzip"),
    "deflate": (DEFLATED, "deflate"),
    "deflate raw": (DEFLATED[2:-4], "deflate"),
    "deflateraw": (DEFLATED[2:-4], "deflateRaw"),
    "deflate with a tail": (DEFLATED + b"x", "deflate"),
    "deflate cut off": (DEFLATED[:-5], "deflate"),
    "deflate that is gzip": (ZIPPED, "deflate"),
    "br": (encoding.encode(TEXT, "br"), "br"),
    "br cut off": (encoding.encode(TEXT, "br")[:-3], "br"),
    "br that is plain": (b"plain", "br"),
    "zstd": (encoding.encode(TEXT, "zstd"), "zstd"),
    "zstd twice": (encoding.encode(TEXT, "zstd") * 2, "zstd"),
    "zstd that is plain": (b"plain", "zstd"),
}

CODINGS = ["gzip", "GZIP", "deflate", "deflateRaw", "br", "zstd", "identity", "none", "utf8", "latin-1", "x-gzip", "bogus", "", "gzip, br", " gzip", "base64", "idna", "punycode"]  # fmt: skip

TYPES = [
    None, "", "text/html", "text/plain", "application/json", "application/vnd.api+json; charset=latin1", "text/xml",
    "application/xhtml+xml", "image/svg+xml", "text/css", "text/javascript", "text/html; charset=latin1",
    'text/html;charset="utf-8"', "text/html; charset='utf8'", "TEXT/HTML; CHARSET=UTF-16", "text/html; charset=gbk",
    "text/html; charset=GB2312", "text/html; charset=UTF-8", "text/html; charset=iso-8859-1", "text/html; charset=windows-1252",
    "text/html; charset=shift_jis", "text/html; charset=utf-16", "text/html; charset=ascii", "text/html; charset=wtf",
    "text/html; charset", "text/html; charset=", "text; charset=utf8", "a/b/c; charset=utf8", "text/html; a=b; charset=utf8",
    "text/html ;charset=utf8", " text/html; charset = utf8", "text/html; charset=utf8; charset=latin1", "gibberish",
    "text/html; charset=gzip", "text/html; charset=base64", "text/html; charset=idna", "text/html; charset=\udcff",
]  # fmt: skip

BODIES = {
    "plain": b"plain",
    "utf8": b"\xc3\xbc",
    "latin1": b"\xfc",
    "empty": b"",
    "bom": b"\xef\xbb\xbf\xc3\xbc",
    "bom16": b"\xff\xfea\0",
    "bom16be": b"\xfe\xff\0a",
    "bom32": b"\xff\xfe\0\0a\0\0\0",
    "meta": b"<html><meta charset=gbk>\xc3\xbc",
    "meta quoted": b"<META\nhttp-equiv=x content='text/html; CHARSET=\"cp1251\" x'>\xc3\xbc",
    "meta content": b'<meta content="text/html;charset=gb2312">\xe6\x98\x8e\xe4\xbc\xaf',
    "meta two": b"<meta name=x><meta charset='cp1251'/>\xc3\xbc",
    "meta last": b"<meta charset=cp1251 x charset=koi8-r>\xc3\xbc",
    "xml": b'<?xml version="1.0" encoding="gb2312"?>\xc3\xbc',
    "css": b'@charset "gb2312";\xc3\xbc',
    "css late": b' @charset "gb2312";\xc3\xbc',
}

# Pairs of types and bodies whose charset is another one since version 12.
UTF8_NOW = ("text/html", "text/xml", "application/xhtml+xml", "image/svg+xml", "text/css", "text/javascript")
PARAMETERLESS = ("TEXT/HTML", "text/html; charset", "text/html; charset=")


def response(content_type=None, content=b"", **headers):
    r = Response(b"HTTP/1.1", 200, b"OK", (), content, None, 1.0, 2.0)
    if content_type is not None:
        r.headers["content-type"] = content_type
    for name, value in headers.items():
        r.headers[name.replace("_", "-")] = value
    return r


def texts(content_type, content):
    r = response(content_type, content)
    return failure(lambda: r.text), failure(lambda: r.get_text(strict=False))


def set_text(content_type, text):
    r = response(content_type, b"x")
    return failure(lambda: setattr(r, "text", text)), r.raw_content, r.headers.fields


def newer_charset(content_type, name):
    """Whether version 12 finds another charset than 8.1.1."""
    ct = content_type or ""
    body = BODIES[name]
    if name.startswith("bom"):
        return True
    if body.isascii() or "charset=" in ct.lower() and ct not in PARAMETERLESS:
        return False
    if name == "xml" and "xml" in ct:
        return True
    if "html" in ct and name.startswith("meta"):
        return False
    if ct == "text/css" and name == "css":
        return False
    return ct in UTF8_NOW or ct in PARAMETERLESS


DEVIATIONS.update(
    {"text %r %s" % (t, name): CHARSET for t in TYPES for name in BODIES if newer_charset(t, name)}
)
DEVIATIONS.update(
    {"set text %r %r" % (t, text): CHARSET for t in UTF8_NOW + PARAMETERLESS[1:] for text in ("\xfc", "\xfc\u20ac")}
)


def messages():
    def edit(f, **kw):
        def call():
            r = response(**kw)
            result = failure(lambda: f(r))
            return result, r.raw_content, r.headers.fields

        return call

    def put(name, value):
        return lambda r: setattr(r, name, value)

    yield "content", edit(put("content", b"new"), content=b"old")
    yield "content / length", edit(put("content", b"new"), content=b"old", Content_Length="99")
    yield "content / bad length", edit(put("content", b"new"), content=b"old", content_length="x")
    yield "content / transfer-encoding", edit(put("content", b"new"), transfer_encoding="chunked")
    yield "content / transfer-encoding and length", edit(put("content", b"new"), transfer_encoding="x", content_length="9")
    yield "content / bogus", edit(put("content", b"new"), content_encoding="bogus")
    yield "content / utf8", edit(put("content", b"new"), content_encoding="utf8")
    yield "content / empty coding", edit(put("content", b"new"), content_encoding="")
    yield "content / identity", edit(put("content", b"new"), content_encoding="identity")
    yield "content None", edit(put("content", None), content=b"old", content_encoding="gzip", content_length="3")
    yield "content empty", edit(put("content", b""), content=b"old")
    for value in ("text", 5, bytearray(b"x"), ["x"]):
        yield "content %r" % (value,), edit(put("content", value), content=b"old")
        yield "content error %r" % (value,), lambda value=value: setattr(response(), "content", value)
    yield "raw_content", edit(put("raw_content", b"raw"), content=b"old", content_length="3", content_encoding="gzip")
    yield "raw_content None", edit(put("raw_content", None), content=b"old", content_length="3")
    yield "text None", edit(put("text", None), content=b"old", content_length="3")
    yield "text empty", edit(put("text", ""), content=b"old")
    yield "text / bogus", edit(put("text", "x"), content_encoding="bogus")
    yield "text int", edit(put("text", 5))
    yield "text bytes", edit(put("text", b"x"))
    yield "get None", lambda: (response(content=None).content, response(content=None).text, response(content=None).raw_content)
    for coding in ("gzip", "deflate", "br", "zstd", "identity", "none"):
        yield "get " + coding, lambda c=coding: response(content=encoding.encode(TEXT, c), content_encoding=c).content
        yield "same %s" % coding, lambda c=coding: same(response(content=encoding.encode(TEXT, c), content_encoding=c))
        yield "decode " + coding, edit(lambda r: r.decode(), content=encoding.encode(TEXT, coding), content_encoding=coding)
    for coding in ("bogus", "utf8", "gzip, br", "x-gzip"):
        yield "get " + coding, edit(lambda r: (r.get_content(strict=False), r.get_text(strict=False), failure(lambda: r.content), failure(lambda: r.text)), content=b"x", content_encoding=coding)
        yield "get empty " + coding, edit(lambda r: (failure(lambda: r.content), r.get_content(False)), content=b"", content_encoding=coding)
        yield "decode " + coding, edit(lambda r: r.decode(), content=b"x", content_encoding=coding)
        yield "decode lax " + coding, edit(lambda r: r.decode(strict=False), content=b"x", content_encoding=coding)
        yield "encode " + coding, edit(lambda r, c=coding: r.encode(c), content=b"x")
    yield "get damaged", edit(lambda r: (r.get_content(strict=False), r.get_text(strict=False), failure(lambda: r.content)), content=b"no gzip", content_encoding="gzip")
    yield "decode damaged", edit(lambda r: r.decode(), content=b"no gzip", content_encoding="gzip")
    yield "decode damaged lax", edit(lambda r: r.decode(strict=False), content=b"no gzip", content_encoding="gzip")
    yield "decode empty", edit(lambda r: r.decode(), content=b"", content_encoding="gzip", content_length="7")
    yield "decode None", edit(lambda r: r.decode(), content=None, content_encoding="gzip", content_length="7")
    yield "decode nothing", edit(lambda r: r.decode(), content=b"x", content_length="7")
    yield "encode identity", edit(lambda r: r.encode("identity"), content=b"x")
    yield "encode empty name", edit(lambda r: r.encode(""), content=b"x")
    yield "encode None content", edit(lambda r: r.encode("gzip"), content=None)
    yield "json", lambda: response(content=b'{"a": [1, "\xc3\xbc"]}').json()
    yield "json parse", lambda: response(content=b'{"a": 1.5}').json(parse_float=str)
    yield "json text", lambda: failure(lambda: response(content=b"{").json())
    yield "json empty", lambda: failure(lambda: response(content=b"").json())
    yield "json None", lambda: response(content=None).json()
    yield "json damaged", lambda: response(content=b"[1]", content_encoding="gzip").json()
    yield "json utf16", lambda: response(content="[1]".encode("utf-16")).json()


def same(r):
    """Put the content back as it is; the body must stay what it was."""
    before = r.raw_content
    r.content = r.content
    r.text = r.text
    return r.raw_content == before, r.headers.fields


def cases():
    warnings.simplefilter("ignore")
    for name in CODINGS:
        yield "encode " + name, lambda n=name: failure(lambda: encoding.encode(TEXT, n))
        yield "decode junk " + name, lambda n=name: failure(lambda: encoding.decode(b"garbage", n))
        yield "decode empty " + name, lambda n=name: failure(lambda: encoding.decode(b"", n))
        yield "decode text " + name, lambda n=name: failure(lambda: encoding.decode("text", n))
        yield "encode text " + name, lambda n=name: failure(lambda: encoding.encode("text", n))
        yield "None " + name, lambda n=name: (encoding.decode(None, n), encoding.encode(None, n))
        yield "round trip " + name, lambda n=name: failure(lambda: encoding.decode(encoding.encode(TEXT, n), n))
        yield "errors " + name, lambda n=name: failure(lambda: encoding.decode(b"\xff", n, "replace"))
    for name, (data, coding) in STREAMS.items():
        yield name, lambda d=data, c=coding: failure(lambda: encoding.decode(d, c))
    yield "error of unknown", lambda: encoding.decode(b"0123456789abc", "bogus")
    yield "error of charset", lambda: encoding.decode(b"\xff", "utf8")
    yield "error of encoding", lambda: encoding.encode("\u20ac", "latin-1")
    yield "tables", lambda: (sorted(encoding.custom_decode), sorted(encoding.custom_encode))
    for content_type in TYPES:
        for name, content in BODIES.items():
            yield "text %r %s" % (content_type, name), lambda t=content_type, c=content: texts(t, c)
        for text in ("plain", "\xfc", "\xfc\u20ac", "\udcff"):
            yield "set text %r %r" % (content_type, text), lambda t=content_type, x=text: set_text(t, x)
    for name, call in messages():
        yield "message " + name, call


if __name__ == "__main__":
    main(cases)
