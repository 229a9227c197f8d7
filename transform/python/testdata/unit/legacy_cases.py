"""Scripts of every era over flows. Run by test_legacy.py: it changes the classes of today."""
import asyncio
import gzip
import importlib
import os
import sys
import tempfile
import unittest

from _flowkit import diff, legacy, sequence
from _flowkit.errors import NeedsProxy
from _flowkit.loader import Script
from mitmproxy import ctx, http, io, log, master, options
from mitmproxy.addonmanager import Loader, hooks_of
from mitmproxy.flow import Error
from mitmproxy.test import tflow, tutils

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "legacy")
EVENTS = [name for kind in sequence.HOOKS for name in kind]
KINDS = {"http": sequence.http, "tcp": sequence.tcp}


def flow(url="http://example.com/", method="GET", headers=(), content=b"", code=200, rheaders=(), rcontent=b"foo", **more):
    f = tflow.tflow(live=False, **more)
    f.request = http.Request.make(method, url, content)
    f.request.headers = http.Headers(list(headers) + [(b"content-length", str(len(content)).encode())])
    f.response = http.Response.make(code, rcontent, http.Headers(rheaders))
    return f


class Loaded:
    """A script, loaded and adapted as flowkit does it."""

    def __init__(self, name, *args, **more):
        self.script = Script(os.path.join(SCRIPTS, name), args, more.get("source"))
        self.classic = more.get("classic", False)
        self.logged = logged = []
        log.sink = lambda level, logger, text: logged.append((level, text))
        ctx.master = master.Master(options.Options())
        ctx.options = ctx.master.options
        self.script.load()
        with self.script.args():
            self.script.adapt(self.classic)
        self.era, self.module, self.addon = self.script.era, self.script.module, self.script.addon

    def call(self, name, *args):
        with self.script.args():
            for _, hook in list(hooks_of(self.addon, name)):
                result = hook(*args)
                if hasattr(result, "__await__"):
                    asyncio.run(result)

    def start(self):
        self.call("load", Loader(ctx.master))
        self.call("configure", set(ctx.options.keys()))
        self.call("running")

    def run(self, *flows):
        """Return the flows after all events, and done."""
        self.start()
        want = {name for name in EVENTS if list(hooks_of(self.addon, name))}
        for f in flows:
            for name in KINDS[f.type](f, want, self.classic):
                self.call(name, f)
        self.call("done")
        return flows


