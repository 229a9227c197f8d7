"""Requests, responses and flows. The file is not called http, which would hide Python's own module."""
import warnings

from _oracle import main

from mitmproxy import http
from mitmproxy.http import Headers, HTTPFlow, Message, Request, Response
from mitmproxy.net.http import http1

HOST = "since version 10 the Host header is made of host and port, as they are read"
PORT = "since version 10 the Host header follows the port"
HTTP3 = "since version 9 HTTP/3 has an authority as HTTP/2 has"
NONE = "values of a wrong type are refused when they are set, not when they are read or saved"

DEVIATIONS = {
    "connect path_components": "mitmproxy takes the port for a path",
    "make response html": "since version 12 HTML is UTF-8",
    "edit response reason None": NONE,
    "edit response http_version None": NONE,
    "http3": HTTP3,
    "request timestamp None": "flows of other sources may not know when they began",
    "state unknown field": "a field that no message has is an error",
}


def failure(call):
    """Return what a call gives, or the type of its exception alone."""
    try:
        return call()
    except ValueError:
        return "ValueError"
    except Exception as e:
        return type(e).__name__


def request(**fields):
    all_fields = dict(
        host="h", port=80, method=b"GET", scheme=b"http", authority=b"", path=b"/p", http_version=b"HTTP/1.1", headers=(), content=b"",
        trailers=None, timestamp_start=1.0, timestamp_end=2.0,
    )  # fmt: skip
    all_fields.update(fields)
    return Request(**all_fields)


def response(**fields):
    all_fields = dict(
        http_version=b"HTTP/1.1", status_code=200, reason=b"OK", headers=(), content=b"", trailers=None, timestamp_start=1.0,
        timestamp_end=2.0,
    )  # fmt: skip
    all_fields.update(fields)
    return Response(**all_fields)


def state(m):
    """Return the state of a message without the times it was made at."""
    s = m.get_state()
    for name in ("timestamp_start", "timestamp_end"):
        if s[name] not in (None, 1.0, 2.0):
            s[name] = "now"
    return s


REQUESTS = {
    "headers text": dict(headers="foobar"),
    "headers dict": dict(headers={"a": "b"}),
    "headers list": dict(headers=[[b"a", b"b"]]),
    "headers int": dict(headers=5),
    "headers None": dict(headers=None),
    "headers of text": dict(headers=(("a", "b"),)),
    "content text": dict(content="x"),
    "content None": dict(content=None),
    "content bytearray": dict(content=bytearray(b"x")),
    "trailers": dict(trailers=((b"a", b"b"),)),
    "trailers empty": dict(trailers=()),
    "trailers text": dict(trailers="x"),
    "host bytes": dict(host=b"xn--tda.de"),
    "host bad bytes": dict(host=b"\xff"),
    "host not ASCII": dict(host="\xfc.de"),
    "host None": dict(host=None),
    "host int": dict(host=5),
    "port text": dict(port="80"),
    "port float": dict(port=80.5),
    "port None": dict(port=None),
    "port bool": dict(port=True),
    "method text": dict(method="get"),
    "method not ASCII": dict(method="g\xe9t"),
    "method int": dict(method=5),
    "method None": dict(method=None),
    "scheme text": dict(scheme="https"),
    "scheme None": dict(scheme=None),
    "authority text": dict(authority="a:1"),
    "authority not ASCII": dict(authority="\xfc.de"),
    "path text": dict(path="/x"),
    "path not ASCII": dict(path="/\xfc"),
    "version text": dict(http_version="HTTP/1.0"),
    "timestamp int": dict(timestamp_start=1, timestamp_end=2),
    "timestamp text": dict(timestamp_start="1"),
    "timestamp None": dict(timestamp_start=None, timestamp_end=None),
    "end None": dict(timestamp_end=None),
}

