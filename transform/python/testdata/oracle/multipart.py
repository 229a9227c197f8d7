"""Forms in bodies."""
import warnings

from _oracle import main

from mitmproxy.http import Headers, Request
from mitmproxy.net.http import multipart

try:
    decode, encode = multipart.decode, lambda t, parts: multipart.encode({"content-type": t}, parts)
except AttributeError:
    decode, encode = multipart.decode_multipart, multipart.encode_multipart

DEVIATIONS = {
    "encode type ''": "newer versions give no bytes instead of nothing",
    "encode type None": "the same",
}
DEVIATIONS.update(
    {"edit %s add" % body: "mitmproxy's view has a list, to which add() cannot add" for body in ("one", "two", "nothing", "binary", "None")}
)

TYPE = "multipart/form-data; boundary=B"
FIELD = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'

BODIES = {
    "nothing": b"",
    "one": FIELD + b"--B--\r\n",
    "two": FIELD + b'--B\r\nContent-Disposition: form-data; name="b"; filename="f"\r\nContent-Type: t/x\r\n\r\ny\r\nz\r\n\r\n--B--\r\n',
    "twice": FIELD + FIELD + b"--B--\r\n",
    "line feeds": b'--B\nContent-Disposition: form-data; name="a"\n\nx\n--B--',
    "carriage returns": b'--B\rname="a"\r\rx\r--B--',
    "junk": b"junk",
    "name alone": b'--B\r\nname="q"\r\n\r\n\r\n--B--',
    "no quotes": b"--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--B--",
    "empty name": b'--B\r\nContent-Disposition: form-data; name=""\r\n\r\nx\r\n--B--',
    "filename first": b'--B\r\nContent-Disposition: form-data; filename="f"; name="a"\r\n\r\nx\r\n--B--',
    "filename alone": b'--B\r\nContent-Disposition: form-data; filename="f"\r\n\r\nx\r\n--B--',
    "nothing in it": b"--B\r\n\r\n--B\r\n",
    "prologue": b"pre" + FIELD + b"--B--epi",
    "binary": b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\x00\r\n\r\n\r\ny\r\n--B--',
    "boundary within": b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx--By\r\n--B--',
    "more headers": b'--B\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: t\r\nX: y\r\n\r\nx\r\n--B--',
    "cut off": b'--B\r\nContent-Disposition: form-data; name="a"',
    "cut off in headers": b'--B\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: t',
    "other first": b'--B\r\nContent-Type: t\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--B--',
    "not ASCII": b'--B\r\nContent-Disposition: form-data; name="\xc3\xa9"\r\n\r\n\xc3\xa9\r\n--B--',
    "without end": FIELD,
}

TYPES = [
    None, "", "multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary="B"', "multipart/mixed; boundary=B",
    "text/plain; boundary=B", "multipart/form-data; boundary=\xe9", "multipart/form-data; Boundary=B", "x; boundary=B",
    "multipart/form-data; charset=utf-8; boundary=B", "Multipart/Form-Data; boundary=B",
]  # fmt: skip

PARTS = {
    "none": [],
    "one": [(b"a", b"b")],
    "two": [(b"a", b"b"), (b"c", b"d\r\n")],
    "html": [(b"a.html", b"b")],
    "jpg": [(b"x.jpg", b"\xff")],
    "empty": [(b"a", b"")],
    "boundary": [(b"a", b"--B")],
    "boundary and more": [(b"a", b"--Bx")],
    "boundary behind": [(b"a", b"x--B")],
    "boundary in lines": [(b"a", b"x\n--B\ny")],
    "boundary and line": [(b"a", b"--B\n")],
    "quote": [(b'a b"', b"x")],
    "not ASCII": [(b"\xff", b"x")],
    "no name": [(b"", b"x")],
    "text": [("a", "b")],
    "None": [(b"a", None)],
}


def failure(call):
    """Return what a call gives, or the type of its exception alone."""
    try:
        return call()
    except Exception as e:
        return type(e).__name__


def request(content_type, content):
    headers = Headers() if content_type is None else Headers(content_type=content_type)
    return Request("h", 80, b"POST", b"http", b"", b"/", b"HTTP/1.1", headers, content, None, 1.0, 2.0)


EDITS = {
    "read": lambda f: list(f.items(multi=True)),
    "set": lambda f: f.__setitem__(b"a", b"9"),
    "new": lambda f: f.__setitem__(b"new", b"9\n"),
    "del": lambda f: f.__delitem__(b"a"),
    "add": lambda f: f.add(b"a", b"again"),
    "clear": lambda f: f.clear(),
    "text": lambda f: f.__setitem__("a", "9"),
}


def edited(content_type, content, edit):
    r = request(content_type, content)
    result = failure(lambda: edit(r.multipart_form))
    return result, r.content, r.headers.fields


def assigned(content_type, value):
    r = request(content_type, b"old")
    result = failure(lambda: setattr(r, "multipart_form", value))
    # A boundary that is made is a random one.
    boundary = r.headers.get("content-type", "").partition("boundary=")[2]
    known = content_type is not None and "boundary=" in content_type
    length = None if known else (len(r.content), boundary.startswith("-" * 20), r.headers["content-type"].partition("=")[0])
    return result, length, r.content if known else list(r.multipart_form.items(multi=True))


def cases():
    warnings.simplefilter("ignore")
    for name, body in BODIES.items():
        yield "decode " + name, lambda b=body: failure(lambda: decode(TYPE, b))
        yield "view " + name, lambda b=body: tuple(request(TYPE, b).multipart_form.fields)
    for t in TYPES:
        yield "decode type %r" % (t,), lambda t=t: failure(lambda: decode(t, BODIES["one"]))
        yield "view type %r" % (t,), lambda t=t: tuple(request(t, BODIES["one"]).multipart_form.fields)
    for name, parts in PARTS.items():
        yield "encode " + name, lambda p=parts: failure(lambda: encode(TYPE, p))
        yield "assign " + name, lambda p=parts: assigned(TYPE, p)
    for t in ("multipart/form-data", "text/plain; boundary=B", "multipart/form-data; boundary=a b", "multipart/form-data; boundary=a'()+_,-./:=?z", "", None, "multipart/form-data; boundary=B; x=y"):  # fmt: skip
        yield "encode type %r" % (t,), lambda t=t: encode(t, PARTS["one"])
    for name, edit in EDITS.items():
        for body in ("one", "two", "nothing", "binary"):
            yield "edit %s %s" % (body, name), lambda e=edit, b=body: edited(TYPE, BODIES[b], e)
        yield "edit None %s" % name, lambda e=edit: edited(TYPE, None, e)
    yield "assign new", lambda: assigned(None, PARTS["two"])
    yield "assign other type", lambda: assigned("text/plain; x=y", PARTS["two"])
    yield "assign without boundary", lambda: assigned("multipart/form-data; boundary=C", PARTS["two"])


if __name__ == "__main__":
    main(cases)
