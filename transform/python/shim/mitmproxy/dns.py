"""DNS: messages, their questions and records, and flows of a query and its answer."""
from __future__ import annotations

import struct
import time

from _flowkit.record import Field, Lazy, Record
from mitmproxy.coretypes.serializable import Serializable
from mitmproxy.flow import Flow
from mitmproxy.net.dns import classes, domain_names, op_codes, response_codes, types


def __getattr__(name):
    """Loads what only HTTPS records need."""
    if name != "https_records":
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    from mitmproxy.net.dns import https_records

    globals()[name] = https_records
    return https_records


def _https():
    return globals().get("https_records") or __getattr__("https_records")


class _Fields(Serializable):
    """The base of what is nothing but its fields: they are compared, shown and saved."""

    _names = ()

    # Like all that can be changed and is compared by value.
    __hash__ = None

    def _values(self):
        return [getattr(self, name) for name in self._names]

    def __eq__(self, other):
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self._values() == other._values()

    def __repr__(self):
        fields = ["%s=%r" % field for field in zip(self._names, self._values())]
        return "%s(%s)" % (type(self).__name__, ", ".join(fields))

    def get_state(self):
        return dict(zip(self._names, self._values()))

    def set_state(self, state):
        for name in self._names:
            setattr(self, name, state[name])

    @classmethod
    def from_state(cls, state):
        new = cls.__new__(cls)
        new.set_state(state)
        return new


class Question(_Fields):
    """What is asked for: records of a type and class for a name."""

    HEADER = struct.Struct("!HH")
    _names = ("name", "type", "class_")

    def __init__(self, name, type, class_):
        self.name = name
        self.type = type
        self.class_ = class_

    def __str__(self):
        return self.name

    def to_json(self):
        return {"name": self.name, "type": types.to_str(self.type), "class": classes.to_str(self.class_)}

    @classmethod
    def from_json(cls, data):
        return cls(data["name"], types.from_str(data["type"]), classes.from_str(data["class"]))


