"""The query changed through the view and by assignment."""
from _show import attempt, name, show

EDITS = r'''
r.query["mitm"] = "proxy"
r.query["a"] = "\u00fc &=+/?"
r.query.add("a", "again")
r.query.set_all("a", ["x", "y"])
del r.query["a"]
r.query.pop("page", None)
r.query.clear()
r.query = [("k", "v"), ("k", "w w"), ("\u00e9", "")]
r.query = {"from": "dict"}
r.query = []
r.query = None
r.query.insert(0, "first", "1")
r.query.update({"u": "1"}, v="2")
r.query.setdefault("a", "default")
r.query = r.query
r.query["a"] = r.query.get("a", "none")
r.query[5] = "x"
r.query["x"] = 5
r.query["bytes"] = b"x"
r.query.fields = (("f", "g"),)
del r.query["nosuch"]
r.path_components = ["a", "b c", "\u00fc/x"]
r.path_components = ()
r.path_components = r.path_components + ("more",)
r.path_components = "abc"
r.path_components = [5]
'''.strip().split("\n")


def edit(r, code):
    exec(code, {"r": r})
    return r.path, r.query.fields


def request(flow, count=[0]):
    if int(name(flow)[1:]) % 8 == 0 or "?" in flow.request.path:
        for code in EDITS:
            print(name(flow), ascii(code), attempt(edit, flow.request.copy(), code))
    code = EDITS[count[0] % len(EDITS)]
    count[0] += 1
    print(name(flow), ascii(code), attempt(edit, flow.request, code))
    flow.metadata["path"] = show(flow.request.path_components)
