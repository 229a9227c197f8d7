"""Types of command arguments: parse, is_valid, completion, and how a command line is split."""
import collections.abc
import os
import shutil
import tempfile
import typing

from _oracle import main
from mitmproxy import command, command_lexer, exceptions, flow, types
from mitmproxy.test import taddons, tflow

TYPING = "typing.Sequence is known, too: the form in which scripts up to 8.x are written"
DEVIATIONS = {
    "get typing.Sequence[str]": TYPING,
    "get typing.Sequence[Flow]": TYPING,
    "marker completion": "the table of emoji is of another version",
}

if hasattr(collections.abc.Sequence, "__class_getitem__"):
    STRINGS = collections.abc.Sequence[str]
    FLOWS = collections.abc.Sequence[flow.Flow]
else:
    STRINGS = typing.Sequence[str]
    FLOWS = typing.Sequence[flow.Flow]


class Resolver:
    @command.command("view.flows.resolve")
    def resolve(self, spec: str) -> FLOWS:
        if spec == "err":
            raise exceptions.CommandError("no such flow")
        return [tflow.tflow()] * (int(spec) if spec.isdigit() else 1)

    @command.command("some.options")
    def some_options(self) -> STRINGS:
        return ["one", "two", "three"]


MANAGER = None


def manager():
    global MANAGER
    if MANAGER is None:
        context = taddons.context(Resolver(), loadcore=False)
        MANAGER = context.master.commands
    return MANAGER


PARSED = [
    ("_BoolType", bool, ["true", "false", "x", "True", "", "1"]),
    ("_IntType", int, ["1", "x", "-3", " 4 ", "1_0", "", "1.0", "0x1"]),
    ("_BytesType", bytes, ["foo", "a\\", r"\x41\n\t\0", "\u00fc", r"\xZ", r"\101", ""]),
    ("_UnknownType", types.Unknown, ["x", ""]),
    ("_PathType", types.Path, ["/foo", "~/x", "x/../y", "", "+~/a", "~"]),
    ("_CmdType", types.Cmd, ["some.options", "x", ""]),
    ("_ArgType", types.CmdArgs, ["a", ""]),
    ("_StrSeqType", STRINGS, ["a", "a,b", " a , b ", "", ",,"]),
    ("_CutSpecType", types.CutSpec, ["foo,bar", " a , b", ""]),
    ("_FlowType", flow.Flow, ["1", "0", "2", "err", "x y"]),
    ("_FlowsType", FLOWS, ["1", "0", "2", "err", "x y"]),
    ("_DataType", types.Data, ["x"]),
    ("_ChoiceType", types.Choice("some.options"), ["one", "x", ""]),
    ("_ChoiceType", types.Choice("nope"), ["one"]),
    ("_MarkerType", types.Marker,
        ["true", "false", ":bogus:", "X", ":red_circle:", "XY", "", "1", " ", "~", "\x7f", "\x01", "\u00e9"]),
]  # fmt: skip

STRINGS_PARSED = [
    "a", r"a\nb", r"\N{BELL}", r"\N{X Y Z}", r"\N{", r"\N{}", "\\", "\\'", '\\"', "\\\\", "\\\\n",
    r"\x41\u0042\U00000043\101", r"\0", r"\08", r"\777", "\u00fc\\q", r"\xZZ", "a\\", r"\u12", r"\x4",
    r"\a\b\f\n\r\t\v", "line\\\nline", r"\U0011FFFF", r"\ud83d", "", r"\e", r"\x", r"\x22",
]  # fmt: skip

VALUES = [
    ("str", "x"), ("empty", ""), ("int", 1), ("bool", True), ("None", None), ("bytes", b"x"),
    ("list of str", ["a"]), ("list", []), ("tuple", ("a",)), ("rows", [["a"]]),
    ("byte rows", [[b"a"]]), ("int rows", [[1]]), ("ints", [1]), ("flow", tflow.tflow()),
    ("flows", [tflow.tflow()]), ("one", "one"), ("true", "true"), ("marker", ":red_circle:"),
    ("cut", "request.path"), ("cuts", "request.path, response.text"), ("no cut", "request.path,x"),
    ("header cut", "request.header[x]"), ("command", "some.options"), ("set", {"a"}),
    ("dict", {"a": 1}), ("float", 1.5),
]  # fmt: skip

LINES = [
    "", "a", "a b", "a'b", "'a'b", "\"a 'b' \"c", "'a\"b' ", "a\tb\nc\rd", "a\x0bb", "a\xa0b",
    "'a", '"', "''", "\\", "a\\'b'", "a''b", " a ", "\x00", "'a\\'b'", "'a\nb'", "'a\n",
    "'a\tb'", "\ta", "cmd 'x y' \"z\"", "a=b,c;d",
]  # fmt: skip
QUOTED = ["", "a", "a b", "a'b", 'a"b', "a\"'b", "\t", "\xa0", "\\", "'a'", "\n", "a,b", "''", "'"]
QUOTED += ["'a\"", '"a"', "'a'b'", "'a\\'", '"a\\"b"']


