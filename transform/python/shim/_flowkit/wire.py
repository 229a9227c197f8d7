"""Frames between flowkit and this process: PROTOCOL.md, "Frames"."""
import os
from _thread import allocate_lock
from collections import deque
from marshal import dumps, loads

HELLO, START, BATCH, FILE, REPLY, DONE, BYE = 1, 2, 3, 4, 5, 6, 7
READY, RESULT, LOG, ERROR, FETCH, FATAL, CODE = 65, 66, 67, 68, 69, 70, 71
EVENT, CHUNK, END, GIVE_UP = 8, 9, 10, 11
ANSWER, HELD, ENDED, GIVEN_UP, WISH = 72, 73, 74, 75, 76

# The kernel takes no more pieces than this in one writev.
_PIECES = 1000


class Wire:
    """The two pipes. Frames may be sent by any thread."""

    def __init__(self, read_fd, write_fd):
        self._in = open(read_fd, "rb", buffering=1 << 16)
        self._out = write_fd
        self._sending = allocate_lock()
        self._asking = allocate_lock()
        self._waiting = deque()

    def send(self, kind, value, raw=()):
        """Send a frame: value in marshal, behind it the bytes of raw."""
        self._write(kind, dumps(value, 2), raw)

    def _write(self, kind, payload, raw):
        n = len(payload)
        for piece in raw:
            n += len(piece)
        pieces = [n.to_bytes(4, "little"), bytes((kind,)), payload]
        pieces.extend(raw)
        with self._sending:
            self._write_all(pieces)

    def _write_all(self, pieces):
        if not hasattr(os, "writev"):  # Windows
            pieces = [b"".join(pieces)]
        while pieces:
            some = pieces[:_PIECES]
            done = os.writev(self._out, some) if hasattr(os, "writev") else os.write(self._out, some[0])
            i = 0
            while i < len(some) and done >= len(some[i]):
                done -= len(some[i])
                i += 1
            pieces = pieces[i:]
            if done:
                pieces[0] = memoryview(pieces[0])[done:]

    def receive(self):
        """Return the next frame: kind, value. (BYE, None) at the end."""
        if self._waiting:
            return self._waiting.popleft()
        return self._read()

    def _read(self):
        head = self._in.read(5)
        if len(head) < 5:
            return BYE, None
        payload = self._in.read(int.from_bytes(head[:4], "little"))
        return head[4], loads(payload) if payload else None

    def ask(self, what, seq, index, part):
        """Ask flowkit for what a batch left out, and return the answer.

        Batches that are on their way already are kept for later.
        """
        return self._ask(FETCH, (what, seq, index, part))

    def code(self, what, coding, content):
        """Have flowkit "decode" or "encode" what this Python has no package for."""
        out, problem = self._ask(CODE, (what, coding), (content,))
        if problem:
            raise ValueError(problem)
        return out

    def _ask(self, kind, value, raw=()):
        with self._asking:
            self.send(kind, value, raw)
            while True:
                kind, value = self._read()
                if kind == REPLY:
                    return value
                self._waiting.append((kind, value))
                if kind == BYE:
                    raise EOFError("flowkit has gone")
