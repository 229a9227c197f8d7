"""Flows as they came from flowkit, decoded when a script touches them.

A received object keeps its record; an attribute of it is a non-data descriptor that puts
the value into the instance's dictionary on first touch, so every later read is a plain
dictionary hit, a write is a plain assignment, and what changed is what is not the very
object of the record. What a script made itself has all of its fields in its dictionary from
the beginning and no record.
"""
from marshal import loads


class Field:
    """An attribute that is element `index` of the object's record."""

    __slots__ = ("index", "name")

    def __init__(self, index):
        self.index = index

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, obj, owner=None):
        if obj is None:
            return self
        value = obj._rec[self.index]
        obj.__dict__[self.name] = value
        return value


class Lazy:
    """An attribute that is computed from the object on first touch."""

    __slots__ = ("make", "name")

    def __init__(self, make):
        self.make = make

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, obj, owner=None):
        if obj is None:
            return self
        value = self.make(obj)
        obj.__dict__[self.name] = value
        return value


class Record:
    """The base of what is decoded from a blob: `_raw` is the blob, `_rec` its tuple.

    An object without `_raw` in its dictionary was made by a script.
    """

    @Lazy
    def _rec(self):
        try:
            raw = self.__dict__["_raw"]
        except KeyError:
            raise AttributeError(
                "%s object has lost a field" % type(self).__name__
            ) from None
        return loads(raw)