class ResourceRecord(_Fields):
    """A record: data of a type for a name."""

    DEFAULT_TTL = 60
    HEADER = struct.Struct("!HHIH")
    _names = ("name", "type", "class_", "ttl", "data")

    def __init__(self, name, type, class_, ttl, data):
        self.name = name
        self.type = type
        self.class_ = class_
        self.ttl = ttl
        self.data = data

    def __str__(self):
        try:
            return str(self._value())
        except (ValueError, struct.error):
            return "0x%s (invalid %s data)" % (self.data.hex(), types.to_str(self.type))

    def _value(self):
        """Returns what the data says, by the type."""
        if self.type == types.A:
            return self.ipv4_address
        if self.type == types.AAAA:
            return self.ipv6_address
        if self.type in (types.NS, types.CNAME, types.PTR):
            return self.domain_name
        if self.type == types.TXT:
            return self.text
        if self.type == types.HTTPS:
            return _https().unpack(self.data)
        return "0x%s" % self.data.hex()

    @property
    def text(self):
        """The data as text."""
        return self.data.decode("utf-8")

    @text.setter
    def text(self, value):
        self.data = value.encode("utf-8")

    @property
    def ipv4_address(self):
        """The data as an ipaddress.IPv4Address."""
        from ipaddress import IPv4Address

        return IPv4Address(self.data)

    @ipv4_address.setter
    def ipv4_address(self, ip):
        self.data = ip.packed

    @property
    def ipv6_address(self):
        """The data as an ipaddress.IPv6Address."""
        from ipaddress import IPv6Address

        return IPv6Address(self.data)

    @ipv6_address.setter
    def ipv6_address(self, ip):
        self.data = ip.packed

    @property
    def domain_name(self):
        """The data as a name."""
        return domain_names.unpack(self.data)

    @domain_name.setter
    def domain_name(self, name):
        self.data = domain_names.pack(name)

    @property
    def https_alpn(self):
        """The protocols of an HTTPS record as a tuple of bytes; None if it has none."""
        value = _https().unpack(self.data).params.get(1)
        if value is None:
            return None
        protocols = []
        while value:
            size = value[0]
            protocols.append(value[1 : 1 + size])
            value = value[1 + size :]
        return tuple(protocols)

    @https_alpn.setter
    def https_alpn(self, protocols):
        value = None
        if protocols is not None:
            value = b"".join([bytes([len(p)]) + p for p in protocols])
        self._set_https_param(1, value)

    @property
    def https_ech(self):
        """The configuration of encrypted hellos of an HTTPS record in base64; None if it has none."""
        from base64 import b64encode

        value = _https().unpack(self.data).params.get(5)
        return None if value is None else b64encode(value).decode("ascii")

    @https_ech.setter
    def https_ech(self, text):
        from base64 import b64decode

        self._set_https_param(5, None if text is None else b64decode(text))

    def _set_https_param(self, number, value):
        record = _https().unpack(self.data)
        if value is None:
            record.params.pop(number, None)
        else:
            record.params[number] = value
        self.data = _https().pack(record)

    def to_json(self):
        data = str(self)
        if self.type == types.HTTPS:
            try:
                data = _https().unpack(self.data).to_json()
            except struct.error:
                pass
        return {
            "name": self.name,
            "type": types.to_str(self.type),
            "class": classes.to_str(self.class_),
            "ttl": self.ttl,
            "data": data,
        }

    @classmethod
    def from_json(cls, data):
        """Returns the record that to_json() made data of."""
        record = cls(
            data["name"], types.from_str(data["type"]), classes.from_str(data["class"]), data["ttl"], b""
        )
        value = data["data"]
        if record.type == types.HTTPS and isinstance(value, dict):
            https = _https()
            record.data = https.pack(https.HTTPSRecord.from_json(value))
        elif value.startswith("0x") and record.type != types.TXT:
            record.data = bytes.fromhex(value[2:].partition(" ")[0])
        elif record.type in (types.A, types.AAAA):
            from ipaddress import ip_address

            record.data = ip_address(value).packed
        elif record.type in (types.NS, types.CNAME, types.PTR):
            record.domain_name = value
        elif record.type == types.TXT:
            record.text = value
        else:
            raise ValueError("data of a %s record: %r" % (data["type"], value))
        return record

    @classmethod
    def A(cls, name, ip, *, ttl=DEFAULT_TTL):
        """Returns a record with an IPv4 address."""
        return cls(name, types.A, classes.IN, ttl, ip.packed)

    @classmethod
    def AAAA(cls, name, ip, *, ttl=DEFAULT_TTL):
        """Returns a record with an IPv6 address."""
        return cls(name, types.AAAA, classes.IN, ttl, ip.packed)

    @classmethod
    def CNAME(cls, alias, canonical, *, ttl=DEFAULT_TTL):
        """Returns a record that says what an alias stands for."""
        return cls(alias, types.CNAME, classes.IN, ttl, domain_names.pack(canonical))

    @classmethod
    def PTR(cls, inaddr, ptr, *, ttl=DEFAULT_TTL):
        """Returns a record that names an address."""
        return cls(inaddr, types.PTR, classes.IN, ttl, domain_names.pack(ptr))

    @classmethod
    def TXT(cls, name, text, *, ttl=DEFAULT_TTL):
        """Returns a record with text."""
        return cls(name, types.TXT, classes.IN, ttl, text.encode("utf-8"))

    @classmethod
    def HTTPS(cls, name, record, ttl=DEFAULT_TTL):
        """Returns a record with an https_records.HTTPSRecord."""
        return cls(name, types.HTTPS, classes.IN, ttl, _https().pack(record))


_SECTIONS = ("answers", "authorities", "additionals")


