"""Headers and multidicts."""
import copy
import pickle
import warnings

from _oracle import main

from mitmproxy.coretypes.multidict import MultiDict, MultiDictView
from mitmproxy.http import Headers
from mitmproxy.net.http.cookies import CookieAttrs

DEVIATIONS = {
    "set None": "mitmproxy takes the value None and writes a file that it cannot read",
    "setdefault None": "the same",
}

FIELDS = [(b"A", b"1"), (b"b", b"2"), (b"a", b"3"), (b"X-\xff", b"\xfe\xc3\xa9")]


def failure(call):
    """Return what a call gives, or the type of its exception alone."""
    try:
        return call()
    except Exception as e:
        return type(e).__name__


def after(edit, fields=FIELDS):
    def call():
        h = Headers(fields)
        result = failure(lambda: edit(h))
        return result, h.fields

    return call


EDITS = {
    "set": lambda h: h.__setitem__("a", "9"),
    "set other case": lambda h: h.__setitem__("B", "9"),
    "set same": lambda h: h.__setitem__("B", "2"),
    "set new": lambda h: h.__setitem__("New", "9"),
    "set bytes": lambda h: h.__setitem__(b"b", b"\xff"),
    "set int": lambda h: h.__setitem__("b", 5),
    "set None": lambda h: h.__setitem__("b", None),
    "set list": lambda h: h.__setitem__("b", ["x"]),
    "set bytearray": lambda h: h.__setitem__("b", bytearray(b"x")),
    "set int key": lambda h: h.__setitem__(5, "x"),
    "set surrogate": lambda h: h.__setitem__("x-\udcff", "\udcfe\xe9"),
    "set high surrogate": lambda h: h.__setitem__("x", "\ud800"),
    "set empty": lambda h: h.__setitem__("", ""),
    "set line break": lambda h: h.__setitem__("x", "a\r\nb"),
    "set_all": lambda h: h.set_all("a", ["x", "y"]),
    "set_all more": lambda h: h.set_all("A", ["x", b"y", "z", "w"]),
    "set_all fewer": lambda h: h.set_all("a", ["x"]),
    "set_all none": lambda h: h.set_all("a", []),
    "set_all new": lambda h: h.set_all("New", ["x", "y"]),
    "set_all text": lambda h: h.set_all("a", "xyz"),
    "set_all generator": lambda h: h.set_all("a", (c for c in "pq")),
    "set_all int": lambda h: h.set_all("a", ["x", 5]),
    "add": lambda h: h.add("a", "5"),
    "add bytes": lambda h: h.add(b"a", b"5"),
    "add int": lambda h: h.add("a", 5),
    "insert": lambda h: h.insert(1, "q", "5"),
    "insert first": lambda h: h.insert(0, b"q", b"5"),
    "insert negative": lambda h: h.insert(-1, "q", "5"),
    "insert beyond": lambda h: h.insert(99, "q", "5"),
    "insert int": lambda h: h.insert(0, "q", 5),
    "pop": lambda h: h.pop("a"),
    "pop default": lambda h: h.pop("A", None),
    "pop missing": lambda h: h.pop("nope"),
    "pop missing default": lambda h: h.pop("nope", 5),
    "popitem": lambda h: h.popitem(),
    "clear": lambda h: h.clear(),
    "update": lambda h: h.update({"a": "5", "n": "6"}),
    "update keywords": lambda h: h.update(a_b="5"),
    "update pairs": lambda h: h.update([("b", "5"), ("b", "6")]),
    "update headers": lambda h: h.update(Headers([(b"q", b"1"), (b"q", b"2")])),
    "setdefault": lambda h: (h.setdefault("a", "5"), h.setdefault("n", "6")),
    "setdefault None": lambda h: h.setdefault("n"),
    "del": lambda h: h.__delitem__("a"),
    "del bytes": lambda h: h.__delitem__(b"A"),
    "del missing": lambda h: h.__delitem__("nope"),
    "del surrogate": lambda h: h.__delitem__("x-\udcff"),
    "fields": lambda h: setattr(h, "fields", ((b"x", b"y"),)),
    "iterate and delete": lambda h: [h.__delitem__(k) for k in list(h)],
    "iterate keys and set": lambda h: [h.__setitem__(k, "z") for k in list(h.keys())],
    "iterate items and set": lambda h: [h.__setitem__(k, v + "!") for k, v in h.items()],
}

