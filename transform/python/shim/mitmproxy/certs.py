"""Certificates: what a script can ask of one. It is read here, there is no cryptography in it."""
from __future__ import annotations

from _flowkit.errors import NeedsProxy
from mitmproxy.coretypes.serializable import Serializable

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"

# Attributes of names that have short ones (RFC 4514); others have their number.
_SHORT = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}

_RSA = ("1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10")
_DSA = "1.2.840.10040.4.1"
_EC = "1.2.840.10045.2.1"
# Keys that have one size only.
_FIXED = {"1.3.101.110": "X25519", "1.3.101.111": "X448", "1.3.101.112": "Ed25519", "1.3.101.113": "Ed448"}
_CURVES = {
    "1.2.840.10045.3.1.1": ("secp192r1", 192),
    "1.3.132.0.33": ("secp224r1", 224),
    "1.2.840.10045.3.1.7": ("secp256r1", 256),
    "1.3.132.0.34": ("secp384r1", 384),
    "1.3.132.0.35": ("secp521r1", 521),
    "1.3.132.0.10": ("secp256k1", 256),
    "1.3.36.3.3.2.8.1.1.7": ("brainpoolP256r1", 256),
    "1.3.36.3.3.2.8.1.1.11": ("brainpoolP384r1", 384),
    "1.3.36.3.3.2.8.1.1.13": ("brainpoolP512r1", 512),
}

_ALT_NAMES, _BASIC_CONSTRAINTS, _CRLS = "2.5.29.17", "2.5.29.19", "2.5.29.31"

# Tags of DER.
_BOOLEAN, _INTEGER, _OID = 0x01, 0x02, 0x06
_UTC_TIME, _TIME = 0x17, 0x18
_ENCODINGS = {0x1E: "utf-16-be", 0x1C: "utf-32-be"}


class _Element:
    """An element of DER data: its tag and what is in it."""

    __slots__ = ("tag", "data")

    def __init__(self, tag, data):
        self.tag = tag
        self.data = data

    def children(self):
        """Returns the elements that this one consists of."""
        elements = []
        data, at = self.data, 0
        while at < len(data):
            element, at = _element(data, at)
            elements.append(element)
        return elements

    def child(self, number):
        """Returns one of the elements that this one consists of."""
        elements = self.children()
        if number >= len(elements):
            raise ValueError("certificate lacks an element")
        return elements[number]


def _element(data, at):
    """Returns the element at a place and where it ends."""
    try:
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4:
                raise ValueError("certificate has a length of %d bytes" % count)
            size = int.from_bytes(data[at : at + count], "big")
            at += count
    except IndexError:
        raise ValueError("certificate ends in an element") from None
    if tag & 0x1F == 0x1F or at + size > len(data):
        raise ValueError("certificate has a broken element")
    return _Element(tag, data[at : at + size]), at + size


