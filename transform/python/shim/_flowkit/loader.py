"""Loading of scripts: what mitmproxy's script addon does, for one process and one chain."""
import os
import sys
from types import ModuleType

from . import era as eras


class LoadError(Exception):
    """A script that could not be loaded: line, message and trace are for the user."""

    def __init__(self, script, line, message, trace=""):
        super().__init__(message)
        self.script, self.line, self.message, self.trace = script, line, message, trace


class Script:
    """One script: its module, which is its first addon, and how its hooks are called."""

    def __init__(self, path, args, source):
        self.path = path
        self.name = os.path.basename(path)
        self.argv = [path] + list(args)
        self.source = source
        self.era = "modern"
        self.text = ""  # the source, of a script that may be old
        self.module = None
        self.addon = None  # the module, or what stands in its place
        self.asserted = False  # "# flowkit: parallel"
        self.verdict = None  # of parallel.py, once it was asked
        self.args_wanted = bool(args)  # hooks look at sys.argv; since 3.0 scripts have options

    def load(self):
        source = self.read()
        text = source.decode("utf-8", "replace")
        legacy = eras.wanted(text)
        if legacy:
            from . import legacy as old
            old.install()
        self.run_module(source)
        if not getattr(self.module, "name", None):
            self.module.name = self.path
        self.addon = self.module
        if legacy:
            self.text = text
            self.era = old.era(self.module, text)
            self.args_wanted = self.args_wanted or self.era != "modern"

    def run_module(self, source):
        """Run the top level."""
        self.asserted = _asserted(source.decode("utf-8", "replace"))
        code = self._compile(source)
        self.module = self._module()
        directory = os.path.dirname(os.path.abspath(self.path))
        # The modules beside the script are found first while it is loaded, as in mitmproxy,
        # and still found when a hook imports one.
        before = list(sys.path)
        sys.path.insert(0, directory)
        try:
            with self.args():
                exec(code, self.module.__dict__)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as e:
            raise failed(self, e) from e
        finally:
            sys.path[:] = before if directory in before else before[:1] + [directory] + before[1:]

    def read(self):
        """Return the source as bytes."""
        if self.source is not None:
            return self.source
        with open(self.path, "rb") as f:
            return f.read()

    def adapt(self, ordered):
        """Give a script of an earlier era the hooks of today; its start() is run.

        It sees the order of events of its era, unless somebody has chosen one (ordered).
        """
        if self.era != "modern":
            from . import legacy

            self.addon = legacy.adapt(self.module, self.era, self.argv, ordered, self.text)

    def args(self):
        """Return a context in which sys.argv is the script's."""
        return _Args(self.argv)

    def _compile(self, source):
        flags = 0
        if sys.version_info < (3, 10):
            # Annotations such as list[int] or int | None are not looked at.
            import __future__
            flags = __future__.annotations.compiler_flag
        try:
            return compile(source, self.path, "exec", flags, True)
        except SyntaxError as e:
            message = "%s: %s" % (type(e).__name__, e.msg)
            from . import legacy
            hint = legacy.python2_hint(e)
            if hint:
                message += " (" + hint + ")"
            raise LoadError(self.name, e.lineno or 0, message, "  " + (e.text or "").strip()) from e
        except ValueError as e:  # null bytes
            raise LoadError(self.name, 0, str(e)) from e

    def _module(self):
        name = "__mitmproxy_script__." + os.path.splitext(self.name)[0]
        m = ModuleType(name)
        m.__file__ = self.path
        sys.modules[name] = m
        return m


class _Args:
    __slots__ = ("argv", "before")

    def __init__(self, argv):
        self.argv = argv

    def __enter__(self):
        self.before = sys.argv
        sys.argv = list(self.argv)

    def __exit__(self, *exc):
        sys.argv = self.before


def _asserted(text):
    """Tell whether a comment says that the script is stateless."""
    at = text.find("flowkit:")
    while at >= 0:
        end = text.find("\n", at)
        line = text[text.rfind("\n", 0, at) + 1:end if end >= 0 else len(text)].strip()
        if line.startswith("#") and line[1:].strip() == "flowkit: parallel":
            return True
        at = text.find("flowkit:", at + 1)
    return False


def failed(script, e):
    """Return the LoadError of an exception at a script's top level."""
    line, trace = place(e, script.path)
    return LoadError(script.name, line, describe(e), trace)


def describe(e):
    """Return what an exception says in one line."""
    text = e.msg if isinstance(e, SyntaxError) else str(e)
    return "%s: %s" % (type(e).__name__, text) if text else type(e).__name__


_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep


def place(e, path):
    """Return the line of a script that an exception came through, and the calls as text."""
    import traceback

    tb = e.__traceback__
    while tb is not None and tb.tb_frame.f_code.co_filename.startswith(_OURS):
        tb = tb.tb_next
    line = 0
    at = tb
    while at is not None:
        if at.tb_frame.f_code.co_filename == path:
            line = at.tb_lineno
        at = at.tb_next
    if e.__cause__ or e.__context__ and not e.__suppress_context__:
        lines = traceback.format_exception(type(e), e, tb)
    else:
        lines = traceback.format_list([f for f in traceback.extract_tb(tb) if not f.filename.startswith(_OURS)])
    return line, "".join(lines).rstrip("\n")
