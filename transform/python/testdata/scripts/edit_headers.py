"""Headers, changed in all ways; each flow gets another one."""
from _show import attempt, name

from mitmproxy import http

EDITS = r'''
h["new"] = "value"
h["HOST"] = "upper.example"
h[b"bytes"] = b"\xff\xfe"
h["x-dup"] = "one for all"
h["uni"] = "caf\u00e9 \u732b"
h["surrogate"] = "\udcff"
del h["host"]
del h["nosuch"]
del h[b"Server"]
h.add("Set-Cookie", "a=1"); h.add(b"set-cookie", "b=2")
h.insert(0, "first", "1"); h.insert(-1, "next to last", "2"); h.insert(99, b"end", b"3")
h.set_all("X-Dup", ["a", "b"]); h.set_all("nosuch", [b"c"])
h.set_all("host", []); h.set_all("accept", ("1", "2", "3", "4"))
h.pop("host", None); h.pop("nosuch", None)
h.pop("nosuch")
h.update({"a": "1", "Host": "updated"}); h.update(b="2"); h.update([("c", "3")])
h.setdefault("host", "default"); h.setdefault("fresh", "x")
h.clear()
h.popitem()
h.fields = ((b"only", b"field"),)
h.fields = h.fields + ((b"more", b"x"),)
h.fields = tuple((k.lower(), v) for k, v in h.fields)
h.fields = [(b"a", b"list"), (b"b", b"of pairs")]
h["host"] = h.get("host", "none")
h.fields = tuple(h.fields)
h.update(h.copy())
h["a"] = "line\r\nbreak"
h[""] = "empty name"
h["X"] = ""
h["x"] = 5
h[5] = "x"
h["x"] = None
h.add("x", 5)
h.insert(0, "x", 7)
h.set_all("x", "string")
h.set_all("x", [5])
h["x"] = ["list"]
h.set_state((("s", "t"),)) if 0 else h.set_state([[b"s", b"t"]])
del h["x"], h["host"]
for k in list(h): h[k] = h[k] + "!"
for k, v in list(h.items(multi=True)): h.add(k, v)
'''.strip().split("\n")


def edit(h, code):
    exec(code, {"h": h, "http": http})
    return h.fields


def make():
    for kw in ({}, {"a_b": "c"}, {"content_type": "x", "HOST": "y"}, {"a": b"b"}, {"a": 5}, {"ke\u00fd": "v"}):
        print(ascii(kw), attempt(lambda: http.Headers(**kw).fields), attempt(lambda: http.Headers([(b"Host", b"h"), (b"host", b"i")], **kw).fields))
    for fields in ((), [], ((b"a", b"b"),), [(b"a", b"b")], {"a": "b"}, [("a", "b")], [b"ab"], [(b"a",)], iter([(b"a", b"b")]), 5, [(b"a", 5)]):
        print(ascii(fields) if not hasattr(fields, "__next__") else "iterator", attempt(lambda: http.Headers(fields).fields))
    h = http.Headers([(b"A", b"1"), (b"b", b"2")])
    print(h == http.Headers([(b"A", b"1"), (b"b", b"2")]), h == http.Headers([(b"a", b"1"), (b"b", b"2")]), h != h.copy(), bytes(http.Headers()), bytes(h))


def load(loader):
    make()


def requestheaders(flow, count=[0]):
    code = EDITS[count[0] % len(EDITS)]
    count[0] += 1
    if "break" not in code and "h[\"a\"] =" not in code:
        print(name(flow), ascii(code), attempt(edit, flow.request.headers, code))
    if count[0] in (90, 100):
        for code in EDITS:
            print(name(flow), ascii(code), attempt(edit, flow.request.headers.copy(), code))


def responseheaders(flow, count=[11]):
    code = EDITS[count[0] % len(EDITS)]
    count[0] += 1
    print(name(flow), "response", ascii(code), attempt(edit, flow.response.headers, code))
