"""The types of arguments and results of commands."""
import codecs
import collections.abc
import os
import re

from mitmproxy import exceptions, flow

try:
    _STRINGS = collections.abc.Sequence[str]
    _FLOWS = collections.abc.Sequence[flow.Flow]
except TypeError:  # before 3.9
    import typing

    _STRINGS = typing.Sequence[str]
    _FLOWS = typing.Sequence[flow.Flow]


class Path(str):
    """A path in the file system."""


class Cmd(str):
    """The name of a command."""


class CmdArgs(str):
    """The arguments of the command before it."""


Arg = CmdArgs


class Unknown(str):
    """What a command line has too much."""


class Space(str):
    """What is between arguments."""


class CutSpec(collections.abc.Sequence):
    """Paths of attributes of a flow, such as request.port."""


class Data(collections.abc.Sequence):
    """Rows of columns, each a str or bytes."""


class Marker(str):
    """The mark of a flow: the name of an emoji or one character."""


class Choice:
    """One of the texts that another command gives."""

    def __init__(self, options_command):
        self.options_command = options_command


class _BaseType:
    """How values of a type are read from a text, checked and completed."""

    typ = object
    display = ""

    def completion(self, manager, t, s):
        """What `s` may become; a caller picks those that begin like it."""
        raise NotImplementedError

    def parse(self, manager, typ, s):
        """The value of a text. Raises a ValueError."""
        raise NotImplementedError

    def is_valid(self, manager, typ, val):
        """Whether it is a value of the type."""
        raise NotImplementedError


class _PlainType(_BaseType):
    """A type whose values are the instances of `typ`, with nothing to complete."""

    def completion(self, manager, t, s):
        return []

    def is_valid(self, manager, typ, val):
        return isinstance(val, self.typ)


class _BoolType(_BaseType):
    typ = bool
    display = "bool"

    def completion(self, manager, t, s):
        return ["false", "true"]

    def parse(self, manager, t, s):
        if s in ("true", "false"):
            return s == "true"
        raise exceptions.TypeError("Booleans are 'true' or 'false', got %s" % s)

    def is_valid(self, manager, typ, val):
        return val in (True, False)


class _StrType(_PlainType):
    typ = str
    display = "str"

    # All that Python has but a line continuation; what is no escape stays as it is.
    escape_sequences = re.compile(
        r"""
        \\ (?:
            [\\'"abfnrtv]
            | [0-7]{1,3}
            | x ..
            | u ....
            | U ........
            | N \{ [^}]+ \}
        )
        """,
        re.VERBOSE,
    )

    @staticmethod
    def _unescape(match):
        return codecs.decode(match.group(0), "unicode-escape")

    def parse(self, manager, t, s):
        try:
            return self.escape_sequences.sub(self._unescape, s)
        except ValueError as e:
            raise exceptions.TypeError("Invalid str: %s" % e) from e


class _BytesType(_PlainType):
    typ = bytes
    display = "bytes"

    def parse(self, manager, t, s):
        try:
            return codecs.escape_decode(s.encode("utf8"))[0]
        except ValueError as e:
            raise exceptions.TypeError(str(e)) from e


class _UnknownType(_PlainType):
    typ = Unknown
    display = "unknown"

    def parse(self, manager, t, s):
        return s

    def is_valid(self, manager, typ, val):
        return False


class _IntType(_PlainType):
    typ = int
    display = "int"

    def parse(self, manager, t, s):
        try:
            return int(s)
        except ValueError as e:
            raise exceptions.TypeError(str(e)) from e


class _PathType(_BaseType):
    typ = Path
    display = "path"

    def completion(self, manager, t, start):
        shown, begin = os.path.split(start)
        if os.path.isdir(os.path.expanduser(start)):
            shown, begin = start, ""
        shown = shown or "./"
        folder = os.path.expanduser(shown)
        found = []
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            hidden = name.startswith(".") and not begin.startswith(".")
            if name.startswith(begin) and not hidden:
                slash = "/" if os.path.isdir(os.path.join(folder, name)) else ""
                found.append(os.path.join(shown, name) + slash)
        return sorted(found) or [start]

    def parse(self, manager, t, s):
        return os.path.expanduser(s)

    def is_valid(self, manager, typ, val):
        return isinstance(val, str)


class _CmdType(_BaseType):
    typ = Cmd
    display = "cmd"

    def completion(self, manager, t, s):
        return list(manager.commands.keys())

    def parse(self, manager, t, s):
        if s not in manager.commands:
            raise exceptions.TypeError("Unknown command: %s" % s)
        return s

    def is_valid(self, manager, typ, val):
        return val in manager.commands


class _ArgType(_BaseType):
    typ = CmdArgs
    display = "arg"

    def completion(self, manager, t, s):
        return []

    def parse(self, manager, t, s):
        return s

    def is_valid(self, manager, typ, val):
        return isinstance(val, str)


class _StrSeqType(_BaseType):
    typ = _STRINGS
    display = "str[]"

    def completion(self, manager, t, s):
        return []

    def parse(self, manager, t, s):
        return [one.strip() for one in s.split(",")]

    def is_valid(self, manager, typ, val):
        if isinstance(val, (str, bytes)):
            return False
        try:
            return all(isinstance(one, str) for one in val)
        except TypeError:
            return False


