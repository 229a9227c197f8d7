"""Commands of scripts: declared, called, executed, with every type of argument."""
import typing
from collections.abc import Sequence

from _show import attempt, name, show

from mitmproxy import command, ctx, exceptions, flow, types


class Commands:
    name = "commands_of_script"

    @command.command("mine.add")
    def add(self, a: int, b: int = 1) -> int:
        """Adds numbers."""
        return a + b

    @command.command("mine.join")
    def join(self, sep: str, *parts: str) -> str:
        return sep.join(parts)

    @command.command("mine.kinds")
    def kinds(self, s: str, i: int, b: bool, p: types.Path, q: Sequence[str], raw: bytes = b"") -> Sequence[str]:
        return [show(v) for v in (s, i, b, p, q, raw)]

    @command.command("mine.choose")
    @command.argument("which", type=types.Choice("mine.choices"))
    def choose(self, which: str) -> str:
        return "chosen " + which

    @command.command("mine.choices")
    def choices(self) -> Sequence[str]:
        return ["red", "green"]

    @command.command("mine.flow")
    def flow(self, flows: Sequence[flow.Flow], text: str) -> None:
        for f in flows:
            f.comment = text

    @command.command()
    def unnamed_command(self) -> str:
        return "unnamed"

    @command.command("mine.fails")
    def fails(self) -> None:
        raise exceptions.CommandError("always")

    @command.command("mine.wrong")
    def wrong(self) -> int:
        return "a string"

    @command.command("mine.marker")
    def marker(self, m: types.Marker, c: types.CutSpec = "x") -> str:
        return "%s %s" % (m, c)

    def load(self, loader):
        loader.add_command("mine.added", self.added)

    def added(self, x: int) -> str:
        return "added %d" % x

    def running(self):
        c = ctx.master.commands
        print(attempt(c.call, "mine.add", 1, 2), attempt(c.call, "mine.add", 1), attempt(c.call, "mine.add"), attempt(c.call, "mine.add", "1", "2"), attempt(c.call, "nosuch"))
        for line in ("mine.add 1 2", "mine.add 5", "mine.add", "mine.add x", "mine.add 1 2 3", "mine.join , a b c", 'mine.join " " "a b" c', "mine.join", "mine.kinds s 1 true ~/p a,b",
                     "mine.kinds s 1 maybe p q", r"mine.kinds 's t' -5 false './x' '' \x00raw", "mine.choose red", "mine.choose blue", "mine.choices", "unnamed.command", "unnamed_command", "mine.fails",
                     "mine.wrong", "mine.marker :grapes:", "mine.marker nonsense", "mine.added 5", "nosuch", "", "   mine.add   1   ", "mine.flow @nosuch x"):
            print(ascii(line), attempt(c.execute, line))
        print(attempt(c.call_strings, "mine.add", ["1", "2"]), attempt(c.call_strings, "mine.join", ["-", "x", "y"]), attempt(c.call_strings, "nosuch", []))
        for path in ("mine.add", "mine.join", "mine.kinds", "mine.choose", "mine.added", "mine.marker"):
            d = c.commands[path]
            print(path, attempt(d.signature_help), d.help, d.return_type, [(p.name, command.typename(p.type), str(p.kind)) for p in d.parameters], attempt(lambda: [p.display() if hasattr(p, "display") else str(p) for p in d.parameters]))
        for line in ("", "mine.a", "mine.add 1 x", "mine.choose ", "mine.kinds s 1 true ", "nosuch a b", "'mine.add' \"1"):
            print(ascii(line), attempt(lambda: [(r.value, r.type.__name__ if hasattr(r.type, "__name__") else str(r.type), r.valid) for r in c.parse_partial(line)[0]]), attempt(lambda: [p.name for p in c.parse_partial(line)[1]]))
        print([k for k in sorted(c.commands) if k.startswith(("mine", "unnamed"))])
        print([attempt(command.typename, t) for t in (str, int, bool, types.Path, types.Cmd, types.CmdArgs, types.CutSpec, types.Data, types.Marker, types.Space, types.Unknown, Sequence[str], flow.Flow, Sequence[flow.Flow], types.Choice("x"))], attempt(command.typename, dict), attempt(command.typename, typing.Any))
        print(attempt(c.add, "mine.late", self.added), attempt(c.call, "mine.late", 7), attempt(c.add, "mine.untyped", lambda x: x).split(" in ")[0], "mine.untyped" in c.commands)


def request(flow):
    if flow.request.path == "/index.html":
        print(attempt(ctx.master.commands.call, "mine.flow", [flow], "commented by a command"), attempt(ctx.master.commands.call, "mine.flow", flow, "x"), name(flow))


addons = [Commands()]
