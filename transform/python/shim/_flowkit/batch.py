"""What flowkit did not send along with a batch, fetched when a script touches it."""
import mmap
import os


class TooLarge(ValueError):
    """A body over --max-script-body."""


class Files:
    """Input files, mapped: bodies of an uncompressed dump are slices of it."""

    def __init__(self):
        self._maps = {}

    def add(self, number, path, device, inode, size):
        fd = os.open(path, os.O_RDONLY)
        try:
            info = os.fstat(fd)
            if os.name == "posix" and (info.st_dev, info.st_ino) != (device, inode) or info.st_size < size:
                raise OSError("%s was replaced while it was read" % path)
            self._maps[number] = mmap.mmap(fd, size, access=mmap.ACCESS_READ)
        finally:
            os.close(fd)

    def get(self, number):
        return self._maps.get(number)


def unlinked(path, size):
    """Map a file that flowkit made for us, and remove it."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.unlink(path)
        return mmap.mmap(fd, size, access=mmap.ACCESS_READ) if size else b""
    finally:
        os.close(fd)


class Batch:
    """The flows of one BATCH frame, and the way to the rest of them."""

    __slots__ = ("seq", "file", "wire", "arena", "limit", "_places", "_conns", "_heads", "over", "copies")

    def __init__(self, seq, file, wire, arena, limit):
        self.seq = seq
        self.file = file
        self.wire = wire
        self.arena = arena
        self.limit = limit
        self._places = self._conns = None
        self._heads = {}
        self.over = False
        self.copies = []  # of messages, that scripts made and whose body nobody has read

    def body(self, index, part, off, length):
        """Return a body's bytes; part 0 is the request's, 1 the response's."""
        if length is None:
            return None
        if length > self.limit:
            raise self.too_large(length)
        if off >= 0:
            return self.file[off:off + length]
        if 0 <= length <= 1 << 20:
            if length == 0:
                return b""
            if self._places is None:
                self._places = self._ask("bodies", 0, 0)
            off = self._places[index][part]
            if off >= 0:
                return self.arena[off:off + length]
        path, size, problem = self._ask("body", index, part)
        if problem:
            raise OSError(problem)
        if size > self.limit:
            os.unlink(path)
            raise self.too_large(size)
        return bytes(unlinked(path, size))

    def too_large(self, size):
        return TooLarge("body too large: %d bytes, limit %d (--max-script-body)" % (size, self.limit))

    def heads(self, index, place):
        """Return the blob of a flow's request (place 3) or response (4)."""
        if place not in self._heads:
            self._heads[place] = self._ask("heads", 0, place)
        return self._heads[place][index]

    def conns(self, index):
        """Return the blobs of the client's and the server's connection, or None."""
        if self._conns is None:
            self._conns = self._ask("conns", 0, 0)
        blobs, pairs = self._conns
        client, server = pairs[index]
        return (
            blobs[client] if client >= 0 else None,
            blobs[server] if server >= 0 else None,
        )

    def messages(self, index):
        """Return the messages of a flow: (opcode, from_client, content, time, dropped, injected).

        A content is bytes, or a function that returns them.
        """
        messages, path, size = self._ask("messages", index, 0)
        if path is None:
            return messages
        data = unlinked(path, size)
        return [m[:2] + (_slice(self, data, m[2]),) + m[3:] for m in messages]

    def _ask(self, what, index, part):
        if self.over:
            raise RuntimeError("the flow was handed on before this part of it was read")
        return self.wire.ask(what, self.seq, index, part)


def _slice(batch, data, place):
    off, length = place

    def content():
        if length > batch.limit:
            raise batch.too_large(length)
        return data[off:off + length]

    return content
