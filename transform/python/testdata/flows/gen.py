"""Writes flows17.mitm: flows of every kind, of the format of mitmproxy 8.1.1 (17).

    /usr/bin/python3 gen.py

The python3 has to be one that has mitmproxy 8.1.1. The result is the same every time, as
far as the compressors give the same bytes; it is checked in.
"""
import gzip
import io as stdio
import os
import random
import uuid
import zlib

import brotli
import zstandard
from mitmproxy import certs, connection, dns, flow, http, io, tcp, websocket

HERE = os.path.dirname(os.path.abspath(__file__))
START = 1_600_000_000.0

flows = []


def load_certs():
    with open(os.path.join(HERE, "certs.pem"), "rb") as f:
        parts = f.read().split(b"-----END CERTIFICATE-----\n")
    return [certs.Cert.from_pem(p + b"-----END CERTIFICATE-----\n") for p in parts if p]


LEAF, OLD, ROOT, EDDSA = load_certs()


def uid(kind, n):
    return str(uuid.UUID(int=(kind << 96) | n))


def client(n, **attrs):
    c = connection.Client(("192.0.2.%d" % (n % 250 + 1), 40000 + n), ("127.0.0.1", 8080), START + n)
    c.id = uid(0xC11E, n)
    c.state = connection.ConnectionState.CLOSED
    c.timestamp_end = START + n + 5.25
    for k, v in attrs.items():
        setattr(c, k, v)
    return c


def server(n, address=("shop.example", 80), **attrs):
    s = connection.Server(address)
    s.id = uid(0x5E4E, n)
    if address:
        s.peername = ("198.51.100.%d" % (n % 250 + 1), address[1])
        s.sockname = ("10.0.0.2", 50000 + n)
        s.timestamp_start = START + n + 0.125
        s.timestamp_tcp_setup = START + n + 0.1875
        s.timestamp_end = START + n + 4.5
    for k, v in attrs.items():
        setattr(s, k, v)
    return s


def tls_client(n, **attrs):
    return client(n, **{**dict(
        tls=True, sni="shop.example", alpn=b"h2", alpn_offers=[b"h2", b"http/1.1"],
        cipher="TLS_AES_256_GCM_SHA384", cipher_list=["TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES128-SHA"],
        tls_version="TLSv1.3", timestamp_tls_setup=START + n + 0.75, mitmcert=LEAF,
    ), **attrs})


def tls_server(n, address=("shop.example", 443), **attrs):
    return server(n, address, **{**dict(
        tls=True, sni="shop.example", alpn=b"h2", alpn_offers=(b"h2",), cipher="TLS_AES_128_GCM_SHA256",
        tls_version="TLSv1.3", timestamp_tls_setup=START + n + 0.5, certificate_list=[LEAF],
    ), **attrs})


def finish(f, n, **attrs):
    f.id = uid(0xF10, n)
    f.timestamp_created = START + n + 0.25
    for k, v in attrs.items():
        setattr(f, k, v)
    flows.append(f)
    return f


def fields(headers):
    """Headers of a list of pairs, or of a string of lines."""
    if isinstance(headers, str):
        headers = [line.split(": ", 1) for line in headers.split("\n")]
    enc = lambda s: s if isinstance(s, bytes) else s.encode("utf-8", "surrogateescape")
    return http.Headers([(enc(k), enc(v)) for k, v in headers])


def req(method="GET", path="/", headers="Host: shop.example", body=b"", scheme="http", host="shop.example", port=80,
        authority="", version="HTTP/1.1", trailers=None, at=START, end=0.0625):
    return http.Request(
        host, port, method.encode(), scheme.encode(), authority.encode(), path.encode("utf-8", "surrogateescape"),
        version.encode(), fields(headers), body, fields(trailers) if trailers else None, at, None if end is None else at + end)


