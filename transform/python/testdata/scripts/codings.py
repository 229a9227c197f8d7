"""decode() and encode() of messages."""
from _show import attempt, body, name

CODINGS = ["gzip", "deflate", "deflateraw", "br", "zstd", "identity", "none", "nosuch", "GZIP", ""]


def coded(m, *how):
    for step in how:
        m.decode() if step is None else m.encode(step)
    return body(m)


def both(flow, m):
    n = int(name(flow)[1:])
    print(name(flow), "decode", attempt(coded, m.copy(), None), attempt(lambda: m.copy().decode(strict=False)))
    for coding in CODINGS:
        print(name(flow), coding, attempt(coded, m.copy(), coding))
    if m.headers.get("content-encoding"):
        print(name(flow), attempt(m.decode))
    elif n % 5 == 0:
        print(name(flow), attempt(coded, m, "deflate"))
    elif n % 5 == 1:
        print(name(flow), attempt(coded, m, None, "identity"))


def request(flow):
    both(flow, flow.request)


def response(flow):
    both(flow, flow.response)
