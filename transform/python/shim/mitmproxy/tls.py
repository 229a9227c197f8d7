"""What the hooks of TLS are given. Saved flows have no handshakes, but scripts name these."""
from __future__ import annotations

_SNI, _ALPN = 0, 16


class _Bytes:
    """Reads numbers and data, one after the other; an EOFError at the end."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise EOFError("requested %d bytes, but only %d bytes available" % (size, len(self.data) - self.at))
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def vector(self, size):
        """Returns data that has its length before it, a number of so many bytes."""
        return self.take(self.number(size))

    def more(self):
        return self.at < len(self.data)


class ClientHello:
    """The first message of a client, without the headers of record and handshake."""

    def __init__(self, raw_client_hello, dtls=False):
        self._data = raw_client_hello
        self._dtls = dtls
        reader = _Bytes(raw_client_hello)
        reader.take(2 + 32)
        reader.vector(1)
        if dtls:
            reader.vector(1)
        ciphers = _Bytes(reader.vector(2))
        self._ciphers = []
        while ciphers.more():
            self._ciphers.append(ciphers.number(2))
        reader.vector(1)
        self._extensions = []
        if reader.more():
            extensions = _Bytes(reader.vector(2))
            while extensions.more():
                self._extensions.append((extensions.number(2), extensions.vector(2)))

    def raw_bytes(self, wrap_in_record=True):
        """Returns the message, as a TLS record if that is wanted."""
        if not wrap_in_record:
            return self._data
        size = len(self._data)
        if self._dtls:
            handshake = b"\x01" + size.to_bytes(3, "big") + b"\0" * 5 + size.to_bytes(3, "big") + self._data
            return b"\x16\xfe\xfd" + b"\0" * 8 + len(handshake).to_bytes(2, "big") + handshake
        handshake = b"\x01" + size.to_bytes(3, "big") + self._data
        return b"\x16\x03\x03" + len(handshake).to_bytes(2, "big") + handshake

    @property
    def cipher_suites(self):
        """The numbers of the cipher suites that the client offers."""
        return list(self._ciphers)

    def _extension(self, wanted):
        for kind, body in self._extensions:
            if kind == wanted:
                return body
        return None

    @property
    def sni(self):
        """The name of the server that the client wants, or None."""
        body = self._extension(_SNI)
        if body is None:
            return None
        try:
            names = _Bytes(_Bytes(body).vector(2))
            kind, name, more = names.number(1), names.vector(2), names.more()
            return name.decode("ascii") if kind == 0 and not more else None
        except (EOFError, UnicodeDecodeError):
            return None

    @property
    def alpn_protocols(self):
        """The protocols that the client offers, as bytes."""
        body = self._extension(_ALPN)
        protocols = []
        if body is not None:
            names = _Bytes(_Bytes(body).vector(2))
            while names.more():
                protocols.append(names.vector(1))
        return protocols

    @property
    def extensions(self):
        """The extensions as (number, data)."""
        return list(self._extensions)

    def __repr__(self):
        return "ClientHello(sni: %s, alpn_protocols: %s)" % (self.sni, self.alpn_protocols)


class _Data:
    """The base of what is nothing but its fields."""

    def __init__(self, fields):
        self.__dict__.update(fields)
        self.__dict__.pop("self", None)
        self.__dict__.pop("__class__", None)

    def __eq__(self, other):
        return self.__dict__ == other.__dict__ if other.__class__ is self.__class__ else NotImplemented

    __hash__ = None

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, ", ".join(["%s=%r" % f for f in self.__dict__.items()]))


class ClientHelloData(_Data):
    """What the hook tls_clienthello is given."""

    def __init__(self, context, client_hello, ignore_connection=False, establish_server_tls_first=False):
        super().__init__(locals())


class TlsData(_Data):
    """What the hooks of TLS handshakes are given."""

    def __init__(self, conn, context, ssl_conn=None, is_dtls=False):
        super().__init__(locals())


class QuicTlsData(TlsData):
    """What the hooks of QUIC handshakes are given."""

    def __init__(self, conn, context, ssl_conn=None, is_dtls=False, settings=None):
        super().__init__(conn, context, ssl_conn, is_dtls)
        self.settings = settings