def resp(status=200, reason="OK", headers="Server: nginx", body=b"", version="HTTP/1.1", trailers=None, at=START, end=0.0625):
    return http.Response(
        version.encode(), status, reason.encode("latin-1"), fields(headers), body,
        fields(trailers) if trailers else None, at + 0.5, None if end is None else at + 0.5 + end)


def add(request=None, response="default", conns=None, **attrs):
    """Adds an HTTP flow; keyword arguments are attributes of the flow."""
    n = len(flows) + 1
    c, s = conns or (client(n), server(n, (request.host, request.port)))
    f = http.HTTPFlow(c, s)
    shift(request, n)
    f.request = request
    if response == "default":
        response = resp(headers="Server: nginx\nContent-Type: text/plain; charset=utf-8\nContent-Length: 9", body=b"a cat sat")
    if response is not None:
        shift(response, n)
    f.response = response
    return finish(f, n, **attrs)


def shift(m, n):
    m.timestamp_start += n
    if m.timestamp_end is not None:
        m.timestamp_end += n


def text(content_type, body, encoding=None, **kw):
    headers = [("Server", "nginx")]
    if content_type is not None:
        headers.append(("Content-Type", content_type))
    if encoding:
        headers.append(("Content-Encoding", encoding))
    headers.append(("Content-Length", str(len(body))))
    return resp(headers=headers, body=body, **kw)


def zipped(data, level=6, mtime=0):
    out = stdio.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=level, mtime=mtime) as f:
        f.write(data)
    return out.getvalue()


def raw_deflate(data):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return c.compress(data) + c.flush()


HTML = ('<!doctype html><html><head><title>Caf\u00e9</title></head><body><p>cat, Cat &amp; CAT: '
        '<a href="https://shop.example/cart?id=1">cart</a></body></html>')
JSON = b'{"id": 7, "name": "Caf\\u00e9", "tags": ["cat", "dog"], "price": 1.50, "nested": {"ok": true, "none": null}}'


def plain_http():
    add(req(path="/index.html", headers="Host: shop.example\nUser-Agent: curl/7.88\nAccept: */*"),
        text("text/html; charset=utf-8", HTML.encode()))
    add(req("POST", "/old", "Content-Length: 3\nConnection: close", b"cat", version="HTTP/1.0"),
        resp(200, "Okay", "Content-Type: text/plain", b"old cat", version="HTTP/1.0"))
    add(req(path="/api/items?page=2&sort=name", headers="user-agent: x\naccept: application/json", scheme="https",
            port=443, authority="shop.example", version="HTTP/2.0"),
        resp(200, "", "content-type: application/json\ncontent-length: 101", JSON, version="HTTP/2.0"),
        conns=(tls_client(3), tls_server(3, certificate_list=[LEAF, ROOT])))
    add(req("PUT", "/api/items/7", "Host: shop.example\nContent-Type: application/json\nContent-Length: 103", JSON),
        resp(204, "No Content", "Server: nginx"))
    add(req("HEAD", "/index.html", "Host: shop.example"), resp(200, "OK", "Content-Length: 1234"))
    add(req("OPTIONS", "*", "Host: shop.example"), resp(200, "OK", "Allow: GET, HEAD\nContent-Length: 0"))
    add(req("DELETE", "/api/items/8", "host: shop.example\nauthorization: Basic dXNlcjpwYXNz", scheme="https", port=8443,
            version="HTTP/2.0", authority="shop.example:8443"), resp(404, "", "content-type: application/problem+json",
            b'{"title":"none"}', version="HTTP/2.0"), conns=(tls_client(7, certificate_list=[EDDSA]), tls_server(7, ("shop.example", 8443))))
    add(req(path="/h3", headers="user-agent: quic", scheme="https", port=443, authority="shop.example", version="HTTP/3"),
        resp(200, "", "content-type: text/plain", b"three", version="HTTP/3"))
    for status, reason, headers, body in [
        (100, "Continue", "Server: nginx", b""),
        (301, "Moved Permanently", "Location: https://shop.example/new\nContent-Length: 0", b""),
        (302, "Found", "Location: /login?next=%2Fcart\nContent-Length: 5", b"moved"),
        (304, "Not Modified", 'ETag: "abc"\nDate: Wed, 21 Oct 2020 07:28:00 GMT\nExpires: Wed, 21 Oct 2020 08:28:00 GMT', b""),
        (404, "Nicht gefunden \u00fc", "Content-Type: text/html", b"<h1>404</h1>"),
        (500, "", "Content-Type: text/plain", b"oops"),
        (999, "Odd", "X-Odd: yes", b""),
    ]:
        add(req(path="/status/%d" % status), resp(status, reason, headers, body))
    add(req(path="/cached", headers='Host: shop.example\nIf-Modified-Since: Wed, 21 Oct 2020 07:28:00 GMT\n'
            'If-None-Match: "abc"\nAccept-Encoding: gzip, deflate, br, zstd, x-odd'))
    add(req("get", "/lower", "host: shop.example"))
    add(req("BREW", "/pot-0", "Host: shop.example\nContent-Type: message/coffeepot", b"cream=yes"))


