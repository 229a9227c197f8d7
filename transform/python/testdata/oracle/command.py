"""Commands: declaring, calling, parsing lines, the stock commands on flows and options."""
import collections.abc
import functools
import inspect
import io
import os
import tempfile
import typing

from _oracle import main
from mitmproxy import command, ctx, exceptions, flow, types
from mitmproxy.test import taddons, tflow

DEVIATIONS = {
    "execute '   '": "an empty command is an Invalid command, whatever it consists of",
    "execute 'empty'": "the AssertionError says what is wrong",
    "execute 'noret'": "the AssertionError says what is wrong",
    "argument unknown": "the AssertionError says what is wrong",
    "hostile": "an addon whose property raises can still be loaded",
    "declare typed": "typing.Sequence is known, too: the form of scripts up to 8.x",
    "declare text": "annotations that are texts are evaluated, as since 9.0",
}

if hasattr(collections.abc.Sequence, "__class_getitem__"):
    STRINGS = collections.abc.Sequence[str]
    FLOWS = collections.abc.Sequence[flow.Flow]
else:
    STRINGS = typing.Sequence[str]
    FLOWS = typing.Sequence[flow.Flow]


class Addon:
    @command.command("cmd1")
    def cmd1(self, foo: str) -> str:
        """cmd1 help"""
        return "ret " + foo

    @command.command("cmd2")
    def cmd2(self, foo: str) -> str:
        return 99

    @command.command("cmd3")
    def cmd3(self, foo: int = 5) -> int:
        return foo

    @command.command("sub")
    def sub(self, cmd: types.Cmd, *args: types.CmdArgs) -> str:
        return repr((cmd, args))

    @command.command("empty")
    def empty(self) -> None:
        return 5

    @command.command("nothing")
    def nothing(self) -> None:
        pass

    @command.command("va")
    def va(self, one: str, *var: str) -> STRINGS:
        return list(var)

    @command.command("vaint")
    def vaint(self, *var: int) -> int:
        return sum(var)

    @command.command()
    def no_name(self) -> str:
        return "x"

    @command.command("options")
    def options(self) -> STRINGS:
        return ["one", "two"]

    @command.command("choose")
    @command.argument("arg", type=types.Choice("options"))
    def choose(self, arg: str) -> str:
        return arg

    @command.command("kw")
    def kw(self, a: int, *, b: int = 3) -> str:
        return repr((a, b))

    @command.command("bo")
    def bo(self, a: bool, p: types.Path, b: bytes) -> str:
        return repr((a, p.replace(os.path.expanduser("~"), "HOME"), b))

    @command.command("cuts")
    def cuts(self, c: types.CutSpec) -> types.Data:
        return [[one] for one in c]

    @command.command("err")
    def err(self) -> None:
        raise exceptions.CommandError("mine")

    @command.command("err2")
    def err2(self) -> None:
        raise ValueError("mine")

    @command.command("noret")
    def noret(self):
        return 3

    @command.command("flows")
    def flows(self, fl: FLOWS, s: str) -> str:
        return "%d %s" % (len(fl), s)

    @command.command("view.flows.resolve")
    def resolve(self, spec: str) -> FLOWS:
        return [tflow.tflow(resp=True), tflow.ttcpflow()][: 1 if spec == "1" else 2]


@functools.lru_cache(None)
def context():
    return taddons.context(Addon(), loadcore=False)


@functools.lru_cache(None)
def core():
    return taddons.context(Addon())


def manager():
    return context().master.commands


NAMES = "cmd1 cmd2 cmd3 sub empty nothing va vaint no_name choose kw bo cuts noret flows".split()
LINES = [
    "cmd1 foo", "cmd1", "cmd1 a b", "cmd1 'a b'", 'cmd1 "a\\nb"', "cmd2 x", "cmd3", "cmd3 7", "cmd3 x",
    "sub cmd1 foo bar", "sub nope", "empty", "empty x", "nothing", "va a b c", "va", "vaint 1 2 3", "vaint 1 x",
    "vaint", "no.name", "no_name", "choose one", "choose x", "kw 1", "bo true ~/x abc", "bo yes x y", "err",
    "err2", "", "   ", "nope x", "cmd1'foo'", "'cmd1' foo", "cmd1 foo  ", "  cmd1 foo", "noret", "cmd1 \\",
    "cmd1 ''", "cuts a,b", "flows 1 s", "flows @all s", 'flows "~d x" s', "cmd1\tfoo", "sub 'cmd1' \"x y\"",
]  # fmt: skip
PARTIAL = [
    "", "cmd1", "cmd1 ", "cmd1 foo", "cmd1 foo bar", "foo bar", "cmd1 'bar", "sub ", "sub cmd3 ", "sub cmd3 1",
    "sub nope ", "cmd3 x", " cmd3", "bo tr", "bo true x", "choose o", "choose one", "kw ", "va one", "va one ",
    "va one two three", "vaint ", "vaint 1 x", '"abc"', "cmd10 'a' \"b\" c", "   x  ", "flows ", "flows 1",
]  # fmt: skip
CALLS = [
    ("cmd1", "foo"), ("cmd1",), ("cmd1", 1, 2), ("cmd2", "x"), ("nope",), ("va", "a", "b"), ("err2",), ("err",),
    ("kw", 3), ("empty",), ("vaint", 1, 2), ("options",), ("no.name",),
]  # fmt: skip