RESPONSES = {
    "status text": dict(status_code="200"),
    "status None": dict(status_code=None),
    "status odd": dict(status_code=-5),
    "reason text": dict(reason="OK"),
    "reason not ASCII": dict(reason="\xfc"),
    "reason bytes": dict(reason=b"\xfc"),
    "headers": dict(headers=Headers(a="b")),
    "content text": dict(content="x"),
    "trailers": dict(trailers=Headers(a="b")),
    "version not ASCII": dict(http_version="\xe9"),
}

PATHS = [
    b"/p?a=b", b"/p;x?a=b#c", b"/a;b/c;d;e?q", b"*", b"", b"p?a", b"//x/y?z", b"/p?a\tb=c\n", b"/\xff?\xfe=\xfd", b"/p?a=b?c=d", b"/p#f?x=y",
    b"/a%2Fb/%C3%BC/ c", b"/;x", b"/a;", b"/p??", b"/p?a=b&a=c&d", b"/p?a=b;c", b"/[?a=b", b"/p?a=[", b"http://x/y?z=1", b"/a/../b", b"/p?;a=b",
    b"/p?a=%zz&b=+", b"/?", b"/#", b"/p?a=1&&b=2&", b"/p?=v", b"/\xc3\xbc", b"/a//b/", b"/p?q#", b"/p?a=b#x#y",
]  # fmt: skip

VIEWS = {
    "read": lambda r: (r.query.fields, r.path_components, r.url, r.path),
    "query set": lambda r: r.query.__setitem__("n", "v w"),
    "query set old": lambda r: r.query.__setitem__("a", "\xe9&="),
    "query clear": lambda r: r.query.clear(),
    "query assign": lambda r: setattr(r, "query", [("k", "v"), ("k", "~-_.!*'()/?:@")]),
    "query assign empty": lambda r: setattr(r, "query", []),
    "components": lambda r: setattr(r, "path_components", ["x y", "\xe9/", "~"]),
    "components none": lambda r: setattr(r, "path_components", []),
    "components same": lambda r: setattr(r, "path_components", r.path_components),
}

QUERY = {
    "dict": lambda r: setattr(r, "query", {"a": "b"}),
    "view": lambda r: setattr(r, "query", r.query),
    "text": lambda r: setattr(r, "query", "a=b"),
    "None": lambda r: setattr(r, "query", None),
    "int": lambda r: r.query.__setitem__("a", 5),
    "None value": lambda r: r.query.__setitem__("a", None),
    "bytes": lambda r: r.query.__setitem__("a", b"\xff"),
    "add": lambda r: r.query.add("a", "x"),
    "insert": lambda r: r.query.insert(0, "first", "x"),
    "del": lambda r: r.query.__delitem__("a"),
    "del missing": lambda r: r.query.__delitem__("nope"),
    "pop": lambda r: r.query.pop("a"),
    "set_all": lambda r: r.query.set_all("a", ["1", "2", "3"]),
    "update": lambda r: r.query.update(b="5", c="6"),
    "get": lambda r: (r.query["a"], r.query.get("nope"), r.query.get_all("a"), "b" in r.query, len(r.query)),
    "items": lambda r: (list(r.query.items()), list(r.query.items(multi=True)), list(r.query), bool(r.query)),
    "copy": lambda r: r.query.copy(),
    "components text": lambda r: setattr(r, "path_components", "ab"),
}

HOST_HEADERS = [
    b"x", b"x:81", b"x:80", b"x:443", b"x:", b"[::1]", b"[::1]:81", b"a..b", b"a..b:81", b"\xff", b"xn--tda.de", b"\xc3\xbc.de", b"x:99999", b"",
    b"A.B:443", b" x", b"x,y", b".disqus.com", b"u@x:1", b"1.2.3.4:5", b"a_b", b"x:0",
]  # fmt: skip

