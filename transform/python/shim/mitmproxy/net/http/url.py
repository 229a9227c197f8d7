"""URLs and what they consist of.

Text that is no UTF-8 has surrogates for its bytes (PEP 383). Quoting and forms are as those
of urllib.parse, which takes long to import and is slower.
"""

from mitmproxy.net.check import is_valid_host, is_valid_port

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~"


def parse(url):
    """Returns (scheme, host, port, path) of a URL as bytes; path is all that is behind the port.

    A ValueError says that it is no URL with a host.
    """
    from urllib import parse as urllib_parse

    if isinstance(url, bytes):
        url = url.decode()
        if not url.isascii():
            scheme, netloc, path, query, fragment = urllib_parse.urlsplit(url)
            url = urllib_parse.urlunsplit((scheme, netloc, path, urllib_parse.quote(query), fragment))
    parsed = urllib_parse.urlparse(url or "")
    host = parsed.hostname
    if not host:
        raise ValueError("No hostname given")
    for part in parsed:
        part.encode("ascii")
    host = host.encode("ascii")
    if not is_valid_host(host):
        raise ValueError("Invalid Host")
    scheme = parsed.scheme.encode("ascii")
    port = parsed.port or (443 if scheme == b"https" else 80)
    path = join_path(parsed.path, parsed.params, parsed.query, parsed.fragment)
    if path[:1] != "/":
        path = "/" + path
    return scheme, host, port, path.encode("ascii")


_PORTS = {"http": 80, "https": 443, b"http": 80, b"https": 443}


def default_port(scheme):
    """Returns the port of a scheme, None if it is not HTTP's."""
    return _PORTS.get(scheme)


def hostport(scheme, host, port):
    """Returns host and port as a URL has them, without the port that is the scheme's."""
    if _PORTS.get(scheme) == port:
        return host
    return (b"%s:%d" if isinstance(host, bytes) else "%s:%d") % (host, port)


def unparse(scheme, host, port, path=""):
    """Returns a URL. The port is left out if it is that of the scheme."""
    if _PORTS.get(scheme) != port:
        host = hostport(scheme, host, port)
    return (b"%s://%s%s" if isinstance(scheme, bytes) else "%s://%s%s") % (scheme, host, path)


def parse_authority(authority, check):
    """Returns (host, port) of an authority like that of a Host header; port may be None.

    For one that is none, it is a ValueError with check, else all of it is the host.
    """
    raw = isinstance(authority, bytes)
    if raw:
        authority = authority.decode("utf-8", "surrogateescape")
    try:
        host, port = _split_authority(authority)
        if raw:
            host = decode_idna(host.encode("utf-8", "surrogateescape"))
        if is_valid_host(host) and (port is None or is_valid_port(port)):
            return host, port
        raise ValueError("Invalid authority")
    except ValueError:
        if check:
            raise
        return authority, None


def _split_authority(authority):
    if authority[:1] == "[":
        at = authority.rfind("]")
        host, rest = authority[1:at], authority[at + 1:]
        colon, port = rest[:1], rest[1:]
        if at < 0 or colon not in ("", ":"):
            raise ValueError("Invalid authority")
    else:
        host, colon, port = authority.partition(":")
    if not colon:
        return host, None
    if not port.isdecimal():
        raise ValueError("Invalid authority")
    return host, int(port)


def decode_idna(name):
    """Returns the text of a name as DNS has it. A UnicodeError says that it is none."""
    if b"xn--" not in name.lower():
        return name.decode("ascii")
    return name.decode("idna")


def split_path(path):
    """Returns (path, parameters, query, fragment) of what follows the port in a URL."""
    if "\t" in path or "\n" in path or "\r" in path:
        path = path.replace("\t", "").replace("\n", "").replace("\r", "")
    if path[:1] != "/":
        path = path[_end_of_authority(path):]
    path, _, fragment = path.partition("#")
    path, _, query = path.partition("?")
    params = ""
    if ";" in path:
        at = path.find(";", path.rfind("/") + 1)
        if at >= 0:
            path, params = path[:at], path[at + 1:]
    return path, params, query, fragment


def _end_of_authority(url):
    """Returns the place of the first character that ends an authority."""
    return min([at for at in map(url.find, "/?#") if at >= 0], default=len(url))


def join_path(path, params, query, fragment):
    """Returns what follows the port in a URL, the opposite of split_path()."""
    if params:
        path = "%s;%s" % (path, params)
    if query:
        path = "%s?%s" % (path, query)
    if fragment:
        path = "%s#%s" % (path, fragment)
    return path


def encode(s, similar_to=None):
    """Returns pairs as a form or query. Keys without a value are written as in similar_to."""
    if hasattr(s, "items"):
        s = s.items()
    elif isinstance(s, (str, bytes)) or not hasattr(s, "__iter__"):
        raise TypeError("not a valid non-string sequence or mapping object")
    encoded = "&".join(["%s=%s" % (_quote_plus(k), _quote_plus(v)) for k, v in s])
    if encoded and similar_to and not all(["=" in param for param in similar_to.split("&")]):
        encoded = encoded.replace("=&", "&")
        if encoded[-1] == "=":
            encoded = encoded[:-1]
    return encoded


def decode(s):
    """Returns the list of pairs that a form or query has."""
    if not s:
        return []
    if not isinstance(s, str):
        from urllib.parse import parse_qsl

        return parse_qsl(s, keep_blank_values=True)
    pairs = []
    for pair in s.replace("+", " ").split("&"):
        if pair:
            key, _, value = pair.partition("=")
            pairs.append((unquote(key), unquote(value)))
    return pairs


def quote(b, safe="/"):
    """Quotes text for a URL."""
    if not isinstance(b, str):
        raise TypeError("quote() doesn't support 'errors' for bytes")
    return _quote(b.encode("utf-8", "surrogateescape"), safe)


def _quote_plus(value):
    if not isinstance(value, bytes):
        value = str(value).encode("utf-8", "surrogateescape")
    if b" " in value:
        return _quote(value, " ").replace(" ", "+")
    return _quote(value, "")


_tables = {}


def _quote(data, safe):
    if not data.rstrip(_UNRESERVED):
        return data.decode("ascii")
    try:
        table = _tables[safe]
    except KeyError:
        kept = _UNRESERVED + safe.encode("ascii", "ignore")
        table = _tables[safe] = [chr(i) if i in kept else "%%%02X" % i for i in range(256)]
    return "".join([table[c] for c in data])


def unquote(s):
    """Undoes quote()."""
    if "%" not in s:
        return s
    if not s.isascii():
        from urllib.parse import unquote as slow

        return slow(s, errors="surrogateescape")
    table = _bytes_by_hex()
    parts = s.encode("ascii").split(b"%")
    out = [parts[0]]
    for part in parts[1:]:
        byte = table.get(part[:2])
        out.append(b"%" + part if byte is None else byte + part[2:])
    return b"".join(out).decode("utf-8", "surrogateescape")


_hexadecimal = {}


def _bytes_by_hex():
    """Returns the bytes by their two hexadecimal digits."""
    if not _hexadecimal:
        digits = "0123456789ABCDEFabcdef"
        _hexadecimal.update({(a + b).encode("ascii"): bytes([int(a + b, 16)]) for a in digits for b in digits})
    return _hexadecimal
