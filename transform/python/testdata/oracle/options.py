"""Options: declaring, checking, setting by text, undoing, subscribing, files."""
import collections.abc
import copy
import io
import sys
import typing

from _oracle import main
from mitmproxy import exceptions, options, optmanager

if sys.version_info >= (3, 9):
    SEQUENCE = collections.abc.Sequence[str]
else:
    SEQUENCE = typing.Sequence[str]
OPTIONAL = typing.Optional

NEW_TYPES = "a type that mitmproxy declares but cannot parse"
DEVIATIONS = {
    "set of=1.5": NEW_TYPES,
    "set of": NEW_TYPES,
    "set of=x": NEW_TYPES,
    "set f=1.5": NEW_TYPES,
    "set f=x": NEW_TYPES,
    "set f": NEW_TYPES,
    "set ob": NEW_TYPES,
    "set ob=": NEW_TYPES,
    "set ob=true": NEW_TYPES,
    "set ob=x": NEW_TYPES,
    "set ts=1": NEW_TYPES,
    "set ts=1 ts=2": NEW_TYPES,
    "set ts": NEW_TYPES,
    "type typing.List[str]": "generic types are checked as what they are generic of",
    "type list": "generic types are checked as what they are generic of",
    "type typing.Set[str]": "generic types are checked as what they are generic of",
    "type typing.Sequence": "a bare Sequence is one of anything",
}


class All(optmanager.OptManager):
    def __init__(self):
        super().__init__()
        for name, typespec, default, choices in (
            ("s", str, "", None),
            ("os", OPTIONAL[str], "x", None),
            ("i", int, 3, None),
            ("oi", OPTIONAL[int], 4, None),
            ("b", bool, True, None),
            ("ss", SEQUENCE, ["k"], None),
            ("es", SEQUENCE, [], None),
            ("ch", str, "one", ["one", "two"]),
        ):
            self.add_option(name, typespec, default, "help of " + name, choices)


class Odd(optmanager.OptManager):
    def __init__(self):
        super().__init__()
        self.add_option("f", float, 1.0, "help")
        self.add_option("of", OPTIONAL[float], None, "help")
        self.add_option("ob", OPTIONAL[bool], None, "help")
        self.add_option("ts", typing.Sequence[str], [], "help")


TYPES = [
    (str, ["x", 1, None, b"x"]),
    (int, [1, "x", True, None, 1.5]),
    (float, [1, 1.5, "x", True]),
    (bool, [True, 1, None]),
    (bytes, [b"x", "x"]),
    (dict, [{}, []]),
    (typing.Any, [3, None]),
    (OPTIONAL[int], [1, None, "x"]),
    (OPTIONAL[str], [None, "x", 1]),
    (OPTIONAL[bool], [None, True, 0]),
    (OPTIONAL[typing.Sequence[str]], [None, ["a"], [1], "a"]),
    (typing.Sequence[str], [["a"], ("a",), [], None, "abc", ["a", 1], [b"a"]]),
    (SEQUENCE, [["a"], ("a",), [], None, "abc", ["a", 1]]),
    (typing.Sequence[int], [[1], ["a"]]),
    (typing.Union[str, int], ["a", 1, b"a"]),
    (typing.Tuple[int, str], [(1, "a"), (1, 2), (1,), [1, "a"]]),
    (typing.IO[str], [3]),
    (typing.List[str], [["a"]]),
    (typing.Set[str], [{"a"}]),
    (typing.Sequence, [["a"]]),
]

SETS = (
    ["s", "s=", "s=1", "s=a=b", "s=true", "s=1 s=2"]
    + ["os", "os=", "os=1", "os=toggle"]
    + ["i", "i=", "i=1", "i=-1", "i=x", "i=1.5", "i=true", "i=1 i=2"]
    + ["oi", "oi=", "oi=1", "oi=x"]
    + ["b", "b=", "b=true", "b=false", "b=toggle", "b=1", "b=x", "b=TRUE", "b b=x"]
    + ["ss", "ss=", "ss=1", "ss=1 ss=2", "ss=1,2", "ss ss=1"]
    + ["ch=two", "ch=three", "ch"]
    + ["nope=1", "nope=1 other", "nope=1 s=2", "s=2 i=x", "=3", "s=x i=7 b=false"]
)
ODD_SETS = ["f", "f=1.5", "f=x", "of", "of=1.5", "of=x", "ob", "ob=", "ob=true", "ob=x"]
ODD_SETS += ["ts", "ts=1", "ts=1 ts=2", "ob=1 ob=2"]


def values(opts):
    return {name: getattr(opts, name) for name in sorted(opts.keys())}


