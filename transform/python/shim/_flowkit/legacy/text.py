"""Text and bytes as Python 2 had them: one and the same."""


def to_bytes(value):
    """Return a str or bytes as plain bytes; None stays None."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if value is None or type(value) is bytes:
        return value
    return bytes(value)


def to_text(value):
    """Return a str or bytes as str; anything else stays as it is."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "surrogateescape")
    return value


def escaped(value):
    """Return the pattern or replacement of a replace() as bytes: a str has escapes as in bytes literals."""
    if not isinstance(value, str):
        return value
    from mitmproxy.utils import strutils

    return strutils.escaped_str_to_bytes(value)


def _wrap(value):
    """Return bytes as Bytes, within lists and tuples too."""
    kind = type(value)
    if kind is bytes:
        return Bytes(value)
    if kind is list or kind is tuple:
        return kind([_wrap(v) for v in value])
    return value


def _unwrap(value):
    if type(value) is str:
        return to_bytes(value)
    if type(value) in (list, tuple):
        return type(value)([_unwrap(v) for v in value])
    return value


class Bytes(bytes):
    """A body as the scripts of Python 2 know it: bytes that go with str."""

    __slots__ = ()

    def __str__(self):
        return to_text(self)

    def __format__(self, spec):
        return format(to_text(self), spec)

    def __eq__(self, other):
        return bytes.__eq__(self, _unwrap(other))

    def __ne__(self, other):
        return not self == other

    __hash__ = bytes.__hash__

    def __iter__(self):
        for i in range(len(self)):
            yield self[i]

    def __getitem__(self, key):
        if not isinstance(key, slice):
            key = range(len(self))[key]
            key = slice(key, key + 1)
        return Bytes(bytes.__getitem__(self, key))

    def __radd__(self, other):
        return Bytes(_unwrap(other) + bytes(self))

    def encode(self, *args, **kwargs):
        """Bytes were encoded by being decoded as ASCII first."""
        return self

    def format(self, *args, **kwargs):
        return Bytes(to_bytes(to_text(self).format(*args, **kwargs)))


def _lenient(name):
    plain = getattr(bytes, name)

    def method(self, *args, **kwargs):
        return _wrap(plain(self, *[_unwrap(a) for a in args], **kwargs))

    method.__name__ = name
    return method


for _name in (
    "__add__ __contains__ __ge__ __gt__ __le__ __lt__ __mod__ __mul__ __rmul__ "
    "capitalize center count endswith expandtabs find index join ljust lower lstrip partition replace rfind "
    "rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper zfill"
).split():
    setattr(Bytes, _name, _lenient(_name))


class CallableText(str):
    """A text that was a method before it was a property.

    Called, it returns what the method returns.
    """

    def __new__(cls, text, method):
        self = str.__new__(cls, text)
        self._method = method
        return self

    def __call__(self, *args, **kwargs):
        return self._method(*args, **kwargs)


class CallableBool(int):
    """A bool that was a method before it was a property."""

    __slots__ = ()

    def __call__(self):
        return bool(self)

    def __repr__(self):
        return repr(bool(self))

    __str__ = __repr__


def subn(pattern, repl, target, count=0, flags=0):
    """Return re.subn's (result, count) for a str or bytes target with a pattern of either kind."""
    import re

    if isinstance(target, (bytes, bytearray)):
        if not callable(repl):
            repl = to_bytes(repl)
        return re.subn(to_bytes(pattern), repl, bytes(target), count=count, flags=flags)
    if not callable(repl):
        repl = to_text(repl)
    return re.subn(to_text(pattern), repl, target, count=count, flags=flags)
