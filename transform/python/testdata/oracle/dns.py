"""DNS messages: packed and unpacked, shown, made, and damaged ones refused."""
import ipaddress
import random
import struct

from _oracle import main
from mitmproxy import dns
from mitmproxy.net.dns import classes, domain_names, op_codes, response_codes, types
from mitmproxy.test import tflow, tutils

Message = dns.Message
Record = dns.ResourceRecord

DEVIATIONS = {
    "name 08786e2d2d74646100": "an error of IDNA is a struct.error, as the callers expect",
    "name 01ff00": "8.1.1 writes 'a illegal characters'",
    "name 06786e2d2d404000": "an error of IDNA is a struct.error, as the callers expect",
    "name 04786e2d2d00": "an error of IDNA is a struct.error, as the callers expect",
    "name 07786e2d2dc3bc00": "8.1.1 writes 'a illegal characters'",
    "repr query": "the class is DNSMessage since 12",
    "repr answer": "the class is DNSMessage since 12",
    "flow": "the class is DNSMessage since 12",
    "content": "since 11 it is what is packed, no text",
    "record HTTPS 000100": "HTTPS records are read since 11",
    "chain 0161c00301 62c000 4": "8.1.1 writes 'a illegal characters'",
    "damaged 112 65": "data of an address is no name; 8.1.1 fails with an error of another kind",
    "damaged 112 71": "data of an address is no name; 8.1.1 fails with an error of another kind",
    "damaged 103 183": "of data that is no name, what looks like a pointer is written out since 11",
    "soa": "8.1.1 leaves compressed names in data that is more than a name",
    "mx": "8.1.1 leaves compressed names in data that is more than a name",
}
DEVIATIONS.update(
    {
        "damaged 112 %d" % i: "of data that is no name, what looks like a pointer is written out since 11"
        for i in (79, 80, 222, 248)
    }
)

NAMES = (
    "", "a", "a.", "a..b", ".", "x" * 63, "x" * 64, "ü.de", "a.b.c.d", "xn--tda.de", "A B", "*.x", "_dmarc.x",
    "\u4e2d.cn", "-a.b", "a\0b", ".a", ".".join(["a" * 63] * 5), "STRASSE.de", "straße.de",
)  # fmt: skip
PACKED = (
    "", "00", "016100", "0161", "01610078", "03612e6200", "01ff00", "40" + "61" * 64 + "00", "806161", "c000", "c0",
    "08786e2d2d74646100", "07786e2d2d74646100", "07786e2d2dc3bc00", "06786e2d2d404000", "014100", "0301020300",
    "04786e2d2d00", "0161c000", "016100c000", "07786e2d2d746461c000",
)  # fmt: skip
CHAINS = (
    ("01610001 62c000", 3), ("0161c00301 62c000", 4), ("c002c000", 0), ("c064", 0), ("0161c00501", 0), ("", 5),
    ("00 0161c000", 1), ("00 c000", 1), ("c001", 0), ("0161 c000", 2), ("016100 c000 c003 c005", 7),
)  # fmt: skip
HEADER = b"\0\1\x81\x80\0\0\0\1\0\0\0\0"


def timeless(message):
    state = message.get_state()
    del state["timestamp"]
    return state


def unpacked(data):
    try:
        return timeless(Message.unpack(data))
    except UnicodeError:
        return "struct.error"
    except struct.error as e:
        text = str(e)
        return "struct.error" if "illegal" in text else text


def with_record(kind, data):
    return HEADER + b"\x03foo\0" + struct.pack("!HHIH", kind, 1, 5, len(data)) + data


def cases():
    yield from names()
    yield from messages()
    yield from records()
    yield from numbers()
    yield from damaged()


def names():
    for name in NAMES:
        yield "pack %s" % name[:9].encode("unicode_escape").decode() + str(len(name)), lambda name=name: packed(name)
    for text in PACKED:
        data = bytes.fromhex(text)
        yield "name " + text, lambda data=data: domain_names.unpack(data)
    for text, at in CHAINS:
        data = bytes.fromhex(text)
        yield "chain %s %d" % (text, at), lambda data=data, at=at: domain_names.unpack_from_with_compression(
            data, at, domain_names.cache()
        )
        yield "plain %s %d" % (text, at), lambda data=data, at=at: domain_names.unpack_from(data, at)


