"""Objects that say which attributes make up their state. mitmproxy up to 9 has them."""
from __future__ import annotations

import typing

from mitmproxy.coretypes.serializable import Serializable


class StateObject(Serializable):
    """The base of a class with `_stateobject_attributes`: the types of attributes by their names."""

    _stateobject_attributes = None

    def get_state(self):
        return {name: _convert(kind, getattr(self, name), False) for name, kind in self._stateobject_attributes.items()}

    def set_state(self, state):
        state = dict(state)
        for name, kind in self._stateobject_attributes.items():
            value = state.pop(name)
            present = getattr(self, name, None)
            if value is not None and hasattr(present, "set_state"):
                present.set_state(value)
            else:
                setattr(self, name, _convert(kind, value, True))
        if state:
            raise RuntimeWarning("Unexpected State in __setstate__: %s" % state)


def _convert(kind, value, make):
    """Returns a value as the type says: its state, or, to make, the value of a state."""
    if value is None:
        return None
    if make and hasattr(kind, "from_state"):
        return kind.from_state(value)
    if not make and hasattr(value, "get_state"):
        return value.get_state()
    origin = getattr(kind, "__origin__", None)
    arguments = getattr(kind, "__args__", ())
    if origin in (list, typing.List):
        return [_convert(arguments[0], v, make) for v in value]
    if origin in (tuple, typing.Tuple):
        if arguments[-1] is Ellipsis:
            return tuple([_convert(arguments[0], v, make) for v in value])
        return tuple([_convert(t, v, make) for t, v in zip(arguments, value)])
    if origin in (dict, typing.Dict):
        return {_convert(arguments[0], k, make): _convert(arguments[1], v, make) for k, v in value.items()}
    if origin is typing.Union:
        kinds = [t for t in arguments if t is not type(None)]
        return _convert(kinds[0], value, make) if len(kinds) == 1 else value
    if kind is typing.Any:
        return _plain(value)
    return kind(value)


def _plain(value):
    """Returns value if it is plain data; else a ValueError."""
    if isinstance(value, dict):
        for k, v in value.items():
            _plain(k)
            _plain(v)
    elif isinstance(value, (list, tuple)):
        for v in value:
            _plain(v)
    elif not isinstance(value, (str, bool, int, float, type(None))):
        raise ValueError("Data not serializable: %s" % (value,))
    return value
