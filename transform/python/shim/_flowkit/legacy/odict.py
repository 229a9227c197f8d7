"""Ordered dictionaries of lists: what headers, queries and forms were up to 0.13."""
from .text import subn, to_text


class ODict:
    """An ordered list of pairs; looking up a key gives the list of its values.

    `lst` is the list of [key, value] pairs.
    """

    def __init__(self, lst=None):
        self.lst = lst or []

    def _kconv(self, key):
        return to_text(key)

    def _of(self, key):
        key = self._kconv(key)
        return [pair[1] for pair in self.lst if self._kconv(pair[0]) == key]

    def __eq__(self, other):
        return isinstance(other, ODict) and self._pairs() == other._pairs()

    def __ne__(self, other):
        return not self == other

    __hash__ = None

    def _pairs(self):
        return [tuple(pair) for pair in self.lst]

    def __iter__(self):
        return iter(self.lst)

    def __len__(self):
        return len(self.lst)

    def __getitem__(self, key):
        """Return the list of values of key, which is empty if there is none."""
        return self._of(key)

    def __setitem__(self, key, values):
        """Set the values of key, which take the places of those it had."""
        if isinstance(values, (str, bytes)):
            raise ValueError("values of %r must be a list, not %r: odict[%r] = [%r]" % (key, values, key, values))
        left = list(values)
        wanted = self._kconv(key)
        new = []
        for pair in self.lst:
            if self._kconv(pair[0]) != wanted:
                new.append(pair)
            elif left:
                new.append([key, left.pop(0)])
        self.lst = new + [[key, value] for value in left]

    def __delitem__(self, key):
        """Remove all values of key, if there are any."""
        key = self._kconv(key)
        self.lst = [pair for pair in self.lst if self._kconv(pair[0]) != key]

    def __contains__(self, key):
        return bool(self._of(key))

    has_key = __contains__

    def keys(self):
        """Return the keys, each once."""
        return list(dict.fromkeys(self._kconv(pair[0]) for pair in self.lst))

    def values(self):
        return [pair[1] for pair in self.lst]

    def items(self):
        return list(self.lst)

    def iteritems(self):
        return iter(self.items())

    def get(self, key, default=None):
        """Return the list of values of key, or default if there is none."""
        return self._of(key) or default

    def get_first(self, key, default=None):
        """Return the first value of key, or default if there is none."""
        found = self._of(key)
        return found[0] if found else default

    def pop(self, key, *default):
        """Remove key and return its values."""
        found = self._of(key)
        if not found:
            if default:
                return default[0]
            raise KeyError(key)
        del self[key]
        return found

    def add(self, key, value, prepend=False):
        """Add a value to those of key."""
        self.lst = [[key, value]] + self.lst if prepend else self.lst + [[key, value]]

    def extend(self, other):
        """Add the pairs of another ODict."""
        self.lst = self.lst + [list(pair) for pair in other.lst]

    def update(self, *args, **kwargs):
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def copy(self):
        return self.__class__([list(pair) for pair in self.lst])

    def in_any(self, key, value, caseless=False):
        """Tell whether a value of key has value in it."""
        value = to_text(value)
        if caseless:
            return any(value.lower() in to_text(v).lower() for v in self._of(key))
        return any(value in to_text(v) for v in self._of(key))

    def match_re(self, expression):
        """Tell whether a regular expression is found in a "key: value" text."""
        import re

        return any(re.search(expression, "%s: %s" % (to_text(k), to_text(v))) for k, v in self.lst)

    def replace(self, pattern, repl, *args, **kwargs):
        """Replace a regular expression in keys and values; return how often it was."""
        count = 0
        new = []
        for pair in self.lst:
            made = []
            for part in pair:
                part, n = subn(pattern, repl, part, *args, **kwargs)
                count += n
                made.append(part)
            new.append(made)
        if count:
            self.lst = new
        return count

    def get_state(self):
        return self._pairs()

    def set_state(self, state):
        self.lst = [list(pair) for pair in state]

    load_state = set_state

    @classmethod
    def from_state(cls, state):
        return cls([list(pair) for pair in state])

    def __repr__(self):
        return repr(self.lst)


class ODictCaseless(ODict):
    """An ODict whose keys are found in any case."""

    def _kconv(self, key):
        return to_text(key).lower()

    def __str__(self):
        return self.format()

    def __bytes__(self):
        return self.format().encode("utf-8", "surrogateescape")

    def format(self):
        """Return the pairs as lines of an HTTP head."""
        return "".join("%s: %s\r\n" % (to_text(k), to_text(v)) for k, v in self.lst)