READS = {
    "repr": repr,
    "get": lambda h: (h["a"], h[b"A"], h.get("B"), h.get("nope"), h.get("nope", 5), h["x-\udcff"], h[b"x-\xff"]),
    "get missing": lambda h: h["nope"],
    "get int": lambda h: failure(lambda: h[5]),
    "in": lambda h: ("A" in h, b"a" in h, "nope" in h, "" in h, "x-\udcff" in h),
    "in int": lambda h: failure(lambda: 5 in h),
    "get_all": lambda h: (h.get_all("a"), h.get_all(b"B"), h.get_all("nope"), h.get_all("x-\udcff")),
    "items": lambda h: list(h.items()),
    "items multi": lambda h: list(h.items(multi=True)),
    "items positional": lambda h: list(h.items(True)),
    "items length": lambda h: len(h.items()),
    "items contains": lambda h: (("A", "1, 3") in h.items(), ("a", "1, 3") in h.items(), ("A", "1") in h.items()),
    "items union": lambda h: sorted(h.items() | {("q", "r")}),
    "keys": lambda h: list(h.keys()),
    "keys multi": lambda h: list(h.keys(multi=True)),
    "keys next": lambda h: next(h.keys()),
    "keys contains": lambda h: ("A" in h.keys(), "a" in h.keys()),
    "values": lambda h: list(h.values()),
    "values multi": lambda h: list(h.values(multi=True)),
    "values next": lambda h: (next(h.values()), next(h.values(multi=True)), next(h.items(multi=True))),
    "len": len,
    "iter": list,
    "bool": lambda h: (bool(h), bool(Headers())),
    "dict": dict,
    "sorted": sorted,
    "bytes": bytes,
    "str": str,
    "format": lambda h: "%s" % (h,),
    "star": lambda h: {**h},
    "hash": lambda h: failure(lambda: hash(h)),
    "eq": lambda h: (
        h == h.copy(), h == h.fields, h != h.copy(), h == 5, Headers(a="1") == Headers(A="1"),
        Headers() == MultiDict(), Headers(a="1") == MultiDict([(b"a", b"1")]), MultiDict() == Headers(),
    ),
    "state": lambda h: (h.get_state(), Headers.from_state([[b"a", b"b"]]).fields),
    "set_state": lambda h: (h.set_state([[b"q", b"r"]]), h.fields),
    "state of text": lambda h: Headers.from_state([["a", "b"]]),
    "copy": lambda h: (h.copy() is h, type(h.copy()).__name__, h.copy().fields),
    "copy module": lambda h: (copy.copy(h).fields, copy.deepcopy(h).fields),
    "pickle": lambda h: pickle.loads(pickle.dumps(h)).fields,
    "isinstance": lambda h: isinstance(h, MultiDict),
    "bases": lambda h: [c.__name__ for c in Headers.__mro__ if c.__name__.endswith(("Dict", "Mapping", "Serializable"))],
}

MAKES = {
    "nothing": lambda: Headers(),
    "list of lists": lambda: Headers([[b"a", b"b"]]),
    "generator": lambda: Headers((k, b"v") for k in (b"a", b"b")),
    "keywords": lambda: Headers(content_type="x", host=b"y"),
    "both": lambda: Headers([(b"a", b"b"), (b"a", b"c")], A="x", b_c="y"),
    "text": lambda: Headers([("a", "b")]),
    "three": lambda: failure(lambda: Headers([(b"a", b"b", b"c")])),
    "keyword int": lambda: Headers(a=1),
    "dict": lambda: failure(lambda: Headers({"a": "b"})),
    "headers": lambda: failure(lambda: Headers(Headers(a="b"))),
    "fields": lambda: Headers(Headers(a="b").fields),
    "word": lambda: failure(lambda: Headers("foobar")),
    "int": lambda: failure(lambda: Headers(5)),
    "non-ASCII names": lambda: (Headers([("\xc9".encode(), b"1")]).get("\xe9"), Headers([("\u212aey".encode(), b"1")]).get("key")),
}


