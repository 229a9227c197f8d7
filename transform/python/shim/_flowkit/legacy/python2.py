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


# Names that were built in. `file` is left out where a script has none of it.
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
