"""Connections: received ones, made ones, the names of every era."""
import marshal
import unittest
import warnings

from _flowkit import diff
from mitmproxy import connection
from mitmproxy.connection import Client, ConnectionState, Server
from mitmproxy.test import tflow

RECORD = (
    "the id", "udp", ("1.2.3.4", 5), ("5.6.7.8", 9), ("host", 443), ("https", ("proxy", 8080)), 1.0, 2.0, 3.0, 4.0, True,
    "QUICv1", "AES", ("AES", "DES"), "sni", b"h2", (b"h2", b"http/1.1"), (b"pem1", b"pem2"), b"mitm",
    "reverse:https://x", "broken", 1,
)  # fmt: skip


def received(cls, record=RECORD):
    conn = cls.__new__(cls)
    conn.__dict__["_raw"] = marshal.dumps(record, 2)
    return conn


class TestReceived(unittest.TestCase):
    def test_lazy(self):
        c = received(Client)
        self.assertEqual(list(c.__dict__), ["_raw"])
        self.assertEqual((c.id, c.peername, c.sockname, c.sni), ("the id", ("1.2.3.4", 5), ("5.6.7.8", 9), "sni"))
        self.assertIs(c.state, ConnectionState.CAN_READ)
        self.assertFalse(c.connected)
        self.assertTrue(c.tls_established)
        self.assertEqual((c.alpn_offers, c.cipher_list), ([b"h2", b"http/1.1"], ["AES", "DES"]))
        self.assertEqual([x.get_state() for x in c.certificate_list], [b"pem1", b"pem2"])
        self.assertEqual(c.mitmcert.get_state(), b"mitm")

    def test_server(self):
        s = received(Server)
        self.assertEqual((s.address, s.timestamp_tcp_setup), (("host", 443), 2.0))
        self.assertEqual((s.via.scheme, s.via.address), ("https", ("proxy", 8080)))
        s.address = ("other", 80)
        self.assertEqual(diff._conn(s, "server_conn"), [4, ("other", 80)])

    def test_open(self):
        s = received(Server, RECORD[:21] + (3,))
        with self.assertRaisesRegex(RuntimeError, "server.address on open"):
            s.address = ("other", 80)
        with self.assertRaisesRegex(RuntimeError, "server.via on open"):
            s.via = None
        s.address = ("host", 443)
        self.assertIsNone(diff._conn(s, "server_conn"))

    def test_states_by_version(self):
        for version in range(17, 22):
            for cls in (Client, Server):
                c = received(cls)
                c._version = version
                state = c.get_state()
                other = cls.from_state(state)
                other._version = version
                self.assertEqual(other.get_state(), state)
                self.assertEqual(state["tls_version"], "QUICv1" if version >= 21 else "QUIC")
                self.assertEqual(other.tls_version, "QUICv1")
                self.assertEqual("state" in state, version < 20)
                self.assertEqual(state["certificate_list"], [b"pem1", b"pem2"])
                self.assertEqual("transport_protocol" in state, version >= 19)
        self.assertNotIn("proxy_mode", list(received(Server).get_state()))

    def test_set_state_of_received(self):
        c = received(Client)
        state = c.get_state()
        c.sni = "other"
        c.set_state(state)
        self.assertIsNone(diff._conn(c, "client_conn"))
        state["proxy_mode"], state["sni"] = "socks5", "third"
        c.set_state(state)
        self.assertEqual(diff._conn(c, "client_conn"), [14, "third", 19, "socks5"])
        self.assertIs(c.state, ConnectionState.CAN_READ)

    def test_old_state_of_received(self):
        c = received(Client)
        c._version = 17
        c.set_state(c.get_state())
        self.assertIsNone(diff._conn(c, "client_conn"))

    def test_unknown(self):
        c = Client._unknown()
        self.assertEqual(str(c), "Client(<no address>, state=closed)")
        state = c.get_state()
        self.assertEqual((state["peername"], state["sockname"], state["timestamp_start"]), (("", 0), ("", 0), 0.0))
        self.assertIsNone(diff._conn(c, "client_conn"))
        c.sni = "x"
        self.assertEqual(diff._conn(c, "client_conn"), [14, "x"])
        self.assertIsNone(Server._unknown().address)

    def test_copy(self):
        for cls in (Client, Server):
            c = received(cls)
            other = c.copy()
            self.assertNotEqual(other.id, c.id)
            self.assertNotEqual(other, c)
            other.id = c.id
            self.assertEqual(other, c)
            self.assertEqual(other.get_state(), c.get_state())
            self.assertIs(other.state, c.state)
            self.assertNotIn("_raw", other.__dict__)


