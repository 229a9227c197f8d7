"""DNS: JSON, HTTPS records, compressed names, messages that are none."""
import ipaddress
import random
import struct
import time
import unittest

from mitmproxy import dns
from mitmproxy.net.dns import classes, domain_names, https_records, op_codes, response_codes, types
from mitmproxy.test import tflow, tutils

HEADER = b"\0\1\x81\x80\0\0\0\1\0\0\0\0"


def record(kind, data, name=b"\x03foo\0"):
    return dns.DNSMessage.unpack(HEADER + name + struct.pack("!HHIH", kind, 1, 5, len(data)) + data).answers[0]


class TestMessage(unittest.TestCase):
    def test_alias(self):
        self.assertIs(dns.Message, dns.DNSMessage)
        self.assertIs(dns.https_records, https_records)
        with self.assertRaises(AttributeError):
            dns.nothing

    def test_timestamp(self):
        self.assertEqual(dns.DNSMessage.unpack(tutils.tdnsreq().packed, 5).timestamp, 5)
        self.assertLess(abs(dns.DNSMessage.unpack(tutils.tdnsreq().packed).timestamp - time.time()), 60)

    def test_round_trip(self):
        for message in (tutils.tdnsreq(), tutils.tdnsresp()):
            self.assertEqual(dns.DNSMessage.unpack(message.packed, message.timestamp), message)
            self.assertEqual(dns.DNSMessage.from_json(message.to_json()), message)
            self.assertEqual(dns.DNSMessage.from_state(message.get_state()), message)
            self.assertEqual(message.content, message.packed)

    def test_json_of_all_types(self):
        https = https_records.HTTPSRecord(1, "x.y", {1: b"\x02h2", 7: b"\0"})
        answers = [
            dns.ResourceRecord.A("a", ipaddress.IPv4Address("1.2.3.4")),
            dns.ResourceRecord.AAAA("a", ipaddress.IPv6Address("::1")),
            dns.ResourceRecord.CNAME("a", "b.c"),
            dns.ResourceRecord.PTR("a", "b.c"),
            dns.ResourceRecord.TXT("a", "0x text ü"),
            dns.ResourceRecord.HTTPS("a", https),
            dns.ResourceRecord("a", types.NS, classes.IN, 5, b"\1a\0"),
            dns.ResourceRecord("a", types.A, classes.IN, 5, b"bad"),
            dns.ResourceRecord("a", types.MX, classes.CH, 5, b"\0\5\1a\0"),
            dns.ResourceRecord("a", 4711, 99, 5, b""),
        ]
        message = tutils.tdnsresp(answers=answers, op_code=9, response_code=13)
        self.assertEqual(dns.DNSMessage.from_json(message.to_json()), message)

    def test_bad_json(self):
        good = tutils.tdnsresp().to_json()
        for change in ({"op_code": "X"}, {"response_code": "RCODE(x)"}, {"answers": [dict(good["answers"][0], type="SOA")]}):
            with self.assertRaises(ValueError):
                dns.DNSMessage.from_json(dict(good, **change))

    def test_copy(self):
        message = tutils.tdnsresp()
        copy = message.copy()
        copy.id = message.id
        self.assertEqual(copy, message)
        copy.answers[0].ttl = 7
        self.assertNotEqual(copy, message)

    def test_question(self):
        self.assertEqual(tutils.tdnsreq().question.name, "dns.google")
        self.assertIsNone(tutils.tdnsreq(questions=[]).question)

    def test_flow(self):
        f = tflow.tdnsflow(resp=True)
        self.assertEqual(f.type, "dns")
        c = f.copy()
        self.assertEqual((c.request, c.response), (f.request, f.response))
        self.assertIsNot(c.request, f.request)