EDITS = {
    "method": ("method", "post"),
    "method bytes": ("method", b"Put"),
    "method not ASCII": ("method", "p\xfcst"),
    "method surrogate": ("method", "p\udcff"),
    "method int": ("method", 5),
    "method None": ("method", None),
    "scheme": ("scheme", "https"),
    "scheme None": ("scheme", None),
    "path": ("path", "/\xfc\udcff?x"),
    "path None": ("path", None),
    "path int": ("path", 5),
    "authority": ("authority", "auth.example:99"),
    "authority IDNA": ("authority", "\xfc.de"),
    "authority bytes": ("authority", b"\xff"),
    "authority surrogate": ("authority", "\udcff"),
    "authority labels": ("authority", "a..b"),
    "authority sharp s": ("authority", "fu\xdfball"),
    "authority empty": ("authority", ""),
    "authority None": ("authority", None),
    "authority int": ("authority", 5),
    "host": ("host", "other.example"),
    "host bytes": ("host", b"xn--tda.de"),
    "host bad bytes": ("host", b"\xff"),
    "host not ASCII": ("host", "\xfc.de"),
    "host int": ("host", 5),
    "port": ("port", 8443),
    "port default": ("port", 443),
    "port text": ("port", "5"),
    "port None": ("port", None),
    "port float": ("port", 5.5),
    "port bool": ("port", True),
    "port negative": ("port", -1),
    "host_header": ("host_header", "pretty.example:1"),
    "host_header bytes": ("host_header", b"\xff"),
    "host_header not ASCII": ("host_header", "\xfc.de"),
    "host_header empty": ("host_header", ""),
    "host_header None": ("host_header", None),
    "host_header int": ("host_header", [5]),
    "url": ("url", "https://User:pw@New.Example/p;x=1?q=2#frag"),
    "url port": ("url", "http://a:99/"),
    "url bytes": ("url", b"http://b.c/d"),
    "url IPv6": ("url", "http://[::1]:81/"),
    "url not ASCII": ("url", "http://\xfc.c/d\xfc"),
    "url relative": ("url", "foo"),
    "url empty": ("url", ""),
    "url None": ("url", None),
    "url ftp": ("url", "ftp://a/x"),
    "url odd": ("url", "http://a/?a b=c d#f g"),
    "http_version": ("http_version", "HTTP/2.0"),
    "http_version bytes": ("http_version", b"\xff"),
    "timestamps": ("timestamp_start", 2),
    "trailers": ("trailers", Headers(a="b")),
    "headers": ("headers", Headers(a="b")),
}

BASES = {
    "plain": dict(),
    "host": dict(headers=((b"X", b"y"), (b"host", b"h"))),
    "h2": dict(http_version=b"HTTP/2.0", authority=b"h", scheme=b"https", port=443),
    "h2 host": dict(http_version=b"HTTP/2.0", authority=b"h:80", headers=((b"Host", b"x"),)),
    "absolute": dict(authority=b"h"),
}

# Which of the edits newer versions do in another way.
DEVIATIONS.update({
    "edit %s %s" % (base, name): NONE
    for base in BASES
    for name in ("method None", "scheme None", "path None", "authority None", "authority int", "port text", "port None", "port float")
})
DEVIATIONS.update({
    "edit %s %s" % (base, name): PORT
    for base in BASES
    for name in ("port", "port default", "port bool", "port negative", "url port", "url IPv6")
    if base != "plain" and (base, name) != ("h2", "port default")
})
DEVIATIONS.update({
    "edit h2 url bytes": PORT,
    "edit h2 url odd": PORT,
    "edit h2 url ftp": PORT,
    "edit h2 host_header int": NONE,
    "edit h2 host host_header int": NONE,
    "edit h2 host url": PORT,
    "edit absolute url": PORT,
    "edit host url ftp": PORT,
    "edit h2 host url ftp": PORT,
    "edit host host bytes": HOST,
    "edit h2 host host bytes": HOST,
})

