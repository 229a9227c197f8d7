"""`.stream` of saved flows: ignored with a notice, or applied to the stored body."""


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
    if code is not None and code.co_flags & 0x20:  # a generator
        from .legacy.stream import Chunks, of_chunks

        if of_chunks(stream):
            stream = Chunks(stream)
    for chunk in (body, b""):
        out = stream(chunk)
        if isinstance(out, bytes):
            yield out
        else:
            for piece in out or ():
                yield piece
