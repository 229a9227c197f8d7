"""The connections of a flow: the client's to the proxy and the proxy's to the server."""
from __future__ import annotations

from _flowkit.record import Field, Lazy, Record
from mitmproxy.coretypes.serializable import Serializable
from mitmproxy.flow import NEWEST, OLDEST, new_id

# Places in a connection's record.
_ADDRESS, _VIA, _CIPHERS, _ALPN_OFFERS, _CERTIFICATES, _MITMCERT, _PROXY_MODE, _STATE = 4, 5, 13, 16, 17, 18, 19, 21

# The record of a connection of which nothing is known.
_UNKNOWN = ("", "tcp") + (None,) * 8 + (False, None, None, (), None, None, (), (), None, "regular", None, 0)

# The keys of the state by format version.
_BOTH = (
    "id", "transport_protocol", "error", "tls", "certificate_list", "alpn", "alpn_offers", "cipher",
    "cipher_list", "tls_version", "sni", "timestamp_start", "timestamp_end", "timestamp_tls_setup",
)  # fmt: skip
_CLIENT17 = (
    "address", "alpn", "cipher_name", "id", "mitmcert", "sni", "timestamp_end", "timestamp_start",
    "timestamp_tls_setup", "tls_established", "tls_extensions", "tls_version", "state", "sockname", "error",
    "tls", "certificate_list", "alpn_offers", "cipher_list",
)  # fmt: skip
_SERVER17 = (
    "address", "alpn", "id", "ip_address", "sni", "source_address", "timestamp_end", "timestamp_start",
    "timestamp_tcp_setup", "timestamp_tls_setup", "tls_established", "tls_version", "via", "state", "error",
    "tls", "certificate_list", "alpn_offers", "cipher_name", "cipher_list", "via2",
)  # fmt: skip
_CLIENT20 = ("peername", "sockname") + _BOTH + ("mitmcert", "proxy_mode")
_SERVER20 = ("peername", "sockname") + _BOTH + ("address", "timestamp_tcp_setup", "via")
_CLIENT_KEYS = {
    17: _CLIENT17,
    18: _CLIENT17 + ("proxy_mode",),
    19: _CLIENT20[:2] + ("state",) + _CLIENT20[2:],
    20: _CLIENT20,
    21: _CLIENT20,
}
_SERVER_KEYS = {
    17: _SERVER17,
    18: _SERVER17,
    19: _SERVER20[:2] + ("state",) + _SERVER20[2:],
    20: _SERVER20,
    21: _SERVER20,
}

# What is in a state and nowhere else.
_RELICS = frozenset(("tls_established", "tls_extensions"))


