"""Format versions of flow files: which can be read as they are."""
from __future__ import annotations

from mitmproxy import version
from mitmproxy.flow import NEWEST, OLDEST, Flow

# Versions before 4 were the release, as a tuple.
_OLDEST_KNOWN = (0, 11)


def readable(state):
    """Returns the state of a flow if its version can be read; a ValueError says why not."""
    if not isinstance(state, dict):
        raise ValueError("Invalid data format.")
    number = state.get("version", state.get(b"version"))
    if isinstance(number, list):
        number = tuple(number)
    elif type(number) is not int:
        raise ValueError("Invalid data format.")
    elif OLDEST <= number <= NEWEST:
        return state
    raise ValueError(
        "%s cannot read files with flow format version %s%s."
        % (version.MITMPROXY, number[:2] if isinstance(number, tuple) else number, _advice(number))
    )


def _advice(number):
    try:
        if isinstance(number, tuple):
            known = number >= _OLDEST_KNOWN
        elif number > NEWEST:
            return ", please update mitmproxy"
        else:
            known = number >= 4
    except TypeError:
        return ""
    return ", `flowkit cat` converts them" if known else ""


def migrate_flow(flow_data):
    """Returns the state of a flow, of version 17 to 20, as it is in the newest version."""
    state = readable(flow_data)
    if state["version"] == NEWEST:
        return state
    f = Flow.from_state(state)
    f._version = NEWEST
    return f.get_state()
