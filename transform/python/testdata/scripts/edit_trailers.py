"""Trailers added, changed and removed on every message."""
from _show import attempt, name

from mitmproxy import http

EDITS = r'''
m.trailers = http.Headers(grpc_status="0")
m.trailers["x-sum"] = "changed"
m.trailers.add("more", b"\xff")
m.trailers = None
m.trailers.clear()
m.trailers = http.Headers([(b"A", b"1"), (b"a", b"2")])
m.trailers = m.headers
m.trailers = m.headers.copy()
del m.trailers["grpc-status"]
m.trailers.fields = ((b"t", b"u"),)
m.trailers = http.Headers()
'''.strip().split("\n")


def edit(m, code):
    exec(code, {"m": m, "http": http})
    return m.trailers


def each(flow, m):
    for code in EDITS if m.trailers is not None else ():
        print(name(flow), ascii(code), attempt(edit, m.copy(), code))
    code = EDITS[(int(name(flow)[1:]) + m.is_http2) % len(EDITS)]
    print(name(flow), ascii(code), attempt(edit, m, code), m.trailers is not None and len(m.trailers))


def request(flow):
    each(flow, flow.request)


def response(flow):
    each(flow, flow.response)
