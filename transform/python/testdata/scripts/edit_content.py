"""Bodies set through each property, on every coding and charset."""
from _show import attempt, body, name

EDITS = [
    lambda m: setattr(m, "content", b"new content, cat" * 5),
    lambda m: setattr(m, "text", "new t\u00e9xt"),
    lambda m: setattr(m, "text", "\u732b, out of latin-1"),
    lambda m: setattr(m, "content", (m.get_content(strict=False) or b"") + b"!"),
    lambda m: setattr(m, "text", (m.get_text(strict=False) or "") + "\u20ac"),
    lambda m: setattr(m, "text", "lone \udce9 surrogate"),
    lambda m: m.set_content(b""),
    lambda m: m.set_text("set_text"),
    lambda m: setattr(m, "content", None),
    lambda m: setattr(m, "raw_content", b"raw"),
    lambda m: setattr(m, "content", m.content),
    lambda m: setattr(m, "text", m.text),
    lambda m: setattr(m, "content", bytearray(b"mutable")),
]


def edit(m, change):
    change(m)
    return body(m), attempt(lambda: m.text)


def request(flow):
    n = int(name(flow)[1:])
    for i, change in enumerate(EDITS):
        if n % 7 == 0:
            print(name(flow), i, attempt(edit, flow.request.copy(), change))
    print(name(flow), attempt(edit, flow.request, EDITS[n % (len(EDITS) - 1)]))


def response(flow):
    n = int(name(flow)[1:])
    for i, change in enumerate(EDITS):
        if n % 3 or "content-encoding" in flow.response.headers:
            print(name(flow), i, attempt(edit, flow.response.copy(), change))
    print(name(flow), attempt(edit, flow.response, EDITS[n % (len(EDITS) - 1)]))
