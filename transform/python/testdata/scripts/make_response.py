"""Response.make with every kind of argument, and as the response of flows."""
from _show import attempt, name, show

from mitmproxy import http

CALLS = [
    lambda: http.Response.make(),
    lambda: http.Response.make(404),
    lambda: http.Response.make(418, b"teapot", {"Content-Type": "text/plain"}),
    lambda: http.Response.make(200, "t\u00e9xt", {"Content-Type": "text/plain; charset=utf-8"}),
    lambda: http.Response.make(200, "t\u00e9xt", {"Content-Type": "text/plain; charset=latin-1"}),
    lambda: http.Response.make(200, "text \u732b"),
    lambda: http.Response.make(302, headers={"Location": "/x", b"bytes": b"y"}),
    lambda: http.Response.make(200, b"x", http.Headers(server="s", content_length="99")),
    lambda: http.Response.make(200, b"x", [(b"a", b"1"), (b"a", b"2")]),
    lambda: http.Response.make(200, b"x", ((b"a", b"1"),)),
    lambda: http.Response.make(204, b""),
    lambda: http.Response.make(599, b"odd"),
    lambda: http.Response.make(200, b"zip", {"Content-Encoding": "deflate"}),
    lambda: http.Response.make(200, None),
    lambda: http.Response.make(200, 5),
    lambda: http.Response.make("200"),
    lambda: http.Response.make(200, b"", [("a", "b")]),
    lambda: http.Response.make(200, b"", "headers"),
    lambda: http.Response(b"HTTP/1.1", 200, b"OK", http.Headers(a="b"), b"body", None, 1.0, 2.0),
    lambda: http.Response(b"HTTP/1.1", 200, b"OK", ((b"a", b"b"),), b"body", ((b"t", b"u"),), 1.0, None),
    lambda: http.Response("HTTP/1.1", 200, "OK", ((b"a", b"b"),), b"body", None, 1.0, 2.0),
    lambda: http.Response("HTTP/\u00fc", 200, b"OK", (), b"", None, 1.0, 2.0),
    lambda: http.Response(b"HTTP/1.1", 200, "\u732b", (), b"", None, 1.0, 2.0),
    lambda: http.Response(b"HTTP/1.1", 200, b"OK", (), "text", None, 1.0, 2.0),
]


def fixed(call):
    r = call()
    r.timestamp_start, r.timestamp_end = 1600000000.5, 1600000001.0
    return r


def load(loader):
    for i, call in enumerate(CALLS):
        print(i, attempt(lambda: fixed(call).get_state()))
    r = http.Response.make()
    print(type(r.timestamp_start), r.timestamp_start <= r.timestamp_end, r.http_version, r.is_http11, r.trailers, r.stream)


def request(flow):
    if flow.response is None:
        flow.response = fixed(CALLS[2])
        flow.response.headers["X-Made-For"] = name(flow)


def response(flow, count=[0]):
    count[0] += 1
    if count[0] % 3 == 0:
        good = CALLS[:9] + CALLS[10:11] + CALLS[18:20]
        flow.response = fixed(good[count[0] // 3 % len(good)])
        print(name(flow), show(flow.response.headers.fields))
