"""mitmproxy.addons.export."""
import gzip

from _oracle import main

from mitmproxy import http
from mitmproxy.addons import export
from mitmproxy.test import taddons, tflow, tutils

DEVIATIONS = {
    "curl_command bytes": "since mitmproxy 9 control characters go through printf; before, curl and httpie sent the escapes",
    "httpie_command bytes": "since mitmproxy 9 control characters go through printf; before, curl and httpie sent the escapes",
    "curl_command control": "since mitmproxy 9 control characters go through printf; before, curl and httpie sent the escapes",
    "httpie_command control": "since mitmproxy 9 control characters go through printf; before, curl and httpie sent the escapes",
    "curl_command missing": "mitmproxy 8 raises KeyError where there is no content-length",
    "httpie_command missing": "mitmproxy 8 raises KeyError where there is no content-length",
    "curl_command chunked": "mitmproxy 8 raises KeyError where there is no content-length",
    "httpie_command chunked": "mitmproxy 8 raises KeyError where there is no content-length",
    "curl_command trailers": "mitmproxy 8 raises KeyError where there is no content-length",
    "httpie_command trailers": "mitmproxy 8 raises KeyError where there is no content-length",
    "curl_command empty post": "since mitmproxy 10 what needs a content-length: 0 has one",
    "curl_command put empty": "since mitmproxy 10 what needs a content-length: 0 has one",
    "raw_response head": "since mitmproxy 11 a response to HEAD keeps its content-length",
    "raw head": "since mitmproxy 11 a response to HEAD keeps its content-length",
    "raw websocket": "since mitmproxy 9 raw has the messages",
    "curl_command dns": "mitmproxy 8 raises AssertionError",
    "httpie_command dns": "mitmproxy 8 raises AssertionError",
    "raw_request dns": "mitmproxy 8 raises AssertionError",
    "raw_response dns": "mitmproxy 8 raises AssertionError",
    "export_str curl latin": "since mitmproxy 9 text has no surrogates",
}


def flow(resp=False, **request):
    return tflow.tflow(req=tutils.treq(**request), resp=tutils.tresp(**resp) if resp else False)