class Lists(unittest.TestCase):
    """Up to 0.13."""

    def test_header(self):
        script = Loaded("list_header.py")
        f, = script.run(flow(rheaders=[(b"x-seen", b"0"), (b"b", b"c")]))
        self.assertEqual(script.era, "0.13")
        self.assertEqual(f.response.headers.get_all("x-seen"), ["one", "two"])
        self.assertEqual([k for k, _ in f.response.headers.fields][:2], [b"X-Seen", b"b"])

    def test_form(self):
        kind = (b"content-type", b"application/x-www-form-urlencoded")
        a, b, c = Loaded("list_form.py").run(
            flow("http://a/?n=0&m=5", "POST", [kind], b"x=1&gone=2"), flow("http://a/"),
            flow(method="POST", headers=[(b"content-type", b"text/plain")], content=b"x=1"),
        )
        self.assertEqual(a.request.content, b"x=1&added=by+script")
        self.assertEqual(a.request.headers["content-length"], str(len(a.request.content)))
        self.assertEqual(a.request.path, "/?n=1&m=5&n=2")
        self.assertEqual((b.request.path, b.request.content, c.request.content), ("/", b"", b"x=1"))

    def test_redirect(self):
        script = Loaded("list_redirect.py")
        a, b, c = script.run(
            flow(headers=[(b"host", b"answer.example")]), flow("http://x.moved.example/p", headers=[(b"Host", b"x.moved.example")]),
            flow(),
        )
        self.assertEqual(script.era, "0.13")
        self.assertEqual((a.response.status_code, a.response.reason, a.response.content), (200, "OK", b"answered"))
        self.assertEqual(a.response.headers.fields, ((b"Content-Type", b"text/plain"), (b"X-By", b"script")))
        self.assertIs(type(a.response), http.Response)
        self.assertEqual((b.request.host, b.request.headers["host"]), ("new.example", "new.example"))
        self.assertEqual(c.response.content, b"foo")

    def test_read(self):
        sink = type(sys)("list_read_sink")
        sink.seen = []
        sys.modules["list_read_sink"] = sink
        f = flow(
            "http://example.com:8080/a%20b/c?x=1&x=2", headers=[(b"Cookie", b"a=b; c=d"), (b"host", b"h")],
            rheaders=[(b"content-type", b"text/html"), (b"set-cookie", b"k=v; Path=/; secure")], rcontent=b"a" * 100,
        )
        f.response.encode("gzip")
        raw, fields = f.response.raw_content, f.response.headers.fields
        Loaded("list_read.py").run(f)
        seen, = sink.seen
        self.assertEqual(seen["headers"][0], ("content-type", "text/html"))
        del seen["headers"]
        self.assertEqual(seen, {
            "version": "1.1/1.1", "code": 200, "msg": "OK", "first": "text/html", "none": None, "any": True,
            "query": [("x", "1"), ("x", "2")], "path": ["a b", "c"], "cookies": {"a": ("b", {}), "c": ("d", {})},
            "set": {"k": ("v", {"path": "/", "secure": ""})}, "raw": len(raw), "plain": 100,
            "url": "http://example.com:8080/a%20b/c?x=1&x=2", "form": "relative", "host": "example.com",
        })
        # decoded() without a change leaves all as it was.
        self.assertIs(f.response.raw_content, raw)
        self.assertIs(f.response.headers.fields, fields)
        self.assertEqual(f.seen_by, "list_read")

    def test_decoded(self):
        f = flow(rheaders=[(b"content-encoding", b"gzip"), (b"content-type", b"image/png")], rcontent=b"")
        f.response.content = b"abc"
        Loaded("list_image.py").run(f)
        self.assertEqual(gzip.decompress(f.response.raw_content), b"cba")
        self.assertEqual(f.response.headers.fields[:2], ((b"content-encoding", b"gzip"), (b"content-type", b"image/x-mirrored")))
        self.assertEqual(f.response.headers["content-length"], str(len(f.response.raw_content)))

    def test_content_is_as_on_the_wire(self):
        source = b"def response(context, flow):\n    flow.response.content = flow.response.content + '!'\n"
        f = flow(rcontent=b"abc")
        f.response.encode("gzip")
        raw = f.response.raw_content
        Loaded("s.py", source=source).run(f)
        self.assertEqual(f.response.raw_content, raw + b"!")

    def test_stream(self):
        f, = Loaded("list_stream.py").run(flow(rheaders=[(b"content-type", b"text/html")]))
        self.assertEqual((f.response.stream(b"a foo"), f.response.stream(b"")), (b"", b"a bar"))

    def test_08_to_10(self):
        from libmproxy.flow import Request, Response

        r = Response(None, 200, "OK", [["a", "b"]], "body", None)
        self.assertEqual((r.code, r.headers["A"], r.content), (200, ["b"], "body"))
        r = Response(None, (1, 0), 404, "Not Found", None, b"", None, 1.0)
        self.assertEqual((r.code, r.msg, r.httpversion, r.timestamp_start), (404, "Not Found", (1, 0), 1.0))
        q = Request(None, "host", 80, "http", "GET", "/p", [["a", "b"]], "")
        self.assertEqual((q.get_url(), q.headers["a"], q.is_replay()), ("http://host/p", ["b"], False))
        source = (
            b"from libmproxy.flow import Response\n\n\ndef request(context, flow):\n"
            b"    flow.request.reply(Response(flow.request, [1, 1], 201, 'Made', None, 'said', None))\n\n\n"
            b"def response(context, flow):\n    assert flow.response.request.host == 'example.com'\n"
        )
        f, = Loaded("s.py", source=source).run(flow())
        self.assertEqual((f.response.status_code, f.response.content), (201, b"said"))


