"""mitmproxy.addons and mitmproxy.proxy, as far as oracle/addons.py and oracle/export.py do not say it."""
import dataclasses
import importlib
import os
import shlex
import subprocess
import tempfile
import unittest

from _flowkit.errors import NeedsProxy
from mitmproxy import exceptions, io
from mitmproxy.addons import anticache, asgiapp, comment, cut, export, modifyheaders, save
from mitmproxy.proxy import context, layer, layers, mode_specs, server_hooks, utils
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.test import taddons, tflow, tutils


class Addons(unittest.TestCase):
    def test_anticache(self):
        # As in mitmproxy's documentation of tests.
        addon = anticache.AntiCache()
        with taddons.context(addon) as tctx:
            f = tflow.tflow(resp=True)
            f.request.headers["if-none-match"] = "test"
            addon.request(f)
            self.assertIn("if-none-match", f.request.headers)
            tctx.configure(addon, anticache=True)
            addon.request(f)
            self.assertNotIn("if-none-match", f.request.headers)

    def test_comment(self):
        f = tflow.tflow()
        with taddons.context():
            comment.Comment().comment([f], "foo")
        self.assertEqual(f.comment, "foo")

    def test_modify_headers_by_either_name(self):
        addon = modifyheaders.ModifyHeaders()
        with taddons.context(addon) as tctx:
            tctx.configure(addon, modify_headers=["/one/1", "/one/2"])
            f = tflow.tflow()
            addon.requestheaders(f)
            addon.request(f)
            self.assertEqual(f.request.headers.get_all("one"), ["1", "2"])

    def test_asgiapp(self):
        # A script that serves a web application loads; saved flows never reach it.
        app = asgiapp.WSGIApp(None, "address", 22)
        self.assertEqual(app.name, "asgiapp:address:22")
        app.request(tflow.tflow(live=False))
        with self.assertRaises(NeedsProxy):
            app.request(tflow.tflow(live=True))

    def test_cut(self):
        f = tflow.tflow(resp=True)
        with taddons.context() as tctx, tempfile.TemporaryDirectory() as folder:
            c = cut.Cut()
            tctx.master.addons.add(c)
            self.assertEqual(c.cut([f], ["request.method", "response.content"]), [["GET", b"message"]])
            path = os.path.join(folder, "out")
            c.save([f], ["request.content"], path)
            self.assertEqual(read(path), b"content")
            c.save([f, f], ["request.method", "response.content"], "+" + path)
            self.assertEqual(read(path), b"contentGET,b'message'\r\nGET,b'message'\r\n")
        self.assertIn(b"hello text", cut.extract("request.content", tflow.twebsocketflow()))
        self.assertEqual(cut.extract("client_conn.peername.host", f), "127.0.0.1")


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Save(unittest.TestCase):
    def test_start_stream_to_path(self):
        addon = save.Save()
        with taddons.context(addon), tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "new", "out")
            addon.start_stream_to_path(path)
            f = tflow.tflow(resp=True)
            addon.response(f)
            addon.done()
            with open(path, "rb") as out:
                self.assertEqual([g.id for g in io.FlowReader(out).stream()], [f.id])

    def test_rotation(self):
        addon = save.Save()
        with taddons.context(addon) as tctx, tempfile.TemporaryDirectory() as folder:
            a, b = os.path.join(folder, "a%Y"), os.path.join(folder, "b")
            tctx.configure(addon, save_stream_file=a)
            f = tflow.tflow(resp=True)
            addon.request(f)
            tctx.configure(addon, save_stream_file=b)
            addon.response(f)
            addon.done()
            names = sorted(os.listdir(folder))
            self.assertRegex(names[0], "^a[0-9]{4}$")
            self.assertEqual([os.path.getsize(os.path.join(folder, n)) > 0 for n in names], [False, True])

    def test_directory(self):
        addon = save.Save()
        with taddons.context(addon) as tctx, tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(exceptions.OptionsError):
                tctx.configure(addon, save_stream_file=folder)


class Export(unittest.TestCase):
    @unittest.skipUnless(os.path.exists("/bin/bash"), "needs bash")
    def test_control_characters(self):
        body = b"foo\nbar\t'quoted' \"too\" $x `y` 100% \\n \x1b"
        request = tutils.treq(method=b"POST", headers=(), content=body)
        command = export.curl_command(tflow.tflow(req=request))
        words = subprocess.run(
            ["/bin/bash", "-c", "printf '%s\\0' " + command.split(" ", 1)[1]], stdout=subprocess.PIPE, check=True
        ).stdout.split(b"\0")[:-1]
        self.assertEqual(words, [b"-X", b"POST", b"http://address:22/path", b"-d", body])

    def test_simple_control_characters(self):
        request = tutils.treq(method=b"POST", headers=(), content=b"foo\nbar")
        self.assertEqual(
            export.curl_command(tflow.tflow(req=request)),
            "curl -X POST http://address:22/path -d \"$(printf 'foo\\x0abar')\"",
        )

    def test_quotes(self):
        request = tutils.treq(method=b"POST", headers=(), content=b"'&#")
        for command, sign in ((export.curl_command, "-d"), (export.httpie_command, "<<<")):
            self.assertEqual(shlex.split(command(tflow.tflow(req=request)))[-2:], [sign, "'&#"])

    def test_file(self):
        e = export.Export()
        with taddons.context(e), tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out")
            for format in e.formats():
                e.file(format, tflow.tflow(resp=True), path)
                self.assertIn(b"address" if format in ("curl", "httpie") else b"HTTP/1.1", read(path))
            with self.assertLogs(level="ERROR"):
                e.file("raw", tflow.tflow(resp=True), folder)

    def test_text_has_no_surrogates(self):
        f = tflow.tflow()
        f.request.headers.fields = ((b"utf8", "é".encode()), (b"latin1", b"\xe9"))
        for format in ("curl", "raw"):
            self.assertTrue(export.Export().export_str(format, f).encode("utf8"))


