"""HTTPS records: where a service is and what it speaks (RFC 9460)."""
from __future__ import annotations

import enum
import struct

from mitmproxy.net.dns import domain_names

_PARAM = struct.Struct("!HH")


class SVCParamKeys(enum.Enum):
    """The keys of parameters that have names."""

    MANDATORY = 0
    ALPN = 1
    NO_DEFAULT_ALPN = 2
    PORT = 3
    IPV4HINT = 4
    ECH = 5
    IPV6HINT = 6


class HTTPSRecord:
    """The data of an HTTPS record. The parameters are bytes by their number."""

    def __init__(self, priority, target_name, params):
        self.priority = priority
        self.target_name = target_name
        self.params = params

    def __eq__(self, other):
        if other.__class__ is not self.__class__:
            return NotImplemented
        return (self.priority, self.target_name, self.params) == (other.priority, other.target_name, other.params)

    __hash__ = None

    def __repr__(self):
        return str(self.to_json())

    def to_json(self):
        """Returns the record as plain data, the values of the parameters as escaped text."""
        from mitmproxy.utils.strutils import bytes_to_escaped_str

        data = {"target_name": self.target_name, "priority": self.priority}
        for number, value in self.params.items():
            data[_name(number)] = bytes_to_escaped_str(value)
        return data

    @classmethod
    def from_json(cls, data):
        """Returns the record that to_json() made data of."""
        from mitmproxy.utils.strutils import escaped_str_to_bytes

        params = {
            _number(key): escaped_str_to_bytes(value)
            for key, value in data.items()
            if key not in ("target_name", "priority")
        }
        return cls(data["priority"], data["target_name"], params)


def _name(number):
    try:
        return SVCParamKeys(number).name.lower()
    except ValueError:
        return number


def _number(key):
    """Returns the number of a parameter; in a JSON text, one without a name is text."""
    if isinstance(key, str) and not key.isdigit():
        try:
            return SVCParamKeys[key.upper()].value
        except KeyError:
            raise ValueError("%r is no parameter of an HTTPS record" % key) from None
    return int(key)


def unpack(data):
    """Returns the HTTPSRecord that data is; a struct.error if it is none."""
    if len(data) < 2:
        raise struct.error("unpack requires a buffer of 2 bytes")
    priority = int.from_bytes(data[:2], "big")
    target_name, size = domain_names.unpack_from(data, 2)
    offset = 2 + size
    params = {}
    while offset < len(data):
        _need(data, offset + _PARAM.size)
        key, size = _PARAM.unpack_from(data, offset)
        offset += _PARAM.size
        _need(data, offset + size)
        params[key] = bytes(data[offset : offset + size])
        offset += size
    return HTTPSRecord(priority, target_name, params)


def _need(data, size):
    if len(data) < size:
        raise struct.error("unpack requires a buffer of %d bytes" % size)


def pack(record):
    """Returns the record as bytes, the parameters in the order they have."""
    packed = bytearray(struct.pack("!H", record.priority))
    packed += domain_names.pack(record.target_name)
    for key, value in record.params.items():
        packed += _PARAM.pack(key, len(value))
        packed += value
    return bytes(packed)