def kind(t):
    """A type as plain data."""
    return getattr(t, "display", None) or command.typename(t) if t else None


def described(name):
    one = command.Command(manager(), name, getattr(Addon(), name))
    params = [(str(p), kind(p.type), int(p.kind)) for p in one.parameters]
    return one.signature_help(), one.help, params, kind(one.return_type)


def declared(function):
    try:
        return command.Command(manager(), "name", function).signature_help()
    except exceptions.CommandError as e:
        # Without the function's address.
        return str(e).split(" in <")[0]


def declare_unannotated():
    def f(a):
        pass

    return declared(f)


def declare_optional():
    def f(a: typing.Optional[str] = None) -> None:
        pass

    return declared(f)[:30]


def declare_return():
    def f() -> list:
        pass

    return declared(f)


def declare_typed():
    def f(a: typing.Sequence[str]) -> None:
        pass

    return declared(f)[:30]


def declare_text():
    def f(a: "int") -> "str":
        return str(a + 1)

    return command.Command(manager(), "name", f).call(["1"])


def helped():
    def f() -> None:
        """
        The first line
        and the second.

            Indented.
        """

    return command.Command(manager(), "name", f).help


def partial(line):
    parts, params = manager().parse_partial(line)
    shown = [(p.value, p.type.__name__ if isinstance(p.type, type) else kind(p.type), p.valid) for p in parts]
    return shown, [(p.name, getattr(p.type, "__name__", "?"), int(p.kind)) for p in params]


def dumped():
    out = io.StringIO()
    manager().dump(out)
    return out.getvalue()


def decorated():
    @command.command("mm")
    def function(a: int) -> int:
        "doc"
        return a

    found = [function(3), function.__name__, function.command_name, function.__doc__]
    try:
        function(1, 2)
    except exceptions.CommandError as e:
        found.append(str(e))
    return found


def argument_unknown():
    @command.argument("nope", type=int)
    def function(a: int):
        pass


def signature(args, kwargs):
    def f(a, b=1, *c, d):
        pass

    return command.verify_arg_signature(f, args, kwargs)


def collected():
    class Hostile:
        name = "hostile"

        @property
        def broken(self):
            raise OSError

        @property
        def odd(self):
            class Everything:
                def __getattr__(self, item):
                    return self

            return Everything()

        @command.command("good")
        def good(self) -> str:
            return "good"

    found = command.CommandManager(context().master)
    found.collect_commands(Hostile())
    return list(found.commands)


def state(f):
    r, s = f.request, f.response
    return (
        f.marked, f.comment, r.method, r.url, r.headers.get("content-encoding"),
        s and (s.status_code, s.reason, s.headers.get("content-encoding"), s.content),
    )  # fmt: skip


def on_flows(*calls):
    """What stock commands do to a flow with a response, one without, and one of TCP."""
    first, second, third = tflow.tflow(resp=True), tflow.tflow(), tflow.ttcpflow()
    for name, *args in calls:
        core().master.commands.call(name, [first, second, third], *args)
    return state(first), state(second), third.marked


def in_core(*lines):
    with core().options.rollback(set(), reraise=False):
        for line in lines:
            core().master.commands.execute(line)
        found = core().options.showhost, core().options.mode, core().options.certs, core().options.listen_port
        core().options.reset()
        return found


def saved():
    path = os.path.join(tempfile.mkdtemp(), "options.yaml")
    core().options.reset()
    core().master.commands.execute("set showhost true")
    core().master.commands.execute("options.save " + path)
    core().options.reset()
    core().master.commands.execute("options.load " + path)
    found = core().options.showhost
    core().options.reset()
    with open(path) as f:
        return f.read(), found


