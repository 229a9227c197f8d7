"""Request.make and Request() with every kind of argument, and as the request of flows."""
from _show import attempt, name

from mitmproxy import http

CALLS = [
    lambda: http.Request.make("GET", "http://made.example/p?q=1"),
    lambda: http.Request.make("post", "https://made.example:8443/", b"body", {"X": "y"}),
    lambda: http.Request.make("PUT", "http://[2001:db8::1]/", "t\u00e9xt", {"content-type": "text/plain; charset=utf-8"}),
    lambda: http.Request.make("GET", "https://made.example", "", http.Headers(a_b="c")),
    lambda: http.Request.make("GET", "http://made.example/", b"", [(b"a", b"1")]),
    lambda: http.Request.make("GET", "http://b\u00fccher.example/\u00fc"),
    lambda: http.Request.make("GET", "no url"),
    lambda: http.Request.make("GET", ""),
    lambda: http.Request.make("GET", "ftp://x/"),
    lambda: http.Request.make("GET", "http://made.example/", 5),
    lambda: http.Request.make("GET", "http://made.example/", None),
    lambda: http.Request.make("GET", "http://made.example/", b"", [("a", "b")]),
    lambda: http.Request.make("GET", "http://made.example/", b"", 5),
    lambda: http.Request.make(b"GET", "http://made.example/"),
    lambda: http.Request.make("GET", b"http://made.example/"),
    lambda: http.Request("h", 80, b"GET", b"http", b"", b"/", b"HTTP/1.1", http.Headers(), b"", None, 1.0, 2.0),
    lambda: http.Request("h", 80, "GET", "http", "au", "/p", "HTTP/2.0", ((b"a", b"b"),), b"x", ((b"t", b"u"),), 1.0, None),
    lambda: http.Request(b"h", 80, b"GET", b"http", b"", b"/", b"HTTP/1.1", (), None, None, 1.0, 2.0),
    lambda: http.Request("h", "80", b"GET", b"http", b"", b"/", b"HTTP/1.1", (), b"", None, 1.0, 2.0),
    lambda: http.Request("h", 80, b"GET", b"http", b"", b"/", b"HTTP/1.1", (), "text", None, 1.0, 2.0),
    lambda: http.Request("h", 80, b"GET", b"http", b"", b"/", b"HTTP/1.1", [(b"a", b"b")], b"", None, 1.0, 2.0),
]


def fixed(call):
    r = call()
    r.timestamp_start, r.timestamp_end = 1600000000.5, 1600000001.0
    return r


def load(loader):
    for i, call in enumerate(CALLS):
        print(i, attempt(lambda: fixed(call).get_state()))
    r = http.Request.make("GET", "http://x/")
    print(r.timestamp_start <= r.timestamp_end, r.url, r.pretty_url, r.first_line_format, r.stream)


def request(flow, count=[0]):
    count[0] += 1
    if count[0] % 4 == 0:
        good = CALLS[:5] + CALLS[15:17]
        flow.request = fixed(good[count[0] // 4 % len(good)])
        print(name(flow), flow.request.url)


def response(flow):
    if flow.request.host == "made.example":
        flow.response.headers["X-Url"] = flow.request.url
