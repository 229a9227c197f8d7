"""The helpers of netlib.utils, libmproxy.utils and mitmproxy.utils up to 0.18."""
import time

from .odict import ODict
from .text import Bytes, subn as safe_subn, to_bytes, to_text

__all__ = [
    "timestamp", "format_timestamp", "format_timestamp_with_milli", "isBin", "isMostlyBin", "isXML", "isascii",
    "cleanBin", "clean_bin", "pretty_json", "pretty_size", "pretty_duration", "parse_size", "hexdump", "hostport",
    "unparse_url", "parse_url", "urlencode", "urldecode", "multipartdecode", "parse_content_type",
    "clean_hanging_newline", "safe_subn", "always_bytes", "native", "setbit", "getbit", "is_valid_host",
    "is_valid_port", "get_header_tokens",
]


def timestamp():
    return time.time()


def format_timestamp(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def format_timestamp_with_milli(seconds):
    return format_timestamp(seconds) + ".%03d" % int(seconds % 1 * 1000)


def _printable(code):
    return code in (9, 10, 13) or 32 <= code < 127


def isBin(text):
    """Tell whether there are bytes that are no printable ASCII."""
    return not all(_printable(code) for code in to_bytes(text))


def isMostlyBin(text):
    """Tell whether many of the first bytes are no printable ASCII."""
    start = to_bytes(text)[:100]
    return bool(start) and sum(not _printable(code) for code in start) / len(start) > 0.3


def isXML(text):
    """Tell whether the first thing that is no space is "<"."""
    return to_bytes(text).lstrip()[:1] == b"<"


def isascii(text):
    return all(code < 128 for code in to_bytes(text))


def cleanBin(text, keep_spacing=False):
    """Return text with a dot for what is not printable; line ends and tabs are kept if asked for."""
    keep = (9, 10, 13) if keep_spacing else ()
    return to_text(bytes([c if 32 <= c < 127 or c in keep else 46 for c in to_bytes(text)]))


def clean_bin(text, keep_spacing=True):
    return cleanBin(text, keep_spacing)


def pretty_json(text):
    """Return the lines of JSON, indented; None if it is none."""
    import json

    try:
        value = json.loads(to_text(text))
    except ValueError:
        return None
    return json.dumps(value, sort_keys=True, indent=4).split("\n")


def pretty_size(size):
    from mitmproxy.utils import human

    return human.pretty_size(size)


def pretty_duration(seconds):
    from mitmproxy.utils import human

    return human.pretty_duration(seconds)


def parse_size(text):
    from mitmproxy.utils import human

    return human.parse_size(text)


def hexdump(text):
    """Yield (offset, bytes in hexadecimal, printable text) for each sixteen bytes."""
    data = to_bytes(text)
    for at in range(0, len(data), 16):
        part = data[at:at + 16]
        yield "%.10x" % at, " ".join(["%.2x" % c for c in part]).ljust(47), cleanBin(part)


def hostport(scheme, host, port):
    """Return host:port, the port only if it is not the scheme's."""
    if (port, to_text(scheme)) in ((80, "http"), (443, "https")):
        return host
    return "%s:%s" % (to_text(host), port)


def unparse_url(scheme, host, port, path=""):
    return "%s://%s%s" % (to_text(scheme), to_text(hostport(scheme, host, port)), to_text(path))


def parse_url(url):
    """Return (scheme, host, port, path) of a URL; a ValueError for what is none."""
    from mitmproxy.net.http import url as urls

    scheme, host, port, path = urls.parse(to_text(url))
    return to_text(scheme), to_text(host), port, to_text(path)


def urlencode(pairs):
    """Return pairs as a query."""
    from urllib.parse import urlencode as encode

    return encode([(to_bytes(k), to_bytes(v)) for k, v in pairs])


def urldecode(query):
    """Return the [key, value] pairs of a query."""
    from urllib.parse import parse_qsl

    pairs = parse_qsl(to_text(query), keep_blank_values=True, errors="surrogateescape")
    return [[k, v] for k, v in pairs]


def multipartdecode(headers, content):
    """Return the [name, content] pairs of a multipart form."""
    from mitmproxy.net.http import multipart

    value = to_text(headers.get_first("content-type", "") if isinstance(headers, ODict) else headers.get("content-type", ""))
    return [[to_text(k), Bytes(v)] for k, v in multipart.decode(value, to_bytes(content))]


def parse_content_type(value):
    """Return (type, subtype, parameters) of a Content-Type; None for what is none."""
    from mitmproxy.net.http import headers

    return headers.parse_content_type(to_text(value))


def clean_hanging_newline(text):
    """Return text without a newline at its end, which editors put there."""
    return text[:-1] if text and text[-1:] in ("\n", b"\n") else text


def always_bytes(value, *encode_args):
    if isinstance(value, str):
        return value.encode(*encode_args)
    return value


def native(value, *decode_args):
    """Return bytes as str, which was the other way round in Python 2."""
    return value.decode(*decode_args) if isinstance(value, bytes) else value


def setbit(byte, offset, value):
    return byte | 1 << offset if value else byte & ~(1 << offset)


def getbit(byte, offset):
    return bool(byte & 1 << offset)


def is_valid_host(host):
    from mitmproxy.net import check

    return check.is_valid_host(to_bytes(host))


def is_valid_port(port):
    return 0 <= port <= 65535


def get_header_tokens(headers, name):
    """Return what stands between commas in the headers of a name."""
    values = headers[name] if isinstance(headers, ODict) else headers.get_all(name)
    return [token.strip() for value in values for token in value.split(",")]