def bodies():
    html = HTML.encode()
    add(req(path="/gzip"), text("text/html; charset=utf-8", zipped(html), "gzip"))
    add(req(path="/gzip1"), text("application/json", zipped(JSON, 1, 1_500_000_000), "gzip"))
    add(req(path="/GZIP"), text("text/plain", zipped(b"upper cat"), "GZIP"))
    add(req(path="/deflate"), text("text/plain; charset=utf-8", zlib.compress(b"deflated cat " * 20), "deflate"))
    add(req(path="/rawdeflate"), text("text/plain", raw_deflate(b"raw deflated cat " * 20), "deflate"))
    add(req(path="/br"), text("text/css", brotli.compress(b'@charset "utf-8"; .cat { content: "caf\xc3\xa9" }'), "br"))
    add(req(path="/zstd"), text("application/javascript", zstandard.ZstdCompressor().compress(b"var cat = 'caf\xc3\xa9';" * 8), "zstd"))
    add(req("POST", "/gzipped-request", "Host: shop.example\nContent-Encoding: gzip\nContent-Type: text/plain; charset=utf-8",
            zipped("Anfrage mit K\u00e4tzchen cat".encode())))
    add(req(path="/broken-gzip"), text("text/plain; charset=utf-8", b"\x1f\x8b\x08\x00 this is no gzip, cat", "gzip"))
    add(req(path="/short-gzip"), text("text/plain", zipped(bytes(range(256)) * 2)[:-12], "gzip"))
    add(req(path="/not-gzip"), text("text/plain", b"plain cat that says gzip", "gzip"))
    add(req(path="/two"), text("text/plain", brotli.compress(zipped(b"twice cat")), "gzip, br"))
    add(req(path="/identity"), text("text/plain", b"identity cat", "identity"))
    add(req(path="/unknown"), text("text/plain", b"unknown cat", "x-cat"))
    add(req(path="/empty-gzip"), text("text/plain", b"", "gzip"))
    add(req(path="/empty"), resp(200, "OK", "Content-Length: 0", b""))
    add(req("POST", "/absent", "Host: shop.example\nContent-Length: 100000", None),
        resp(200, "OK", "Content-Type: video/mp4\nContent-Length: 99999999", None))
    add(req(path="/chunked"), resp(200, "OK", "Transfer-Encoding: chunked\nContent-Type: text/plain", b"chunked cat"))
    rnd = random.Random(17)
    add(req(path="/large.txt"), text("text/plain; charset=utf-8", b"".join(b"line %d: the cat sat on the m\xc3\xa4t %d\n" % (i, rnd.randrange(10**6)) for i in range(300))))
    add(req("POST", "/large.bin", "Host: shop.example\nContent-Type: application/octet-stream", bytes(rnd.randrange(256) for _ in range(3000))),
        text("image/png", b"\x89PNG\r\n\x1a\n" + bytes(rnd.randrange(256) for _ in range(300))))
    add(req(path="/large.gz"), text("text/html", zipped(html * 250), "gzip"))


