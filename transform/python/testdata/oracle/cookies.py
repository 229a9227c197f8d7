"""Cookies, as functions and as views of messages."""
import warnings

from _oracle import main

from mitmproxy.http import Headers, Request, Response
from mitmproxy.net.http import cookies
from mitmproxy.net.http.cookies import CookieAttrs

BARE = "since version 10 an attribute without a value has None and is written without ="
EXPIRES = "mitmproxy takes a short value of Expires and what follows it for a date with a comma"

LINES = [
    "", "a", "a=", "=", "=b", "a=b;c=d", " a = b ; c = d ", "a=b,c=d", 'a="b;c"; d=e', 'a="b"c; d=e', 'a="b"cc; d=e', 'a="b',
    'a="b\\"', 'a="b\\c\\\\"', "a;b;c", "a=b=c;=;", "a=b;;c", "a=\t b", 'a= "b"', 'a="";b=""', 'a="";b', "a=\xe9", "a=\udcff", ";;",
    "a=b; ", " ", '"a"=b', 'a="b" ; c', "A=1; a=2", "a=b; Expires=Mon, 01 Jan 2024 00:00:00 GMT; x=1", "a=b; expires=Monday, 01-Jan-24",
    "a=b; expires=Mon,c=d", "a=b; Expires=x, c=d; e=1", "a=b, c=d; Path=/, e=1", "a=b; httponly; Secure", 'a=b; path="/x"; d=1',
    "a=b,,c=1", "a=b;,c=d", "expires=Mon, 1", 'a="b, c"; d=1', "a=b; max-age=5,c=1", "a=b; EXPIRES=Mo, 1; c=1", "a=b; expires=,1",
    "a=b; expires=Mond, 1=2", "a=b; expires=Mon,2,3=4", ",a=b", "a=b; expires=0; path=/", "a=b; expires=; path=/", "a=b; expires=-1",
    "a=b; Path=/; c=d; Secure; HttpOnly; e=f; comment=x; domain=y", "foo:bar=bla", "a/b=c", ">=A", "a=b\r\nc=d",
    "_ga=GA1.2.3; _lvs2=zHai1+Hq+Tc2vmc2r4GAbdOI5Jopg3EwsdUT9g=; x=53VdltWl+Ov6ordflA==;",
    "mun=1.390.f60; expires=sun, 11-oct-2015 12:38:31 gmt; path=/; domain=b.aol.com",
    r"rpb=190%3d1%2616726%3d1; domain=.rubiconproject.com; expires=mon, 11-may-2015 21:54:57 gmt; path=/",
    "a=b; SameSite=None; Secure=1; Partitioned=1", "a={\"x\": [1, 2]}; b=1",
]  # fmt: skip

SHORT = [line for line in LINES if "expires=0" in line or "expires=;" in line or "expires=-1" in line]

# Names without a value are not the first of a cookie.
BARES = [
    "a;b;c", "a=b;;c", 'a="b"cc; d=e', 'a="b" ; c', "a=b; httponly; Secure", 'a="";b',
    "a=b; Path=/; c=d; Secure; HttpOnly; e=f; comment=x; domain=y",
]  # fmt: skip

PAIRS = {
    "none": [],
    "one": [("a", "b")],
    "space": [("a", "b c")],
    "quotes": [("a", 'b"\\')],
    "empty": [("a", "")],
    "no name": [("", "b")],
    "not ASCII": [("a", "\xe9")],
    "surrogate": [("a", "\udcff")],
    "special name": [("a;", "b")],
    "two": [("a", "b"), ("c", "d,e")],
    "list": [["a", "b"]],
    "items": {"a": "b"}.items(),
    "path": [("Path", "a b")],
    "control": [("a", "b\x7f\n")],
    "plain": [("a", "!#$%&'()*+-./:<=>?@[]^_`{|}~")],
}

SET = {
    "none": [],
    "one": [("a", "b", CookieAttrs())],
    "attributes": [("a", "b", CookieAttrs([("path", "/ x"), ("expires", "Mon, 1"), ("x", "")]))],
    "no attributes": [("a", "b", ())],
    "pairs": [("a", "b", [("Path", "/")])],
    "space": [("a", "b c", CookieAttrs())],
    "two": [("a", "b", CookieAttrs([("Domain", "x,y")])), ("c", "d", CookieAttrs())],
    "plain names": [("expires", "a b", CookieAttrs([("Path", "a b"), ("X", "a b")]))],
    "bare": [("a", "b", CookieAttrs([("HttpOnly", None)]))],
}