RESPONSE_EDITS = {
    "status": ("status_code", 404),
    "status text": ("status_code", "404"),
    "reason": ("reason", "\xfc"),
    "reason bytes": ("reason", b"\xff"),
    "reason beyond Latin-1": ("reason", "\u20ac"),
    "reason None": ("reason", None),
    "reason int": ("reason", 5),
    "http_version": ("http_version", "HTTP/2.0"),
    "http_version None": ("http_version", None),
}


def edited(m, attr, value):
    result = failure(lambda: setattr(m, attr, value))
    return result, failure(lambda: state(m)), failure(lambda: getattr(m, attr))


def read(r):
    return [
        failure(lambda: getattr(r, name))
        for name in ("method", "scheme", "host", "port", "path", "authority", "url", "pretty_host", "pretty_url", "host_header", "first_line_format")
    ]  # fmt: skip


def form(content, content_type, edit):
    headers = Headers() if content_type is None else Headers(content_type=content_type)
    r = request(method=b"POST", headers=headers, content=content)
    result = failure(lambda: edit(r))
    return result, r.raw_content, r.headers.fields


FORM = "application/x-www-form-urlencoded"
FORMS = {
    "read": lambda r: r.urlencoded_form.fields,
    "set": lambda r: r.urlencoded_form.__setitem__("x", "\xe9 &"),
    "set old": lambda r: r.urlencoded_form.__setitem__("a", "9"),
    "del": lambda r: r.urlencoded_form.__delitem__("a"),
    "add": lambda r: r.urlencoded_form.add("a", ""),
    "assign": lambda r: setattr(r, "urlencoded_form", [("k", "v"), ("l", "")]),
    "assign dict": lambda r: setattr(r, "urlencoded_form", {"k": "v"}),
    "assign none": lambda r: setattr(r, "urlencoded_form", []),
    "assign text": lambda r: setattr(r, "urlencoded_form", "k=v"),
}
FORM_BODIES = [b"a=b&c", b"a=b&c=", b"", None, b"a=%C3%A9+x&a=\xe9", b"\xfe\xfd", b"plain"]
FORM_TYPES = [FORM, FORM.title() + "; charset=latin1", "text/plain", None, FORM + "; charset=utf-16"]


class Recorder:
    """Stands for a connection."""

    def __repr__(self):
        return "Recorder()"


def flow_of(**parts):
    f = HTTPFlow(Recorder(), Recorder())
    f.request = request()
    for name, value in parts.items():
        setattr(f, name, value)
    return f


