"""Headers: everything that reads."""
from _show import attempt, name, show


def each(flow, h):
    print(name(flow), show(h.fields))
    print(name(flow), ascii(repr(h)), attempt(bytes, h), len(h), bool(h))
    print(name(flow), show(list(h)), show(list(h.keys())), show(list(h.keys(True))), show(list(h.values())), show(list(h.values(multi=True))))
    print(name(flow), show(list(h.items())), show(list(h.items(multi=True))))
    for k in ("host", "HOST", b"Host", "x-dup", b"x-\xe9", "X-Bin", "", "content-type", "nosuch", "Set-Cookie", "Accept", "Via"):
        print(name(flow), ascii(k), attempt(h.__getitem__, k), attempt(h.get_all, k), attempt(h.get, k), attempt(h.get, k, 7), attempt(h.__contains__, k))
    print(name(flow), h == h.copy(), h is h.copy(), h != h.copy(), h == dict(h), type(h).__name__, attempt(hash, h))
    print(name(flow), attempt(h.__getitem__, 5), attempt(lambda: 5 in h), attempt(lambda: h.nosuch))
    print(name(flow), show(h.get_state()), show(type(h).from_state(h.get_state()).fields))


def request(flow):
    each(flow, flow.request.headers)
    if flow.request.trailers:
        each(flow, flow.request.trailers)


def response(flow):
    each(flow, flow.response.headers)
    if flow.response.trailers:
        each(flow, flow.response.trailers)