def packed(name):
    try:
        return domain_names.pack(name)
    except UnicodeError:
        return "UnicodeError"


def messages():
    query, answer = tutils.tdnsreq(), tutils.tdnsresp()
    yield "repr query", lambda: repr(query)
    yield "repr answer", lambda: repr(answer)
    yield "str", lambda: (str(query), str(answer), query.size, answer.size)
    yield "content", lambda: query.content
    yield "packed", lambda: (query.packed, answer.packed)
    yield "json", lambda: (query.to_json(), answer.to_json())
    yield "equal", lambda: (query == tutils.tdnsreq(), query != answer, query == 5)
    yield "state", lambda: timeless(answer)
    yield "positional", lambda: Message(
        5.5, 42, True, 0, False, False, True, False, 0, 0, [dns.Question("a.b", 1, 1)], [], [], []
    ).get_state()
    yield "positional without time", lambda: Message(None, 42, False, 0, True, False, True, True, 0, 3, [], [], [], []).get_state()
    yield "from_state", lambda: Message.from_state(answer.get_state()) == answer
    yield "succeed", lambda: timeless(query.succeed([Record.A("x", ipaddress.IPv4Address("8.8.8.8"))]))
    yield "fail", lambda: timeless(query.fail(response_codes.NXDOMAIN))
    yield "fail with success", lambda: query.fail(response_codes.NOERROR)
    yield "answer of other", lambda: timeless(tutils.tdnsreq(op_code=2, recursion_desired=False).fail(4))
    yield "unpack_from", lambda: timeless(Message.unpack_from(b"xx" + query.packed + b"yy", 2)[1])
    yield "unpack_from bytearray", lambda: Message.unpack_from(bytearray(answer.packed), 0)[0]
    yield "flow", lambda: repr(tflow.tdnsflow(resp=True))
    yield "copy", lambda: copied(answer)
    for field, value in (
        ("id", -1), ("id", 65536), ("id", 65535), ("reserved", 8), ("reserved", 7), ("op_code", 16), ("op_code", -1),
        ("op_code", 15), ("response_code", 16), ("response_code", 15), ("query", False), ("authoritative_answer", True),
        ("truncation", True), ("recursion_desired", False), ("recursion_available", True),
    ):  # fmt: skip
        yield "packed %s %s" % (field, value), lambda field=field, value=value: tutils.tdnsreq(**{field: value}).packed
    yield "packed type", lambda: tutils.tdnsreq(questions=[dns.Question("a", 70000, 1)]).packed
    yield "packed ttl", lambda: type_of(lambda: tutils.tdnsreq(answers=[Record("a", 1, 1, -1, b"")]).packed)
    yield "packed long", lambda: type_of(lambda: tutils.tdnsreq(answers=[Record("a", 1, 1, 1, b"x" * 70000)]).packed)
    whole = answer.packed
    for i in range(len(whole) + 1):
        yield "cut %d" % i, lambda i=i: unpacked(whole[:i])
    yield "flags", lambda: unpacked(query.packed[:2] + b"\xff\xff" + query.packed[4:])
    yield "counts", lambda: unpacked(query.packed[:4] + b"\xff\xff" + query.packed[6:])
    yield "soa", lambda: unpacked(with_record(types.SOA, b"\x03ns1\xc0\x0c\x01a\xc0\x0c" + b"\0" * 20))["answers"]
    yield "mx", lambda: unpacked(with_record(types.MX, b"\0\x05\x01a\xc0\x0c"))["answers"]
    for kind in (types.NS, types.CNAME, types.PTR, types.DNAME):
        for data in (b"\xc0\x0c", b"\x01a\xc0\x0c", b"\xc0\xff", b"\x01a\0", b"\x01a\0zz", b"\x01a", b""):
            message = with_record(kind, data)
            yield "data %d %s" % (kind, data.hex()), lambda message=message: unpacked(message)["answers"]


