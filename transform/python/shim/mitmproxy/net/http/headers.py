"""The header Content-Type, and the charset that a body of it is in."""


def parse_content_type(c):
    """Returns (type, subtype, parameters) of a Content-Type, None if it is none.

    >>> parse_content_type("text/html; charset=UTF-8")
    ('text', 'html', {'charset': 'UTF-8'})
    """
    main, _, rest = c.partition(";")
    kind, slash, sub = main.partition("/")
    if not slash:
        return None
    params = {}
    for clause in rest.split(";"):
        name, equals, value = clause.partition("=")
        if equals:
            params[name.strip()] = value.strip()
    return kind.lower(), sub.lower(), params


def assemble_content_type(type, subtype, parameters):
    """Returns a Content-Type of its parts, the opposite of parse_content_type()."""
    text = "%s/%s" % (type, subtype)
    if not parameters:
        return text
    return "%s; %s" % (text, "; ".join(["%s=%s" % p for p in parameters.items()]))


# Of two that begin alike, the longer comes first.
_BOMS = (
    (b"\x00\x00\xfe\xff", "utf-32be"),
    (b"\xff\xfe\x00\x00", "utf-32le"),
    (b"\xfe\xff", "utf-16be"),
    (b"\xff\xfe", "utf-16le"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
_BOM_STARTS = b"\x00\xfe\xff\xef"


# The charset that a Content-Type names, None if it names none.
_named = {}


def _named_charset(content_type):
    parsed = parse_content_type(content_type)
    name = parsed and parsed[2].get("charset") or None
    if len(_named) >= 256:
        _named.clear()
    _named[content_type] = name
    return name


def infer_content_encoding(content_type, content=b""):
    """Returns the name of the charset of a body by its Content-Type and what it declares."""
    if content and content[0] in _BOM_STARTS:
        for bom, charset in _BOMS:
            if content.startswith(bom):
                return charset
    try:
        name = _named[content_type]
    except KeyError:
        name = _named_charset(content_type)
    if name is None:
        name = _implied(content_type, content) or "latin-1"
    # Pages declare these two and use their superset.
    if len(name) < 7 and name.lower() in ("gb2312", "gbk"):
        return "gb18030"
    return name


def _implied(content_type, content):
    """Returns the charset that a type has by itself or that its documents declare."""
    if "json" in content_type:
        return "utf8"
    declared = None
    if "html" in content_type:
        declared = _meta_charset(content)
        if declared is None:
            return "utf8"
    if not declared and "xml" in content_type:
        declared = _xml_encoding(content)
        if declared is None:
            return "utf8"
    if not declared and ("javascript" in content_type or "ecmascript" in content_type):
        return "utf8"
    if not declared and "text/css" in content_type:
        declared = _css_charset(content)
        if declared is None:
            return "utf8"
    return declared


def _ascii(name):
    return name.decode("ascii", "ignore")


def _span(data, start, stops):
    """Returns the end of the bytes from start on that are none of stops."""
    end = len(data)
    for stop in stops:
        at = data.find(stop, start, end)
        if at >= 0:
            end = at
    return end


def _meta_charset(content):
    """Returns the charset of the first <meta ... charset=x, None if there is none."""
    if len(content) > 4096:
        # Most pages say it at once. The tags of what is searched are whole.
        charset = _meta_charset(content[:content.rfind(b">", 0, 1024) + 1])
        if charset is not None:
            return charset
    lower = content.lower()
    at = lower.find(b"<meta")
    while at >= 0:
        start = at + 5
        end = lower.find(b">", start)
        if end < 0:
            end = len(lower)
        # Something has to be between the two.
        found = lower.rfind(b"charset=", start + 1, end)
        while found >= 0:
            value = found + 8
            if lower[value:value + 1] in (b"'", b'"'):
                value += 1
            stop = _span(content, value, (b"'", b'"', b">"))
            if stop > value:
                return _ascii(content[value:stop])
            found = lower.rfind(b"charset=", start + 1, found + 7)
        at = lower.find(b"<meta", start)
    return None


def _xml_encoding(content):
    """Returns the encoding of the XML declaration, None if there is none."""
    if content[:5].lower() != b"<?xml":
        return None
    end = _span(content, 5, (b"?", b">"))
    lower = content[:end].lower()
    found = lower.rfind(b"encoding=", 6)
    while found >= 0:
        value = found + 9
        if lower[value:value + 1] in (b"'", b'"'):
            stop = _span(content, value + 1, (b"'", b'"', b"?", b">"))
            if stop > value + 1:
                return _ascii(content[value + 1:stop])
        found = lower.rfind(b"encoding=", 6, found + 8)
    return None


def _css_charset(content):
    """Returns the charset of an @charset rule, which must come first; None if there is none."""
    if content[:10].lower() != b'@charset "':
        return None
    end = content.find(b'"', 10)
    if end <= 10 or content[end:end + 2] != b'";':
        return None
    return _ascii(content[10:end])
