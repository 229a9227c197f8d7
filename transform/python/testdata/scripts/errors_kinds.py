"""Exceptions of all kinds: chained, own classes, of C code, of the library, with odd texts."""
import json

from _show import name

from mitmproxy import exceptions


class Mine(Exception):
    def __str__(self):
        return "text of mine"


class NoText(Exception):
    pass


def chained():
    try:
        {}["missing"]
    except KeyError as e:
        raise ValueError("from a cause") from e


def context():
    try:
        1 / 0
    except ZeroDivisionError:
        raise ValueError("in the context of another")


def deep(n):
    return deep(n - 1) if n else n.nosuch


def loop():
    return loop()


RAISE = [
    lambda flow: chained(),
    lambda flow: context(),
    lambda flow: deep(5),
    lambda flow: loop(),
    lambda flow: (_ for _ in ()).throw(Mine("x", 1)),
    lambda flow: (_ for _ in ()).throw(NoText()),
    lambda flow: (_ for _ in ()).throw(NoText("a", 2)),
    lambda flow: (_ for _ in ()).throw(ValueError("caf\u00e9 \u732b")),
    lambda flow: json.loads("{nonsense"),
    lambda flow: flow.request.headers["nosuch"],
    lambda flow: flow.nosuch,
    lambda flow: flow.request.nosuch,
    lambda flow: flow.kill(),
    lambda flow: exec("1 +"),
    lambda flow: int("x"),
    lambda flow: undefined,
    lambda flow: __import__("nosuch_module"),
    lambda flow: open("/nosuch/file"),
    lambda flow: b"\xff".decode(),
    lambda flow: "\udcff".encode(),
    lambda flow: (_ for _ in ()).throw(exceptions.CommandError("command")),
    lambda flow: next(iter(())),
    lambda flow: flow.response.headers.add(5, 5),
    lambda flow: setattr(flow.request, "content", "text"),
    lambda flow: setattr(flow.request, "text", b"bytes"),
    lambda flow: setattr(flow.request, "headers", {"a": 5}.x),
    lambda flow: flow.request.encode("nosuch"),
    lambda flow: flow.request.query["x"],
    lambda flow: exec("raise KeyboardInterruptLike"),
    lambda flow: (_ for _ in ()).throw(AssertionError()),
]


def request(flow):
    n = int(name(flow)[1:])
    flow.comment = "tried %d" % (n % len(RAISE))
    RAISE[n % len(RAISE)](flow)
    flow.comment = "did not raise"
