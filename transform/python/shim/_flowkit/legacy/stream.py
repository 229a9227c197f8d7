"""The functions of `flow.response.stream` up to 6.x: generators that take all chunks at once."""


def of_chunks(function):
    """Tell whether a stream function takes an iterable of chunks, not one chunk after another.

    It is a generator with a loop over its first parameter; over bytes that would give numbers.
    """
    return _loop(function) is not None


def _loop(function):
    """Return the loop over its first parameter in a generator, None if it has none."""
    import inspect

    if not inspect.isgeneratorfunction(function):
        return None
    import ast
    import textwrap

    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        parameter = [p for p in inspect.signature(function).parameters][0]
    except (OSError, TypeError, SyntaxError, IndexError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and isinstance(node.iter, ast.Name) and node.iter.id == parameter:
            return node
    return None


class Chunks:
    """A stream function of today that feeds one that takes all chunks.

    It gives everything at the end of the body. Up to 0.13 a chunk was (prefix, content,
    suffix), with the framing of a chunked body around its content.
    """

    def __init__(self, function, kind=bytes):
        import ast

        self.function = function
        self.kind = kind
        self.triples = isinstance(getattr(_loop(function), "target", None), ast.Tuple)
        self.chunks = []

    def __call__(self, chunk):
        if chunk:
            self.chunks.append(chunk)
            return b""
        chunks, self.chunks = self.chunks, []
        return b"".join(self._run(chunks))

    def _run(self, chunks):
        from .text import to_bytes

        given = [self.kind(chunk) for chunk in chunks]
        if self.triples:
            given = [(self.kind(b""), chunk, self.kind(b"")) for chunk in given]
        for made in self.function(iter(given)):
            yield to_bytes(made[1] if isinstance(made, tuple) else made)
