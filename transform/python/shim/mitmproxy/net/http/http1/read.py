"""Messages from the lines of HTTP/1."""

import time

from mitmproxy.http import Headers, Request, Response
from mitmproxy.net.http import url, validate


def get_header_tokens(headers, key):
    """Returns the list of what is between the commas of a header."""
    if key not in headers:
        return []
    return [token.strip() for token in headers[key].split(",")]


def connection_close(http_version, headers):
    """Whether a connection ends with the message of these headers."""
    tokens = get_header_tokens(headers, "connection")
    if "close" in tokens:
        return True
    if "keep-alive" in tokens:
        return False
    return http_version not in (b"HTTP/1.1", b"HTTP/2.0", b"HTTP/2", "HTTP/1.1", "HTTP/2.0", "HTTP/2")


def expected_http_body_size(request, response=None):
    """Returns the size of a body by the headers: None if it is in chunks, -1 if the end of the connection ends it.

    It is that of the response, or that of the request if there is no response.
    """
    if response is None:
        message = request
        if request.method == "CONNECT":
            return 0
    else:
        message = response
        status = response.status_code
        if request.method == "HEAD" or 100 <= status <= 199 or status in (204, 304):
            return 0
        if request.method == "CONNECT" and status == 200:
            return 0
    headers = message.headers
    if "transfer-encoding" in headers:
        coding = validate.parse_transfer_encoding(headers["transfer-encoding"])
        if coding.endswith("chunked"):
            return None
        if response is not None or coding != "identity":
            return -1
    if "content-length" in headers:
        return validate.parse_content_length(headers["content-length"])
    return 0 if response is None else -1


def validate_headers(headers):
    """Raises a ValueError for headers that receivers could understand in different ways."""
    validate.validate_headers(headers)


def raise_if_http_version_unknown(http_version):
    """Raises a ValueError for what is no version of HTTP."""
    digits = http_version[5:]
    if http_version[:5] != b"HTTP/" or len(digits) != 3 or digits[1:2] != b"." or not (digits[:1] + digits[2:]).isdigit():
        raise ValueError("Unknown HTTP version: %r" % http_version)


def _read_request_line(line):
    """Returns (host, port, method, scheme, authority, path, version)."""
    try:
        method, target, version = line.split()
        raise_if_http_version_unknown(version)
        if target == b"*" or target[:1] == b"/":
            return "", 0, method, b"", b"", target, version
        if method == b"CONNECT":
            host, port = url.parse_authority(target, check=True)
            if not port:
                raise ValueError("no port")
            return host, port, method, b"", target, b"", version
        scheme, found, rest = target.partition(b"://")
        scheme = scheme.lower()
        authority, slash, path = rest.partition(b"/")
        host, port = url.parse_authority(authority, check=True)
        port = port or url.default_port(scheme)
        if not found or not port:
            raise ValueError("no URL")
        return host, port, method, scheme, authority, b"/" + path, version
    except ValueError as e:
        raise ValueError("Bad HTTP request line: %r" % line) from e


def _read_response_line(line):
    """Returns (version, status code, reason)."""
    try:
        version, code, *reason = line.split(None, 2)
        raise_if_http_version_unknown(version)
        return version, int(code), reason[0] if reason else b""
    except ValueError as e:
        raise ValueError("Bad HTTP response line: %r" % line) from e


def _read_headers(lines):
    """Returns the headers of lines; those that begin with white space go on with the one before."""
    fields = []
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if not fields:
                raise ValueError("Invalid headers")
            name, value = fields[-1]
            fields[-1] = name, value + b"\r\n " + line.strip()
            continue
        name, colon, value = line.partition(b":")
        if not name or not colon:
            raise ValueError("Invalid header line: %r" % line)
        fields.append((name, value.strip()))
    return Headers(fields)


def read_request_head(lines):
    """Returns the request of which lines are the head. It has no body yet."""
    host, port, method, scheme, authority, path, version = _read_request_line(lines[0])
    return Request(
        host, port, method, scheme, authority, path, version, _read_headers(lines[1:]), None, None, time.time(), None
    )


def read_response_head(lines):
    """Returns the response of which lines are the head. It has no body yet."""
    version, code, reason = _read_response_line(lines[0])
    return Response(version, code, reason, _read_headers(lines[1:]), None, None, time.time(), None)