STOCK = [
    (("flow.mark", ":red_circle:"),),
    (("flow.mark", "X"), ("flow.mark.toggle",)),
    (("flow.mark.toggle",),),
    (("flow.mark", "nope"),),
    (("flow.mark", "true"),),
    (("flow.set", "host", "h"),),
    (("flow.set", "status_code", "404"),),
    (("flow.set", "status_code", "299"),),
    (("flow.set", "status_code", "x"),),
    (("flow.set", "method", "PUT"),),
    (("flow.set", "path", "/z"),),
    (("flow.set", "url", "https://q/w"),),
    (("flow.set", "url", "bad"),),
    (("flow.set", "reason", "R"),),
    (("flow.set", "nope", "1"),),
    (("flow.encode", "response", "deflate"),),
    (("flow.encode", "request", "deflate"), ("flow.encode", "request", "gzip")),
    (("flow.encode", "request", "deflate"), ("flow.decode", "request")),
    (("flow.encode", "nope", "gzip"),),
    (("flow.encode.toggle", "response"),),
    (("flow.encode.toggle", "response"), ("flow.encode.toggle", "response")),
    (("flow.decode", "response"),),
    (("flow.set", "method", "PUT"), ("flow.revert",)),
    (("flow.encode.toggle", "response"), ("flow.revert",)),
    (("flow.kill",),),
    (("flow.resume",),),
]
CORE_LINES = [
    ["set showhost"], ["set showhost false"], ["set showhost=true"], ["set nope 1"], ["set listen_port x"],
    ["set listen_port 99"], ["set mode a b"], ["set certs a b"], ["set certs a b", "set certs"], ["set mode"],
    ["set mode transparent", "options.reset.one mode"], ["options.reset.one nope"], ["set mode transparent", "options.reset"],
    ["options.load /nonexistent/x"], ["options.save /nonexistent/x"], ["flow.mark @all :bogus:"],
    ["flow.encode @all request nope"], ["flow.set @all nope x"], ["flow.decode 1 nope"], ["flow.mark 1 true"],
]  # fmt: skip


def core_names():
    there = core().master.commands.commands
    return [name for name in there if not name.startswith(("view.", "options")) and name not in manager().commands]


def cases():
    yield "collected", lambda: sorted(manager().commands)
    for name in NAMES:
        yield "command " + name, lambda name=name: described(name)
    yield "declare unannotated", declare_unannotated
    yield "declare optional", declare_optional
    yield "declare return", declare_return
    yield "declare typed", declare_typed
    yield "declare text", declare_text
    yield "help", helped
    for line in LINES:
        yield "execute %r" % line, lambda line=line: manager().execute(line)
    for line in PARTIAL:
        yield "partial %r" % line, lambda line=line: partial(line)
    for call in CALLS:
        yield "call %r" % (call,), lambda call=call: manager().call(*call)
    for name, args in (("cmd1", ["foo"]), ("cmd1", []), ("cmd1", ["'foo'"]), ("nope", []), ("cmd3", ["x"])):
        yield "strings %s %r" % (name, args), lambda n=name, a=args: manager().call_strings(n, a)
    yield "dump", dumped
    yield "decorated", decorated
    yield "argument unknown", argument_unknown
    for args, kwargs in (([1], {}), ([], {}), ([1, 2, 3], {"d": 1}), ([1], {"d": 1}), ([1], {"z": 1, "d": 1})):
        yield "signature %r %r" % (args, kwargs), lambda a=args, k=kwargs: signature(a, k)
    for text, typ in (("foo", int), ("5", int), ("foo", type), ("foo", None), ("a,b", STRINGS)):
        label = "STRINGS" if typ is STRINGS else typ
        yield "parsearg %s %s" % (text, label), lambda s=text, t=typ: command.parsearg(manager(), s, t)
    yield "typename of nothing", lambda: command.typename(inspect.Parameter.empty)
    yield "hostile", collected
    yield "not callable", lambda: manager().add("x", 3)
    yield "parameter", lambda: str(command.CommandParameter("a", int, inspect.Parameter.VAR_POSITIONAL))
    yield "results", lambda: command.ParseResult("v", int, True).valid
    yield "core names", lambda: sorted(core_names())
    for calls in STOCK:
        yield "stock %r" % (calls,), lambda calls=calls: on_flows(*calls)
    for lines in CORE_LINES:
        yield "core %r" % lines, lambda lines=lines: in_core(*lines)
    yield "saved", saved
    yield "no master's commands", lambda: "cmd1" in ctx.master.commands.commands


if __name__ == "__main__":
    main(cases)