HEADS = [
    [b"GET / HTTP/1.1", b"A: b", b"C:d"], [b"GET http://a.b:81/x?y HTTP/1.1"], [b"CONNECT a:443 HTTP/1.1"], [b"CONNECT a HTTP/1.1"],
    [b"GET  / HTTP/1.1"], [b"GET / HTTP/2.0"], [b"GET / http/1.1"], [b"GET /"], [b"GET / HTTP/1.1", b"bad"], [b"GET / HTTP/1.1", b" more"],
    [b"GET / HTTP/1.1", b"A: b", b" more", b"\tx"], [b"GET / HTTP/1.1", b": b"], [b"GET / HTTP/1.1", b"A : b "], [b"GET foo HTTP/1.1"],
    [b"OPTIONS * HTTP/1.1"], [b"GET /\xff HTTP/1.1"], [b"CONNECT [::1]:443 HTTP/1.1"], [b"GET http://[::1]/ HTTP/1.0"], [b"GET http:// HTTP/1.1"],
    [b"GET ftp://a/x HTTP/1.1"], [b"GET /a b HTTP/1.1"], [b""],
]  # fmt: skip
RESPONSE_HEADS = [
    [b"HTTP/1.1 200 OK", b"A: b"], [b"HTTP/1.1 200"], [b"HTTP/1.1 200 "], [b"HTTP/1.1 abc OK"], [b"HTTP/1.1"], [b"HTTP/2 200 OK"],
    [b"HTTP/1.0 404 Not  Found"], [b"X 200 OK"], [b"HTTP/1.1  200 OK"], [b"HTTP/1.1 20 OK"], [b""],
]  # fmt: skip
ASSEMBLED = {
    "request": lambda: http1.assemble_request(request(headers=((b"Host", b"x"),), content=b"body")),
    "request without body": lambda: http1.assemble_request(request(content=None)),
    "request empty": lambda: http1.assemble_request(request()),
    "connect": lambda: http1.assemble_request_head(request(method=b"CONNECT", authority=b"a:1")),
    "absolute": lambda: http1.assemble_request_head(request(authority=b"a:1")),
    "options": lambda: http1.assemble_request_head(request(method=b"OPTIONS", path=b"*")),
    "response": lambda: http1.assemble_response(response(headers=((b"a", b"b"),), content=b"body")),
    "response h2": lambda: http1.assemble_response_head(response(http_version=b"HTTP/2.0", reason=b"")),
    "response without body": lambda: http1.assemble_response(response(content=None)),
    "chunked": lambda: http1.assemble_response(response(headers=((b"Transfer-Encoding", b"gzip, Chunked"),), content=b"body", trailers=((b"t", b"u"),))),
    "chunked empty": lambda: http1.assemble_response(response(headers=((b"Transfer-Encoding", b"chunked"),))),
    "trailers": lambda: http1.assemble_response(response(trailers=((b"t", b"u"),))),
    "body": lambda: list(http1.assemble_body(Headers(), [b"ab", b"", b"c"], None)),
}