class TestMade(unittest.TestCase):
    def test_all_fields(self):
        c = Client(
            peername=("a", 1), sockname=("b", 2), timestamp_start=3, state=ConnectionState.OPEN, cipher_list=["x"],
            alpn=b"h2", tls=True, mitmcert=None, proxy_mode="reverse:https://x",
        )  # fmt: skip
        self.assertTrue(c.connected)
        self.assertEqual(c.get_state()["proxy_mode"], "reverse:https://x")
        s = Server(address=("a", 1), sni="x", via=("http", ("p", 2)), timestamp_tcp_setup=5)
        self.assertEqual(s.get_state()["via"], ("http", ("p", 2)))
        self.assertEqual(Server.from_state(s.get_state()).via.address, ("p", 2))

    def test_errors(self):
        with self.assertRaises(TypeError):
            connection.Connection()
        with self.assertRaisesRegex(TypeError, "unexpected keyword argument 'zz'"):
            Client(("a", 1), ("b", 2), 3, zz=1)
        with self.assertRaises(TypeError):
            Client(("a", 1), ("b", 2), 3, 4)
        with self.assertRaises(TypeError):
            Server()
        with self.assertRaises(AttributeError):
            connection.Nothing

    def test_not_shared(self):
        a, b = Server(("a", 1)), Server(("a", 1))
        self.assertNotEqual(a.id, b.id)
        self.assertEqual((a.alpn_offers, a.certificate_list, a.cipher_list), ((), (), ()))

    def test_type_names(self):
        self.assertIn("tcp", connection.TransportProtocol.__args__)
        self.assertIn("QUICv1", connection.TlsVersion.__args__)


class TestOldNames(unittest.TestCase):
    def read(self, conn, name):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            value = getattr(conn, name)
        self.assertEqual([w.category for w in caught], [DeprecationWarning], name)
        self.assertEqual(caught[0].filename, __file__)
        return value

    def test_names(self):
        c, s = received(Client), received(Server)
        for conn, name, value in (
            (c, "address", ("1.2.3.4", 5)), (c, "cipher_name", "AES"), (c, "alpn_proto_negotiated", b"h2"),
            (c, "tls_extensions", []), (c, "ssl_established", True), (c, "timestamp_ssl_setup", 3.0),
            (s, "ip_address", ("1.2.3.4", 5)), (s, "source_address", ("5.6.7.8", 9)), (s, "via2", s.via),
            (c, "clientcert", c.certificate_list[0]), (s, "cert", s.certificate_list[0]),
        ):  # fmt: skip
            self.assertEqual(self.read(conn, name), value)

    def test_address_of_before_3(self):
        s = received(Server)
        self.assertEqual((s.address.host, s.address.port, s.address.use_ipv6), ("host", 443, False))
        self.assertEqual(self.read(received(Client), "address").host, "1.2.3.4")
        self.assertEqual(s.get_state()["address"], ("host", 443))
        self.assertIs(type(s.get_state()["address"]), tuple)
        self.assertTrue(Server(("::1", 1)).address.use_ipv6)

    def test_hash(self):
        self.assertEqual(len({received(Client), received(Client), tflow.tclient_conn()}), 2)
        self.assertNotEqual(received(Client), 5)
        self.assertFalse(received(Client) == "the id")


if __name__ == "__main__":
    unittest.main()
