"""Certificates: what the oracle does not cover; damaged ones; TLS hellos."""
import os
import random
import unittest

from _flowkit.errors import NeedsProxy
from mitmproxy import certs, tls
from mitmproxy.net import tls as net_tls

PEMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle", "certs.pem")
PROPERTIES = (
    "cn", "organization", "altnames", "issuer", "subject", "notbefore", "notafter", "serial", "keyinfo", "is_ca",
    "crl_distribution_points",
)  # fmt: skip


def pem(name):
    with open(PEMS, "rb") as f:
        return f.read().partition(b"# %s\n" % name.encode())[2].partition(b"# ")[0]


class TestCert(unittest.TestCase):
    def test_more(self):
        c = certs.Cert.from_pem(pem("rsa"))
        self.assertTrue(c.is_ca)
        self.assertEqual(c.crl_distribution_points, ["http://crl.example/a.crl"])
        self.assertEqual(c.altnames, ["example.com", "*.example.com", "1.2.3.4", "2001:db8::1"])
        self.assertEqual(certs.Cert.from_pem(pem("ed")).crl_distribution_points, [])

    def test_state_is_kept_as_it_is(self):
        c = certs.Cert.from_state(b"no certificate")
        self.assertEqual(c.get_state(), b"no certificate")
        with self.assertRaises(ValueError):
            c.cn
        c.set_state(pem("ec"))
        self.assertEqual(c.cn, "ec.example")
        self.assertEqual(c, certs.Cert.from_pem(pem("ec")))
        self.assertEqual(len({c, certs.Cert.from_pem(pem("ec")), certs.Cert.from_pem(pem("ed"))}), 2)
        with self.assertRaises(AttributeError):
            c.nothing

    def test_der_and_text(self):
        c = certs.Cert.from_pem(pem("ec").decode())
        self.assertEqual(certs.Cert(c._data).to_pem(), pem("ec"))
        self.assertEqual(certs.Cert.from_pem(pem("ec").replace(b"\n", b"\r\n")), c)

    def test_damaged(self):
        r = random.Random(2)
        for name in ("rsa", "ed", "dsa", "ec384"):
            whole = certs.Cert.from_pem(pem(name))._data
            for _ in range(400):
                data = bytearray(whole)
                for _ in range(r.randrange(1, 4)):
                    data[r.randrange(min(len(data), 300))] = r.randrange(256)
                try:
                    c = certs.Cert(bytes(data))
                except ValueError:
                    continue
                for prop in PROPERTIES:
                    try:
                        getattr(c, prop)
                    except ValueError:
                        pass

    def test_lengths(self):
        for data in (b"", b"0", b"0\x80", b"0\x85\1\1\1\1\1", b"0\x84\xff\xff\xff\xff", b"\x1f\0", b"0\0", b"0\2\x30\0"):
            with self.assertRaises(ValueError):
                certs.Cert(data)

    def test_needs_proxy(self):
        for call in (
            certs.CertStore, certs.CertStore.from_store, certs.CertStore.from_files, certs.CertStore.create_store,
            certs.CertStoreEntry, certs.create_ca, certs.dummy_cert, net_tls.create_proxy_server_context,
            net_tls.create_client_proxy_context,
        ):  # fmt: skip
            with self.assertRaisesRegex(NeedsProxy, "needs a live proxy"):
                call()


PLAIN = bytes.fromhex(
    "03015658a756ab2c2bff55f636814deac086b7ca56b65058c7893ffc6074f5245f70205658a75475103a152637"
    "78e1bb6d22e8bbd5b6b0a3a59760ad354e91ba20d353001a0035002f000a000500040009000300060008006000"
    "61006200640100"
)


def hello(extensions):
    body = b"".join([k.to_bytes(2, "big") + len(v).to_bytes(2, "big") + v for k, v in extensions])
    return b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + len(body).to_bytes(2, "big") + body


class TestHello(unittest.TestCase):
    def test_plain(self):
        c = tls.ClientHello(PLAIN)
        self.assertEqual(c.cipher_suites, [53, 47, 10, 5, 4, 9, 3, 6, 8, 96, 97, 98, 100])
        self.assertEqual((c.sni, c.alpn_protocols, c.extensions), (None, [], []))
        self.assertEqual(c.raw_bytes(False), PLAIN)
        self.assertEqual(c.raw_bytes(True), b"\x16\3\3\0\x65\1\0\0\x61" + PLAIN)
        self.assertEqual(repr(c), "ClientHello(sni: None, alpn_protocols: [])")

    def test_extensions(self):
        sni = (0, b"\0\x0e\0\0\x0bexample.com")
        alpn = (16, b"\0\x0c\2h2\x08http/1.1")
        c = tls.ClientHello(hello([sni, alpn, (23, b"")]))
        self.assertEqual((c.sni, c.alpn_protocols), ("example.com", [b"h2", b"http/1.1"]))
        self.assertEqual(c.extensions, [sni, alpn, (23, b"")])
        for bad in (b"", b"\0\5\0\0\xff", b"\0\4\0\0\1\xff", b"\0\4\1\0\1a", b"\0\x08\0\0\1a\0\0\1b"):
            self.assertIsNone(tls.ClientHello(hello([(0, bad)])).sni)

    def test_cut(self):
        data = hello([(0, b"\0\x0e\0\0\x0bexample.com")])
        for i in range(len(data)):
            if i != 41:  # all of a hello without extensions
                with self.assertRaises(EOFError):
                    tls.ClientHello(data[:i])

    def test_data(self):
        d = tls.ClientHelloData("context", "hello")
        self.assertEqual((d.ignore_connection, d.establish_server_tls_first), (False, False))
        self.assertEqual(repr(tls.TlsData(1, 2)), "TlsData(conn=1, context=2, ssl_conn=None, is_dtls=False)")
        self.assertEqual(tls.TlsData(1, 2), tls.TlsData(1, 2))
        self.assertNotEqual(tls.TlsData(1, 2), tls.TlsData(1, 3))
        self.assertIsNone(tls.QuicTlsData(1, 2).settings)

    def test_records(self):
        for data, is_tls, is_dtls in (
            (b"", False, False), (b"\x16\3", False, False), (b"\x16\3\0", True, False), (b"\x16\3\3", True, False),
            (b"\x16\3\4", False, False), (b"\x16\xfe\xfd", False, True), (b"POST", False, False),
        ):  # fmt: skip
            self.assertEqual((net_tls.starts_like_tls_record(data), net_tls.starts_like_dtls_record(data)), (is_tls, is_dtls))
        self.assertIsNone(net_tls.make_master_secret_logger(None))


if __name__ == "__main__":
    unittest.main()
