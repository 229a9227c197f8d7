"""What scripts for Python 2 need that are valid Python 3, and what tells that they are not."""
import re
import sys

from .text import Bytes, to_bytes, to_text

_HINTS = (
    (r"call to 'print'|^\s*print\s+[^(=\s]", "print is a statement"),
    (r"call to 'exec'|^\s*exec\s+[^(=\s]", "exec is a statement"),
    (r"exception types must be parenthesized|^\s*except\b[^:]+,\s*\w+\s*:", '"except X, e"'),
    (r"^\s*raise\s+[\w.]+\s*,", '"raise X, text"'),
    (r"<>", "<> for !="),
    (r"\bur['\"]", "ur'' texts"),
    (r"`", "backticks for repr()"),
    (r"leading zeros in decimal|\b0[0-7]+\b", "octal numbers such as 0777"),
    (r"\b\d+[lL]\b", "long numbers such as 10L"),
    (r"parameters cannot be parenthesized|\b(def\s+\w+\s*\(|lambda\b)[^:()]*\(", "tuples as parameters"),
)


def hint(error):
    """Return what of Python 2 a SyntaxError is about, None if it is not."""
    if isinstance(error, TabError):
        found = "tabs and spaces are mixed"
    else:
        for pattern, found in _HINTS:
            if re.search(pattern, error.text or "") or re.search(pattern, error.msg or ""):
                break
        else:
            return None
    return "Python 2: %s; 2to3 turns it into Python 3" % found


# Names that were built in.
_BUILTINS = {
    "unicode": str, "basestring": (str, bytes), "xrange": range, "unichr": chr, "long": int, "raw_input": input,
    "file": open,
}


def equip(names, source):
    """Give a script of up to 0.17 the names it uses that Python 3 does not have, and re that takes a body."""
    for name, value in _BUILTINS.items():
        if name in source:
            names.setdefault(name, value)
    if "reduce(" in source:
        from functools import reduce

        names.setdefault("reduce", reduce)
    for name, value in list(names.items()):
        if value is re:
            names[name] = Re()
        elif value is sys.modules.get("urllib"):
            names[name] = Urllib()
        elif isinstance(value, re.Pattern) and isinstance(value.pattern, str):
            names[name] = Pattern(value.pattern, value.flags & ~re.UNICODE)
        elif getattr(value, "__module__", None) == "re" and getattr(re, getattr(value, "__name__", ""), None) is value:
            lenient = getattr(Re, value.__name__, None)
            if lenient is not None:
                names[name] = lenient


def _alike(value, text):
    """Return value as the kind of text: str or bytes."""
    if isinstance(text, (bytes, bytearray)):
        return to_bytes(value) if isinstance(value, str) else value
    return to_text(value)


class Pattern:
    """A regular expression for str and for bytes."""

    def __init__(self, pattern, flags=0):
        self._compiled = {}
        self._pattern, self._flags = pattern, flags
        self.pattern = pattern
        self._of("" if isinstance(pattern, str) else b"")

    def _of(self, text):
        kind = bytes if isinstance(text, (bytes, bytearray)) else str
        found = self._compiled.get(kind)
        if found is None:
            found = self._compiled[kind] = re.compile(_alike(self._pattern, text), self._flags)
        return found

    def sub(self, repl, text, count=0):
        return self.subn(repl, text, count)[0]

    def subn(self, repl, text, count=0):
        new, n = self._of(text).subn(repl if callable(repl) else _alike(repl, text), text, count)
        return (Bytes(new) if isinstance(new, bytes) else new), n

    def __getattr__(self, name):
        return getattr(self._of("" if isinstance(self._pattern, str) else b""), name)


def _method(name):
    def method(self, text, *args, **kwargs):
        return getattr(self._of(text), name)(text, *args, **kwargs)

    method.__name__ = name
    return method


for _name in ("search", "match", "fullmatch", "split", "findall", "finditer"):
    setattr(Pattern, _name, _method(_name))


class Re:
    """The module re, whose patterns go with bytes too."""

    def __getattr__(self, name):
        return getattr(re, name)

    @staticmethod
    def compile(pattern, flags=0):
        return pattern if isinstance(pattern, Pattern) else Pattern(pattern, flags)

    @staticmethod
    def sub(pattern, repl, string, count=0, flags=0):
        return Re.compile(pattern, flags).sub(repl, string, count)

    @staticmethod
    def subn(pattern, repl, string, count=0, flags=0):
        return Re.compile(pattern, flags).subn(repl, string, count)

    @staticmethod
    def split(pattern, string, maxsplit=0, flags=0):
        return Re.compile(pattern, flags).split(string, maxsplit)


def _function(name):
    def function(pattern, string, flags=0):
        return getattr(Re.compile(pattern, flags), name)(string)

    function.__name__ = name
    return staticmethod(function)


for _name in ("search", "match", "fullmatch", "findall", "finditer"):
    setattr(Re, _name, _function(_name))


class Urllib:
    """The module urllib, which had what three modules have."""

    def __getattr__(self, name):
        import importlib

        for module in ("urllib", "urllib.parse", "urllib.request"):
            found = getattr(importlib.import_module(module), name, None)
            if found is not None:
                return found
        raise AttributeError("module 'urllib' has no attribute %r" % name)


# Modules that have other names now, and those of our own below.
_MODULES = {
    "urlparse": "urllib.parse", "urllib2": "urllib.request", "Cookie": "http.cookies", "cookielib": "http.cookiejar",
    "httplib": "http.client", "Queue": "queue", "cPickle": "pickle", "ConfigParser": "configparser",
    "HTMLParser": "html.parser", "__builtin__": "builtins", "StringIO": None, "cStringIO": None,
}


class Finder:
    """Finds modules of Python 2 for scripts that flowkit runs, and for nobody else."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name not in _MODULES or not _asked_by_script():
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, cls)

    @staticmethod
    def create_module(spec):
        import importlib

        other = _MODULES[spec.name]
        if other is not None:
            module = type(sys)(spec.name)
            module.__dict__.update(vars(importlib.import_module(other)), __name__=spec.name)
            return module
        import io

        class StringIO(io.BytesIO):
            """A file of bytes that go with str."""

            def __init__(self, content=b""):
                super().__init__(to_bytes(content))

            def write(self, content):
                return super().write(to_bytes(content))

            def getvalue(self):
                return Bytes(super().getvalue())

        module = type(sys)(spec.name)
        module.StringIO = StringIO
        return module

    @staticmethod
    def exec_module(module):
        pass


def _asked_by_script():
    """Tell whether the import statement in hand is one of a script's."""
    frame = sys._getframe(2)
    while frame is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None and str(frame.f_globals.get("__name__")).startswith("__mitmproxy_script__")


def install():
    """Have scripts find the modules of Python 2, once nothing else has them."""
    if Finder not in sys.meta_path:
        sys.meta_path.append(Finder)