class Contexts(unittest.TestCase):
    """0.14 to 0.17."""

    def test_body(self):
        script = Loaded("context_body.py", "foo", "bar")
        a, b, c = script.run(flow(rcontent=b"a foo"), flow(rcontent=b"none"), flow(rcontent=b"foo"))
        self.assertEqual(script.era, "0.17")
        self.assertEqual((a.response.content, b.response.content), (b"a bar", b"none"))
        plain, zipped = flow(rcontent=b"foo"), flow(rcontent=b"foo")
        for f in (plain, zipped):
            f.response.encode("gzip")
        plain.response.content = plain.response.content.replace(b"foo", b"bar")
        script.run(zipped)
        self.assertEqual(zipped.response.headers.fields, plain.response.headers.fields)
        self.assertEqual(zipped.response.raw_content, plain.response.raw_content)
        with self.assertRaisesRegex(ValueError, "Usage"):
            Loaded("context_body.py", "foo")

    def test_text(self):
        script = Loaded("context_text.py")
        body = b"<html><body>Foo http://a.b/ https://c</body>"
        f = flow(rcontent=body)
        f.response.encode("gzip")
        script.run(f)
        self.assertEqual(f.response.content.decode(), "<!-- <html><body>b\u00e4r http://a.b/ https://c</body> -->")
        self.assertEqual((f.response.headers["x-links"], f.response.headers["x-first"]), ("2", "a.b"))
        self.assertEqual(script.logged, [("info", "changed / to 54 bytes")])

    def test_events(self):
        script = Loaded("context_events.py", "a", "b")
        f = flow()
        layer = type("Layer", (), {"client_conn": f.client_conn})()
        script.addon.clientconnect(layer)
        script.addon.serverconnect(f.server_conn)
        script.run(f, tflow.tflow(err=True))
        script.addon.serverdisconnect(f.server_conn)
        script.addon.clientdisconnect(layer)
        self.assertEqual(script.module.seen, [
            "start ['a', 'b']", "clientconnect 127.0.0.1", "serverconnect address:22", "request", "responseheaders",
            "response 200", "request", "error error", "done 3", "serverdisconnect", "clientdisconnect",
        ])
        self.assertEqual(script.module.__flowkit_era__, "0.17")

    def test_answer(self):
        script = Loaded("context_answer.py")
        a, b, c, d = script.run(*[flow("http://%s.example/" % n) for n in ("answer", "killed", "replied", "other")])
        self.assertEqual((a.response.status_code, a.response.reason, a.response.content), (418, "Teapot", b"short and stout"))
        self.assertEqual(a.response.headers["content-type"], "text/plain")
        self.assertEqual((b.error.msg, c.error.msg, d.error), (Error.KILLED_MESSAGE, Error.KILLED_MESSAGE, None))

    def test_query(self):
        form = (b"content-type", b"application/x-www-form-urlencoded")
        a, b = Loaded("context_query.py").run(
            flow("http://h/p?a=1&b=2", "POST", [form, (b"cookie", b"c=old; d=e")], b"x=1"), flow("http://h/"),
        )
        self.assertEqual((a.request.path, a.request.content), ("/p/more?a=changed&b=2", b"x=y&x=z"))
        self.assertEqual((a.request.headers["cookie"], b.request.path), ("c=new; d=e", "/"))

    def test_tcp(self):
        f = tflow.ttcpflow()
        f.messages[0].content = f.messages[1].content = b"foo"
        Loaded("context_tcp.py").run(f)
        self.assertEqual([m.content for m in f.messages], [b"foo", b"bar"])

    def test_write(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out")
            script = Loaded("context_write.py", path)
            f, g = script.run(flow(rheaders=[(b"x-foo", b"1")]), flow(rcontent=b"none"))
            with open(path, "rb") as file:
                copies = list(io.FlowReader(file).stream())
        self.assertEqual([c.request.path for c in copies], ["/copied", "/copied"])
        self.assertNotEqual(copies[0].id, f.id)
        self.assertEqual((f.copies, f.response.content, f.response.headers["x-foxx"]), (2, b"foxx", "1"))
        self.assertEqual((g.copies, f.request.path), (0, "/"))
        self.assertEqual([level for level, _ in script.logged], ["warn"])

    def test_headers(self):
        f = flow(headers=[(b"a", b"1"), (b"A", b"2")])
        source = (
            b"def request(context, flow):\n    h = flow.request.headers\n"
            b"    context.log(repr((h['a'], h.get_all('a'), h.fields[0], 'A' in h, len(h) > 0, h.get('none', ''))))\n"
            b"    h['b'] = 'x'\n    del h['a']\n    flow.request.http_version = 'HTTP/1.0'\n    h.set_all('c', ['1', '2'])\n"
        )
        script = Loaded("s.py", source=source)
        script.run(f)
        self.assertEqual(script.logged, [("info", "('1, 2', ['1', '2'], ['a', '1'], True, True, '')")])
        self.assertEqual(f.request.headers.fields[-3:], ((b"b", b"x"), (b"c", b"1"), (b"c", b"2")))
        self.assertTrue(f.request.is_http10 and "a" not in f.request.headers)

    def test_old_names(self):
        source = (
            b"def response(context, flow):\n"
            b"    q, r = flow.request, flow.response\n"
            b"    r.code, r.msg, r.body = 404, 'Gone', 'text'\n"
            b"    assert r.code == r.status_code == 404 and r.reason == r.msg == 'Gone' and r.content == 'text'\n"
            b"    assert q.httpversion == (1, 1) and q.pretty_host == q.pretty_host(hostheader=True) == 'example.com'\n"
            b"    assert q.pretty_url(hostheader=False) == q.url and not q.is_replay and q.form_out == 'relative'\n"
            b"    r.is_replay = True\n"
            b"    assert q.size() == len(q.assemble()) and q.assemble().startswith('GET / HTTP/1.1')\n"
            b"    r.headers = [('a', 'b')]\n"
            b"    flow.intercept(None); assert flow.intercepting; flow.accept_intercept(None)\n"
            b"    assert flow.client_conn.ssl_established and flow.client_conn.connection.get_servername() == 'address'\n"
            b"    assert flow.client_conn.address.host == '127.0.0.1' and flow.server_conn.address.port == 22\n"
            b"    assert flow.copy().request.host == q.host and q.copy() is not q and hash(flow) and flow == flow\n"
            b"    assert q.get_decoded_content() == '' and not q.decode() and 'HTTPFlow' in repr(flow)\n"
            b"    context.kept = getattr(context, 'kept', 0) + 1\n"
        )
        f, = Loaded("s.py", source=source).run(flow())
        self.assertEqual((f.response.status_code, f.response.reason, f.response.content), (404, "Gone", b"text"))
        self.assertEqual((f.is_replay, f.response.headers.fields), ("response", ((b"a", b"b"),)))


class Starts(unittest.TestCase):
    """0.18 to 2.x."""

    def test_arguments(self):
        script = Loaded("start_arguments.py", "fo+", "bar")
        f = flow(rheaders=[(b"x-foo", b"1")], rcontent=b"foo foo")
        script.run(f)
        self.assertEqual((script.era, f.response.content, f.response.headers["x-bar"]), ("0.18", b"bar bar", "1"))
        self.assertEqual((script.addon.count, script.addon.started), (3, 1))
        self.assertEqual(script.addon.name, "replacer")
        with self.assertRaises(SystemExit):
            stderr, sys.stderr = sys.stderr, open(os.devnull, "w")
            try:
                Loaded("start_arguments.py")
            finally:
                sys.stderr.close()
                sys.stderr = stderr

    def events(self, classic):
        script = Loaded("start_events.py", classic=classic)
        script.call("add_log", log.LogEntry("said", "info"))
        script.addon.clientconnect(type("Layer", (), {"client_conn": tflow.tclient_conn()})())
        script.addon.serverconnect(tflow.tserver_conn())
        flows = script.run(flow(), tflow.ttcpflow(err=True), tflow.twebsocketflow(err=True))
        self.assertEqual(flows[0].is_replay, "response")
        self.assertEqual(script.logged, [("info", "started")])
        return script.module.seen

    def test_events(self):
        first = ["start", "log info said", "clientconnect 127.0.0.1", "serverconnect address", "configure True"]
        http_ = ["requestheaders", "request False", "response"]
        tcp = ["tcp_start", "tcp_message 1", "tcp_message 2", "tcp_error", "tcp_end"]
        self.assertEqual(
            self.events(False), first + http_ + tcp + http_ + ["websocket_error", "websocket_end 1000", "done"],
        )
        self.assertEqual(
            self.events(True), first + http_ + tcp + http_ + ["error", "websocket_error", "websocket_end 1000", "done"],
        )

    def test_answer(self):
        a, b, c, d = Loaded("start_answer.py").run(*[flow("http://%s.example/" % n) for n in ("answer", "killed", "old", "x")])
        self.assertEqual((a.response.content, a.response.headers["content-type"]), (b"Hello", "text/html"))
        self.assertEqual(b.error.msg, Error.KILLED_MESSAGE)
        self.assertEqual((c.response.status_code, c.response.reason, c.response.content), (203, "Old", b"body"))
        self.assertEqual(c.response.headers["x-y"], "z")
        self.assertEqual(d.response.content, b"foo")

    def test_recorder(self):
        script = Loaded("start_recorder.py", "named")
        script.run(flow())
        self.assertEqual(script.module.Recorder.calls, [
            ("named", "start", 1), ("named", "configure", 2), ("named", "requestheaders", 1), ("named", "request", 1),
            ("named", "responseheaders", 1), ("named", "response", 1), ("named", "done", 0),
        ])

    def test_concurrent_method_without_self(self):
        source = (
            b"from mitmproxy.script import concurrent\n\nseen = []\n\n\nclass A:\n    @concurrent\n"
            b"    def request(flow):\n        seen.append(flow)\n\n\ndef start():\n    return A()\n"
        )
        script = Loaded("s.py", source=source)
        f, = script.run(flow())
        self.assertEqual(script.module.seen, [f])


class Loads(unittest.TestCase):
    """3.0 to 6.x."""

    def test_events(self):
        script = Loaded("load_events.py")
        script.call("add_log", log.LogEntry("said", "info"))
        script.run(tflow.ttcpflow(err=True), tflow.twebsocketflow(err=True))
        self.assertEqual((script.era, script.module.seen), ("0.18", [
            "log said", "load", "configure", "running", "tcp_error", "tcp_end", "request", "websocket_start 0",
            "websocket_error", "websocket_end", "done",
        ]))

    def test_websocket(self):
        f = tflow.twebsocketflow()
        f.websocket.messages[1].content, f.websocket.messages[2].content = b"Hello FOOBAR", b"Hello"
        script = Loaded("load_websocket.py")
        script.run(f)
        self.assertEqual(script.era, "0.18")
        self.assertEqual([m.content for m in f.websocket.messages], [b"hello binary", b"HAPPY FOOBAR", b"HAPPY"])
        self.assertEqual([m.dropped for m in f.websocket.messages], [False, True, False])
        self.assertEqual((f.close_code, f.close_sender, f.client_key, f.ended), (1000, "server", "1234", True))
        self.assertEqual(([m.content for m in f.messages][-1], len(f.messages)), ("HAPPY", 3))
        with self.assertRaises(AttributeError):
            flow().messages

    def test_answer(self):
        script = Loaded("load_answer.py")
        a, b = script.run(flow("http://answer.example/"), flow("http://killed.example/"))
        self.assertEqual((a.response.content, b.error.msg), (b"Hello", Error.KILLED_MESSAGE))
        self.assertEqual(script.logged, [])
        self.assertIs(script.addon, script.module)

    def test_stream(self):
        f, = Loaded("load_stream.py").run(flow())
        from _flowkit.legacy import stream

        self.assertTrue(stream.of_chunks(f.response.stream))

    def test_today(self):
        script = Loaded("today.py")
        self.assertEqual((script.era, script.addon), ("modern", script.module))
        script.run(flow())
        with self.assertRaises(Exception) as raised:
            flow().kill()
        self.assertEqual(str(raised.exception), "Flow is not killable.")

    def test_filter(self):
        source = (
            b"from mitmproxy import flowfilter\nfrom mitmproxy.net.http import Headers\n\n\ndef start():\n"
            b"    assert flowfilter.parse('~~~') is None\n    return A()\n\n\nclass A:\n    def response(self, f):\n"
            b"        assert flowfilter.match('~d example', f) and flowfilter.match(f, '~d example')\n"
        )
        Loaded("s.py", source=source).run(flow())
        from mitmproxy import flowfilter

        with self.assertRaises(ValueError):
            flowfilter.parse("~~~")

    def test_replace(self):
        legacy.install()
        f = flow("http://h/foo", headers=[(b"x", b"foo foo")], content=b"foo", rcontent=b"foo")
        f.response.encode("gzip")
        self.assertEqual(f.replace(r"fo(o)", br"b\1"), 5)
        self.assertEqual((f.request.path, f.request.headers["x"], f.request.content), ("/bo", "bo bo", b"bo"))
        self.assertEqual((f.response.content, f.response.headers["content-encoding"]), (b"bo", "gzip"))
        self.assertEqual(f.request.headers.replace(r"x: bo", r"nothing"), 0)
        self.assertEqual(f.request.headers.replace(b"bo", b"a", count=1), 1)
        self.assertEqual(f.request.headers["x"], "a bo")


class Received(unittest.TestCase):
    """What a script leaves alone is not sent back."""

    class Batch:
        version = 21

        def body(self, index, part, off, length):
            return (b"", gzip.compress(b"foo"))[part]

        def conns(self, index):
            return (None, None)

    def changes(self, name, *args, **more):
        import marshal

        request = ("host", 80, b"GET", b"http", b"", b"/p?a=1", b"HTTP/1.1", ((b"cookie", b"a=b"),), -1, 0, 1.0, 2.0, None)
        response = (
            200, b"OK", b"HTTP/1.1", ((b"content-type", b"image/png"), (b"Content-Encoding", b"gzip"), (b"content-length", b"23")),
            -1, 23, 3.0, 4.0, None,
        )
        f = http.HTTPFlow.__new__(http.HTTPFlow)
        f.__dict__.update(
            _rec=(0, "id", 1.0, marshal.dumps(request, 2), marshal.dumps(response, 2), None), _batch=self.Batch(), _index=0,
        )
        Loaded(name, *args, **more).run(f)
        return [
            diff.message(m, layout, diff.Raw()) or False
            for m, layout in ((f.request, diff.REQUEST), (f.response, diff.RESPONSE))
        ]

    def test_nothing(self):
        self.assertEqual(self.changes("context_body.py", "zzz", "y"), [False, False])
        source = (
            b"from libmproxy.protocol.http import decoded\n\n\ndef response(context, flow):\n    with decoded(flow.response):\n"
            b"        flow.response.content = flow.response.content.replace('zzz', 'y')\n"
            b"    flow.request.set_query(flow.request.get_query())\n    flow.replace('zzz', '')\n"
            b"    flow.request.headers['cookie'] = flow.request.headers['cookie']\n"
        )
        self.assertEqual(self.changes("s.py", source=source), [False, False])

    def test_something(self):
        request, response = self.changes("context_body.py", "foo", "bar")
        self.assertFalse(request)
        self.assertEqual(response[-2:], [4, (0, 23)])


class Names(unittest.TestCase):
    """The paths that classes and modules had."""

    PATHS = """
        libmproxy.proxy.server.ConnectionHandler libmproxy.proxy.connection.ClientConnection
        libmproxy.proxy.connection.ServerConnection libmproxy.protocol.http.HTTPFlow libmproxy.protocol.http.HTTPResponse
        libmproxy.protocol.http.HTTPRequest libmproxy.protocol.http.decoded libmproxy.protocol.primitives.Error
        libmproxy.protocol.KILL libmproxy.protocol.Kill libmproxy.protocol.tcp.TCPHandler libmproxy.script.ScriptContext
        libmproxy.script.concurrent libmproxy.flow.ODict libmproxy.flow.ODictCaseless libmproxy.flow.Error
        libmproxy.flow.Flow libmproxy.flow.Headers libmproxy.flow.Request libmproxy.flow.Response
        libmproxy.flow.ScriptContext libmproxy.flow.FlowMaster libmproxy.flow.FlowWriter libmproxy.flow.FlowReader
        libmproxy.certutils.SSLCert libmproxy.filt.parse libmproxy.models.HTTPRequest libmproxy.models.HTTPResponse
        libmproxy.models.HTTPFlow libmproxy.models.Error libmproxy.models.decoded libmproxy.models.ClientConnection
        libmproxy.models.ServerConnection libmproxy.utils.isXML libmproxy.encoding.decode libmproxy.version.VERSION
        libmproxy.controller.DummyReply libmproxy.contentviews.View libmproxy.exceptions.ScriptException
        libmproxy.protocol.http.send_connect_request libmproxy.tnetstring.dumps
        mitmproxy.models.HTTPRequest mitmproxy.models.HTTPResponse mitmproxy.models.HTTPFlow mitmproxy.models.decoded
        mitmproxy.models.Error mitmproxy.models.ClientConnection mitmproxy.models.ServerConnection
        mitmproxy.models.TCPFlow mitmproxy.models.http.HTTPResponse mitmproxy.filt.parse mitmproxy.script.ScriptContext
        mitmproxy.script.concurrent mitmproxy.flow.FlowWriter mitmproxy.flow.FlowMaster mitmproxy.controller.Events
        mitmproxy.events.Events mitmproxy.eventsequence.Events mitmproxy.protocol.TlsLayer mitmproxy.protocol.RawTCPLayer
        mitmproxy.proxy.protocol.TlsLayer mitmproxy.proxy.protocol.Layer mitmproxy.connections.ClientConnection
        mitmproxy.connections.ServerConnection mitmproxy.websocket.WebSocketFlow mitmproxy.http.HTTPRequest
        mitmproxy.http.HTTPResponse mitmproxy.http.make_error_response mitmproxy.net.http.Headers mitmproxy.net.http.http1
        mitmproxy.exceptions.TlsProtocolException mitmproxy.addons.wsgiapp.WSGIApp mitmproxy.version.IVERSION
        netlib.http.Headers netlib.http.decoded netlib.http.http1.assemble_request netlib.http.cookies
        netlib.http.Request netlib.http.status_codes.RESPONSES netlib.odict.ODict netlib.odict.ODictCaseless
        netlib.utils.hexdump netlib.utils.multipartdecode netlib.encoding.encode netlib.strutils.bytes_to_escaped_str
        netlib.human.pretty_size netlib.tutils.treq netlib.version.MITMPROXY netlib.certutils.SSLCert
        netlib.multidict.MultiDict netlib.exceptions.HttpException netlib.tcp.Address netlib.http_status.RESPONSES
    """.split()

    def test_all_are_there(self):
        legacy.install()
        for path in self.PATHS:
            module, _, name = path.rpartition(".")
            with self.subTest(path):
                self.assertTrue(hasattr(importlib.import_module(module), name))

    def test_what_needs_a_proxy(self):
        from libmproxy.proxy.server import ConnectionHandler

        class Derived(ConnectionHandler):
            pass

        with self.assertRaises(NeedsProxy):
            Derived(None)
        with self.assertRaisesRegex(ImportError, "needs a live proxy"):
            importlib.import_module("libmproxy.dump")

    def test_instances(self):
        from mitmproxy.connections import ClientConnection, ServerConnection

        f = tflow.tflow(resp=True)
        self.assertTrue(isinstance(f.client_conn, ClientConnection) and isinstance(f.server_conn, ServerConnection))
        self.assertTrue(issubclass(http.Response, http.HTTPResponse) and not isinstance(f.request, http.HTTPResponse))
        self.assertEqual(ServerConnection(("h", 1)).address, ("h", 1))
        self.assertEqual(ClientConnection.make_dummy(("h", 1)).address.port, 1)

        class Mine(http.HTTPResponse):
            pass

        made = Mine(b"HTTP/1.1", 200, b"OK", http.Headers(), b"", None, 1.0, 2.0)
        self.assertTrue(type(made) is Mine and isinstance(made, Mine) and not isinstance(f.response, Mine))

    def test_constructors(self):
        response = http.HTTPResponse(b"HTTP/1.1", 200, b"OK", http.Headers(a="b"), b"body", 1.0, 2.0)
        self.assertEqual((response.timestamp_start, response.timestamp_end, response.trailers), (1.0, 2.0, None))
        response = http.HTTPResponse(b"HTTP/1.1", 200, b"OK", (), b"", http.Headers(t="u"), 1.0, 2.0)
        self.assertEqual((response.timestamp_start, response.timestamp_end, response.trailers["t"]), (1.0, 2.0, "u"))
        request = http.HTTPRequest("absolute", "GET", "http", "h", 81, "/p", "HTTP/1.1", [(b"a", b"b")], b"", 1.0, 2.0)
        self.assertEqual((request.url, request.authority, request.first_line_format), ("http://h:81/p", "h:81", "absolute"))
        request = http.HTTPRequest("h", 81, b"GET", b"http", b"", b"/", b"HTTP/1.1", (), b"", None, 1.0, 2.0)
        self.assertEqual((request.host, request.timestamp_end), ("h", 2.0))
        self.assertEqual(http.make_error_response(502, "<x>").status_code, 502)
        self.assertIn(b"&lt;x&gt;", http.make_error_response(502, "<x>").content)

    def test_utils(self):
        from netlib import encoding, utils

        self.assertEqual(encoding.decode("gzip", encoding.encode("gzip", "x")), "x")
        self.assertIsNone(encoding.decode("gzip", b"no"))
        self.assertEqual(encoding.decode(encoding.encode(b"x", "deflate"), "deflate"), b"x")
        self.assertEqual(utils.urldecode("a=1&b="), [["a", "1"], ["b", ""]])
        self.assertEqual(utils.urlencode([["a", "\u00e4 "]]), "a=%C3%A4+")
        self.assertEqual(utils.parse_url("https://h/p"), ("https", "h", 443, "/p"))
        self.assertEqual(utils.unparse_url("http", "h", 81, "/p"), "http://h:81/p")
        self.assertEqual(utils.hostport("https", "h", 443), "h")
        self.assertEqual(list(utils.hexdump(b"a\x00"))[0][2], "a.")
        self.assertEqual(utils.cleanBin(b"a\n\x01", True), "a\n.")
        self.assertTrue(utils.isXML(" <a") and utils.isBin(b"\x00") and not utils.isMostlyBin(b"abc"))
        self.assertEqual(utils.pretty_json('{"a": 1}'), ["{", '    "a": 1', "}"])

    def test_python2_modules(self):
        source = (
            b"import urlparse\nfrom cStringIO import StringIO\n\n\ndef response(context, flow):\n"
            b"    s = StringIO()\n    s.write('a'); s.write(flow.response.content)\n    flow.response.content = s.getvalue() + '!'\n"
            b"    assert urlparse.urlparse(flow.request.url).hostname == 'example.com'\n"
        )
        f, = Loaded("s.py", source=source).run(flow())
        self.assertEqual(f.response.content, b"afoo!")
        sys.modules.pop("urlparse")
        with self.assertRaises(ImportError):
            importlib.import_module("urlparse")


if __name__ == "__main__":
    unittest.main()
