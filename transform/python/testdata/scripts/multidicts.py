"""coretypes.multidict on its own."""
from _show import attempt

from mitmproxy.coretypes import multidict, serializable

EDITS = r'''
d["a"] = "new"
d["A"] = "upper"
del d["a"]
del d["zz"]
d.add("a", "4")
d.insert(1, "ins", "x")
d.set_all("a", ["p"])
d.set_all("a", ["p", "q", "r", "s"])
d.set_all("n", ["1", "2"])
d.set_all("a", [])
d.pop("a")
d.pop("zz", 1)
d.popitem()
d.clear()
d.update({"b": "u", "n": "v"})
d.setdefault("a", "x"); d.setdefault("s", "y")
d.fields = (("f", "g"), ("f", "h"))
d |= {"x": "y"}
d[1] = 2
'''.strip().split("\n")


class Folding(multidict.MultiDict):
    @staticmethod
    def _kconv(key):
        return key.lower()

    @staticmethod
    def _reduce_values(values):
        return ", ".join(values)


def run(d, code):
    exec(code, {"d": d})
    return d.fields


def load(loader):
    for cls in (multidict.MultiDict, Folding):
        make = lambda: cls([("a", "1"), ("b", "2"), ("A", "3"), ("a", "4")])
        d = make()
        print(d, repr(d), d.fields, d["a"], d.get("b"), d.get("zz"), d.get_all("a"), list(d), len(d), list(d.items()), list(d.items(True)), list(d.keys(multi=True)), list(d.values(True)), "a" in d, "zz" in d)
        print(attempt(lambda: d["zz"]), d == make(), d == d.copy(), d != cls(), d.get_state(), cls.from_state(d.get_state()) == d, attempt(cls, 5), attempt(cls, ["ab"]), attempt(cls, [("a",)]), attempt(hash, d), attempt(lambda: d == {"a": "1"}), isinstance(d, serializable.Serializable), isinstance(d, dict))
        for code in EDITS:
            print(code, attempt(run, make(), code))
    store = [(("a", "1"), ("b", "2"))]
    view = multidict.MultiDictView(lambda: store[-1], lambda fields: store.append(fields))
    for code in EDITS:
        print(code, attempt(run, view, code), store[-1], len(store))
        store[1:] = []
    print(view, view.copy(), type(view.copy()).__name__, attempt(view.get_all, "a"), view == view.copy())