def charsets():
    word = "caf\u00e9 na\u00efve cat"
    add(req(path="/latin1"), text("text/plain; charset=iso-8859-1", word.encode("latin-1")))
    add(req(path="/latin1-guess"), text("text/plain", word.encode("latin-1")))
    add(req(path="/utf8-guess"), text("text/plain", word.encode()))
    add(req(path="/no-type"), text(None, word.encode()))
    add(req(path="/quoted"), text('text/html; charset="UTF-8"; x=y', word.encode()))
    add(req(path="/gbk"), text("text/html; charset=gbk", "\u4e2d\u6587 cat".encode("gbk")))
    add(req(path="/gb2312"), text("text/html", '<meta charset="gb2312">\u9f99 cat'.encode("gb18030")))
    add(req(path="/meta"), text("text/html", '<meta http-equiv=content-type content="text/html; charset=windows-1251">\u043a\u043e\u0442 cat'.encode("cp1251")))
    add(req(path="/meta-utf8"), text("text/html", '<html><META CHARSET="utf-8"><b>\u732b cat'.encode()))
    add(req(path="/html-guess"), text("text/html", ("<b>" + word).encode()))
    add(req(path="/xml"), text("text/xml", ('<?xml version="1.0" encoding="ISO-8859-15"?><p>\u20ac cat</p>').encode("iso-8859-15")))
    add(req(path="/xml-utf8"), text("application/xml", "<?xml version='1.0'?><p>\u20ac cat</p>".encode()))
    add(req(path="/css"), text("text/css", '@charset "iso-8859-2"; a{content:"\u0159 cat"}'.encode("iso-8859-2")))
    add(req(path="/js"), text("text/javascript", 'var \u00e9 = "cat";'.encode()))
    add(req(path="/json"), text("application/json", '{"k\u00e9y": "\u732b cat"}'.encode()))
    add(req(path="/json-utf16"), text("application/json; charset=utf-16", '{"a": "\u732b"}'.encode("utf-16")))
    add(req(path="/bom8"), text("text/plain", b"\xef\xbb\xbf" + word.encode()))
    add(req(path="/bom16"), text("text/plain; charset=latin-1", "\ufeff" .encode("utf-16-le") + word.encode("utf-16-le")))
    add(req(path="/odd-charset"), text("text/plain; charset=x-nosuch", word.encode()))
    add(req(path="/wrong-charset"), text("text/plain; charset=utf-8", word.encode("latin-1")))
    add(req(path="/ascii"), text("text/plain; charset=us-ascii", word.encode()))
    add(req(path="/bad-type"), text("text", word.encode()))
    add(req(path="/rot13"), text("text/plain; charset=rot_13", b"png"))


