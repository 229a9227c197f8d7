"""Flows as they come from flowkit: read lazily, compared by identity, kept beyond their batch."""
import asyncio
import marshal
import subprocess
import sys
import typing
import unittest

from _flowkit import diff
from mitmproxy import connection, dns, exceptions, flow, http, stateobject, tcp, udp, websocket
from mitmproxy.test import tflow

CONN = (
    "id", "tcp", ("1.2.3.4", 5), ("5.6.7.8", 9), ("host", 443), ("https", ("proxy", 8080)), 1.0, 2.0, 3.0, 4.0, True,
    "TLSv1.3", "AES", ("AES", "DES"), "sni", b"h2", (b"h2", b"http/1.1"), (b"pem1", b"pem2"), b"mitm", "reverse:https://x",
    "broken", 3,
)  # fmt: skip
COLD = (("oops", 5.5), True, "request", ":grapes:", "said", {"a": [1, {"b": 2}]}, (True, 1000, "bye", 7.5))
REQUEST = ("host", 80, b"GET", b"http", b"", b"/p", b"HTTP/1.1", ((b"a", b"b"),), -1, 4, 1.5, 2.5, ((b"t", b"u"),))
RESPONSE = (200, b"OK", b"HTTP/1.1", ((b"c", b"d"),), -1, 8, 3.5, 4.5, None)
DNS = (
    7, True, 0, False, False, True, False, 0, 0, (("dns.google", 1, 1),), (("dns.google", 1, 1, 32, b"\x08\x08\x08\x08"),),
    (), (), 9.5,
)  # fmt: skip
MESSAGES = [(1, True, b"one", 1.5, False, False), (2, False, lambda: b"two", 2.5, True, True)]


class Batch:
    """Counts what is asked for, and gives nothing once it is over."""

    def __init__(self, messages=()):
        self.asked = []
        self.list = list(messages)
        self.over = False

    def ask(self, what):
        if self.over:
            raise RuntimeError("the batch is over")
        self.asked.append(what)

    def body(self, index, part, off, length):
        self.ask("body")
        return (b"body", b"response")[part]

    def conns(self, index):
        self.ask("conns")
        return marshal.dumps(CONN, 2), marshal.dumps(CONN, 2)

    def messages(self, index):
        self.ask("messages")
        return self.list


def blob(value):
    return None if value is None else marshal.dumps(value, 2)


def received(cls, kind, request=None, response=None, cold=COLD, version=21, messages=()):
    f = cls.__new__(cls)
    d = f.__dict__
    d["_rec"] = (kind, "the id", 0.5, blob(request), blob(response), blob(cold), version)
    d["_batch"] = Batch(messages)
    d["_index"] = 0
    return f


def http_flow(**kwargs):
    return received(http.HTTPFlow, 0, REQUEST, RESPONSE, messages=MESSAGES, **kwargs)


def tcp_flow(**kwargs):
    return received(tcp.TCPFlow, 1, messages=MESSAGES, **kwargs)


def udp_flow(**kwargs):
    return received(udp.UDPFlow, 2, messages=MESSAGES, **kwargs)


def dns_flow(**kwargs):
    return received(dns.DNSFlow, 3, DNS, None, **kwargs)


KINDS = ((http_flow, diff.http), (tcp_flow, diff.stream), (udp_flow, diff.stream), (dns_flow, diff.dns))


