"""URLs, authorities, forms and what takes servers for an argument."""
import warnings

from _oracle import main

from mitmproxy.net import check, server_spec
from mitmproxy.net.http import headers, status_codes, url

DEVIATIONS = {
    "spec 'tcp://a:1'": "since version 9 servers of other protocols can be named",
    "spec 'dns://8.8.8.8'": "the same",
    "unparse (b'http', b'a', 81)": "newer versions give a URL in bytes",
}

URLS = [
    "http://a", "http://a/", "HTTP://A.B/C?d#e", "http://a?x", "http://a#f", "http://a:81?x", "http://a:", "http://a:0/",
    "http://a:65536", "http://a:-1", "http://a:x/", "http://a/b;c;d?e;f#g;h", "http://a/;?#", "http://a/x;", "http://\xfc.de/",
    "http://a/\xfc", "http://a/?\xfc", "http://a/#\xfc", "/x", "//a/b", "a:80", "mailto:x@y", "ws://a/b", "wss://a/b",
    "ftp://a", "https://u:p@a:8443/x", "http://a@b@c/", "http://a_b/", "http://-a-/", "http://[::1]", "http://[::1]:8/x", "http://lo[calhost",
    "http:///x", "http://", "", "http://1.2.3.4/", "http://a/\x00", "http://foo\0", "http://a /", "http://a/b\tc\nd", "  http://a/ ",
    "http://a/%41", "http://xn--tda.de/", "http://a/~-_.!*'();:@&=+$,/?#[]", "http://a.b./", ".http://a", "http://a\\b/", "http://%61/",
    "1http://a/", "http://a/?\udcff", "http://a//b", "http://a//", "http://a;x", "http://a:080/", "http://a/?#x", "http:/a", "http:a",
    "HTTPS://a", "http://" + "a" * 64 + "/", "http://" + "a." * 127 + "/", "http://a/" + "b" * 300, "http://a/../b/./c",
    b"http://a:81/b?c", b"http://a/?b=\xc3\xbc", b"http://a/?b=\xc3\xbc&c=%41/d#e", b"http://a/\xc3\xbc", b"http://\xff/", b"http://\xc3\xbc.de/?b=c",
    "https://xyz.tax-edu.net?flag=selectCourse&lc_name=\u8305\u83bd".encode(), None,
]  # fmt: skip

HOSTPORTS = [
    ("http", "a", 80), ("https", "a", 443), ("https", "a", 80), ("http", "::1", 80), ("http", "::1", 81), ("x", "a", 80), ("", "a", 80),
    ("HTTP", "a", 80), ("http", "", 80), ("ws", "a", 1),
]  # fmt: skip

AUTHORITIES = [
    "foo:42", b"foo:42", "[::1]:80", "[::1]", "::1", "::1:80", "foo:", "foo", ":80", "", "a:b:80", "foo:0", "foo:65535", "foo:65536",
    "foo:080", "foo:\u0661", "xn--tda.de", b"xn--tda.de:81", "\xfc.de:81", b"\xc3\xbc.de", b"\xff:80", "[::1]x:80", "[foo]:80", "[]", "[",
    "a b:80", "foo..bar:80", "a/b", "user@h:80", "FOO.Bar:80", ".disqus.com", "foo.:80", "[::1%25eth0]:80", "1.2.3.4:80", "a_b:1", "-",
    "[2001:db8:42::]:443", "foo:-1", "foo:+1", "foo: 1", "foo:999999999", b"xn--aaa-pla.example:80", "a" * 64, "\u3002",
]  # fmt: skip

QUERIES = [
    "", "a=b", "a=b&c", "a&b=", "=", "&&", "a=b;c=d", "a=%41%zz%4&b=+%20", "%C3%A9=\xe9", "a=%ff%fe", "a\udcff=%80b\udc80", "a=b=c", "+a=b",
    "%", "%%", "%u1234", "a=%c3\xa9", "a=%C3%28", "a=%E2%82", "a=b&a=c", "a=\x00\n", "%2B%26%3D", "a=%f0%9f%98%80", "a[]=1&a[]=2", "%41%", "%4",
]  # fmt: skip

FORMS = [
    [("a", "b")], [("a b", "~-_.!*'()/?:@&=+$,#[]%\"<>\\^`{|}\x7f\x00\n")], [("\xe9", "\udcff")], [(b"a\xff", b"b c")], [("a", 5)], [("a", None)],
    [("a", ["x", "y"])], [], (), [("a", "")], {"a": "b"}, [("a", "\ud800")], [("a", True)], "ab", None, 5, (("a", "b"), ("c", "d")),
    [("a", "\U0001f600")], [("a", b"")], [("", "")],
]  # fmt: skip

SIMILAR = [
    ([("a", ""), ("b", "c")], "x"), ([("a", ""), ("b", "c")], "x="), ([("a", "")], "x&y=z"), ([("a", ""), ("b", "")], "x=1&y"),
    ([("a", "x=&y")], "q"), ([("a", "="), ("b", "")], "q"), ([], "q"), ([("a", "")], ""), ([("a", "")], None), ([("a", "==")], "q"),
    ([("", "")], "q"), ([("a", "b")], "&"),
]  # fmt: skip