def forms():
    form = "Host: shop.example\nContent-Type: application/x-www-form-urlencoded"
    add(req("POST", "/form", form + "\nContent-Length: 33", b"name=cat&name=dog&age=7&note=a+b%21"))
    add(req("POST", "/form2", form + "; charset=utf-8", "b\u00e9=\u00fc&a=%C3%A9&bare&empty=&=value&a=%zz&x=1;y=2&".encode()))
    add(req("POST", "/form-latin", form, b"name=caf%E9&raw=\xe9"))
    add(req("POST", "/form-empty", form, b""))
    add(req("POST", "/form-absent", form, None))
    add(req("PATCH", "/form-upper", "Host: shop.example\nContent-Type: Application/X-WWW-Form-URLEncoded", b"a=1"))
    multi = (b'--XyZ\r\nContent-Disposition: form-data; name="user"\r\n\r\nthe cat\r\n'
             b'--XyZ\r\nContent-Disposition: form-data; name="file"; filename="cat.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\x00\xff\r\n'
             b'--XyZ\r\nContent-Disposition: form-data; name="user"\r\n\r\ntwice\r\nlines\r\n--XyZ--\r\n')
    add(req("POST", "/upload", "Host: shop.example\nContent-Type: multipart/form-data; boundary=XyZ\nContent-Length: %d" % len(multi), multi))
    add(req("POST", "/upload-quoted", 'Host: shop.example\nContent-Type: multipart/form-data; boundary="----a b"',
            b'------a b\r\nContent-Disposition: form-data; name="k"\r\n\r\nv\r\n------a b--\r\n'))
    add(req("POST", "/upload-none", "Host: shop.example\nContent-Type: multipart/form-data", b"--x\r\n\r\n"))
    add(req("POST", "/upload-bad", "Host: shop.example\nContent-Type: multipart/form-data; boundary=zz", b"no part at all"))
    add(req("POST", "/upload-uni", "Host: shop.example\nContent-Type: multipart/form-data; boundary=b", (
        '--b\r\nContent-Disposition: form-data; name="k\u00e9y"\r\n\r\nv\u00e4lue\r\n--b--').encode()))


