"""What scripts do to requests: anticache, anticomp, constrain_encoding, and refresh of responses."""
from _show import name


def request(flow):
    n = int(name(flow)[1:])
    [flow.request.anticache, flow.request.anticomp, flow.request.constrain_encoding][n % 3]()
    if "accept-encoding" in flow.request.headers or "if-none-match" in flow.request.headers:
        for call in ("anticache", "anticomp", "constrain_encoding"):
            r = flow.request.copy()
            getattr(r, call)()
            print(name(flow), call, r.headers.fields)


def response(flow):
    r = flow.response
    if {"date", "expires", "last-modified", "set-cookie"} & {k.lower() for k in r.headers}:
        for now in (1600000000, 2000000000.5, r.timestamp_start):
            c = r.copy()
            c.refresh(now)
            print(name(flow), now, c.headers.fields)
        r.refresh(1700000000)