class DNSMessage(Record, _Fields):
    """A query or an answer."""

    HEADER = struct.Struct("!HHHHHH")
    _names = (
        "timestamp", "id", "query", "op_code", "authoritative_answer", "truncation", "recursion_desired",
        "recursion_available", "reserved", "response_code", "questions",
    ) + _SECTIONS  # fmt: skip

    __hash__ = None

    id = Field(0)
    query = Field(1)
    op_code = Field(2)
    authoritative_answer = Field(3)
    truncation = Field(4)
    recursion_desired = Field(5)
    recursion_available = Field(6)
    reserved = Field(7)
    response_code = Field(8)
    timestamp = Field(13)

    def __init__(
        self,
        id,
        query,
        op_code,
        authoritative_answer,
        truncation,
        recursion_desired,
        recursion_available,
        reserved,
        response_code,
        questions,
        answers,
        authorities,
        additionals,
        timestamp=None,
    ):
        if isinstance(op_code, bool) and not isinstance(query, bool):
            # The order of 8: the time comes first.
            (timestamp, id, query, op_code, authoritative_answer, truncation, recursion_desired, recursion_available,
             reserved, response_code, questions, answers, authorities, additionals) = (
                id, query, op_code, authoritative_answer, truncation, recursion_desired, recursion_available, reserved,
                response_code, questions, answers, authorities, additionals, timestamp)  # fmt: skip
        self.id = id
        self.query = query
        self.op_code = op_code
        self.authoritative_answer = authoritative_answer
        self.truncation = truncation
        self.recursion_desired = recursion_desired
        self.recursion_available = recursion_available
        self.reserved = reserved
        self.response_code = response_code
        self.questions = questions
        self.answers = answers
        self.authorities = authorities
        self.additionals = additionals
        self.timestamp = timestamp

    @classmethod
    def _received(cls, blob):
        message = cls.__new__(cls)
        message.__dict__["_raw"] = blob
        return message

    @Lazy
    def questions(self):
        return [Question(*q) for q in self._rec[9]]

    @Lazy
    def answers(self):
        return [ResourceRecord(*r) for r in self._rec[10]]

    @Lazy
    def authorities(self):
        return [ResourceRecord(*r) for r in self._rec[11]]

    @Lazy
    def additionals(self):
        return [ResourceRecord(*r) for r in self._rec[12]]

    def _tuple(self):
        """Returns the message as the tuple of the protocol of the bridge."""
        return (
            self.id, bool(self.query), self.op_code, bool(self.authoritative_answer), bool(self.truncation),
            bool(self.recursion_desired), bool(self.recursion_available), self.reserved, self.response_code,
            tuple([tuple(q._values()) for q in self.questions]),
            *[tuple([tuple(r._values()) for r in getattr(self, name)]) for name in _SECTIONS],
            self.timestamp,
        )  # fmt: skip

    def __str__(self):
        records = [str(q) for q in self.questions]
        for name in _SECTIONS:
            records += [str(r) for r in getattr(self, name)]
        return "\r\n".join(records)

    @property
    def question(self):
        """The question, if there is exactly one."""
        return self.questions[0] if len(self.questions) == 1 else None

    @property
    def size(self):
        """How many bytes of data the records have."""
        return sum([len(r.data) for name in _SECTIONS for r in getattr(self, name)])

    @property
    def content(self):
        return self.packed

    @property
    def packed(self):
        """The message as bytes. A ValueError or struct.error if a value has no place in it."""
        self._check("id %d", self.id, 0xFFFF)
        self._check("op_code %d", self.op_code, 0b1111)
        self._check("reserved value of %d", self.reserved, 0b111)
        self._check("response_code %d", self.response_code, 0b1111)
        flags = 0 if self.query else 1 << 15
        flags |= self.op_code << 11 | self.reserved << 4 | self.response_code
        for bit, flag in (
            (10, self.authoritative_answer),
            (9, self.truncation),
            (8, self.recursion_desired),
            (7, self.recursion_available),
        ):
            if flag:
                flags |= 1 << bit
        sections = [getattr(self, name) for name in _SECTIONS]
        data = [self.HEADER.pack(self.id, flags, len(self.questions), *map(len, sections))]
        for q in self.questions:
            data += domain_names.pack(q.name), Question.HEADER.pack(q.type, q.class_)
        for section in sections:
            for r in section:
                header = ResourceRecord.HEADER.pack(r.type, r.class_, r.ttl, len(r.data))
                data += domain_names.pack(r.name), header, r.data
        return b"".join(data)

    @staticmethod
    def _check(what, value, limit):
        if not 0 <= value <= limit:
            raise ValueError("DNS message's %s is out of bounds." % (what % value))

    @classmethod
    def unpack(cls, buffer, timestamp=None):
        """Returns the message that the buffer consists of; a struct.error if it is none."""
        length, message = cls.unpack_from(buffer, 0, timestamp)
        if length != len(buffer):
            raise struct.error("unpack requires a buffer of %d bytes" % length)
        return message

    @classmethod
    def unpack_from(cls, buffer, offset, timestamp=None):
        """Returns how long the message at offset is, and the message."""
        start = offset
        id, flags, *counts = cls.HEADER.unpack_from(buffer, offset)
        offset += cls.HEADER.size
        reader = _Reader(buffer, offset)
        sections = [
            reader.section(read, count, what)
            for read, count, what in zip(
                (reader.question, reader.record, reader.record, reader.record),
                counts,
                ("question", "answer", "authority", "additional"),
            )
        ]
        message = cls(
            id,
            not flags >> 15,
            flags >> 11 & 0b1111,
            bool(flags >> 10 & 1),
            bool(flags >> 9 & 1),
            bool(flags >> 8 & 1),
            bool(flags >> 7 & 1),
            flags >> 4 & 0b111,
            flags & 0b1111,
            *sections,
            timestamp=time.time() if timestamp is None else timestamp,
        )
        return reader.offset - start, message

    def _answer(self, response_code, available, answers):
        return DNSMessage(
            timestamp=time.time(),
            id=self.id,
            query=False,
            op_code=self.op_code,
            authoritative_answer=False,
            truncation=False,
            recursion_desired=self.recursion_desired,
            recursion_available=available,
            reserved=0,
            response_code=response_code,
            questions=self.questions,
            answers=answers,
            authorities=[],
            additionals=[],
        )

    def fail(self, response_code):
        """Returns the answer that says what went wrong."""
        if response_code == response_codes.NOERROR:
            raise ValueError("response_code must be an error code.")
        return self._answer(response_code, False, [])

    def succeed(self, answers):
        """Returns the answer that has the records."""
        return self._answer(response_codes.NOERROR, True, answers)

    def to_json(self):
        """Returns the message as plain data for people: codes have their names."""
        return {
            "id": self.id,
            "query": self.query,
            "op_code": op_codes.to_str(self.op_code),
            "authoritative_answer": self.authoritative_answer,
            "truncation": self.truncation,
            "recursion_desired": self.recursion_desired,
            "recursion_available": self.recursion_available,
            "response_code": response_codes.to_str(self.response_code),
            "status_code": response_codes.http_equiv_status_code(self.response_code),
            "questions": [q.to_json() for q in self.questions],
            "answers": [r.to_json() for r in self.answers],
            "authorities": [r.to_json() for r in self.authorities],
            "additionals": [r.to_json() for r in self.additionals],
            "size": self.size,
            "timestamp": self.timestamp,
        }

    @classmethod
    def from_json(cls, data):
        """Returns the message that to_json() made data of."""
        flags = ("authoritative_answer", "truncation", "recursion_desired", "recursion_available")
        return cls(
            id=data["id"],
            query=data["query"],
            op_code=op_codes.from_str(data["op_code"]),
            reserved=data.get("reserved", 0),
            response_code=response_codes.from_str(data["response_code"]),
            questions=[Question.from_json(q) for q in data["questions"]],
            timestamp=data.get("timestamp"),
            **{name: data[name] for name in flags},
            **{name: [ResourceRecord.from_json(r) for r in data[name]] for name in _SECTIONS},
        )

    def get_state(self):
        state = dict(zip(self._names, self._values()))
        for name in ("questions",) + _SECTIONS:
            state[name] = [r.get_state() for r in state[name]]
        return state

    def _state_of(self, version):
        state = self.get_state()
        if state["timestamp"] is None or version < 19:
            state["timestamp"] = float(state["timestamp"] or 0)
        return state

    def set_state(self, state):
        for name in self._names[:10]:
            setattr(self, name, state[name])
        self.questions = [Question.from_state(q) for q in state["questions"]]
        for name in _SECTIONS:
            setattr(self, name, [ResourceRecord.from_state(r) for r in state[name]])

    def copy(self):
        """Returns a message like this one, with another id."""
        from random import randrange

        message = self.from_state(self.get_state())
        message.id = randrange(1 << 16)
        return message


