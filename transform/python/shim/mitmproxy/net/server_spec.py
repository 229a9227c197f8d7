"""What a server to connect to is given as: "https://example.com:8443"."""

from collections import namedtuple

from mitmproxy.net import check

_DEFAULT_PORTS = {"http": 80, "https": 443, "http3": 443, "quic": 443, "dns": 53}
_SCHEMES = frozenset(_DEFAULT_PORTS) | {"tcp", "udp", "tls", "dtls"}


class ServerSpec(namedtuple("ServerSpec", ("scheme", "address"))):
    """The scheme and the (host, port) of a server."""

    __slots__ = ()


def parse(server_spec, default_scheme=None):
    """Returns the ServerSpec that a text like "http://example.com:80" is; scheme and port may be missing.

    Without default_scheme, the scheme is "http" for every port but 443.
    A ValueError says that it is none.
    """
    scheme, found, rest = server_spec.partition("://")
    if not found or not scheme.replace("_", "a").isalnum():
        scheme, rest = default_scheme, server_spec
    host, port = _split(rest)
    if not host:
        raise ValueError("Invalid server specification: %s" % server_spec)
    if scheme is None:
        scheme = "https" if port in (None, 443) else "http"
    if scheme not in _SCHEMES:
        raise ValueError("Invalid server scheme: %s" % scheme)
    if not check.is_valid_host(host):
        raise ValueError("Invalid hostname: %s" % host)
    if port is None:
        port = _DEFAULT_PORTS.get(scheme)
        if port is None:
            raise ValueError("Port specification missing.")
    if not check.is_valid_port(port):
        raise ValueError("Invalid port: %d" % port)
    return ServerSpec(scheme, (host, port))


def _split(rest):
    """Returns host and port, without host if it is no specification."""
    if rest[-1:] == "/":
        rest = rest[:-1]
    if rest[:1] == "[" and "]" in rest:
        at = rest.rfind("]")
        host, rest = rest[1:at], rest[at + 1:]
    else:
        at = rest.find(":")
        at = len(rest) if at < 0 else at
        host, rest = rest[:at], rest[at:]
        if "/" in host:
            return "", None
    if not rest:
        return host, None
    if rest[0] != ":" or not rest[1:].isdecimal():
        return "", None
    return host, int(rest[1:])


def parse_with_mode(mode):
    """Returns the mode and the ServerSpec of a text like "reverse:http://example.com"."""
    mode, server_spec = mode.split(":", maxsplit=1)
    return mode, parse(server_spec)