class _CutSpecType(_BaseType):
    typ = CutSpec
    display = "cut[]"
    valid_prefixes = [
        "request.method",
        "request.scheme",
        "request.host",
        "request.http_version",
        "request.port",
        "request.path",
        "request.url",
        "request.text",
        "request.content",
        "request.raw_content",
        "request.timestamp_start",
        "request.timestamp_end",
        "request.header[",
        "response.status_code",
        "response.reason",
        "response.text",
        "response.content",
        "response.timestamp_start",
        "response.timestamp_end",
        "response.raw_content",
        "response.header[",
        "client_conn.peername.port",
        "client_conn.peername.host",
        "client_conn.tls_version",
        "client_conn.sni",
        "client_conn.tls_established",
        "server_conn.address.port",
        "server_conn.address.host",
        "server_conn.ip_address.host",
        "server_conn.tls_version",
        "server_conn.sni",
        "server_conn.tls_established",
    ]

    def completion(self, manager, t, s):
        before, comma, _ = s.rpartition(",")
        return [before + comma + one for one in self.valid_prefixes]

    def parse(self, manager, t, s):
        return s.split(",")

    def is_valid(self, manager, typ, val):
        if not isinstance(val, str):
            return False
        prefixes = tuple(self.valid_prefixes)
        return all(one.strip().startswith(prefixes) for one in val.split(","))


class _BaseFlowType(_BaseType):
    viewmarkers = ["@all", "@focus", "@shown", "@hidden", "@marked", "@unmarked"]
    valid_prefixes = viewmarkers + [
        "~q", "~s", "~a", "~hq", "~hs", "~b", "~bq", "~bs", "~t", "~d", "~m", "~u", "~c",
    ]  # fmt: skip

    def completion(self, manager, t, s):
        return self.valid_prefixes

    def _resolve(self, manager, s):
        try:
            return manager.call_strings("view.flows.resolve", [s])
        except exceptions.CommandError as e:
            raise exceptions.TypeError(str(e)) from e


class _FlowType(_BaseFlowType):
    typ = flow.Flow
    display = "flow"

    def parse(self, manager, t, s):
        flows = self._resolve(manager, s)
        if len(flows) != 1:
            raise exceptions.TypeError(
                "Command requires one flow, specification matched %s." % len(flows)
            )
        return flows[0]

    def is_valid(self, manager, typ, val):
        return isinstance(val, flow.Flow)


class _FlowsType(_BaseFlowType):
    typ = _FLOWS
    display = "flow[]"

    def parse(self, manager, t, s):
        return self._resolve(manager, s)

    def is_valid(self, manager, typ, val):
        try:
            return all(isinstance(one, flow.Flow) for one in val)
        except TypeError:
            return False


class _DataType(_BaseType):
    typ = Data
    display = "data[][]"

    def completion(self, manager, t, s):
        raise exceptions.TypeError("data cannot be passed as argument")

    def parse(self, manager, t, s):
        raise exceptions.TypeError("data cannot be passed as argument")

    def is_valid(self, manager, typ, val):
        try:
            return all(isinstance(cell, (str, bytes)) for row in val for cell in row)
        except TypeError:
            return False


class _ChoiceType(_BaseType):
    typ = Choice
    display = "choice"

    def completion(self, manager, t, s):
        return manager.execute(t.options_command)

    def parse(self, manager, t, s):
        if s not in manager.execute(t.options_command):
            raise exceptions.TypeError("Invalid choice.")
        return s

    def is_valid(self, manager, typ, val):
        try:
            return val in manager.execute(typ.options_command)
        except exceptions.CommandError:
            return False


def _markers():
    if "ALL_MARKERS" not in globals():
        from mitmproxy.utils import emoji

        globals()["ALL_MARKERS"] = ["true", "false"] + list(emoji.emoji)
    return ALL_MARKERS  # noqa: F821


class _MarkerType(_BaseType):
    typ = Marker
    display = "marker"

    def completion(self, manager, t, s):
        return _markers()

    def parse(self, manager, t, s):
        if not self.is_valid(manager, t, s):
            raise exceptions.TypeError("Invalid choice.")
        return {"true": ":default:", "false": ""}.get(s, s)

    def is_valid(self, manager, typ, val):
        if isinstance(val, str) and len(val) == 1:
            return 32 < ord(val) < 126
        return val in _markers()


class TypeManager:
    """The types by what is written in an annotation."""

    def __init__(self, *types):
        self.typemap = {}
        for one in types:
            self.typemap[one.typ] = one()

    def get(self, t, default=None):
        if type(t) in self.typemap:
            return self.typemap[type(t)]
        # typing.Sequence, in which all scripts up to 8.x are written.
        if getattr(t, "__origin__", None) is collections.abc.Sequence:
            t = {str: _STRINGS, flow.Flow: _FLOWS}.get(t.__args__[0], t)
        try:
            return self.typemap.get(t, default)
        except TypeError:  # not hashable
            return default


CommandTypes = TypeManager(
    _ArgType,
    _BoolType,
    _ChoiceType,
    _CmdType,
    _CutSpecType,
    _DataType,
    _FlowType,
    _FlowsType,
    _IntType,
    _MarkerType,
    _PathType,
    _StrType,
    _StrSeqType,
    _BytesType,
)


def __getattr__(name):
    if name == "ALL_MARKERS":
        return _markers()
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