def shown(value):
    """A result as plain data."""
    if isinstance(value, flow.Flow):
        return "flow"
    if isinstance(value, list):
        return [shown(v) for v in value]
    return value


def handler(name):
    return getattr(types, name)()


def parsed(name, typ, text):
    return shown(handler(name).parse(manager(), typ, text))


def valid(name, typ, value):
    return handler(name).is_valid(manager(), typ, value)


def completed(name, typ, text):
    found = handler(name).completion(manager(), typ, text)
    return [c for c in found if c.startswith(("view.flows.resolve", "some.options"))] if (
        name == "_CmdType"
    ) else list(found)


def path_completed(start):
    folder = tempfile.mkdtemp()
    before = os.getcwd()
    try:
        for name in ("aaa", "aab", ".hidden", "c d"):
            open(os.path.join(folder, name), "w").close()
        os.makedirs(os.path.join(folder, "bbb", "inner"))
        os.chdir(folder)
        found = completed("_PathType", types.Path, start.replace("DIR", folder))
        return [one.replace(folder, "DIR") for one in found]
    finally:
        os.chdir(before)
        shutil.rmtree(folder)


def got(typ):
    found = types.CommandTypes.get(typ, None)
    try:
        name = command.typename(typ)
    except exceptions.CommandError as e:
        name = str(e)
    return type(found).__name__, name


GOT = [
    ("str", str), ("int", int), ("bool", bool), ("bytes", bytes), ("strings", STRINGS), ("flows", FLOWS),
    ("Flow", flow.Flow), ("None", None), ("type", type), ("list", list), ("text", "x"),
    ("Optional", typing.Optional[str]), ("Any", typing.Any), ("Path", types.Path), ("Cmd", types.Cmd),
    ("CmdArgs", types.CmdArgs), ("CutSpec", types.CutSpec), ("Data", types.Data),
    ("Marker", types.Marker), ("Choice", types.Choice("x")), ("Choice class", types.Choice),
    ("Unknown", types.Unknown), ("Space", types.Space),
    ("typing.Sequence[str]", typing.Sequence[str]), ("typing.Sequence[Flow]", typing.Sequence[flow.Flow]),
    ("Sequence[int]", typing.Sequence[int]),
]  # fmt: skip


def lexed(grammar, text):
    return list(grammar.parseString(text, parseAll=True))


def quoted_string(text):
    try:
        return lexed(command_lexer.PartialQuotedString, text)
    except Exception:
        return "no"


def cases():
    for name, typ, texts in PARSED:
        label = name + (" nope" if getattr(typ, "options_command", "") == "nope" else "")
        for text in texts:
            yield "%s parse %r" % (label, text), lambda n=name, t=typ, s=text: parsed(n, t, s)
        for what, value in VALUES:
            yield "%s valid %s" % (label, what), lambda n=name, t=typ, v=value: valid(n, t, v)
        if name not in ("_PathType", "_MarkerType"):
            for text in ("", "request.p", "x,y", "tr"):
                yield "%s completion %r" % (label, text), lambda n=name, t=typ, s=text: completed(n, t, s)
        yield label + " display", lambda n=name: (handler(n).display, getattr(handler(n), "valid_prefixes", 0))
    for text in STRINGS_PARSED:
        yield "_StrType parse %r" % text, lambda s=text: parsed("_StrType", str, s)
    for what, value in VALUES:
        yield "_StrType valid %s" % what, lambda v=value: valid("_StrType", str, v)
    yield "marker completion", lambda: completed("_MarkerType", types.Marker, "")
    for start in ("", "./", "a", "./a", "b", "bbb", "bbb/", "bbb/i", "DIR", "DIR/", "DIR/a", "nope", "c", ".h", "../x"):
        if start != "../x":
            yield "path completion %r" % start, lambda s=start: path_completed(s)
    for label, typ in GOT:
        yield "get " + label, lambda t=typ: got(t)
    for text in LINES:
        yield "lex %r" % text, lambda s=text: lexed(command_lexer.expr, s)
        yield "lex quoted %r" % text, lambda s=text: quoted_string(s)
    for text in QUOTED:
        yield "quote %r" % text, lambda s=text: (command_lexer.quote(s), command_lexer.unquote(s))
    yield "error is both", lambda: issubclass(exceptions.TypeError, exceptions.MitmproxyException)


if __name__ == "__main__":
    main(cases)
