"""The modes of a proxy, as texts: regular, reverse:https://example.com@8443, socks5@127.0.0.1:1080 ..."""
from __future__ import annotations

from mitmproxy.coretypes.serializable import Serializable
from mitmproxy.net import server_spec

TCP, UDP, BOTH = "tcp", "udp", "both"

_parsed: dict = {}


class ProxyMode(Serializable):
    """A mode, made by `parse`. It cannot be changed; equal texts are equal modes.

    full_spec           the text
    data                what stands between the name and the address: a server or a file
    custom_listen_host  the address, None if there is none
    custom_listen_port
    """

    type_name = ""
    description = ""
    transport_protocol = TCP
    default_port: int | None = 8080

    def __init__(self, full_spec, data, custom_listen_host, custom_listen_port):
        self.__dict__.update(
            full_spec=full_spec,
            data=data,
            custom_listen_host=custom_listen_host,
            custom_listen_port=custom_listen_port,
        )
        self._check()

    def _check(self):
        """Raises ValueError for data that the mode cannot have; sets what follows from it."""
        if self.data:
            raise ValueError("mode takes no arguments")

    @classmethod
    def parse(cls, spec):
        """The mode of a text; ValueError if it is none, or not one of this class."""
        mode = _parsed.get(spec)
        if mode is None:
            mode = _parsed[spec] = _parse(spec)
        if not isinstance(mode, cls):
            raise ValueError("%r is not a spec for a %s mode" % (mode.type_name, cls.type_name))
        return mode

    def listen_host(self, default=None):
        """The address to listen at."""
        return self.custom_listen_host or default or ""

    def listen_port(self, default=None):
        """The port to listen at; None for modes that have none."""
        return self.custom_listen_port or default or self.default_port

    def get_state(self):
        return self.full_spec

    def set_state(self, state):
        if state != self.full_spec:
            self._frozen()

    @classmethod
    def from_state(cls, state):
        return ProxyMode.parse(state)

    def __setattr__(self, name, value):
        self._frozen(name)

    __delattr__ = __setattr__

    def _frozen(self, name="full_spec"):
        import dataclasses

        raise dataclasses.FrozenInstanceError("cannot assign to field %r" % name)

    def __eq__(self, other):
        return isinstance(other, ProxyMode) and self.full_spec == other.full_spec

    def __hash__(self):
        return hash(self.full_spec)

    def __repr__(self):
        return "ProxyMode.parse(%r)" % self.full_spec


def _parse(spec):
    head, _, listen_at = spec.rpartition("@")
    if not head:
        head, listen_at = listen_at, ""
    name, _, data = head.partition(":")
    host = port = None
    if listen_at:
        host, colon, port = listen_at.rpartition(":")
        host = host if colon else None
        try:
            port = int(port)
            if not 0 <= port <= 65535:
                raise ValueError
        except ValueError:
            raise ValueError("invalid port: %s" % port) from None
    cls = _modes.get(name.lower())
    if cls is None:
        raise ValueError("unknown mode")
    return cls(spec, data, host, port)


class RegularMode(ProxyMode):
    type_name = "regular"
    description = "HTTP(S) proxy"


class TransparentMode(ProxyMode):
    type_name = "transparent"
    description = "Transparent Proxy"


class _ServerMode(ProxyMode):
    """A mode whose data names a server: `scheme` and `address`."""

    def _check(self):
        scheme, address = server_spec.parse(self.data, self._default_scheme)
        self._check_scheme(scheme)
        self.__dict__.update(scheme=scheme, address=address)

    def _check_scheme(self, scheme):
        pass


class UpstreamMode(_ServerMode):
    type_name = "upstream"
    description = "HTTP(S) proxy (upstream mode)"
    _default_scheme = "http"

    def _check_scheme(self, scheme):
        if scheme not in ("http", "https"):
            raise ValueError("invalid upstream proxy scheme: %s" % scheme)


class ReverseMode(_ServerMode):
    type_name = "reverse"
    _default_scheme = "https"

    def _check_scheme(self, scheme):
        transport = {"http3": UDP, "dtls": UDP, "udp": UDP, "quic": UDP, "dns": BOTH, "https": BOTH}
        self.__dict__["transport_protocol"] = transport.get(scheme, TCP)
        self.__dict__["default_port"] = 53 if scheme == "dns" else 8080

    @property
    def description(self):
        return "reverse proxy to %s" % self.data


class Socks5Mode(ProxyMode):
    type_name = "socks5"
    description = "SOCKS v5 proxy"
    default_port = 1080


class DnsMode(ProxyMode):
    type_name = "dns"
    description = "DNS server"
    transport_protocol = BOTH
    default_port = 53


class WireGuardMode(ProxyMode):
    type_name = "wireguard"
    description = "WireGuard server"
    transport_protocol = UDP
    default_port = 51820

    def _check(self):
        pass


class LocalMode(ProxyMode):
    type_name = "local"
    description = "Local redirector"
    transport_protocol = BOTH
    default_port = None

    def _check(self):
        if self.data and not all(part.strip(" !") for part in self.data.split(",")):
            raise ValueError("invalid intercept spec: %s" % self.data)


class TunMode(ProxyMode):
    type_name = "tun"
    description = "TUN interface"
    transport_protocol = BOTH
    default_port = None

    def _check(self):
        pass


_modes = {
    cls.type_name: cls
    for cls in (
        RegularMode,
        TransparentMode,
        UpstreamMode,
        ReverseMode,
        Socks5Mode,
        DnsMode,
        WireGuardMode,
        LocalMode,
        TunMode,
    )
}
