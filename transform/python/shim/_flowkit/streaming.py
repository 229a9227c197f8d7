"""`.stream` of saved flows: ignored with a notice, or applied to the stored body."""


class _Chunk(bytes):
    """A chunk that up to 0.11 came as (prefix, content, suffix)."""

    def __iter__(self):
        return iter((b"", bytes(self), b""))


def apply(bridge, message, flow, index):
    """Feed the body of a message to what a script set as its stream."""
    stream = message.__dict__["stream"]
    if not bridge.apply_stream:
        if not bridge.stream_noticed:
            bridge.stream_noticed = True
            bridge.log("info", "flowkit", "a script sets .stream, which means nothing for saved flows (--apply-stream feeds it the stored body)")
        return
    if not callable(stream) or message._body is None:
        return
    try:
        message._body = b"".join(_pieces(stream, message._body))
    except Exception as e:
        bridge.error(e, None, "stream", index)


def _pieces(stream, body):
    code = getattr(stream, "__code__", None)
    if code is not None and code.co_flags & 0x20:  # a generator over the chunks, up to 1.0
        for piece in stream(iter([_Chunk(body)])):
            yield piece[1] if isinstance(piece, tuple) else piece
        return
    for chunk in (body, b""):
        out = stream(chunk)
        if isinstance(out, bytes):
            yield out
        else:
            for piece in out or ():
                yield piece