def __getattr__(name):
    """Makes what needs a module that is slow to start."""
    if name == "ConnectionState":
        value = _make_states()
    elif name == "TransportProtocol":
        from typing import Literal

        value = Literal["tcp", "udp"]
    elif name == "TlsVersion":
        from typing import Literal

        value = Literal["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "DTLSv0.9", "DTLSv1", "DTLSv1.2", "QUICv1"]
    else:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    globals()[name] = value
    return value


def _make_states():
    from enum import Flag

    return Flag(
        "ConnectionState",
        (("CLOSED", 0), ("CAN_READ", 1), ("CAN_WRITE", 2), ("OPEN", 3)),
        module=__name__,
    )


def _state(number):
    states = globals().get("ConnectionState") or __getattr__("ConnectionState")
    return states(number & 3)


class Address(tuple):
    """A host and a port: a tuple that also has the names that scripts before 3.0 use."""

    __slots__ = ()

    @property
    def host(self):
        return self[0]

    @property
    def port(self):
        return self[1]

    @property
    def use_ipv6(self):
        return ":" in self[0]


def _address(value):
    return None if value is None else Address(value)


def _plain(address):
    return None if address is None else tuple(address)


def _deprecated(old, new):
    import warnings

    warnings.warn("%s is deprecated, use %s instead." % (old, new), DeprecationWarning, stacklevel=3)


def _cert(pem):
    from mitmproxy.certs import Cert

    return Cert.from_state(pem)


def _server_spec(via):
    from mitmproxy.net.server_spec import ServerSpec

    return ServerSpec(via[0], _plain(via[1]))


def _proxy_mode(text):
    from mitmproxy.proxy.mode_specs import ProxyMode

    try:
        return ProxyMode.parse(text)
    except ValueError:
        return text


class Connection(Record, Serializable):
    """What both sides have in common. Connections are equal if they have the same id."""

    _version = NEWEST

    id = Field(0)
    transport_protocol = Field(1)
    peername = Field(2)
    sockname = Field(3)
    timestamp_start = Field(6)
    timestamp_tls_setup = Field(8)
    timestamp_end = Field(9)
    tls = Field(10)
    tls_version = Field(11)
    cipher = Field(12)
    sni = Field(14)
    alpn = Field(15)
    error = Field(20)

    def __init__(self, *args, **kwargs):
        raise TypeError("Can't instantiate abstract class %s" % type(self).__name__)

    def _init(self, fields):
        """Gives a connection made by a script all that it has."""
        cls = type(self)
        unknown = fields.keys() - cls._defaults.keys()
        if unknown:
            raise TypeError("%s.__init__() got an unexpected keyword argument %r" % (cls.__name__, unknown.pop()))
        d = self.__dict__
        d.update(cls._defaults)
        d["id"] = new_id()
        d["state"] = _state(0)
        d.update(fields)

    @classmethod
    def _unknown(cls):
        """Returns the connection of a received flow that has none."""
        conn = cls.__new__(cls)
        conn.__dict__["_rec"] = _UNKNOWN
        return conn

    @Lazy
    def state(self):
        return _state(self._rec[_STATE])

    # Lists, as they are in mitmproxy: scripts may change them in place.

    @Lazy
    def cipher_list(self):
        return list(self._rec[_CIPHERS])

    @Lazy
    def alpn_offers(self):
        return list(self._rec[_ALPN_OFFERS])

    @Lazy
    def certificate_list(self):
        return [_cert(pem) for pem in self._rec[_CERTIFICATES]]

    @property
    def connected(self):
        """Whether the connection is open in both directions."""
        return self._state_number() == 3

    def _state_number(self):
        state = self.__dict__.get("state")
        return self._rec[_STATE] if state is None else state.value

    @property
    def tls_established(self):
        """Whether the TLS handshake came to its end."""
        return self.timestamp_tls_setup is not None

    @property
    def alpn_proto_negotiated(self):
        _deprecated("Connection.alpn_proto_negotiated", "Connection.alpn")
        return self.alpn

    @property
    def ssl_established(self):
        _deprecated("Connection.ssl_established", "Connection.tls_established")
        return self.tls_established

    @property
    def timestamp_ssl_setup(self):
        _deprecated("Connection.timestamp_ssl_setup", "Connection.timestamp_tls_setup")
        return self.timestamp_tls_setup

    def __eq__(self, other):
        return isinstance(other, Connection) and self.id == other.id

    def __hash__(self):
        return hash(self.id)

    def __repr__(self):
        values = {name: getattr(self, name) for name in self._defaults}
        values["id"] = "…%s" % str(self.id)[-6:]
        values["cipher_list"] = "<%d ciphers>" % len(self.cipher_list)
        return "%s(%r)" % (type(self).__name__, values)

    def _text(self, address, more=""):
        tls = ""
        if self.alpn:
            tls = ", alpn=" + self.alpn.decode(errors="replace")
        elif self.tls_established:
            tls = ", tls"
        from mitmproxy.utils.human import format_address

        where = format_address(address)
        return "%s(%s, state=%s%s%s)" % (type(self).__name__, where, self.state.name.lower(), tls, more)

    def get_state(self):
        """Returns the connection as plain data, of the format version of its flow."""
        return self._state_of(min(max(self._version, OLDEST), NEWEST))

    def set_state(self, state):
        if "peername" in state:
            version = 19 if "state" in state else NEWEST
        else:
            version = 18 if "proxy_mode" in state else 17
        self._set_state_of(state, version)

    @classmethod
    def from_state(cls, state):
        conn = cls.__new__(cls)
        conn.set_state(state)
        return conn

    def copy(self):
        """Returns a connection like this one, with an id of its own."""
        conn = type(self).__new__(type(self))
        conn._set_state_of(self._state_of(NEWEST), NEWEST)
        self._rest_to(conn)
        conn.id = new_id()
        return conn

    def _rest_to(self, other):
        """Gives other what the state of the newest version does not hold."""
        other.state = self.state
        other._version = self._version

    def _state_of(self, version):
        value = self._state_value
        return {key: value(key, version) for key in self._keys[version]}

    def _state_value(self, key, version):
        """Returns what stands under a key of the state."""
        if key == "tls_extensions":
            return []
        if key == "via" and version < 19:
            return None
        name = self._renamed.get(key, key) if version < 19 else key
        if name == "state":
            return self._state_number()
        if name == "proxy_mode":
            return self._mode_text()
        value = getattr(self, name)
        if value is None:
            return self._stand_in(name, version)
        if name in _WIRE:
            return _WIRE[name](value)
        if version < 21 and name == "tls_version" and value == "QUICv1":
            return "QUIC"
        return value

    def _stand_in(self, name, version):
        """Returns what the format has for a value that is not known."""
        return None

    def _set_state_of(self, state, version):
        d = self.__dict__
        received = "_rec" in d or "_raw" in d
        # Versions hold different things: what this one does not hold stays as it is.
        new = {} if received or "id" in d else dict(self._defaults, state=0)
        for key in self._keys[version]:
            if key not in _RELICS and not (key == "via" and version < 19):
                new[self._renamed.get(key, key) if version < 19 else key] = state[key]
        for name, make in _READ.items():
            if new.get(name) is not None:
                new[name] = make(new[name])
        d["_version"] = version
        if "proxy_mode" in new:
            self._set_mode(new.pop("proxy_mode"), received)
        d.update(new)


# What is made of a value of the record or the state, and the way back.
_READ = {
    "peername": _plain,
    "sockname": _plain,
    "address": _address,
    "via": _server_spec,
    "certificate_list": lambda pems: [_cert(pem) for pem in pems],
    "mitmcert": _cert,
    "state": _state,
    "tls_version": lambda text: "QUICv1" if text == "QUIC" else text,
    "alpn_offers": list,
    "cipher_list": list,
}
_WIRE = {
    "peername": _plain,
    "sockname": _plain,
    "address": _plain,
    "via": lambda via: (via[0], _plain(via[1])),
    "certificate_list": lambda certs: [c.get_state() for c in certs],
    "mitmcert": lambda cert: cert.get_state(),
    "alpn_offers": list,
    "cipher_list": list,
    "state": lambda state: state.value,
}


class Client(Connection):
    """The connection of the client to the proxy."""

    _keys = _CLIENT_KEYS
    _renamed = {"address": "peername", "cipher_name": "cipher"}
    _defaults = {
        "id": "",
        "peername": None,
        "sockname": None,
        "timestamp_start": None,
        "state": None,
        "transport_protocol": "tcp",
        "error": None,
        "tls": False,
        "certificate_list": (),
        "alpn": None,
        "alpn_offers": (),
        "cipher": None,
        "cipher_list": (),
        "tls_version": None,
        "sni": None,
        "timestamp_end": None,
        "timestamp_tls_setup": None,
        "mitmcert": None,
        "proxy_mode": "regular",
    }

    def __init__(self, *args, **fields):
        """Takes the fields by keyword, or peername, sockname and timestamp_start by place.

        The latter is how 7 to 9 make one, in which a new connection is open.
        """
        names = ("peername", "sockname", "timestamp_start")
        if args:
            if len(args) > 3:
                raise TypeError("Client takes at most 3 positional arguments, %d given" % len(args))
            fields.update(zip(names, args))
            fields.setdefault("state", _state(3))
        missing = [name for name in names if name not in fields]
        if missing:
            raise TypeError("Client.__init__() missing required arguments: %s" % ", ".join(missing))
        self._init(fields)
        if isinstance(self.proxy_mode, str):
            self._mode = self.__dict__.pop("proxy_mode")

    @Lazy
    def mitmcert(self):
        pem = self._rec[_MITMCERT]
        return None if pem is None else _cert(pem)

    @Lazy
    def proxy_mode(self):
        return _proxy_mode(self._mode_text())

    def _mode_text(self):
        d = self.__dict__
        if "proxy_mode" in d:
            mode = d["proxy_mode"]
            return mode if isinstance(mode, str) else mode.full_spec
        return d["_mode"] if "_mode" in d else self._rec[_PROXY_MODE]

    def _set_mode(self, text, received):
        d = self.__dict__
        if not received:
            # It is parsed when it is asked for.
            d.pop("proxy_mode", None)
            d["_mode"] = text
        elif text != self._mode_text():
            d["proxy_mode"] = _proxy_mode(text)

    @property
    def address(self):
        _deprecated("Client.address", "Client.peername")
        return _address(self.peername)

    @address.setter
    def address(self, value):
        _deprecated("Client.address", "Client.peername")
        self.peername = value

    @property
    def cipher_name(self):
        _deprecated("Client.cipher_name", "Client.cipher")
        return self.cipher

    @property
    def clientcert(self):
        _deprecated("Client.clientcert", "Client.certificate_list")
        certificates = self.certificate_list
        return certificates[0] if certificates else None

    @clientcert.setter
    def clientcert(self, value):
        _deprecated("Client.clientcert", "Client.certificate_list")
        self.certificate_list = [value] if value else []

    @property
    def tls_extensions(self):
        _deprecated("Client.tls_extensions", "the tls_clienthello hook")
        return []

    def __str__(self):
        return self._text(self.peername)

    def _stand_in(self, name, version):
        if version >= 19:
            if name in ("peername", "sockname"):
                return ("", 0)
            if name == "timestamp_start":
                return 0.0
        return None


class Server(Connection):
    """The connection of the proxy to the server."""

    _keys = _SERVER_KEYS
    _renamed = {
        "ip_address": "peername",
        "source_address": "sockname",
        "cipher_name": "cipher",
        "via2": "via",
    }
    _defaults = {
        "id": "",
        "address": None,
        "peername": None,
        "sockname": None,
        "state": None,
        "transport_protocol": "tcp",
        "error": None,
        "tls": False,
        "certificate_list": (),
        "alpn": None,
        "alpn_offers": (),
        "cipher": None,
        "cipher_list": (),
        "tls_version": None,
        "sni": None,
        "timestamp_start": None,
        "timestamp_end": None,
        "timestamp_tcp_setup": None,
        "timestamp_tls_setup": None,
        "via": None,
    }

    timestamp_tcp_setup = Field(7)

    def __init__(self, address, **fields):
        fields["address"] = _address(address)
        self._init(fields)

    def __setattr__(self, name, value):
        if (name == "address" or name == "via") and self.connected and value != getattr(self, name):
            raise RuntimeError("Cannot change server.%s on open connection." % name)
        super().__setattr__(name, value)

    @Lazy
    def address(self):
        return _address(self._rec[_ADDRESS])

    @Lazy
    def via(self):
        via = self._rec[_VIA]
        return None if via is None else _server_spec(via)

    @property
    def ip_address(self):
        _deprecated("Server.ip_address", "Server.peername")
        return _address(self.peername)

    @property
    def source_address(self):
        _deprecated("Server.source_address", "Server.sockname")
        return _address(self.sockname)

    @property
    def via2(self):
        _deprecated("Server.via2", "Server.via")
        return self.via

    @property
    def cert(self):
        _deprecated("Server.cert", "Server.certificate_list")
        certificates = self.certificate_list
        return certificates[0] if certificates else None

    @cert.setter
    def cert(self, value):
        _deprecated("Server.cert", "Server.certificate_list")
        self.certificate_list = [value] if value else []

    def __str__(self):
        more = ", src_port=%s" % self.sockname[1] if self.sockname else ""
        return self._text(self.address, more)