def typed(typespec, value):
    option = optmanager._Option("name", typespec, value, "help", None)
    return option.current()


def later(typespec, default, value):
    option = optmanager._Option("name", typespec, default, "help", None)
    option.set(value)
    return option.current(), option.default, option.has_changed()


def set_text(cls, text):
    opts = cls()
    opts.set(*text.split(" "))
    return values(opts)


def deferred():
    opts = All()
    opts.set("zz=1", "zz=2", "yy", "s=now", defer=True)
    seen = [sorted(opts.deferred), opts.s]
    opts.add_option("zz", SEQUENCE, [], "help")
    opts.process_deferred()
    seen += [sorted(opts.deferred), opts.zz]
    opts.update_defer(xx=3, i=9)
    seen += [sorted(opts.deferred), opts.i]
    opts.add_option("xx", int, 0, "help")
    opts.process_deferred()
    return seen + [sorted(opts.deferred), opts.xx]


def deferred_bad():
    opts = All()
    opts.set("zz=x", defer=True)
    opts.add_option("zz", int, 0, "help")
    opts.process_deferred()


def attempt(action, *args, **kwargs):
    try:
        return action(*args, **kwargs)
    except Exception as e:
        return "%s: %s" % (type(e).__name__, e)


def updates():
    opts = All()
    seen = []

    def changed(o, updated):
        seen.append((sorted(updated), o.i))
        if opts.i == 13:
            raise exceptions.OptionsError("thirteen")

    def errored(o, exc):
        seen.append(str(exc))

    opts.changed.connect(changed)
    opts.errored.connect(errored)
    opts.i = 5
    opts.update(i=6, s="x")
    seen.append(attempt(opts.update, i=13, s="y"))
    seen.append((opts.i, opts.s))
    seen.append(attempt(opts.update, i="x"))
    seen.append(attempt(opts.update, nope=1, other=2))
    seen.append(opts.update_known(nope=1, i=7))
    seen.append(attempt(setattr, opts, "nope", 1))
    opts.add_option("new", int, 1, "help")
    opts.reset()
    opts.changed.disconnect(changed)
    opts.i = 8
    return [s if not isinstance(s, tuple) or len(s) < 9 else len(s) for s in seen]


def subscriptions():
    opts = All()
    seen = []

    def on_change(o, updated):
        seen.append((o is opts, sorted(updated)))

    class Bound:
        def method(self, o, updated):
            seen.append("method")

    bound = Bound()
    opts.subscribe(on_change, ["i", "s"])
    opts.subscribe(bound.method, ["b"])
    opts.os = "y"
    opts.i = 1
    opts.update(i=2, os="z")
    opts.b = False
    del bound
    opts.b = True
    return seen, attempt(opts.subscribe, on_change, ["nope"])


def copies():
    opts = All()
    opts.ss.append("lost")
    given = ["a"]
    opts.ss = given
    shallow, deep = copy.copy(opts), copy.deepcopy(opts)
    deep.i = 99
    return opts.ss, opts.i, shallow == opts, deep == opts, opts == 3, deep.i


def helpers():
    opts = All()
    opts.setter("i")(77)
    opts.toggler("b")()
    opts.merge({"ss": ["m"], "s": "merged", "os": None})
    return values(opts), [
        attempt(opts.setter, "nope"),
        attempt(opts.toggler, "nope"),
        attempt(opts.toggler, "i"),
        attempt(opts.merge, {"nope": 1}),
        attempt(opts.default, "nope"),
        attempt(opts.has_changed, "nope"),
        attempt(getattr, opts, "nope"),
        opts.has_changed("i"),
        opts.default("i"),
        "i" in opts,
        "nope" in opts,
        sorted(opts.keys()),
        sorted(name for name, _ in opts.items()),
    ]


def redeclared():
    opts = All()
    opts.i = 5
    opts.add_option("i", str, "nine", "new help")
    return opts.i, opts.has_changed("i")


def serialized(text="", defaults=False, **kwargs):
    opts = All()
    opts.update(**kwargs)
    out = io.StringIO()
    optmanager.serialize(opts, out, text, defaults)
    return out.getvalue()


def serialized_lines(*args, **kwargs):
    # mitmproxy writes them in the order of a set.
    return sorted(serialized(*args, **kwargs).splitlines())


def loaded(text):
    opts = All()
    optmanager.load(opts, text)
    return values(opts), opts.deferred


def dumped():
    out = io.StringIO()
    optmanager.dump_defaults(All(), out)
    return out.getvalue()


