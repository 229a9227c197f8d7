"""dns: packing, unpacking, names and numbers."""
from _show import attempt

from mitmproxy import dns
from mitmproxy.net.dns import classes, domain_names, op_codes, response_codes, types

PACKETS = [
    "002a01000001000000000000036e73310765786d706c65000001 0001",
    "002a010000010000000000000364 6e730667 6f6f676c6503636f6d0000010001",
    "002a818000010002000000000364 6e7306676f6f676c6503636f6d0000010001c00c00010001000000200004080808 08c00c0001000100000020000408080404",
    "", "00", "002a0100000100000000", "ffff8583000000000000ffff", "002a01000001000000000000c00c00010001",
    "002a0100000100000000000003777777c00c00010001", "002a0100000100000000000004746f6f", "002a818000010001000000000000010001c00c",
]


def load(loader):
    for m in (types, classes, op_codes, response_codes):
        print(m.__name__, [(n, m.to_str(n)) for n in range(-1, 70)], m.to_str(65535), sorted((k, v) for k, v in vars(m).items() if k.isupper()))
    print([(n, response_codes.http_equiv_status_code(n)) for n in range(24)])
    for packet in PACKETS:
        data = bytes.fromhex(packet)

        def unpacked():
            m = dns.Message.unpack(data)
            m.timestamp = 1.0
            return m
        print(packet, attempt(unpacked), attempt(lambda: unpacked().packed.hex()), attempt(lambda: unpacked().to_json()), attempt(lambda: dns.Message.unpack_from(b"x" + data, 1)[0]))
    for n in ("", "a", "a.b", "www.example.com", "a" * 63 + ".x", "a" * 64, "b\u00fccher.example", "a..b", ".", "trail.", "-", "*.x", "a" * 63 + "." + "b" * 63):
        print(ascii(n), attempt(domain_names.pack, n), attempt(lambda: domain_names.unpack(domain_names.pack(n))))
    for raw in (b"", b"\0", b"\1a", b"\1a\0", b"\1a\0x", b"\xc0\x00", b"\x03www\x07example\x00", b"\x40abc", b"\x02\xc3\xbc\x00"):
        print(raw, attempt(domain_names.unpack, raw), attempt(domain_names.unpack_from, b"zz" + raw, 2), attempt(domain_names.unpack_from_with_compression, b"zz" + raw, 2, domain_names.cache()))
    rr = dns.ResourceRecord
    for r in (rr("n", 1, 1, 5, b"\1\2\3\4"), rr("n", 1, 1, 5, b"\1"), rr("n", 28, 1, 5, b"\0" * 16), rr("n", 5, 1, 1, b"\1a\0"), rr("n", 16, 3, 1, b"text"), rr("n", 999, 77, 1, b"\xff")):
        print(str(r), repr(r), r.to_json(), r.get_state(), rr.from_state(r.get_state()) == r)
    print(dns.ResourceRecord.DEFAULT_TTL, dns.Question("n", 1, 1), dns.Question("n", 1, 1) == dns.Question("n", 1, 1))