REFRESH = [
    "", "a=b", "a=b; Expires=Mon, 01 Jan 2024 00:00:00 GMT; path=/", "a=b; expires=fooo; x=1", "a", "a=", "=b",
    "a=b; expires=Tue, 08-Mar-2011 00:20:38 GMT, c=d", "a=b; Expires=Mon, 01 Jan 2024 00:00:00 +0100", "a=b, c",
    "a=b; EXPIRES=Mon, 01 Jan 2024 00:00:00 GMT; expires=Mon, 01 Jan 2025 00:00:00 GMT", 'a="x y"; Secure=1', "a=b; HttpOnly",
    "rfoo=bar; Domain=reddit.com; expires=Thu, 31 Dec 2133; Path=/", "MOO=BAR; Expires=Tue, 08-Mar-2011 00:20:38 GMT; Path=foo.com; Secure=",
]  # fmt: skip

ATTRIBUTES = {
    "nothing": [],
    "date": [("expires", "Mon, 01 Jan 2024 00:00:00 GMT")],
    "date of the future": [("Expires", "Mon, 24-Aug-2133 00:00:00 GMT")],
    "epoch": [("Expires", "Thu, 01-Jan-1970 00:00:00 GMT")],
    "no date": [("expires", "x")],
    "no number": [("max-age", "x")],
    "both": [("expires", "Mon, 01 Jan 2024 00:00:00 GMT"), ("max-age", "0")],
    "past age": [("max-age", "-5")],
}


def failure(call):
    """Return what a call gives, or the type of its exception alone."""
    try:
        return call()
    except Exception as e:
        return type(e).__name__


def request(*headers):
    return Request("h", 80, b"GET", b"http", b"", b"/", b"HTTP/1.1", Headers([(b"Cookie", h) for h in headers]), b"", None, 1.0, 2.0)


def response(*headers):
    return Response(b"HTTP/1.1", 200, b"OK", Headers([(b"Set-Cookie", h) for h in headers]), b"", None, 1.0, 2.0)


def edit(make, *headers):
    def run(f):
        def call():
            m = make(*headers)
            result = failure(lambda: f(m))
            return result, m.headers.fields

        return call

    return run


REQUEST = {
    "read": lambda r: (r.cookies, r.cookies.fields, dict(r.cookies), len(r.cookies)),
    "set": lambda r: r.cookies.__setitem__("a", "x y"),
    "set new": lambda r: r.cookies.__setitem__("n", "v"),
    "add": lambda r: r.cookies.add("a", "again"),
    "del": lambda r: r.cookies.__delitem__("a"),
    "del missing": lambda r: r.cookies.__delitem__("nope"),
    "clear": lambda r: r.cookies.clear(),
    "pop": lambda r: r.cookies.pop("a", None),
    "assign": lambda r: setattr(r, "cookies", [("k", "v"), ["l", "m n"]]),
    "assign none": lambda r: setattr(r, "cookies", []),
    "assign view": lambda r: setattr(r, "cookies", r.cookies.fields),
    "assign items": lambda r: setattr(r, "cookies", {"k": "v"}.items()),
    "int": lambda r: r.cookies.__setitem__("a", 5),
    "get_all": lambda r: r.cookies.get_all("a"),
}

RESPONSE = {
    "read": lambda r: [(n, v, a.fields) for n, (v, a) in r.cookies.fields],
    "get": lambda r: r.cookies["a"],
    "attribute": lambda r: r.cookies["a"][1].get("PATH"),
    "set": lambda r: r.cookies.__setitem__("a", ("x y", CookieAttrs([("Path", "/x")]))),
    "set pairs": lambda r: r.cookies.__setitem__("n", ("v", [("Path", "/x")])),
    "set plain": lambda r: r.cookies.__setitem__("n", ("v", {})),
    "add": lambda r: r.cookies.add("a", ("again", CookieAttrs())),
    "del": lambda r: r.cookies.__delitem__("a"),
    "del missing": lambda r: r.cookies.__delitem__("nope"),
    "clear": lambda r: r.cookies.clear(),
    "assign": lambda r: setattr(r, "cookies", [["k", ("v", CookieAttrs())], ("l", ("m n", CookieAttrs([("a", "b")])))]),
    "assign same": lambda r: setattr(r, "cookies", r.cookies.fields),
    "bad": lambda r: r.cookies.__setitem__("a", "b"),
    "get_all": lambda r: [v for v, _ in r.cookies.get_all("a")],
}