class Lower(MultiDict):
    @staticmethod
    def _kconv(key):
        return key.lower()


class Holder:
    def __init__(self, fields):
        self.fields = fields

    def view(self):
        return MultiDictView(lambda: self.fields, lambda fields: setattr(self, "fields", fields))


def multi(make):
    def run(edit):
        def call():
            d = make()
            result = failure(lambda: edit(d))
            return result, d.fields

        return call

    return run


MULTI = {
    "read": lambda d: (d["a"], d.get_all("a"), d.get("nope"), len(d), list(d), repr(d)),
    "missing": lambda d: d["nope"],
    "items": lambda d: (list(d.items()), list(d.items(multi=True)), list(d.keys(multi=True)), list(d.values(multi=True))),
    "keys": lambda d: (list(d.keys()), list(d.values())),
    "contains": lambda d: ("a" in d, "A" in d, "nope" in d, 5 in d if type(d) is MultiDict else None),
    "set": lambda d: d.__setitem__("a", "9"),
    "set new": lambda d: d.__setitem__("new", [1]),
    "set_all": lambda d: d.set_all("a", ["x", "y", "z"]),
    "set_all fewer": lambda d: d.set_all("a", ["x"]),
    "set_all none": lambda d: d.set_all("a", []),
    "add": lambda d: d.add("a", 5),
    "insert": lambda d: d.insert(1, "q", "r"),
    "insert negative": lambda d: d.insert(-1, "q", "r"),
    "del": lambda d: d.__delitem__("a"),
    "del missing": lambda d: d.__delitem__("nope"),
    "pop": lambda d: d.pop("a"),
    "pop missing": lambda d: d.pop("nope", 5),
    "popitem": lambda d: d.popitem(),
    "clear": lambda d: d.clear(),
    "update": lambda d: d.update({"a": "5", "n": "6"}),
    "setdefault": lambda d: (d.setdefault("a", "5"), d.setdefault("n", "6")),
    "copy": lambda d: (type(d.copy()).__name__, d.copy().fields),
    "eq": lambda d: (d == MultiDict(d.fields), MultiDict(d.fields) == d, d == d.copy(), d == list(d.fields)),
    "bool": bool,
}

PAIRS = (("a", "1"), ("A", "2"), ("a", "3"), ("b", "4"))


def cases():
    warnings.simplefilter("ignore")
    for name, make in MAKES.items():
        yield "make " + name, make
    for name, read in READS.items():
        yield "read " + name, lambda read=read: read(Headers(FIELDS))
    for name, edit in EDITS.items():
        yield name, after(edit)
    for name, edit in EDITS.items():
        if "None" not in name:
            yield name + " / empty", after(edit, ())
    kinds = {
        "dict": lambda: MultiDict(PAIRS),
        "lower": lambda: Lower(PAIRS),
        "view": lambda: Holder(PAIRS).view(),
        "attrs": lambda: CookieAttrs(PAIRS),
    }
    for kind, make in kinds.items():
        for name, edit in MULTI.items():
            yield "%s %s" % (kind, name), multi(make)(edit)
    yield "dict of what", lambda: failure(lambda: MultiDict([5]))
    yield "dict state", lambda: (MultiDict([["a", 1]]).get_state(), MultiDict.from_state([["a", "b"]]).fields)
    yield "dict hash", lambda: failure(lambda: hash(MultiDict()))
    yield "view state", lambda: failure(lambda: Holder(()).view().get_state())
    yield "view of view", lambda: MultiDict(Holder(PAIRS).view().fields).fields


if __name__ == "__main__":
    main(cases)
