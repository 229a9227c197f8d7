"""Commands: typed functions of addons that are called by name."""
import functools
import inspect
import textwrap
from collections import namedtuple

from mitmproxy import exceptions, log
from mitmproxy import types as mitmtypes
from mitmproxy.command_lexer import expr, unquote


def verify_arg_signature(f, args, kwargs):
    """Raises a CommandError if a function cannot be called with these arguments."""
    try:
        inspect.signature(f).bind(*args, **kwargs)
    except TypeError as e:
        raise exceptions.CommandError(
            "command argument mismatch: %s" % e.args[0]
        ) from None


def typename(t):
    """How a type is shown to users."""
    if t is inspect.Parameter.empty:
        raise exceptions.CommandError("missing type annotation")
    found = mitmtypes.CommandTypes.get(t, None)
    if not found:
        raise exceptions.CommandError(
            "unsupported type: %s" % getattr(t, "__name__", t)
        )
    return found.display


class CommandParameter(
    namedtuple(
        "CommandParameter",
        ["name", "type", "kind"],
        defaults=[inspect.Parameter.POSITIONAL_OR_KEYWORD],
    )
):
    """A parameter of a command."""

    __slots__ = ()

    def __str__(self):
        star = "*" if self.kind == inspect.Parameter.VAR_POSITIONAL else ""
        return star + self.name


ParseResult = namedtuple("ParseResult", ["value", "type", "valid"])


def _signature(func):
    """The signature with annotations that are texts evaluated, as far as that is possible."""
    signature = inspect.signature(func)
    names = getattr(inspect.unwrap(func), "__globals__", {})

    def resolve(annotation):
        if isinstance(annotation, str):
            try:
                return eval(annotation, names)
            except Exception:
                return annotation
        return annotation

    parameters = [
        p.replace(annotation=resolve(p.annotation))
        for p in signature.parameters.values()
    ]
    return signature.replace(
        parameters=parameters, return_annotation=resolve(signature.return_annotation)
    )


class Command:
    """A command: the function and the types that it was declared with."""

    def __init__(self, manager, name, func):
        self.name = name
        self.manager = manager
        self.func = func
        self.signature = _signature(func)
        self.help = None
        if func.__doc__:
            self.help = func.__doc__.strip().replace("\n", " ")
        for p in self.signature.parameters.values():
            if not mitmtypes.CommandTypes.get(p.annotation, None):
                raise exceptions.CommandError(
                    "Argument %s has an unknown type %s in %s."
                    % (p.name, p.annotation, func)
                )
        if self.return_type and not mitmtypes.CommandTypes.get(self.return_type, None):
            raise exceptions.CommandError(
                "Return type has an unknown type (%s) in %s." % (self.return_type, func)
            )

    @property
    def return_type(self):
        """The type of the result, None for no result."""
        annotation = self.signature.return_annotation
        return None if annotation is inspect.Signature.empty else annotation

    @property
    def parameters(self):
        """The parameters, without `self`."""
        empty = inspect.Parameter.empty
        return [
            CommandParameter(
                p.name, None if p.annotation is empty else p.annotation, p.kind
            )
            for p in self.signature.parameters.values()
        ]

    def signature_help(self):
        """The line that shows how to call it."""
        shown = "%s %s" % (self.name, " ".join(str(p) for p in self.parameters))
        if self.return_type:
            shown += " -> %s" % typename(self.return_type)
        return shown

    def prepare_args(self, args):
        """Texts as the arguments that they mean."""
        try:
            bound = self.signature.bind(*args)
        except TypeError:
            expected = str(self.signature.parameters)
            # A mappingproxy is shown as what it stands for.
            if expected.startswith("mappingproxy("):
                expected = expected[len("mappingproxy(") : -1]
            raise exceptions.CommandError(
                "Command argument mismatch: \n    Expected: %s\n    Received: %s"
                % (expected, args)
            ) from None
        for name, value in bound.arguments.items():
            p = self.signature.parameters[name]
            if p.kind == p.VAR_POSITIONAL:
                value = [parsearg(self.manager, one, p.annotation) for one in value]
            else:
                value = parsearg(self.manager, value, p.annotation)
            bound.arguments[name] = value
        bound.apply_defaults()
        return bound

    def call(self, args):
        """Calls it with texts; the result is checked."""
        bound = self.prepare_args(args)
        result = self.func(*bound.args, **bound.kwargs)
        if result is None and self.return_type is None:
            return None
        kind = mitmtypes.CommandTypes.get(self.return_type)
        assert kind, "%s returns something without saying so" % self.name
        if not kind.is_valid(self.manager, self.return_type, result):
            raise exceptions.CommandError(
                "%s returned unexpected data - expected %s" % (self.name, kind.display)
            )
        return result