def cases():
    warnings.simplefilter("ignore")
    for name, fields in REQUESTS.items():
        yield "request " + name, lambda f=fields: failure(lambda: state(request(**f)))
    for name, fields in RESPONSES.items():
        yield "response " + name, lambda f=fields: failure(lambda: state(response(**f)))
    for path in PATHS:
        for name, f in VIEWS.items():
            bracketed = b"[" in path and path[:1] != b"/"
            if not bracketed:
                yield "path %r %s" % (path, name), lambda p=path, f=f: views(p, f)
    for name, f in QUERY.items():
        yield "query " + name, lambda f=f: views(b"/p?a=1&b&a=2", f)
    for base, fields in BASES.items():
        yield "read " + base, lambda x=fields: read(request(**x))
        for name, (attr, value) in EDITS.items():
            yield "edit %s %s" % (base, name), lambda x=fields, a=attr, v=value: edited(request(**x), a, v)
    for name, (attr, value) in RESPONSE_EDITS.items():
        yield "edit response " + name, lambda a=attr, v=value: edited(response(), a, v)
    for host in HOST_HEADERS:
        for scheme in (b"http", b"https", b"ws"):
            yield "host header %r %r" % (host, scheme), lambda h=host, s=scheme: read(request(headers=((b"HOST", h),), scheme=s))
        yield "authority %r" % host, lambda h=host: read(request(authority=h, http_version=b"HTTP/2.0"))
        yield "connect %r" % host, lambda h=host: read(request(authority=h, method=b"CONNECT", path=b""))
    yield "two host headers", lambda: read(request(headers=((b"host", b"a"), (b"Host", b"b"))))
    yield "options", lambda: read(request(method=b"OPTIONS", path=b"*", headers=((b"host", b"a"),)))
    yield "lower case connect", lambda: read(request(method=b"connect", authority=b"a:1"))
    yield "connect path_components", lambda: request(method=b"CONNECT", path=b"/x").path_components
    yield "connect query", lambda: request(method=b"CONNECT", path=b"/x?y=z").query.fields
    yield "http3", lambda: read(request(http_version=b"HTTP/3", authority=b"a", headers=((b"host", b"b"),)))
    yield "http2 by name", lambda: read(request(http_version=b"HTTP/2", authority=b"a", headers=((b"host", b"b"),)))
    for version in (b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2.0", b"HTTP/2", b"x"):
        yield "version %r" % version, lambda v=version: (lambda r: (r.http_version, r.is_http10, r.is_http11, r.is_http2))(response(http_version=v))
    for content in FORM_BODIES:
        for kind in FORM_TYPES:
            for name, f in FORMS.items():
                yield "form %r %r %s" % (content, kind, name), lambda c=content, k=kind, f=f: form(c, k, f)
    yield from makes()
    yield from others()
    for lines in HEADS:
        yield "read request %r" % lines, lambda x=lines: failure(lambda: state(http1.read_request_head(x)))
    for lines in RESPONSE_HEADS:
        yield "read response %r" % lines, lambda x=lines: failure(lambda: state(http1.read_response_head(x)))
    for name, f in ASSEMBLED.items():
        yield "assemble " + name, lambda f=f: failure(f)
    for version in (b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2.0"):
        for connection in (None, "close", "keep-alive", "Close", "foo, close", "keep-alive, close"):
            headers = Headers() if connection is None else Headers(connection=connection)
            yield "close %r %r" % (version, connection), lambda v=version, h=headers: http1.connection_close(v, h)


def views(path, edit):
    r = request(path=path, port=81)
    return failure(lambda: edit(r)), r.data.path


def makes():
    made = {
        "plain": lambda: Request.make("get", "http://a/b?c"),
        "all": lambda: Request.make("POST", "https://a.b:81/", "x", {"h": "v", b"i": b"w"}),
        "bytes": lambda: Request.make("POST", "http://a", b"\xff", Headers(a="b")),
        "pairs": lambda: Request.make("POST", "http://a", "", [(b"a", b"b")]),
        "text pairs": lambda: Request.make("POST", "http://a", "", [("a", "b")]),
        "not ASCII": lambda: Request.make("POST", "http://a", "\xe9\u20ac"),
        "host": lambda: Request.make("GET", "http://a", "", {"Host": "b"}),
        "headers int": lambda: Request.make("GET", "http://a", "", 5),
        "header int": lambda: Request.make("GET", "http://a", "", {"a": 5}),
        "content int": lambda: Request.make("GET", "http://a", 5),
        "content None": lambda: Request.make("GET", "http://a", None),
        "url": lambda: Request.make("GET", "foo"),
        "method bytes": lambda: Request.make(b"GET", "http://a"),
        "response": lambda: Response.make(),
        "response text": lambda: Response.make(418, "teatime", {"A": "b"}),
        "response bytes": lambda: Response.make(404, b"\xff", Headers(a="b")),
        "response unknown": lambda: Response.make(799),
        "response json": lambda: Response.make(200, "\xe9", {"Content-Type": "application/json"}),
        "response html": lambda: Response.make(200, "\xe9", {"content-type": "text/html"}),
        "response gzip": lambda: Response.make(200, b"", [(b"content-encoding", b"identity")]),
        "response chunked": lambda: Response.make(200, b"x", [(b"transfer-encoding", b"chunked")]),
        "response length": lambda: Response.make(200, b"", {"Content-Length": "99"}),
        "response None": lambda: Response.make(200, None),
        "response int": lambda: Response.make(200, 5),
        "response status": lambda: Response.make("200"),
        "response headers int": lambda: Response.make(200, b"", 5),
        "response text pairs": lambda: Response.make(200, b"", [("a", "b")]),
    }
    for name, make in made.items():
        yield "make " + name, lambda m=make: failure(lambda: state(m()))
    yield "make error headers", lambda: Response.make(200, b"", 5)
    yield "make error content", lambda: Response.make(200, 5)

    def shared():
        h = Headers(a="b")
        r = Response.make(headers=h)
        return r.headers is h

    yield "make shares headers", shared


def others():
    yield "reprs", lambda: (
        request(), request(port=443), request(host=""), request(authority=b"a"), request(path=b"*"), response(), response(content=None),
        response(headers=((b"content-type", b"a/b"),), content=b"x" * 2000), response(status_code=0, content=b"x"),
    )  # fmt: skip
    yield "data reprs", lambda: (request().data, response(trailers=((b"a", b"b"),)).data)
    yield "data", lambda: (
        request().data == request().data, request().data == request(path=b"/").data, request().data == response().data, request().data != 5,
        request().data.get_state() == request().get_state(), failure(lambda: hash(request().data)),
    )  # fmt: skip

    def data():
        r = request()
        for name, value in (("host", "x"), ("port", 1), ("path", b"/q"), ("content", b"c"), ("headers", Headers(a="b")), ("method", b"m")):
            setattr(r.data, name, value)
        return state(r), r.data.scheme, r.data.authority, r.data.http_version, r.data.trailers, r.data.timestamp_end

    yield "data set", data
    yield "data made", lambda: http.ResponseData(b"HTTP/1.1", Headers(), b"", None, 0, 0, 200, b"OK")
    yield "data state", lambda: http.RequestData.from_state(request().get_state())
    yield "state request", lambda: list(request(trailers=((b"a", b"b"),)).get_state().items())
    yield "state response", lambda: list(response(content=None).get_state().items())

    def from_state(m):
        s = m.get_state()
        other = type(m).from_state(s)
        return other.get_state() == s, other is m, type(other).__name__, other.headers is m.headers

    yield "from_state", lambda: (from_state(request()), from_state(response(trailers=((b"a", b"b"),))))
    yield "from_state missing", lambda: failure(lambda: Response.from_state({"reason": b"x"}))
    yield "from_state unknown", lambda: failure(lambda: Response.from_state(dict(response().get_state(), x=1)))

    def set_state():
        r = response(headers=((b"a", b"b"),))
        r.set_state(response(status_code=404, content=b"x", trailers=((b"c", b"d"),)).get_state())
        return state(r)

    yield "set_state", set_state

    def unknown():
        r = response()
        return failure(lambda: r.set_state({"nope": 1}))

    yield "state unknown field", unknown

    def copied(m):
        c = m.copy()
        c.headers["x"] = "y"
        c.content = b"other"
        return state(m), state(c), m == c, type(c).__name__

    yield "copy", lambda: (copied(request(headers=((b"a", b"b"),))), copied(response(trailers=((b"a", b"b"),))))

    def stream():
        r = response()
        before = r.stream
        r.stream = lambda data: data
        return before, callable(r.stream), r.copy().stream

    yield "stream", stream
    yield "hash", lambda: (hash(request()) is not None, request() == request(), isinstance(request(), Message))

    def negotiated(value, f):
        r = request(headers=() if value is None else Headers(accept_encoding=value))
        f(r)
        return sorted(r.headers.get("accept-encoding", "none").split(", "))

    for value in (None, "gzip, oink, br;q=1", "oink", "", "*", "deflate,zstd"):
        yield "constrain %r" % value, lambda v=value: negotiated(v, lambda r: r.constrain_encoding())
        yield "anticomp %r" % value, lambda v=value: negotiated(v, lambda r: r.anticomp())

    def anticache():
        r = request(headers=Headers([(b"If-Modified-Since", b"x"), (b"if-none-match", b"y"), (b"a", b"b"), (b"If-None-Match", b"z")]))
        r.anticache()
        return r.headers.fields

    yield "anticache", anticache

    def mode():
        f = flow_of()
        before = f.mode
        f.mode = "x"
        return before, f.mode

    yield "mode", mode
    yield "flow", lambda: (flow_of().timestamp_start, flow_of().response, flow_of().websocket, flow_of().error, flow_of().type, flow_of().live)
    yield "flow repr", lambda: str(flow_of(response=response()))
    yield "flow repr without response", lambda: repr(flow_of())
    yield "flow attributes", lambda: setattr(flow_of(), "anything", 5)


if __name__ == "__main__":
    main(cases)