class TestReceived(unittest.TestCase):
    def test_nothing_is_decoded_before_it_is_touched(self):
        for make, _ in KINDS:
            f = make()
            self.assertEqual(sorted(f.__dict__), ["_batch", "_index", "_rec"])
            self.assertEqual((f.id, f.timestamp_created, f.live), ("the id", 0.5, False))
            self.assertEqual(f._batch.asked, [])

    def test_cold(self):
        f = http_flow()
        self.assertEqual((f.error.msg, f.error.timestamp), ("oops", 5.5))
        self.assertEqual((f.intercepted, f.is_replay, f.marked, f.comment), (True, "request", ":grapes:", "said"))
        self.assertEqual(f.metadata, {"a": [1, {"b": 2}]})
        f.metadata["a"][1]["b"] = 3
        self.assertEqual(f._metadata0, {"a": [1, {"b": 2}]})
        self.assertEqual(f._batch.asked, [])

    def test_no_cold(self):
        f = http_flow(cold=None)
        self.assertIsNone(f.error)
        self.assertEqual((f.intercepted, f.is_replay, f.marked, f.comment), (False, None, "", ""))
        f.metadata["a"] = 1
        self.assertEqual(http_flow(cold=None).metadata, {})
        self.assertIsNone(f.websocket)

    def test_version(self):
        for version in range(17, 22):
            self.assertEqual(tcp_flow(version=version).get_state()["version"], version)
        self.assertEqual(tcp_flow(version=7).get_state()["version"], 17)
        self.assertEqual(tflow.tflow().get_state()["version"], 21)

    def test_reading_changes_nothing(self):
        for make, changes in KINDS:
            f = make()
            f.get_state()
            repr(f)
            self.assertEqual(changes(f, diff.Raw()), (None, None, []), make)

    def test_messages(self):
        f = tcp_flow()
        one, two = f.messages
        self.assertEqual((one.from_client, one.content, one.timestamp), (True, b"one", 1.5))
        self.assertEqual(two._origin, (1, MESSAGES[1]))
        self.assertTrue(two._unchanged())
        self.assertEqual(two.content, b"two")
        self.assertIs(two.content, two._content0)
        self.assertTrue(two._unchanged())
        two.content = b"three"
        self.assertFalse(two._unchanged())
        one.timestamp = 9.0
        self.assertFalse(one._unchanged())
        self.assertFalse(tcp.TCPMessage(True, b"one")._unchanged())

    def test_web_socket(self):
        f = http_flow()
        w = f.websocket
        self.assertEqual((w.closed_by_client, w.close_code, w.close_reason, w.timestamp_end), (True, 1000, "bye", 7.5))
        self.assertEqual(f._batch.asked, [])
        one, two = w.messages
        self.assertTrue(one.is_text)
        self.assertNotIn("type", one.__dict__)
        self.assertEqual((one.type.name, two.type.name, two.dropped, two.injected), ("TEXT", "BINARY", True, True))
        self.assertTrue(one._unchanged() and two._unchanged())
        one.text = "1"
        two.dropped = False
        self.assertFalse(one._unchanged() or two._unchanged())
        self.assertIs(f._messages0, f._batch.list)

    def test_dns(self):
        f = dns_flow()
        self.assertIsNone(f.response)
        self.assertEqual(f.request.question.name, "dns.google")
        self.assertEqual(str(f.request.answers[0]), "8.8.8.8")
        f.request.answers[0].ttl = 5
        ops = diff.dns(f, diff.Raw())[2]
        self.assertEqual(ops[0], 12)
        self.assertEqual(ops[1][10], (("dns.google", 1, 1, 5, b"\x08\x08\x08\x08"),))

    def test_no_field_is_left(self):
        f = dns.DNSFlow(tflow.tclient_conn(), tflow.tserver_conn())
        with self.assertRaises(AttributeError):
            f.request
        with self.assertRaises(AttributeError):
            del f.messages


class TestKept(unittest.TestCase):
    def test_materialise(self):
        for make, changes in KINDS:
            f = make()
            f._materialise()
            f._batch.over = True
            state = f.get_state()
            self.assertEqual(state["error"], {"msg": "oops", "timestamp": 5.5})
            f._batch = None
            self.assertEqual(f.get_state(), state)
            self.assertEqual(changes(f, diff.Raw()), (None, None, []))

    def test_materialise_again(self):
        f = tcp_flow()
        f.messages = []
        f.comment = "other"
        f._materialise()
        f._materialise()
        self.assertEqual((f.messages, f.comment), ([], "other"))
        tflow.tflow()._materialise()

    def test_too_large(self):
        def fail():
            raise ValueError("too large")

        f = received(tcp.TCPFlow, 1, messages=[(0, True, fail, 1.5, False, False)])
        f._materialise()
        with self.assertRaises(ValueError):
            f.messages[0].content

    def test_copy_shares_nothing(self):
        for make, _ in (KINDS[1], KINDS[2], KINDS[3]):
            f = make()
            c = f.copy()
            f._batch.over = True
            self.assertNotIn("_batch", c.__dict__)
            a, b = f.get_state(), c.get_state()
            self.assertNotEqual(a.pop("id"), b.pop("id"))
            self.assertEqual(a, b)
            self.assertIsNot(c.metadata["a"], f.metadata["a"])
            self.assertEqual((c.live, c.client_conn.state, c.client_conn.id), (False, f.client_conn.state, f.client_conn.id))
            self.assertIsNot(c.client_conn, f.client_conn)

    def test_copy_keeps_version(self):
        c = tcp_flow(version=18).copy()
        self.assertEqual(c.get_state()["version"], 18)
        self.assertEqual(c.client_conn.get_state()["proxy_mode"], "reverse:https://x")
        self.assertEqual(tcp_flow(version=17).copy().client_conn._mode_text(), "reverse:https://x")


