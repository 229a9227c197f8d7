"""What `flowkit script repl` finds imported: flows, ctx, http and flowfilter."""
import os
import sys

from mitmproxy import ctx, flowfilter, http
from mitmproxy.exceptions import FlowReadException
from mitmproxy.io import FlowReader

__all__ = ["ctx", "flowfilter", "flows", "http"]


class Flows:
    """The flows of a dump, like a list that cannot be changed.

    It remembers where flows begin and reads one each time it is asked for, so what is changed in one
    is seen in that object alone.
    """

    def __init__(self, path):
        self._file = open(path, "rb")
        self._size = os.fstat(self._file.fileno()).st_size
        self._offsets = []  # of the flows that were passed
        self._end = 0  # of the last of them

    def __len__(self):
        while self._pass():
            pass
        return len(self._offsets)

    def __iter__(self):
        i = 0
        while i < len(self._offsets) or self._pass():
            yield self._read(i)
            i += 1

    def __reversed__(self):
        return (self._read(i) for i in reversed(range(len(self))))

    def __getitem__(self, i):
        if isinstance(i, slice):
            return [self._read(n) for n in range(*i.indices(len(self)))]
        n = i if i >= 0 else i + len(self)
        while 0 <= n and n >= len(self._offsets) and self._pass():
            pass
        if not 0 <= n < len(self._offsets):
            raise IndexError("there are %d flows" % len(self))
        return self._read(n)

    def __repr__(self):
        return "<%d flows: flows[0], for f in flows, [f for f in flows if flowfilter.match(\"~c 500\", f)]>" % len(self)

    def _pass(self):
        """Goes behind one more flow; tells whether there was one."""
        if self._end >= self._size:
            return False
        self._file.seek(self._end)
        digits, colon, _ = self._file.read(16).partition(b":")
        if not colon or not digits.isdigit():
            raise FlowReadException("Invalid data format.")
        self._offsets.append(self._end)
        self._end += len(digits) + 1 + int(digits) + 1
        return True

    def _read(self, i):
        self._file.seek(self._offsets[i])
        return next(FlowReader(self._file).stream())


def _master():
    """Makes ctx.master and ctx.options, as mitmdump has them."""
    from mitmproxy.master import Master
    from mitmproxy.options import offline

    Master(offline(), stock=True)


ctx.setup = _master
flows = Flows(sys.argv.pop(1))
