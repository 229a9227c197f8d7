"""What scripts set as .stream of live messages: functions of one chunk, and generators over all."""
import threading


def feeder(stream):
    """Return a function of (data, end) that returns a list of bytes that go on."""
    code = getattr(stream, "__code__", None)
    if code is not None and code.co_flags & 0x20:  # a generator
        from .legacy.stream import Chunks, of_chunks

        if of_chunks(stream):
            old = Chunks(stream)
            return _Generator(stream, old.triples)

    def feed(part):
        data, end = part
        out = _bytes(stream(data)) if data else []
        return out + _bytes(stream(b"")) if end else out

    return feed


def _bytes(made):
    """Return what a stream function returned as a list of bytes."""
    if made is None:
        return []
    if isinstance(made, (bytes, bytearray, memoryview)):
        return [bytes(made)] if made else []
    return [bytes(piece) for piece in made if piece]


class _Generator:
    """A generator of up to 6.x, which takes all chunks, fed one after the other.

    It runs in a thread that waits for the next chunk; up to 0.13 a chunk was (prefix, content, suffix).
    """

    def __init__(self, function, triples):
        self.function = function
        self.triples = triples
        self.hungry = threading.Semaphore(0)
        self.fed = threading.Semaphore(0)
        self.chunk = None
        self.out = []
        self.error = None
        self.over = False
        threading.Thread(target=self._run, daemon=True).start()
        self.hungry.acquire()

    def __call__(self, part):
        data, end = part
        for chunk in ([data] if data else []) + ([None] if end else []):
            if not self.over:
                self.chunk = chunk
                self.fed.release()
                self.hungry.acquire()
        if self.error is not None:
            raise self.error
        out, self.out = self.out, []
        return out

    def __del__(self):
        self.chunk = None
        self.fed.release()

    def _take(self):
        while True:
            self.hungry.release()
            self.fed.acquire()
            if self.chunk is None:
                return
            yield (b"", self.chunk, b"") if self.triples else self.chunk

    def _run(self):
        from .legacy.text import to_bytes

        try:
            for made in self.function(self._take()):
                self.out.append(to_bytes(made[1] if isinstance(made, tuple) else made))
        except Exception as e:
            self.error = e
        self.over = True
        self.hungry.release()