class CommandManager:
    """The commands by name."""

    def __init__(self, master):
        self.master = master
        self.commands = {}

    def collect_commands(self, addon):
        """Adds the methods of an addon that were decorated."""
        for name in dir(addon):
            if name.startswith("__"):
                continue
            try:
                found = getattr(addon, name)
                path = getattr(found, "command_name", None)
            except Exception:
                # Whatever a property or a __getattr__ does.
                continue
            if not isinstance(path, str):
                continue
            try:
                self.add(path, found)
            except exceptions.CommandError as e:
                log.emit(
                    "warn", __name__, "Could not load command %s: %s" % (path, e)
                )

    def add(self, path, func):
        """Adds a command, in place of an earlier one of that name."""
        self.commands[path] = Command(self, path, func)

    def parse_partial(self, cmdstr):
        """The parts of a command line with their types, and the parameters to come."""
        parts = []
        params = [CommandParameter("", mitmtypes.Cmd), CommandParameter("", mitmtypes.CmdArgs)]
        expected = None
        for part in expr.parse_string(cmdstr, parse_all=True):
            if part.isspace():
                parts.append(ParseResult(part, mitmtypes.Space, True))
                continue
            repeated = (
                expected is not None
                and expected.kind == inspect.Parameter.VAR_POSITIONAL
            )
            if not repeated:
                expected = params.pop(0) if params else CommandParameter("", mitmtypes.Unknown)
            if expected.type is mitmtypes.Cmd:
                # What follows is the business of the command that was named.
                if params and params[0].type is mitmtypes.CmdArgs:
                    named = self.commands.get(part)
                    params[:1] = named.parameters if named else []
            kind = mitmtypes.CommandTypes.get(expected.type, None)
            parts.append(
                ParseResult(part, expected.type, self._is_text_of(kind, expected, part))
            )
        return parts, params

    def _is_text_of(self, kind, expected, part):
        if kind is None:
            return False
        try:
            kind.parse(self, expected.type, part)
        except ValueError:
            return False
        return True

    def _get(self, name):
        try:
            return self.commands[name]
        except KeyError:
            raise exceptions.CommandError("Unknown command: %s" % name) from None

    def call(self, command_name, *args):
        """Calls a command with values, which are not checked."""
        return self._get(command_name).func(*args)

    def call_strings(self, command_name, args):
        """Calls a command with texts, which are converted."""
        return self._get(command_name).call(args)

    def execute(self, cmdstr):
        """Calls a command as a line that a user has typed."""
        parts = [p for p in expr.parse_string(cmdstr) if not p.isspace()]
        if not parts:
            raise exceptions.CommandError("Invalid command: %r" % cmdstr)
        name, *args = [unquote(p) for p in parts]
        return self.call_strings(name, args)

    def dump(self, out=None):
        """Writes an overview of all commands."""
        for name in sorted(self.commands):
            one = self.commands[name]
            for line in textwrap.wrap((one.help or "").strip()):
                print("# %s" % line, file=out)
            print(one.signature_help(), file=out)
            print(file=out)


def parsearg(manager, spec, argtype):
    """The value of a type that a text means."""
    kind = mitmtypes.CommandTypes.get(argtype, None)
    if not kind:
        raise exceptions.CommandError("Unsupported argument type: %s" % (argtype,))
    try:
        return kind.parse(manager, argtype, spec)
    except ValueError as e:
        raise exceptions.CommandError(str(e)) from e


def command(name=None):
    """Declares a method as a command. Its annotations are the types of the command."""

    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            verify_arg_signature(function, args, kwargs)
            return function(*args, **kwargs)

        wrapper.command_name = name or function.__name__.replace("_", ".")
        return wrapper

    return decorate


def argument(name, type):
    """Declares the type of an argument, where an annotation cannot say it."""

    def decorate(f):
        assert name in f.__annotations__, "%s has no argument %s" % (f.__name__, name)
        f.__annotations__[name] = type
        return f

    return decorate
