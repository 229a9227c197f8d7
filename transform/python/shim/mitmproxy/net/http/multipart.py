"""Forms in bodies of the type multipart/form-data.

As mitmproxy does, a value is read without its line breaks, and what is said of a field beside
its name is not kept.
"""

from mitmproxy.net.http.headers import parse_content_type


def _boundary(content_type):
    """Returns the boundary that a content type names, None if there is none."""
    parsed = parse_content_type(content_type) if content_type else None
    try:
        return parsed[2]["boundary"].encode("ascii")
    except (TypeError, KeyError, UnicodeError):
        return None


def encode_multipart(content_type, parts):
    """Returns a form of (name, value) pairs, which are bytes, as a body."""
    boundary = _boundary(content_type)
    if boundary is None:
        return b""
    from mitmproxy.net.http.url import quote

    boundary = quote(boundary.decode("ascii")).encode("ascii")
    lines = []
    for name, value in parts:
        if name:
            lines += (
                b"--" + boundary,
                b'Content-Disposition: form-data; name="%b"' % name,
                b"Content-Type: text/plain; charset=utf-8",
                b"",
                value,
            )
        lines.append(b"")
        if value == b"--" + boundary or value == b"--" + boundary + b"\n":
            raise ValueError("boundary found in encoded string")
    lines.append(b"--%b--\r\n" % boundary)
    return b"\r\n".join(lines)


def decode_multipart(content_type, content):
    """Returns the (name, value) pairs of a form in a body; a ValueError says that a part has no end of its headers."""
    boundary = _boundary(content_type)
    pairs = []
    if boundary is None or content is None:
        return pairs
    for part in content.split(b"--" + boundary):
        lines = part.splitlines()
        if len(lines) < 2 or lines[0][:2] == b"--":
            continue
        name = _name(lines[1])
        if name:
            value = lines[lines.index(b"", 2) + 1:]
            pairs.append((name, b"".join(value)))
    return pairs


def _name(disposition):
    """Returns the name of a field by its Content-Disposition, None if it has none."""
    at = disposition.find(b'name="')
    while at >= 0:
        if at == 0 or not (disposition[at - 1:at].isalnum() or disposition[at - 1:at] == b"_"):
            end = disposition.find(b'"', at + 6)
            if end > at + 6:
                return disposition[at + 6:end]
        at = disposition.find(b'name="', at + 1)
    return None


def encode(head, l):
    """The old form of encode_multipart(), for headers."""
    return encode_multipart(head.get("content-type"), l)


def decode(content_type, content):
    """The old name of decode_multipart()."""
    return decode_multipart(content_type, content)