TEXTS = ["", "foo", "a b/c", "\xe9", "\udcff", "~.-_", "%41", "a+b", "\x00", "/?#[]@!$&'()*+,;=", "\U0001f600"]

SPECS = [
    "example.com", "http://example.com", "https://a:1/", "a:80", "a:81", "http://[::1]:80", "[::1]", "[::1]:80", "ftp://a", "http://a/b", "http://a:",
    "http://a b", "HTTP://a", "http://a:99999", "http2://a", "tcp://a:1", "dns://8.8.8.8", "a..b", "http://user@a", "http://a?x", "", "http://",
    "://a", ":80", "1.2.3.4", "http://1.2.3.4:8080/", "\xfc.de",
]  # fmt: skip

HOSTS = [
    "a" * 63, "a" * 64, b"a" * 64, "a.", "a..", "", b"", ".", b".", "1.2.3.4", "999.1.1.1", "::1", b"::1", "[::1]", "\xfc.de", "a b", "xn--a",
    "xn--tda", b"xn--tda", b"XN--tda", "\u3002", "1::", "a" * 255, ".".join(["a" * 60] * 5), "1.2.3", ":", b"2001:db8::85a3::7334", b"a_b", b"-a-",
    "a.b.", b"a..b", b".a", b"\xff", "\u2603.net", b"a" * 256, b"a@b", "a:b", "a" * 64 + ".b", b"::ffff:1.2.3.4", "fe80::1",
]  # fmt: skip

CONTENT_TYPES = [
    "text/html; a=b;c", "a/b", "text", "a/b;", "A/B; C=D", "a/b/c;x=y=z", " a / b ; c = d  ", "", 'a/b; x="y;z"', "/", "a/", ";x=y", "a/b;;c=d",
    "a/b; c=d; c=e", "a/b; =", "multipart/form-data; boundary=----x", "a;b/c",
]  # fmt: skip


def failure(call):
    """Return what a call gives, or the type of its exception alone."""
    try:
        return call()
    except ValueError:
        return "ValueError"
    except Exception as e:
        return type(e).__name__


def content_type(c):
    parsed = headers.parse_content_type(c)
    return parsed and (parsed[0], parsed[1], dict(parsed[2]))


def cases():
    warnings.simplefilter("ignore")
    for u in URLS:
        yield "parse %r" % (u,), lambda u=u: failure(lambda: url.parse(u))
    for h in HOSTPORTS:
        yield "hostport %r" % (h,), lambda h=h: (url.hostport(*h), url.unparse(*h), url.unparse(*h, "/x"))
    yield "unparse (b'http', b'a', 81)", lambda: url.unparse(b"http", b"a", 81, b"/x")
    yield "hostport in bytes", lambda: (url.hostport(b"https", b"a", 80), url.hostport(b"https", b"a", 443))
    yield "default ports", lambda: [url.default_port(s) for s in ("http", "https", b"http", b"https", "HTTP", "ws", "", None)]
    for a in AUTHORITIES:
        yield "authority %r" % (a,), lambda a=a: (url.parse_authority(a, False), failure(lambda: url.parse_authority(a, True)))
    for q in QUERIES:
        yield "decode %r" % q, lambda q=q: url.decode(q)
        yield "unquote %r" % q, lambda q=q: url.unquote(q)
        yield "again %r" % q, lambda q=q: url.encode(url.decode(q), q)
    yield "decode bytes", lambda: (url.decode(b"a=b&c"), url.decode(None))
    for f in FORMS:
        yield "encode %r" % (f,), lambda f=f: failure(lambda: url.encode(f))
    for f, like in SIMILAR:
        yield "encode %r like %r" % (f, like), lambda f=f, like=like: url.encode(f, like)
    for t in TEXTS:
        yield "quote %r" % t, lambda t=t: (url.quote(t), url.quote(t, safe=""), url.unquote(url.quote(t)))
    yield "quote bytes", lambda: failure(lambda: url.quote(b"x"))
    for s in SPECS:
        yield "spec %r" % s, lambda s=s: failure(lambda: server_spec.parse(s))
    for s in ("reverse:http://a", "upstream:https://b:1", "reverse:a", "http://a", "reverse"):
        yield "mode %r" % s, lambda s=s: failure(lambda: server_spec.parse_with_mode(s))
    yield "ServerSpec", lambda: (
        server_spec.ServerSpec("http", ("a", 1)), server_spec.ServerSpec("http", ("a", 1)) == ("http", ("a", 1)),
        server_spec.ServerSpec("http", ("a", 1)).address, server_spec.ServerSpec("http", ("a", 1))._replace(scheme="x"),
    )  # fmt: skip
    for h in HOSTS:
        yield "host %r" % (h,), lambda h=h: check.is_valid_host(h)
    yield "ports", lambda: [check.is_valid_port(p) for p in (0, 1, 65535, 65536, -1)]
    for c in CONTENT_TYPES:
        yield "content type %r" % c, lambda c=c: content_type(c)
    yield "assemble content type", lambda: [
        headers.assemble_content_type("a", "b", p) for p in ({}, None, {"x": "y"}, {"x": "y", "z": ""})
    ]
    yield "status codes", lambda: sorted(status_codes.RESPONSES.items())
    yield "names of status codes", lambda: sorted(n for n in dir(status_codes) if n.isupper())


if __name__ == "__main__":
    main(cases)