# How often each cookie is set and with what, of the flows that RESPONSE is tried on.
SET_HEADERS = {
    "none": (),
    "one": (b"a=1; Path=/; expires=Mon, 01 Jan 2024 00:00:00 GMT",),
    "many": (b"a=1; Path=/", b"b=2", b"a=3; path=/y", b'c="4;5"; x=y, d=6'),
    "empty": (b"",),
}
COOKIE_HEADERS = {
    "none": (),
    "one": (b"a=1",),
    "many": (b"a=1; b=2; a=3", b'c="4;5"; d'),
    "empty": (b"",),
}


def refresh(*fields, start=946681200.0, now=946681262.0):
    r = Response(b"HTTP/1.1", 200, b"OK", Headers(fields), b"", None, start, start)
    return failure(lambda: r.refresh(now)), r.headers.fields


DEVIATIONS = {"set-cookie %r" % line: BARE for line in BARES}
DEVIATIONS.update({"set-cookie %r" % line: EXPIRES for line in SHORT})
DEVIATIONS.update({"format set bare": BARE, "refresh 'a=b; HttpOnly'": BARE})


def cases():
    warnings.simplefilter("ignore")
    for line in LINES:
        yield "cookie %r" % line, lambda x=line: cookies.parse_cookie_header(x)
        yield "set-cookie %r" % line, lambda x=line: [(n, v, a.fields) for n, v, a in cookies.parse_set_cookie_header(x)]
        yield "group %r" % line, lambda x=line: cookies.group_cookies(cookies.parse_cookie_header(x))
        yield "again %r" % line, lambda x=line: cookies.format_cookie_header(cookies.parse_cookie_header(x))
    for name, pairs in PAIRS.items():
        yield "format " + name, lambda x=pairs: cookies.format_cookie_header(x)
    for name, pairs in SET.items():
        yield "format set " + name, lambda x=pairs: cookies.format_set_cookie_header(x)
    for line in REFRESH:
        yield "refresh %r" % line, lambda x=line: failure(lambda: cookies.refresh_set_cookie_header(x, 60))
    yield "refresh by half a second", lambda: cookies.refresh_set_cookie_header(REFRESH[2], 0.5)
    for name, attrs in ATTRIBUTES.items():
        a = CookieAttrs(attrs)
        if "past" not in name:
            yield "expires at " + name, lambda a=a: cookies.get_expiration_ts(a)
        yield "expired " + name, lambda a=a: cookies.is_expired(a)
    yield "headers", lambda: cookies.parse_cookie_headers(["a=b", "c=d; e", ""])
    yield "set headers", lambda: cookies.parse_set_cookie_headers(["a=b", "c=d; e=f", "", "x=y, z=w"])
    for kind, headers in COOKIE_HEADERS.items():
        for name, f in REQUEST.items():
            yield "request %s %s" % (kind, name), edit(request, *headers)(f)
    for kind, headers in SET_HEADERS.items():
        for name, f in RESPONSE.items():
            yield "response %s %s" % (kind, name), edit(response, *headers)(f)
    date = (b"Date", b"Fri, 31 Dec 1999 23:00:00 GMT")
    yield "response refresh", lambda: refresh(date, (b"expires", b"Sat, 01 Jan 2000 23:00:00 GMT"), (b"Last-Modified", b"x"))
    yield "response refresh cookies", lambda: refresh((b"set-cookie", b"a=b; expires=" + date[1]), (b"x", b"y"), (b"Set-Cookie", b"c"))
    yield "response refresh at once", lambda: refresh(date, now=946681200.4)
    yield "response refresh old", lambda: refresh((b"date", b"Mon, 01 Jan 1601 00:00:00 GMT"))
    yield "response refresh nothing", lambda: refresh()


if __name__ == "__main__":
    main(cases)
