"""Headers that receivers could understand in different ways, by which requests are smuggled."""

_NAME = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

_CODINGS = frozenset((
    "chunked",
    "compress,chunked",
    "deflate,chunked",
    "gzip,chunked",
    "compress",
    "deflate",
    "gzip",
    "identity",
))  # fmt: skip


def parse_content_length(value):
    """Returns the number that a Content-Length is; a ValueError says that it is none."""
    text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
    if not (text.isascii() and text.isdigit()) or text[0] == "0" and text != "0":
        raise ValueError("invalid content-length header: %r" % (value,))
    return int(text)


def parse_transfer_encoding(value):
    """Returns a Transfer-Encoding in lower case and without white space; a ValueError says that it is unknown."""
    text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
    if not text.isascii():
        raise ValueError("invalid transfer-encoding header: %r" % (value,))
    coding = ",".join([part.strip() for part in text.lower().split(",")])
    if coding not in _CODINGS:
        raise ValueError("unknown transfer-encoding header: %r" % (value,))
    return coding


def validate_headers(message):
    """Raises a ValueError if a message (or headers, of which less is known) may be understood in different ways."""
    headers = getattr(message, "headers", message)
    for name, _ in headers.fields:
        if not name or name.strip(_NAME):
            raise ValueError("invalid header name: %r" % name)
    lengths = headers.get_all("content-length")
    codings = headers.get_all("transfer-encoding")
    if lengths and codings:
        raise ValueError("both a transfer-encoding and a content-length header")
    if len(codings) > 1:
        raise ValueError("multiple transfer-encoding headers")
    if len(lengths) > 1:
        raise ValueError("multiple content-length headers")
    for length in lengths:
        parse_content_length(length)
    for coding in codings:
        coding = parse_transfer_encoding(coding)
        if message is not headers:
            _validate_transfer_encoding(message, coding)


def _validate_transfer_encoding(message, coding):
    if message.is_http10:
        raise ValueError("a transfer-encoding header in HTTP/1.0")
    status = getattr(message, "status_code", None)
    if status is not None:
        if status == 204 or 100 <= status <= 199:
            raise ValueError("a transfer-encoding header in a response with status code %d" % status)
    elif not coding.endswith("chunked"):
        raise ValueError("the transfer-encoding %r in a request" % coding)