TEXTS = ["plain", "a b", "#x", "- y", "1", "1.5", "true", "yes", "", "a: b", "a:b", "null", "~"]
TEXTS += ["~/x", "[", "{a}", "x#y", "x #y", " pad ", "*", "&a", "!t", "%", "@", "?", "-x", "a,b"]
TEXTS += ["it's", "multi\nline", "ü", "back\\slash", "quote\"", "1_0", "0x1", "!"]
FILES = [
    "", "# comment", "s: x", "s: 'x y'", 's: "a\\nb"', "i: 7", "b: false", "b: False", "b: yes",
    "ss: [a, b]", "ss: [a, 'b, c']", "ss:\n- a\n- b", "ss:\n  - a\n  - 'b'\n", "ss: []",
    "os:", "os: null", "os: ~", "oi: -3", "s: x # c\ni: 4", "zz: 1\nyy: [1, x]", "i: x", "ss: a",
    "s: http://a/b:c", "s: |\n  a\n  b\ni: 2", "\n\ns: x\n\n# c\ni: 3\n", "zz: {a: b, c: 1}",
    "zz:\n  a: b\n  c:\n  - 1", "zz: 1.5", "---\ns: x",
]  # fmt: skip


def stock():
    # Those of later versions may be there, too.
    opts = options.Options()
    return [(n, optmanager.dump_dicts(opts, [n])[n]["type"], getattr(opts, n)) for n in STOCK]


STOCK = """add_upstream_certs_to_client_chain allow_hosts cert_passphrase certs ciphers_client
ciphers_server client_certs confdir content_view_lines_cutoff http2 http2_ping_keepalive ignore_hosts
key_size listen_host listen_port mode rawtcp server showhost ssl_insecure
ssl_verify_upstream_trusted_ca ssl_verify_upstream_trusted_confdir tcp_hosts upstream_cert
websocket""".split()


def cases():
    for typespec, checked in TYPES:
        for value in checked:
            name = "type %s %r" % (typespec, value)
            if typespec in (typing.List[str], typing.Set[str], typing.Sequence):
                name = "type %s" % typespec
            yield name, lambda t=typespec, v=value: typed(t, v)
    if sys.version_info >= (3, 9):
        yield "type list", lambda: typed(list[str], ["a"])
    if sys.version_info >= (3, 10):
        yield "type pep 604", lambda: (typed(str | None, None), typed(int | None, 3))
        yield "type pep 604 bad", lambda: typed(str | None, 1)
    yield "later", lambda: later(int, 1, 5)
    yield "later same", lambda: later(str, "a", "a")
    yield "later bad", lambda: later(int, 1, "x")
    for text in SETS:
        yield "set " + text, lambda text=text: set_text(All, text)
    for text in ODD_SETS:
        yield "set " + text, lambda text=text: set_text(Odd, text)
    for action in (deferred, deferred_bad, updates, subscriptions, copies, helpers, redeclared):
        yield action.__name__, action
    yield "repr", lambda: repr(optmanager.OptManager()).split("(")[1]
    yield "option repr", lambda: repr(All()._options["ss"]) if sys.version_info >= (3, 9) else 0
    yield "dicts", lambda: optmanager.dump_dicts(All())
    yield "dicts of", lambda: sorted(optmanager.dump_dicts(All(), ["s", "i"]))
    yield "dicts unknown", lambda: optmanager.dump_dicts(All(), ["nope"])
    yield "defaults", dumped
    yield "all defaults", lambda: serialized_lines(defaults=True)
    yield "serialize nothing", serialized
    yield "serialize", lambda: serialized_lines(i=3, s="x")
    yield "serialize into", lambda: serialized("s: old\nnope: 1\ni: 8\n", s="new")
    for text in TEXTS:
        if text not in ("multi\nline", "quote\"", "ü", "1_0", "0x1", "it's"):
            yield "serialize %r" % text, lambda text=text: serialized_lines(
                s=text, ss=[text]
            )
        yield "round trip %r" % text, lambda text=text: loaded(serialized(s=text + "!", ss=[text]))
    for text in FILES:
        yield "load %r" % text, lambda text=text: loaded(text)
    yield "load no keys", lambda: loaded("just a text")
    yield "load none", lambda: optmanager.load_paths(All(), "/nonexistent/config.yaml")
    yield "stock", stock
    yield "stock argument", lambda: options.Options(showhost=True).showhost
    yield "stock unknown", lambda: options.Options(nope=True)
    yield "constants", lambda: (options.CONF_DIR, options.CONF_BASENAME, options.KEY_SIZE)


if __name__ == "__main__":
    main(cases)