def type_of(call):
    try:
        return call()
    except struct.error:
        return "struct.error"


def copied(message):
    copy = message.copy()
    copy.id = message.id
    return copy == message, copy.answers[0] is message.answers[0]


def records():
    made = (
        Record.A("a.b", ipaddress.IPv4Address("1.2.3.4")),
        Record.AAAA("a.b", ipaddress.IPv6Address("::1"), ttl=7),
        Record.CNAME("a", "b.c"),
        Record.PTR("1.in-addr", "x.y"),
        Record.TXT("t", "hallo ü"),
    )
    for kind, data in (
        (types.NS, "016100"), (types.NS, "ff61"), (types.TXT, "fffe"), (types.TXT, "03616263"), (types.A, "313233"),
        (types.AAAA, "313233"), (types.MX, "0001016100"), (99999, ""), (types.HTTPS, "000100"), (types.CNAME, ""),
        (types.PTR, "016100"), (types.A, "7f000001"), (types.SOA, "00"), (types.OPT, ""), (types.HTTPS, "ff"),
    ):  # fmt: skip
        if (kind, data) != (types.HTTPS, "ff"):
            made += (Record("n", kind, 1, 5, bytes.fromhex(data)),)
    for r in made:
        name = "record %s %s" % (types.to_str(r.type), r.data.hex())
        yield name, lambda r=r: (repr(r), str(r), r.to_json(), r.get_state())
        for prop in ("text", "ipv4_address", "ipv6_address", "domain_name"):
            yield "%s %s" % (name, prop), lambda r=r, prop=prop: quiet(lambda: getattr(r, prop))
    yield "set", setters
    yield "question", lambda: [
        (repr(q), str(q), q.to_json(), q.get_state()) for q in (dns.Question("a", 28, 3), dns.Question("b", 9999, 77))
    ]


def quiet(call):
    """Returns the result, or which error there is: their texts depend on the version of Python."""
    try:
        return str(call())
    except (ValueError, struct.error) as e:
        return type(e).__name__


def setters():
    r = Record("n", types.ANY, 1, 5, b"")
    seen = []
    for prop, value in (
        ("text", "foo"), ("ipv4_address", ipaddress.IPv4Address("1.2.3.4")), ("domain_name", "a.ü"),
        ("ipv6_address", ipaddress.IPv6Address("::2")),
    ):  # fmt: skip
        setattr(r, prop, value)
        seen.append((r.data, getattr(r, prop) == value))
    return seen


def numbers():
    for module in (types, classes, op_codes, response_codes):
        name = module.__name__.rpartition(".")[2]
        for i in list(range(-1, 300)) + [32768, 32769, 65535]:
            yield "%s %d" % (name, i), lambda module=module, i=i: module.to_str(i)
        yield name, lambda module=module: sorted(
            [(k, v) for k, v in vars(module).items() if k.isupper() and isinstance(v, int)]
        )
    for i in range(-1, 14):
        yield "status %d" % i, lambda i=i: response_codes.http_equiv_status_code(i)


def damaged():
    r = random.Random(3)
    message = tutils.tdnsresp(
        questions=[dns.Question("dns.google", 1, 1), dns.Question("x.dns.google", 28, 1)],
        answers=[
            Record("a.dns.google", types.A, 1, 5, b"\1\2\3\4"),
            Record.CNAME("b", "c.d.e"),
            Record.TXT("c", "hello"),
        ],
    )
    plain = message.packed
    # The same with pointers for names.
    pointers = plain.replace(b"\x01a\x03dns\x06google\0", b"\x01a\xc0\x0c").replace(b"\x01b\0", b"\x01b\xc0\x0c")
    for base in (plain, pointers):
        for i in range(250):
            data = bytearray(base)
            for _ in range(1 + int(r.random() * 2)):
                at = int(r.random() * len(data))
                data[at] = (r.getrandbits(8), 0xC0, data[at] ^ 1 << int(r.random() * 8))[int(r.random() * 3)]
            data = bytes(data)
            yield "damaged %d %d" % (len(base), i), lambda data=data: unpacked(data)


if __name__ == "__main__":
    main(cases)