def flows():
    yield "get", flow(content=b"", path=b"/path?a=foo&a=bar&b=baz", headers=((b"header", b"qvalue"), (b"content-length", b"0")))
    yield "post", flow(method=b"POST", headers=(), content=b"nobinarysupport")
    yield "bytes", flow(method=b"POST", headers=(), content=bytes(range(256)))
    yield "control", flow(method=b"POST", headers=(), content=b"foo\nbar\ttab\\x 'q' \"d\" $x `y` %s %% \x7f \x1b")
    yield "quotes", flow(method=b"POST", headers=(), content=b"it's \"quoted\" $x `y` %s \\ \x7f")
    yield "missing", flow(method=b"POST", headers=(), content=None)
    yield "empty post", flow(method=b"POST", headers=((b"content-length", b"0"),), content=b"")
    yield "put empty", flow(method=b"PUT", content=b"")
    yield "get missing", flow(content=None)
    yield "get empty", flow(content=b"", headers=())
    yield "utf8", flow(method=b"POST", headers=((b"content-type", b"text/plain; charset=utf-8"),), content="é'ü".encode())
    yield "latin1", flow(method=b"POST", headers=((b"content-type", b"text/plain; charset=latin-1"),), content=b"\xe9'\xfc")
    yield "not utf8", flow(method=b"POST", headers=((b"content-type", b"text/plain; charset=utf-8"),), content=b"a\xff\xc3")
    yield "json not utf8", flow(method=b"POST", headers=((b"content-type", b"application/json"),), content=b"a\xff\xc3")
    yield "patch", flow(method=b"PATCH", path=b"/path?query=param")
    yield "host", flow(headers=((b"host", b"address"), (b"accept-encoding", b"br"), (b":authority", b"address")))
    yield "other host", flow(headers=((b"header", b"qvalue"), (b"host", b"domain:22")))
    yield "two hosts", flow(headers=((b"host", b"domain:22"), (b"Accept-Encoding", b"gzip"), (b"X-It's", b"a\"b'c"), (b"host", b"second")))
    yield "gzip", flow(method=b"PUT", headers=((b"content-encoding", b"gzip"), (b"content-length", b"99")), content=gzip.compress(b"zipped"))
    yield "bad gzip", flow(method=b"PUT", headers=((b"content-encoding", b"gzip"), (b"content-length", b"99")), content=b"bad gzip")
    yield "unknown encoding", flow(method=b"PUT", headers=((b"content-encoding", b"nonsense"),), content=b"x")
    yield "chunked", flow(headers=((b"transfer-encoding", b"chunked"),), content=b"abc")
    yield "trailers", flow(headers=((b"transfer-encoding", b"chunked"),), content=b"abc", trailers=http.Headers([(b"a", b"b")]))
    yield "trailers unchunked", flow(content=b"abc", trailers=http.Headers([(b"a", b"b")]))
    yield "latin", flow(headers=((b"x", b"\xe9"), (b"\xff", b"y"), (b"u", "é".encode())), content=b"")
    yield "http2", flow(method=b"get", http_version=b"HTTP/2.0", authority=b"auth.example", headers=((b"host", b"address"),), content=b"x")
    yield "connect", flow(method=b"CONNECT", authority=b"a.b:443", path=b"", headers=(), content=b"")
    yield "absolute", flow(authority=b"address:22", headers=(), content=b"")
    yield "options", flow(method=b"OPTIONS", path=b"*", headers=(), content=b"")
    yield "spaces", flow(path=b"/a b'c\"", content=b"@file")
    yield "repeated", flow(headers=((b"a", b"1"), (b"A", b"2"), (b"content-length", b"1"), (b"Content-Length", b"2")))
    yield "response", flow(content=b"", resp={"status_code": 404, "content": b"Body"})
    yield "response missing", flow(resp={"content": None})
    yield "response chunked", flow(resp={"headers": ((b"transfer-encoding", b"chunked"),), "content": b"abc"})
    yield "response gzip", flow(resp={"headers": ((b"content-encoding", b"gzip"),), "content": gzip.compress(b"zipped")})
    yield "head", flow(method=b"HEAD", resp={"headers": ((b"content-length", b"7"),), "content": b""})
    yield "both missing", flow(content=None, resp={"content": None})
    yield "only response", flow(content=None, resp={"content": b"x"})
    yield "error", tflow.tflow(err=True)
    yield "websocket", tflow.twebsocketflow()
    yield "tcp", tflow.ttcpflow()
    yield "dns", tflow.tdnsflow(resp=True)


def cases():
    e = export.Export()
    with taddons.context(e) as context:
        for name, f in flows():
            for function in ("curl_command", "httpie_command", "raw_request", "raw_response", "raw"):
                yield "%s %s" % (function, name), lambda: getattr(export, function)(f)
        by_name = dict(flows())
        yield "separator", lambda: export.raw(by_name["response"], separator=b"|")
        yield "formats", lambda: e.formats()
        yield "functions", lambda: {name: f.__name__ for name, f in export.formats.items()}
        for name in ("get", "response", "latin"):
            for format in ("curl", "httpie", "raw", "raw_request"):
                if (format, name) != ("httpie", "latin"):
                    yield "export_str %s %s" % (format, name), lambda: e.export_str(format, by_name[name])
        yield "export_str unknown", lambda: e.export_str("nonsense", by_name["get"])
        yield "file unknown", lambda: e.file("nonsense", by_name["get"], "/nonexistent")
        context.options.export_preserve_original_ip = True
        for name in ("get", "other host"):
            yield "resolve " + name, lambda: export.curl_command(by_name[name])
        f = by_name["get"]
        f.request.host = "192.168.0.1"
        yield "resolve same", lambda: export.curl_command(f)
        f.server_conn.peername = None
        yield "resolve without peer", lambda: export.curl_command(f)


if __name__ == "__main__":
    main(cases)