class Live(unittest.TestCase):
    def test_addons(self):
        for name in (
            "block.Block blocklist.BlockList browser.Browser clientplayback.ClientPlayback core.Core dumper.Dumper "
            "eventstore.EventStore intercept.Intercept maplocal.MapLocal next_layer.NextLayer proxyauth.ProxyAuth "
            "proxyserver.Proxyserver readfile.ReadFile savehar.SaveHar script.ScriptLoader serverplayback.ServerPlayback "
            "tlsconfig.TlsConfig upstream_auth.UpstreamAuth view.View"
        ).split():
            module, cls = name.split(".")
            cls = getattr(importlib.import_module("mitmproxy.addons." + module), cls)
            with self.assertRaisesRegex(NeedsProxy, r"^mitmproxy\.addons\.%s needs a live proxy" % name):
                cls()

    def test_layers(self):
        for name in layers.__all__:
            if name != "modes":
                self.assertTrue(issubclass(getattr(layers, name), layer.Layer), name)
        with self.assertRaises(NeedsProxy):
            layers.TCPLayer(None)
        from mitmproxy.proxy.layers.http import HTTPMode, HttpConnectUpstreamHook
        from mitmproxy.proxy.layers.http._upstream_proxy import HttpUpstreamProxy

        self.assertEqual([m.name for m in HTTPMode], ["regular", "transparent", "upstream"])
        self.assertEqual(HttpConnectUpstreamHook.name, "http_connect_upstream")
        self.assertIn("layer.Layer", repr(layer.Layer))

        class Mine(HttpUpstreamProxy):
            @utils.expect(int)
            def start(self) -> layer.CommandGenerator[None]:
                return 1

        self.assertEqual(Mine.start(None), 1)

    def test_context(self):
        c = context.Context(tflow.tclient_conn(), None)
        c.layers.append(1)
        d = c.fork()
        c.layers.append(2)
        d.layers.append(3)
        self.assertEqual((c.layers, d.layers), ([1, 2], [1, 3]))
        self.assertIs(c.server, d.server)
        self.assertIn("layers=[1, 2]", repr(c))

    def test_server_hooks(self):
        data = server_hooks.ServerConnectionHookData(tflow.tserver_conn(), tflow.tclient_conn())
        hook = server_hooks.ServerConnectHook(data)
        self.assertEqual((hook.name, hook.args()), ("server_connect", [data]))


class Modes(unittest.TestCase):
    def test_parse(self):
        m = ProxyMode.parse("reverse:https://example.com/@127.0.0.1:443")
        self.assertEqual(ProxyMode.from_state(m.get_state()), m)
        self.assertEqual((m.type_name, m.data), ("reverse", "https://example.com/"))
        self.assertEqual((m.custom_listen_host, m.custom_listen_port), ("127.0.0.1", 443))
        self.assertEqual((m.scheme, m.address), ("https", ("example.com", 443)))
        self.assertEqual(repr(m), "ProxyMode.parse('reverse:https://example.com/@127.0.0.1:443')")
        self.assertTrue(mode_specs.Socks5Mode.parse("socks5"))
        with self.assertRaises(dataclasses.FrozenInstanceError):
            m.data = "x"
        with self.assertRaises(dataclasses.FrozenInstanceError):
            m.set_state("regular")

    def test_wrong(self):
        for spec, problem in (
            ("flibbel", "unknown mode"),
            ("regular@x", "invalid port"),
            ("regular@99999", "invalid port"),
            ("regular:x", "takes no arguments"),
            ("dns:x", "takes no arguments"),
            ("upstream:dns://x", "invalid upstream proxy scheme"),
            ("reverse:dtls://127.0.0.1", "Port specification missing."),
            ("local:,,,", "invalid intercept spec"),
        ):
            with self.assertRaisesRegex(ValueError, problem):
                ProxyMode.parse(spec)
        with self.assertRaisesRegex(ValueError, "'regular' is not a spec for a socks5 mode"):
            mode_specs.Socks5Mode.parse("regular")

    def test_listen(self):
        for spec, port in (("regular", 8080), ("regular@1234", 1234), ("local", None), ("reverse:dns://8.8.8.8", 53), ("wireguard@5", 5)):
            self.assertEqual(ProxyMode.parse(spec).listen_port(), port)
        self.assertEqual(ProxyMode.parse("regular").listen_port(default=4424), 4424)
        self.assertEqual(ProxyMode.parse("regular@127.0.0.2:8080").listen_host(default="x"), "127.0.0.2")
        self.assertEqual(ProxyMode.parse("regular").listen_host(), "")


if __name__ == "__main__":
    unittest.main()
