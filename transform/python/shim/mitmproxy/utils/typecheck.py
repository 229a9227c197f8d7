"""Checks of values against the types of options."""
from __future__ import annotations

import typing
from collections import abc


def _parts(typeinfo):
    return typing.get_origin(typeinfo), typing.get_args(typeinfo)


def _is_union(origin):
    # int | None has an origin of its own from Python 3.10 on.
    return origin is typing.Union or getattr(origin, "__name__", "") == "UnionType"


def _accepts(name, value, typeinfo):
    try:
        check_option_type(name, value, typeinfo)
    except TypeError:
        return False
    return True


def check_option_type(name, value, typeinfo):
    """Raises TypeError unless `value` is of a type that an option may have."""
    wrong = TypeError("Expected %s for %s, but got %s." % (typeinfo, name, type(value)))
    origin, args = _parts(typeinfo)

    if _is_union(origin):
        if not any(_accepts(name, value, arg) for arg in args):
            raise wrong
    elif origin is tuple:
        if not isinstance(value, tuple) or len(value) != len(args):
            raise wrong
        for i, (element, arg) in enumerate(zip(value, args)):
            check_option_type("%s[%d]" % (name, i), element, arg)
    elif origin is abc.Sequence:
        if not isinstance(value, (list, tuple)):
            raise wrong
        for element in value:
            check_option_type(name, element, args[0])
    elif typeinfo is typing.Any:
        pass
    elif isinstance(typeinfo, type) and issubclass(typeinfo, typing.IO):
        if not hasattr(value, "read"):
            raise wrong
    elif typeinfo is float and isinstance(value, int):
        pass
    elif not isinstance(value, typeinfo):
        raise wrong


def typespec_to_str(typespec):
    """The type of an option as its help has it."""
    if typespec in (str, int, float, bool):
        return typespec.__name__
    origin, args = _parts(typespec)
    if _is_union(origin) and len(args) == 2 and args[1] is type(None) and args[0] in (str, int):
        return "optional " + args[0].__name__
    if origin is abc.Sequence and args == (str,):
        return "sequence of str"
    raise NotImplementedError