def head_fields():
    add(req(path="/cookies", headers='Host: shop.example\nCookie: session=abc123; theme=dark; q="a b;c"; bare; =x; e=f=g; session=again'))
    add(req(path="/cookies2", headers="Host: shop.example\nCookie: a=1\ncookie: b=2; c=\u00e9\nCookie: "))
    add(req(path="/login"), resp(200, "OK", "\n".join([
        "Set-Cookie: session=abc; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT; HttpOnly; Secure; SameSite=Lax",
        "set-cookie: theme=dark; max-age=3600; domain=.shop.example",
        'Set-Cookie: quoted="a, b"; Version=1; Comment="x y"', "Set-Cookie: gone=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "Set-Cookie: two=1, three=3; path=/a", "Set-Cookie: bare", "Date: Tue, 20 Oct 2020 07:28:00 GMT"]), b"in"))
    add(req(path="/dup", headers=[("Host", "shop.example"), ("X-Dup", "1"), ("x-dup", "2"), ("X-DUP", "3, 4"), ("X-Empty", ""), ("Accept", "a"), ("Accept", "b")]),
        resp(200, "OK", [("Vary", "Accept"), ("vary", "Cookie"), ("Via", "1.1 a"), ("Via", "1.1 b")], b"dup"))
    add(req(path="/binary", headers=[("Host", "shop.example"), ("X-Bin", b"\xff\xfe\x00caf\xe9"), (b"X-\xe9", "latin name"), ("", "no name"), ("X-Utf8", "caf\u00e9 \u732b")]),
        resp(200, "OK", [("X-Tab", "a\tb"), ("X-Space", "  two  "), (b"\xf0\x9f\x90\xb1", b"\xf0\x9f\x90\xb1")], b"bin"))
    add(req(path="/none", headers=[]), resp(200, "OK", [], b"no headers"))
    add(req("POST", "/trailers", "te: trailers", b"x", version="HTTP/2.0", scheme="https", port=443, authority="shop.example", trailers="x-sum: 1\nx-sum: 2"),
        resp(200, "", "content-type: application/grpc\ntrailer: grpc-status", b"\0\0\0\0\x02\x08\x07", version="HTTP/2.0", trailers="grpc-status: 0\ngrpc-message: caf%C3%A9"))
    add(req(path="/trailers1"), resp(200, "OK", "Transfer-Encoding: chunked\nTrailer: Expires", b"t", trailers="Expires: never"))
    add(req(path="/security", headers="Host: shop.example\nX-Forwarded-For: 203.0.113.1\nReferer: https://shop.example/a\nOrigin: null"),
        resp(200, "OK", "Strict-Transport-Security: max-age=1\nContent-Security-Policy: default-src 'self'; upgrade-insecure-requests\n"
             "Public-Key-Pins: x\nLocation: https://shop.example/\nWWW-Authenticate: Basic realm=\"x\"", b"<a href=https://x>"))


def urls():
    for path in ["/?", "/??a=b", "/a%20b/c%2Fd/?q=%20+%2B&&x&=&y=", "/\u00fc/\udce9?k\u00e9=v\u00e9", "no-slash", "", "/a;p=1/b;q?c;d=e",
                 "/p/../q/./r//s?a=1&a=2&b=%C3%A9&b=%E9", "/frag#part?x=1", "/" + "long/" * 60 + "?" + "&".join("k%d=%d" % (i, i) for i in range(40))]:
        add(req(path=path))
    add(req(path="/h1", headers="Host: other.example", host="198.51.100.9", port=8080))
    add(req(path="/h2", headers="Host: Shop.Example:8080", host="shop.example", port=8080))
    add(req(path="/h3", headers="Host: [2001:db8::1]:8443", host="2001:db8::1", port=8443, scheme="https"))
    add(req(path="/h4", headers="Host: 2001:db8::2", host="2001:db8::2", port=80))
    add(req(path="/h5", headers="Host: xn--bcher-kva.example", host="xn--bcher-kva.example"))
    add(req(path="/h6", headers=[("Host", b"b\xc3\xbccher.example")], host="b\u00fccher.example"))
    add(req(path="/h7", headers="Host: \nUser-Agent: none"))
    add(req(path="/h8", headers="Host: shop.example.\nHost: second.example", host="shop.example."))
    add(req(path="/h9", headers="host: not/a host", host="shop.example", port=8000))
    add(req(path="/h10", headers="x: y", host="shop.example", port=443, scheme="https", authority="front.example", version="HTTP/2.0"))
    add(req(path="/h11", headers="host: inner.example", host="shop.example", port=443, scheme="https", authority="front.example:444", version="HTTP/2.0"))
    add(req("CONNECT", "", "Host: shop.example:443\nProxy-Connection: keep-alive", scheme="", port=443, authority="shop.example:443"),
        resp(200, "Connection established", [], b""))
    add(req("GET", "/absolute?x=1", "Host: shop.example\nProxy-Authorization: Basic eDp5", authority="shop.example", scheme="http"),
        conns=(client(900), server(900, ("shop.example", 80), via=("http", ("proxy.example", 3128)))))
    add(req(path="/ftp", scheme="ftp", port=21))
    add(req(path="/port0", port=0, headers="Host: shop.example:0"))


def no_response():
    add(req(path="/pending"), None, conns=(client(950, timestamp_end=None, state=connection.ConnectionState.OPEN), server(950, None)))
    add(req("POST", "/pending-post", "Host: shop.example\nContent-Type: text/plain", b"pending cat"), None)
    add(req(path="/refused"), None, error=flow.Error("[Errno 111] Connection refused", START + 1.5),
        conns=(client(951), server(951, ("shop.example", 81), error="[Errno 111] Connection refused", timestamp_tcp_setup=None)))
    add(req(path="/killed"), None, error=flow.Error("Connection killed.", START + 2.5))
    add(req(path="/half", end=None), text("text/plain", b"half a c", end=None), error=flow.Error("peer closed connection: \u00e9", START + 3.5))
    add(req(path="/half2"), text("text/html", b"<b>half"), error=flow.Error("timed out", START + 4.0), comment="both")


def notes():
    add(req(path="/marked"), marked=":grapes:")
    add(req(path="/marked2"), marked="X", comment="a comment\nof two lines, caf\u00e9 \u732b")
    add(req(path="/meta"), metadata={"s": "text", "i": 7, "f": 1.5, "t": True, "n": None, "l": [1, "two", [3.0, None]],
                                     "d": {"k\u00e9y": {"deep": [False]}}, "": "empty"})
    add(req(path="/replayed"), is_replay="request")
    add(req(path="/replayed2"), is_replay="response", comment="served from a file")
    add(req(path="/intercepted"), intercepted=True)
    f = add(req(path="/edited"))
    f.backup()
    f.request.path = "/edited-now"
    f.response.headers["X-Edited"] = "yes"
    f = add(req(path="/odd-times", at=START, end=None), resp(end=None, body=b"odd"))
    f.request.timestamp_start = 1_600_000_000
    f.response.timestamp_start = 0.1 + 0.2
    add(req(path="/old-cert", scheme="https", port=443, host="old.example", headers="Host: old.example"), conns=(
        tls_client(960, alpn=b"", tls_version="TLSv1", sni=None, mitmcert=None, cipher=None, alpn_offers=[], cipher_list=[]),
        tls_server(960, ("old.example", 443), certificate_list=[OLD], sni="old.example", tls_version="TLSv1.2", alpn=b"http/1.1",
                   error="Certificate verify failed: certificate has expired")))
    add(req(path="/tls-failed", scheme="https", port=443), None, error=flow.Error("Client TLS handshake failed", START + 9), conns=(
        tls_client(961, timestamp_tls_setup=None, error="handshake failed", mitmcert=EDDSA), server(961, None, tls=True)))
    add(req(path="/v6"), conns=(client(962, peername=("2001:db8::9", 1234, 0, 0), sockname=("::1", 8080, 0, 0)),
                                server(962, ("2001:db8::1", 80), peername=("2001:db8::1", 80, 0, 0))))
    add(req(path="/same-connection"), conns=(client(1), server(1)))


def ws(path, messages, response=True, error=None, **close):
    f = add(req(path=path, headers="Host: shop.example\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
            resp(101, "Switching Protocols", "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    f.error = error
    f.websocket = websocket.WebSocketData()
    f.websocket.messages = [
        websocket.WebSocketMessage(kind, up, content, START + 10 * len(flows) + i, *flags)
        for i, (kind, up, content, *flags) in enumerate(messages)
    ]
    for k, v in close.items():
        setattr(f.websocket, k, v)


def sockets():
    ws("/ws", [(1, True, b"hello cat"), (1, False, "h\u00e9llo \u732b".encode()), (2, True, bytes(range(32))), (1, False, b"")],
       closed_by_client=True, close_code=1000, close_reason="", timestamp_end=START + 2000.5)
    ws("/ws-server", [(2, False, b"\xff\xfe binary cat"), (1, True, b'{"cat": 1}', True), (1, True, b"injected cat", False, True)],
       closed_by_client=False, close_code=1001, close_reason="going \u00e4way", timestamp_end=START + 2001)
    ws("/ws-open", [(1, True, b"still open cat")])
    ws("/ws-none", [], closed_by_client=True, close_code=1005, close_reason="", timestamp_end=START + 2002)
    ws("/ws-error", [(1, True, b"cat before the error")], error=flow.Error("reset", START + 2003), closed_by_client=False, close_code=1006,
       close_reason="abnormal", timestamp_end=START + 2003)
    ws("/ws-many", [(1, i % 2 == 0, b"cat %d" % i) for i in range(25)] + [(2, False, b"c" * 500)],
       closed_by_client=False, close_code=4000, close_reason=None, timestamp_end=START + 2004)
    ws("/ws-bad-text", [(1, False, b"caf\xe9 cat")], closed_by_client=True, close_code=1007, close_reason="bad", timestamp_end=START + 2005)

    def stream(messages, error=None, conns=None, **attrs):
        n = len(flows) + 1
        f = tcp.TCPFlow(*(conns or (client(n), server(n, ("db.example", 5432)))))
        f.messages = [tcp.TCPMessage(up, content, START + 10 * n + i) for i, (up, content) in enumerate(messages)]
        f.error = error
        finish(f, n, **attrs)

    stream([(True, b"hello cat"), (False, b"\x00\x01\xff cat"), (True, b""), (False, "\u00e9".encode())])
    stream([(True, b"before the cat")], error=flow.Error("connection reset", START + 3000.5))
    stream([])
    stream([(i % 3 == 0, b"row %d cat\n" % i * 10) for i in range(30)], comment="many", marked=":cat:", metadata={"k": 1})
    stream([(True, b"\x16\x03\x01 tls cat"), (False, b"c" * 900)], conns=(tls_client(970, alpn=None), tls_server(970, ("db.example", 5433), alpn=None)))


def names():
    def ask(name, kind, answers=(), error=None, response=True, code=dns.response_codes.NOERROR, **attrs):
        n = len(flows) + 1
        q = dns.Message(START + n, n, True, attrs.pop("op_code", 0), False, False, True, False, 0, 0, [dns.Question(name, kind, 1)], [], [], [])
        f = dns.DNSFlow(client(n, transport_protocol="udp"), server(n, ("192.0.2.53", 53), transport_protocol="udp"))
        f.request = q
        if response:
            r = q.succeed(list(answers)) if not code else q.fail(code)
            r.timestamp = START + n + 0.5
            for k in ("authorities", "additionals", "authoritative_answer", "truncation"):
                if k in attrs:
                    setattr(r, k, attrs.pop(k))
            f.response = r
        f.error = error
        finish(f, n, **attrs)

    rr = dns.ResourceRecord
    from ipaddress import IPv4Address, IPv6Address
    t = dns.types
    ask("shop.example", t.A, [rr.A("shop.example", IPv4Address("192.0.2.7"), ttl=300), rr.A("shop.example", IPv4Address("192.0.2.8"))])
    ask("shop.example", t.AAAA, [rr.AAAA("shop.example", IPv6Address("2001:db8::7"))])
    ask("www.shop.example", t.A, [rr.CNAME("www.shop.example", "shop.example"), rr.A("shop.example", IPv4Address("192.0.2.7"))], authoritative_answer=True)
    ask("shop.example", t.TXT, [rr.TXT("shop.example", "v=spf1 caf\u00e9"), rr("shop.example", t.TXT, 1, 5, b"\xff\xfe")])
    ask("7.2.0.192.in-addr.arpa", t.PTR, [rr.PTR("7.2.0.192.in-addr.arpa", "shop.example")])
    ask("shop.example", t.MX, [rr("shop.example", t.MX, 1, 60, b"\x00\x0a\x04mail\x04shop\x07example\x00")],
        authorities=[rr("example", t.NS, 1, 60, b"\x02ns\x07example\x00")], additionals=[rr("ns.example", t.A, 1, 60, b"\xc0\x00\x02\x01")])
    ask("shop.example", 65, [rr("shop.example", 65, 1, 60, b"\x00\x01\x00\x00\x01\x00\x03\x02h2")], truncation=True)
    ask("nosuch.example", t.A, code=dns.response_codes.NXDOMAIN)
    ask("pending.example", t.A, response=False)
    ask("error.example", t.ANY, response=False, error=flow.Error("timed out", START + 4000))
    ask("both.example", t.SOA, [rr("both.example", 6, 1, 1, b"")], error=flow.Error("late", START + 4001), comment="dns both")
    ask("", t.NS, [rr("", t.NS, 1, 518400, b"\x01a\x0croot-servers\x03net\x00")])


for part in (plain_http, bodies, charsets, forms, head_fields, urls, no_response, notes, sockets, names):
    part()
with open(os.path.join(HERE, "flows17.mitm"), "wb") as out:
    w = io.FlowWriter(out)
    for f in flows:
        w.add(f)
print(len(flows), "flows,", os.path.getsize(os.path.join(HERE, "flows17.mitm")), "bytes")