class TestFlow(unittest.TestCase):
    def test_drop(self):
        f = tcp_flow()
        self.assertNotIn("_dropped", f.__dict__)
        f.drop()
        self.assertIs(f.__dict__["_dropped"], True)

    def test_kill(self):
        with self.assertRaisesRegex(exceptions.ControlException, "^Flow is not killable.$"):
            http_flow().kill()

    def test_wait(self):
        async def run(f):
            await f.wait_for_resume()
            f.intercept()
            waiting = asyncio.ensure_future(f.wait_for_resume())
            await asyncio.sleep(0)
            self.assertFalse(waiting.done())
            f.resume()
            await waiting
            f.intercept()
            waiting = asyncio.ensure_future(f.wait_for_resume())
            await asyncio.sleep(0)
            self.assertFalse(waiting.done())
            f.resume()
            await waiting

        asyncio.run(run(tflow.tflow()))

    def test_revert_of_received(self):
        f = tcp_flow()
        f.backup()
        f.messages[0].content = b"x"
        f.client_conn.sni = "other"
        f.comment = "other"
        self.assertTrue(f.modified())
        f.revert()
        self.assertEqual((f.comment, f.messages[0].content, f.client_conn.sni), ("said", b"one", "sni"))
        request, response, ops = diff.stream(f, diff.Raw())
        self.assertEqual([n for n in ops[::2]], [9])

    def test_unknown_type(self):
        with self.assertRaisesRegex(ValueError, "Unknown flow type: xx"):
            flow.Flow.from_state({"type": "xx"})

    def test_new_ids(self):
        ids = {flow.new_id() for _ in range(100)}
        self.assertEqual(len(ids), 100)
        for i in ids:
            self.assertRegex(i, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")

    def test_deep_copy(self):
        value = {"a": [1, ({"b": [2]},)], "s": {1}}
        copy = flow.deep_copy(value)
        self.assertEqual(copy, value)
        value["a"][1][0]["b"].append(3)
        value["s"].add(2)
        self.assertEqual(copy, {"a": [1, ({"b": [2]},)], "s": {1}})

    def test_order_of_keys(self):
        common = "id error client_conn server_conn intercepted is_replay marked metadata comment timestamp_created"
        for version in range(17, 22):
            for make, parts in ((http_flow, "request response websocket"), (tcp_flow, "messages"), (dns_flow, "request response")):
                old = "%s %s version type" % (common, parts)
                new = "version type %s backup %s" % (common, parts)
                state = make(version=version).get_state()
                self.assertEqual(" ".join(state), old if version < 19 else new)

    def test_unknown_times(self):
        f = received(tcp.TCPFlow, 1)
        f._rec = f._rec[:2] + (None,) + f._rec[3:]
        self.assertEqual(f.get_state()["timestamp_created"], 1.0)


class TestWebSocket(unittest.TestCase):
    def test_formatted(self):
        text = tflow.twebsocket()._get_formatted_messages()
        self.assertEqual(text, b"[OUTGOING] hello binary\n[OUTGOING] hello text\n[INCOMING] it's me")

    def test_opcode(self):
        self.assertEqual(websocket.Opcode.TEXT, 1)
        with self.assertRaises(ValueError):
            websocket.WebSocketMessage(5, True, b"")
        with self.assertRaises(AttributeError):
            websocket.Nothing

    def test_lost(self):
        m = tcp.TCPMessage(True, b"")
        del m.content
        with self.assertRaises(AttributeError):
            m.content


class TestStateObject(unittest.TestCase):
    def test_attributes(self):
        class Child(stateobject.StateObject):
            _stateobject_attributes = {"x": int}

            def __init__(self, x=None):
                self.x = x

            @classmethod
            def from_state(cls, state):
                child = cls()
                child.set_state(state)
                return child

        class Parent(Child):
            _stateobject_attributes = {
                "a": typing.List[Child], "b": Child, "c": typing.Tuple[int, str], "d": typing.Dict[str, typing.Any],
                "e": typing.Any, "f": typing.Optional[int], "g": float, "h": typing.Tuple[str, ...],
            }  # fmt: skip

        p = Parent()
        p.a, p.b, p.c, p.d, p.e, p.f, p.g, p.h = [Child(1)], Child("2"), (1, "x"), {"q": [1]}, (5,), None, 3, ("y", "z")
        state = {
            "a": [{"x": 1}], "b": {"x": 2}, "c": (1, "x"), "d": {"q": [1]}, "e": (5,), "f": None, "g": 3.0, "h": ("y", "z"),
        }  # fmt: skip
        self.assertEqual(p.get_state(), state)
        q = Parent.from_state(state)
        self.assertEqual((q.get_state(), type(q.b), type(q.a[0])), (state, Child, Child))
        kept = q.b
        q.set_state(dict(state, b={"x": 9}))
        self.assertEqual((q.b.x, q.b is kept), (9, True))
        with self.assertRaisesRegex(RuntimeWarning, "Unexpected State"):
            q.set_state(dict(state, zz=1))
        p.e = object()
        with self.assertRaisesRegex(ValueError, "not serializable"):
            p.get_state()


class TestStart(unittest.TestCase):
    def test_imports(self):
        """What takes long to import is not imported before it is needed."""
        code = (
            "import sys; before = set(sys.modules); import mitmproxy.http, mitmproxy.flow, mitmproxy.connection, "
            "mitmproxy.tcp, mitmproxy.udp, mitmproxy.websocket, mitmproxy.dns; "
            "print(' '.join(set(sys.modules) - before))"
        )
        out = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout.decode().split()
        slow = "typing dataclasses enum re json logging asyncio inspect urllib email datetime gzip zlib ipaddress uuid random"
        self.assertEqual([m for m in out if m in slow.split()], [])

    def test_states(self):
        self.assertIs(connection.ConnectionState(3), connection.ConnectionState.OPEN)


if __name__ == "__main__":
    unittest.main()