class TestCompression(unittest.TestCase):
    def test_data(self):
        foo = b"\x03foo\0"
        tail = bytes(range(0xC0, 0xC0 + 20))
        for kind, data, plain in (
            (types.SOA, b"\xc0\x0c\1a\xc0\x0c" + tail, foo + b"\1a" + foo + tail),
            (types.MX, b"\xc0\x0c\xc0\x0c", b"\xc0\x0c" + foo),
            (types.SRV, b"\xc0\x0c\xc0\x0c\xc0\x0c\xc0\x0c", b"\xc0\x0c\xc0\x0c\xc0\x0c" + foo),
            (types.NAPTR, b"\0\1\0\2\2\xc0\x0c\1x\0\xc0\x0c", b"\0\1\0\2\2\xc0\x0c\1x\0" + foo),
            (types.MINFO, b"\xc0\x0c\xc0\x0c", foo + foo),
            (types.NXT, b"\xc0\x0c\xc0\x0c", foo + b"\xc0\x0c"),
            (types.A, b"\xc0\x0c\xc0\x0c", b"\xc0\x0c\xc0\x0c"),
            (types.HTTPS, b"\0\1\xc0\x0c", b"\0\1\xc0\x0c"),
            (types.CNAME, b"\x99live\xc0\x0c", b"\x99live" + foo),
            (types.CNAME, b"\xc0", b"\xc0"),
            (types.MX, b"", b""),
        ):
            self.assertEqual(record(kind, data).data, plain, types.to_str(kind))

    def test_long_chain(self):
        # 8,000 pointers, each to the one before it.
        data = b"\1a\0" + b"".join([struct.pack("!H", 0xC000 | (3 + 2 * i if i >= 0 else 0)) for i in range(-1, 7999)])
        cache = domain_names.cache()
        self.assertEqual(domain_names.unpack_from_with_compression(data, 3 + 2 * 7999, cache), ("a", 2))
        self.assertEqual(len(cache), 8001)

    def test_loop_is_forgotten(self):
        cache = domain_names.cache()
        with self.assertRaisesRegex(struct.error, "loop"):
            domain_names.unpack_from_with_compression(b"\1a\xc0\0", 0, cache)
        self.assertEqual(cache, {})

    def test_many_records_are_fast(self):
        name = b"\x3f" + b"a" * 63
        message = b"\0\1\x81\x80\0\0\x0f\xff\0\0\0\0" + name * 3 + b"\0" + struct.pack("!HHIH", 1, 1, 5, 0)
        message += (b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 5, 0)) * 0xFFE
        begun = time.monotonic()
        self.assertEqual(len(dns.DNSMessage.unpack(message).answers), 0xFFF)
        self.assertLess(time.monotonic() - begun, 5)


class TestHTTPS(unittest.TestCase):
    def test_pack(self):
        r = https_records.HTTPSRecord(1, "example.com", {0: b"\0\4", 1: b"\2h2", 111: b""})
        self.assertEqual(https_records.unpack(https_records.pack(r)), r)
        self.assertNotEqual(r, https_records.HTTPSRecord(2, "example.com", r.params))
        self.assertEqual(https_records.HTTPSRecord.from_json(r.to_json()), r)
        self.assertEqual(str(r), r"{'target_name': 'example.com', 'priority': 1, 'mandatory': '\\x00\\x04', 'alpn': '\\x02h2', 111: ''}")
        with self.assertRaises(ValueError):
            https_records.HTTPSRecord.from_json({"priority": 1, "target_name": "", "what": ""})

    def test_properties(self):
        r = dns.ResourceRecord.HTTPS("x", https_records.HTTPSRecord(1, "y", {}))
        self.assertEqual((r.https_alpn, r.https_ech), (None, None))
        r.https_alpn, r.https_ech = [b"h3", b"h2"], "AAEC"
        self.assertEqual((r.https_alpn, r.https_ech), ((b"h3", b"h2"), "AAEC"))
        r.https_alpn = r.https_ech = None
        self.assertEqual(r.data, b"\0\1\1y\0")

    def test_errors(self):
        for data, text in (
            (b"", "a buffer of 2 bytes"), (b"\0\1\7exa", "label buffer of 7 bytes"), (b"\0\1\0\0\1\0\6\2h2", "a buffer of 13 bytes"),
            (b"\0\1\0\0", "a buffer of 7 bytes"),
        ):  # fmt: skip
            with self.assertRaisesRegex(struct.error, text):
                https_records.unpack(data)


class TestNames(unittest.TestCase):
    def test_from_str(self):
        for module, kind in ((types, "TYPE"), (classes, "CLASS"), (op_codes, "OPCODE"), (response_codes, "RCODE")):
            for i in (0, 1, 3, 5, 99, 12345):
                self.assertEqual(module.from_str(module.to_str(i)), i)
            self.assertEqual(module.to_str(12345), kind + "(12345)")
            for bad in ("x", "", kind, kind + "(x)", kind + "(5"):
                with self.assertRaises(ValueError):
                    module.from_str(bad)


class TestDamaged(unittest.TestCase):
    def test_only_struct_errors(self):
        r = random.Random(5)
        base = tutils.tdnsresp().packed
        soa = HEADER + b"\3foo\0" + struct.pack("!HHIH", types.SOA, 1, 5, 26) + b"\xc0\x0c\xc0\x0c" + b"\0" * 22
        for _ in range(4000):
            data = bytearray(r.choice((base, soa)))
            for _ in range(r.randrange(1, 5)):
                data[r.randrange(len(data))] = r.choice((r.randrange(256), 0xC0, 0, 63, 255))
            data = bytes(data[: r.randrange(len(data) + 1)])
            try:
                message = dns.DNSMessage.unpack(data)
            except struct.error:
                continue
            str(message), message.to_json()

    def test_https(self):
        r = random.Random(6)
        for _ in range(2000):
            data = bytes([r.choice((0, 1, 2, 3, 65, r.randrange(256))) for _ in range(r.randrange(20))])
            try:
                https_records.unpack(data)
            except struct.error:
                pass


if __name__ == "__main__":
    unittest.main()