Message = DNSMessage


class _Reader:
    """Reads the sections of a message one after the other."""

    def __init__(self, buffer, offset):
        self.buffer = buffer
        self.offset = offset
        self.names = domain_names.cache()

    def section(self, read, count, what):
        records = []
        for i in range(count):
            try:
                records.append(read())
            except struct.error as e:
                raise struct.error("%s #%d: %s" % (what, i, e)) from None
        return records

    def name(self):
        name, size = domain_names.unpack_from_with_compression(self.buffer, self.offset, self.names)
        self.offset += size
        return name

    def header(self, fields):
        values = fields.unpack_from(self.buffer, self.offset)
        self.offset += fields.size
        return values

    def question(self):
        return Question(self.name(), *self.header(Question.HEADER))

    def record(self):
        name = self.name()
        kind, class_, ttl, size = self.header(ResourceRecord.HEADER)
        end = self.offset + size
        if end > len(self.buffer):
            raise struct.error("unpack requires a data buffer of %d bytes" % size)
        data = domain_names.decompress_record(kind, self.buffer, self.offset, end, self.names)
        self.offset = end
        return ResourceRecord(name, kind, class_, ttl, data)


class DNSFlow(Flow):
    """A query and, if there is one, its answer."""

    def __init__(self, client_conn, server_conn, live=False):
        super().__init__(client_conn, server_conn, live)
        self.response = None

    @Lazy
    def request(self):
        return _received(self._rec[3])

    @Lazy
    def response(self):
        return _received(self._rec[4])

    def __repr__(self):
        return "<DNSFlow\r\n  request=%r\r\n  response=%r\r\n>" % (self.request, self.response)


def _received(blob):
    return None if blob is None else DNSMessage._received(blob)