def _oid(data):
    """Returns an object identifier as dotted text."""
    numbers, number = [], 0
    for b in data:
        number = number << 7 | b & 0x7F
        if not b & 0x80:
            numbers.append(number)
            number = 0
    if not numbers:
        raise ValueError("certificate has an empty object identifier")
    first = min(numbers[0] // 40, 2)
    return ".".join([str(n) for n in (first, numbers[0] - 40 * first, *numbers[1:])])


def _text(element):
    encoding = _ENCODINGS.get(element.tag, "utf-8")
    try:
        return element.data.decode(encoding)
    except UnicodeDecodeError:
        return element.data.decode("latin-1")


def _time(element):
    from datetime import datetime, timezone

    text = element.data.decode("ascii")
    if element.tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif element.tag != _TIME:
        raise ValueError("certificate has a broken time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)


def _name(element):
    """Returns a name as a list of (attribute, value)."""
    name = []
    for part in element.children():
        for attribute in part.children():
            number = _oid(attribute.child(0).data)
            name.append((_SHORT.get(number, number), _text(attribute.child(1))))
    return name


def _der(pem):
    """Returns the data of the first certificate in a PEM text."""
    from binascii import Error, a2b_base64

    if isinstance(pem, str):
        pem = pem.encode("ascii", "replace")
    begin = pem.find(_BEGIN)
    end = pem.find(_END, begin)
    if begin < 0 or end < 0:
        raise ValueError("no BEGIN CERTIFICATE and END CERTIFICATE lines: is this a certificate?")
    try:
        return a2b_base64(pem[begin + len(_BEGIN) : end])
    except Error as e:
        raise ValueError("broken PEM of a certificate: %s" % e) from None


def _deprecated(old, new):
    import warnings

    warnings.warn("%s is deprecated, use %s instead." % (old, new), DeprecationWarning, stacklevel=3)


class Cert(Serializable):
    """A certificate. Certificates are equal if their bytes are."""

    def __init__(self, cert):
        """Takes the DER bytes, or a certificate of the package cryptography."""
        if not isinstance(cert, bytes):
            from cryptography.hazmat.primitives.serialization import Encoding

            cert = cert.public_bytes(Encoding.DER)
        self._data = cert
        self._pem = None
        self._tbs = self._read()

    @classmethod
    def from_pem(cls, data):
        """Returns the first certificate of a PEM text; a ValueError if there is none."""
        return cls(_der(data))

    @classmethod
    def from_state(cls, state):
        cert = cls.__new__(cls)
        cert.set_state(state)
        return cert

    def get_state(self):
        return self.to_pem()

    def set_state(self, state):
        # Certificates of flows are seldom looked at: the text is kept, see __getattr__.
        self.__dict__.clear()
        self._pem = state

    def __getattr__(self, name):
        if name == "_data":
            self._data = _der(self._pem)
            return self._data
        if name == "_tbs":
            self._tbs = self._read()
            return self._tbs
        raise AttributeError("%r object has no attribute %r" % (type(self).__name__, name))

    def _read(self):
        """Returns the elements of the certificate proper; they begin with the serial number."""
        outer, _ = _element(self._data, 0)
        tbs = outer.child(0).children()
        if tbs and tbs[0].tag == 0xA0:
            del tbs[0]
        if len(tbs) < 6 or tbs[0].tag != _INTEGER:
            raise ValueError("certificate lacks a field")
        return tbs

    def to_pem(self):
        if self._pem is None:
            from base64 import b64encode

            text = b64encode(self._data)
            lines = [text[i : i + 64] for i in range(0, len(text), 64)]
            self._pem = b"\n".join([_BEGIN, *lines, _END, b""])
        return self._pem

    def to_cryptography(self):
        """Returns the certificate as one of the package cryptography, which must be installed."""
        from cryptography import x509

        return x509.load_der_x509_certificate(self._data)

    def to_pyopenssl(self):
        """Returns the certificate as one of the package pyOpenSSL, which must be installed."""
        _deprecated("Cert.to_pyopenssl", "Cert.to_cryptography")
        from OpenSSL.crypto import X509

        return X509.from_cryptography(self.to_cryptography())

    @classmethod
    def from_pyopenssl(cls, x509):
        _deprecated("Cert.from_pyopenssl", "Cert(x509.to_cryptography())")
        return cls(x509.to_cryptography())

    def public_key(self):
        return self.to_cryptography().public_key()

    def __eq__(self, other):
        if not isinstance(other, Cert):
            return False
        return self._pem is not None and self._pem == other._pem or self._data == other._data

    def __hash__(self):
        return hash(self._data)

    def __repr__(self):
        return "<Cert(cn=%r, altnames=%r)>" % (self.cn, self.altnames)

    def fingerprint(self):
        """Returns the SHA-256 of the certificate."""
        from hashlib import sha256

        return sha256(self._data).digest()

    @property
    def serial(self):
        return int.from_bytes(self._tbs[0].data, "big", signed=True)

    @property
    def issuer(self):
        """The issuer's name, as (attribute, value) pairs."""
        return _name(self._tbs[2])

    @property
    def notbefore(self):
        return _time(self._tbs[3].child(0))

    @property
    def notafter(self):
        return _time(self._tbs[3].child(1))

    def has_expired(self):
        from datetime import datetime, timezone

        return datetime.now(timezone.utc) > self.notafter

    @property
    def subject(self):
        """The name that the certificate is for, as (attribute, value) pairs."""
        return _name(self._tbs[4])

    @property
    def keyinfo(self):
        """The kind of the key and how many bits it has, -1 for kinds with one size only."""
        algorithm, key = self._tbs[5].child(0), self._tbs[5].child(1)
        number = _oid(algorithm.child(0).data)
        if number in _RSA:
            return "RSA", _bits(_element(key.data, 1)[0].child(0))
        if number == _DSA:
            return "DSA", _bits(algorithm.child(1).child(0))
        if number == _EC:
            parameters = algorithm.child(1)
            curve = _oid(parameters.data) if parameters.tag == _OID else "explicit"
            name, size = _CURVES.get(curve, (curve, 8 * (len(key.data) // 2 - 1)))
            return "EC (%s)" % name, size
        return _FIXED.get(number, number), -1

    def _first(self, attribute):
        for name, value in self.subject:
            if name == attribute:
                return value
        return None

    @property
    def cn(self):
        """The common name of the subject, or None."""
        return self._first("CN")

    @property
    def organization(self):
        """The organization of the subject, or None."""
        return self._first("O")

    def _extension(self, wanted):
        """Returns the element in the extension, or None if there is no such extension."""
        for element in self._tbs[6:]:
            if element.tag == 0xA3:
                for extension in element.child(0).children():
                    if _oid(extension.child(0).data) == wanted:
                        return _element(extension.children()[-1].data, 0)[0]
        return None

    @property
    def altnames(self):
        """The host names and then the addresses that the certificate is for, as text."""
        try:
            extension = self._extension(_ALT_NAMES)
            names = [] if extension is None else extension.children()
        except ValueError:
            return []
        hosts = [n.data.decode("ascii", "replace") for n in names if n.tag == 0x82]
        return hosts + [_ip(n.data) for n in names if n.tag == 0x87 and len(n.data) in (4, 16)]

    @property
    def is_ca(self):
        """Whether the certificate may sign others."""
        extension = self._extension(_BASIC_CONSTRAINTS)
        return extension is not None and any(
            [e.tag == _BOOLEAN and e.data != b"\0" for e in extension.children()]
        )

    @property
    def crl_distribution_points(self):
        """Where lists of revoked certificates are."""
        extension = self._extension(_CRLS)
        points = [] if extension is None else extension.children()
        found = []
        for point in points:
            for name in _inside(_inside(point.children(), 0xA0), 0xA0):
                if name.tag == 0x86:
                    found.append(name.data.decode("ascii", "replace"))
        return found


def _inside(elements, tag):
    """Returns what is in those of the elements that have the tag."""
    return [child for e in elements if e.tag == tag for child in e.children()]


def _bits(element):
    return int.from_bytes(element.data, "big").bit_length()


def _ip(data):
    from ipaddress import ip_address

    return str(ip_address(data))


class CertStore:
    """The store of the certificates that a proxy makes. There is none here."""

    def __init__(self, *args, **kwargs):
        raise NeedsProxy("certs.CertStore")

    @classmethod
    def from_store(cls, *args, **kwargs):
        raise NeedsProxy("certs.CertStore.from_store")

    @classmethod
    def from_files(cls, *args, **kwargs):
        raise NeedsProxy("certs.CertStore.from_files")

    @staticmethod
    def create_store(*args, **kwargs):
        raise NeedsProxy("certs.CertStore.create_store")


class CertStoreEntry:
    """A certificate that a proxy made, and its key."""

    def __init__(self, *args, **kwargs):
        raise NeedsProxy("certs.CertStoreEntry")


def create_ca(*args, **kwargs):
    raise NeedsProxy("certs.create_ca")


def dummy_cert(*args, **kwargs):
    raise NeedsProxy("certs.dummy_cert")
