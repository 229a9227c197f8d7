"""net.http: cookies, urls, headers, multipart, status codes, assembling and reading of HTTP/1."""
import io

from _show import attempt

from mitmproxy import http
from mitmproxy.net import check, server_spec
from mitmproxy.net.http import cookies, headers, multipart, status_codes, url
from mitmproxy.net.http import http1

COOKIES = ["", "a=b", "a=b; c=d", 'a="b;c"; d="e\\"f"', "a", "=", "a=", "=b", "a=b=c", "a=b;; c=d", " a = b ; c", "a=1, b=2; path=/", "caf\u00e9=\u732b",
           "a=b; Expires=Wed, 21 Oct 2037 07:28:00 GMT; Path=/", "a=b; expires=Wed, 21-Oct-37 07:28:00 GMT, c=d", "a=b; max-age=0", "a=b; Max-Age=xx; Expires=nonsense", "x=y; secure; HttpOnly", 'q="unclosed']
URLS = ["http://h/p?q#f", "https://h:8443", "http://h:80/", "h/p", "", "http://", "http:///p", "ftp://h/", "http://[::1]:8080/x", "http://[::1/x", "http://u:p@h/", "http://h:99999/", "http://h:x/", "HTTP://H/P", "http://h\u00f6st/\u00fc?\u00e9", "http://h/a b", b"http://h/p", b"http://\xff/", "//h/p", "http://a..b/", "mailto:x@y", "http://h?q", "http://-h/", "http://h_x/"]


def load(loader):
    for c in COOKIES:
        print(ascii(c), attempt(cookies.parse_cookie_header, c), attempt(lambda: [(k, v, a.fields) for k, v, a in cookies.parse_set_cookie_header(c)]), attempt(lambda: cookies.format_cookie_header(cookies.parse_cookie_header(c))),
              attempt(lambda: cookies.format_set_cookie_header(cookies.parse_set_cookie_header(c))), attempt(cookies.refresh_set_cookie_header, c, 3600), attempt(lambda: [cookies.is_expired(a) for _, _, a in cookies.parse_set_cookie_header(c)]))
    print(cookies.parse_cookie_headers(["a=b", "c=d; a=e"]), attempt(lambda: [(k, v, list(a.items())) for k, v, a in cookies.parse_set_cookie_headers(["a=b; x=y", "c=d"])]), attempt(cookies.group_cookies, [("a", "b"), ("c", "d")]))
    print(cookies.CookieAttrs([("Path", "/"), ("HttpOnly", None)]), attempt(cookies.get_expiration_ts, cookies.CookieAttrs([("expires", "Wed, 21 Oct 2037 07:28:00 GMT")])), attempt(cookies.is_expired, cookies.CookieAttrs([("max-age", "5")])))
    for u in URLS:
        print(ascii(u), attempt(url.parse, u))
    for s in ("", "a=b&c=d", "a=b;c=d", "a", "a=&=b", "%zz=%41", "a+b=c%20d", "\u00e9=\u732b", "a=b=c", "&&"):
        print(ascii(s), attempt(url.decode, s), attempt(lambda: url.encode(url.decode(s))), attempt(lambda: url.encode(url.decode(s), s)), attempt(url.quote, s), attempt(url.quote, s, ""), attempt(url.unquote, s))
    for a in ("h:80", "h", "[::1]:80", "::1", "h:x", "h:0", "h:70000", b"h:80", b"\xff:1", "", ":80", "a b:1", "u@h:1", "[::1]", "H\u00f6st:1"):
        print(ascii(a), attempt(url.parse_authority, a, True), attempt(url.parse_authority, a, False), attempt(check.is_valid_host, a if isinstance(a, bytes) else a.encode("utf8")), attempt(check.is_valid_host, a))
    print([url.hostport(s, "h", p) for s, p in (("http", 80), ("https", 80), ("https", 443), ("ftp", 21), ("http", 8080))], url.hostport(b"http", b"h", 81), url.unparse("http", "h", 80, "/p"), url.unparse("https", "h", 8443), [url.default_port(s) for s in ("http", "https", "ftp", b"http")], [check.is_valid_port(p) for p in (-1, 0, 1, 65535, 65536)])
    for c in ("text/html; charset=UTF-8", "text/html", "text", "", "a/b; c", 'a/b; c="d; e"; F=g', "a/b;c=d;c=e", "multipart/form-data; boundary=----x"):
        print(c, attempt(headers.parse_content_type, c), attempt(lambda: headers.assemble_content_type(*headers.parse_content_type(c))))
    for ct, body in (("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'), ("multipart/form-data; boundary=x", b"junk"), ("text/plain", b"x"), (None, b"x"), ("multipart/form-data", b"x"), ('multipart/form-data; boundary="a b"', b'--a b\r\nContent-Disposition: form-data; name="k"; filename="f"\r\n\r\n\xff\r\n--a b--')):
        print(ct, attempt(multipart.decode, ct, body))
    print(attempt(multipart.encode, {"content-type": "multipart/form-data; boundary=x"}, [(b"a", b"1"), (b"b", b"\xff")]), attempt(multipart.encode, {"content-type": "text/plain"}, [(b"a", b"1")]), attempt(multipart.encode, {"content-type": "multipart/form-data; boundary=x"}, [(b"a", b"--x")]))
    print(sorted(status_codes.RESPONSES.items()), status_codes.NOT_FOUND, status_codes.IM_A_TEAPOT)
    for s in ("http://h", "https://h:8443", "h:80", "h", "http://h:x", "ftp://h", "https://[::1]", "", "http://"):
        print(s, attempt(server_spec.parse, s), attempt(server_spec.parse_with_mode, "reverse:" + s))
    print(server_spec.ServerSpec("http", ("h", 1)), sorted(n for n in dir(http1) if n[0] != "_" and n.islower()))


def request(flow):
    print(attempt(http1.assemble_request, flow.request), attempt(http1.assemble_request_head, flow.request))
    r = flow.request
    print(attempt(lambda: http1.read_request_head(http1.assemble_request_head(r).split(b"\r\n")[:-2]).get_state()["headers"]), attempt(http1.expected_http_body_size, r), attempt(http1.connection_close, r.data.http_version, r.headers))


def response(flow):
    r = flow.response
    print(attempt(http1.assemble_response, r), attempt(http1.assemble_response_head, r))
    print(attempt(lambda: http1.read_response_head(http1.assemble_response_head(r).split(b"\r\n")[:-2]).reason), attempt(http1.expected_http_body_size, flow.request, r), attempt(http1.connection_close, r.data.http_version, r.headers), attempt(lambda: list(http1.assemble_body(r.headers, [b"a", b"bc"], r.trailers))))
