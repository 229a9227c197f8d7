"""Dictionaries with several values for a key, as headers and forms have them."""

# Not from collections.abc, which imports all of collections.
from _collections_abc import MutableMapping

from mitmproxy.coretypes.serializable import Serializable


class _MultiDict(MutableMapping):
    """What has `fields`, a tuple of (key, value), as a dictionary.

    Every change replaces the tuple, so `fields` at one time is never altered.
    """

    __slots__ = ()

    @staticmethod
    def _kconv(key):
        """Returns what a key is compared by."""
        raise NotImplementedError

    @staticmethod
    def _reduce_values(values):
        """Returns the one value that stands for all values of a key."""
        raise NotImplementedError

    def __repr__(self):
        return "%s[%s]" % (type(self).__name__, ", ".join([repr(f) for f in self.fields]))

    def __getitem__(self, key):
        values = self.get_all(key)
        if not values:
            raise KeyError(key)
        return self._reduce_values(values)

    def __setitem__(self, key, value):
        self.set_all(key, [value])

    def __delitem__(self, key):
        conv = self._kconv
        wanted = conv(key)
        fields = self.fields
        kept = tuple([f for f in fields if conv(f[0]) != wanted])
        if len(kept) == len(fields):
            raise KeyError(key)
        self.fields = kept

    def __iter__(self):
        conv = self._kconv
        seen = set()
        for key, _ in self.fields:
            wanted = conv(key)
            if wanted not in seen:
                seen.add(wanted)
                yield key

    def __len__(self):
        conv = self._kconv
        return len({conv(key) for key, _ in self.fields})

    def __eq__(self, other):
        if isinstance(other, MultiDict):
            return self.fields == other.fields
        return False

    __hash__ = None

    def get_all(self, key):
        """Returns the list of all values of a key, which may be empty."""
        conv = self._kconv
        wanted = conv(key)
        return [value for k, value in self.fields if conv(k) == wanted]

    def set_all(self, key, values):
        """Replaces the values of a key. Each keeps the place and the key of the one it is for."""
        conv = self._kconv
        wanted = conv(key)
        values = list(values)
        left = iter(values)
        used = 0
        fields = []
        for field in self.fields:
            if conv(field[0]) == wanted:
                if used == len(values):
                    continue
                used += 1
                field = (field[0], next(left))
            fields.append(field)
        fields.extend([(key, value) for value in left])
        self.fields = tuple(fields)

    def add(self, key, value):
        """Adds a value behind all others."""
        self.insert(len(self.fields), key, value)

    def insert(self, index, key, value):
        """Inserts a value before the field at index."""
        fields = self.fields
        self.fields = fields[:index] + ((key, value),) + fields[index:]

    def keys(self, multi=False):
        """Returns the keys; with multi, one for each value."""
        return (key for key, _ in self.items(multi))

    def values(self, multi=False):
        """Returns the values that `[]` gives; with multi, all of them."""
        return (value for _, value in self.items(multi))

    def items(self, multi=False):
        """Returns the (key, value) pairs that `[]` gives; with multi, all of them."""
        if multi:
            return self.fields
        return super().items()


class MultiDict(_MultiDict, Serializable):
    """A dictionary with several values for a key, of which `[]` gives the first.

    >>> d = MultiDict([("a", 1), ("a", 2)])
    >>> d["a"], d.get_all("a"), d.fields
    (1, [1, 2], (('a', 1), ('a', 2)))
    """

    def __init__(self, fields=()):
        super().__init__()
        self.fields = tuple([tuple(f) for f in fields])

    @staticmethod
    def _reduce_values(values):
        return values[0]

    @staticmethod
    def _kconv(key):
        return key

    def get_state(self):
        return self.fields

    def set_state(self, state):
        self.fields = tuple([tuple(f) for f in state])

    @classmethod
    def from_state(cls, state):
        return cls(state)


class MultiDictView(_MultiDict):
    """The fields of something else, which are read and written on every access."""

    def __init__(self, getter, setter):
        self._getter = getter
        self._setter = setter
        super().__init__()

    @staticmethod
    def _kconv(key):
        return key

    @staticmethod
    def _reduce_values(values):
        return values[0]

    @property
    def fields(self):
        return self._getter()

    @fields.setter
    def fields(self, value):
        self._setter(value)

    def copy(self):
        """Returns a MultiDict of what the fields are now."""
        return MultiDict(self.fields)
