"""Readers and writers of flow files."""
from __future__ import annotations

import os

from mitmproxy import exceptions, flow
from mitmproxy.io import compat, tnetstring

# What damaged data may raise on the way to a flow.
_DAMAGE = (ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError, OverflowError)


class FlowWriter:
    """Writes flows to a file, each in the format version that it came in."""

    def __init__(self, fo):
        self.fo = fo

    def add(self, f):
        tnetstring.dump(f.get_state(), self.fo)


class FilteredFlowWriter:
    """Writes the flows that a filter matches."""

    def __init__(self, fo, flt):
        self.fo = fo
        self.flt = flt

    def add(self, f):
        if self.flt:
            from mitmproxy import flowfilter

            if not flowfilter.match(self.flt, f):
                return
        tnetstring.dump(f.get_state(), self.fo)


class FlowReader:
    """Reads the flows of a file in the format versions 17 (mitmproxy 8.1) to 21."""

    def __init__(self, fo):
        self.fo = fo

    def stream(self):
        """Yields the flows. A FlowReadException says that the file is damaged, or of another kind."""
        while True:
            first = self.fo.read(1)
            if not first:
                return
            yield self._flow(first)

    def _flow(self, first):
        if first == b"{" or first == b"\xef":
            raise exceptions.FlowReadException(
                "Invalid data format. This may be a HAR file: `flowkit cat` makes a flow file of one."
            )
        try:
            state = tnetstring.load(_Behind(first, self.fo))
        except _DAMAGE:
            raise exceptions.FlowReadException("Invalid data format.") from None
        try:
            state = compat.readable(state)
        except ValueError as e:
            raise exceptions.FlowReadException(str(e)) from None
        try:
            return flow.Flow.from_state(state)
        except _DAMAGE as e:
            message = str(e)
            if not message.startswith("Unknown flow type"):
                message = "Invalid data format."
            raise exceptions.FlowReadException(message) from None


class _Behind:
    """A file of which the first byte was read already."""

    def __init__(self, first, fo):
        self.first = first
        self.fo = fo

    def read(self, size):
        if self.first and size:
            first, self.first = self.first, b""
            return first if size == 1 else first + self.fo.read(size - 1)
        return self.fo.read(size)


def read_flows_from_paths(paths):
    """Returns the flows of several files. A FlowReadException says what is wrong with one."""
    flows = []
    for path in paths:
        try:
            with open(os.path.expanduser(path), "rb") as f:
                flows.extend(FlowReader(f).stream())
        except OSError as e:
            raise exceptions.FlowReadException(e.args[1]) from e
    return flows
