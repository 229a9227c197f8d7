"""Addons: manager, options, commands, events, log, exceptions, the helpers for tests."""
import asyncio
import collections.abc
import importlib
import io
import logging
import os
import subprocess
import sys
import tempfile
import typing
import unittest
from unittest import mock

from mitmproxy import addonmanager, command, command_lexer, ctx, eventsequence, exceptions, hooks
from mitmproxy import log, master, options, optmanager, script, types
from mitmproxy.test import taddons, tflow

HEAVY = {"typing", "enum", "re", "json", "logging", "asyncio", "inspect", "dataclasses", "functools"}


def imported_by(code):
    """The modules that a new interpreter has imported after some code."""
    code += "\nimport sys\nprint(*sorted(sys.modules))"
    shim = os.path.dirname(os.path.dirname(os.path.abspath(options.__file__)))
    env = dict(os.environ, PYTHONPATH=shim)
    # -S, or what the site packages do is counted as well.
    out = subprocess.run([sys.executable, "-S", "-c", code], env=env, stdout=subprocess.PIPE, check=True)
    return set(out.stdout.decode().split())


class StartUp(unittest.TestCase):
    def test_context(self):
        self.assertEqual(imported_by("from mitmproxy import ctx, exceptions, log") & HEAVY, set())

    def test_master(self):
        code = (
            "from mitmproxy import master, options, addonmanager, hooks\n"
            "m = master.Master(options.offline(), stock=True)\n"
            "class A:\n"
            "    def load(self, loader): loader.add_option('n', int, 1, 'help')\n"
            "    def configure(self, updated): assert updated\n"
            "m.options.set('n=3', 'certs=a', 'flow_detail=2', 'rfile=x', defer=True)\n"
            "m.addons.add(A())\n"
            "m.addons.invoke_addon_sync(m.addons.get('a'), hooks.ConfigureHook(m.options.keys()))\n"
            "m.options.showhost = True\n"
            "assert m.options.n == 3 and m.options.certs == ['a'] and m.options.rfile == 'x'\n"
        )
        self.assertEqual(imported_by(code) & HEAVY, set())

    def test_log(self):
        code = (
            "from mitmproxy import ctx, log\n"
            "log.sink = lambda *entry: None\n"
            "ctx.log.info('x')\n"
            "ctx.log('x', 'warn')\n"
        )
        self.assertEqual(imported_by(code) & HEAVY, set())


class Context(unittest.TestCase):
    def setUp(self):
        saved = {name: ctx.__dict__.pop(name) for name in ("master", "options") if name in ctx.__dict__}
        self.addCleanup(ctx.__dict__.update, saved)
        self.addCleanup(setattr, ctx, "setup", None)

    def test_nothing(self):
        self.assertFalse(hasattr(ctx, "master"))
        self.assertFalse(hasattr(ctx, "nope"))
        self.assertIs(ctx.log, ctx.log)
        self.assertFalse(hasattr(ctx.proxy, "config"))

    def test_setup(self):
        ctx.setup = lambda: master.Master(options.Options())
        self.assertIs(ctx.options, ctx.master.options)
        self.assertIs(ctx.master.options, ctx.options)

    def test_patched(self):
        with mock.patch("mitmproxy.ctx.log") as fake:
            ctx.log.info("x")
        fake.info.assert_called_with("x")
        with mock.patch("mitmproxy.ctx.log.warn") as warn:
            ctx.log.warn("y")
        warn.assert_called_with("y")


class Logging(unittest.TestCase):
    def test_sink(self):
        seen = []
        with mock.patch.object(log, "sink", lambda *entry: seen.append(entry)):
            ctx.log.alert({"a": 1})
            ctx.log("x", level="debug")
        self.assertEqual(seen, [("alert", "mitmproxy.ctx.log", "{'a': 1}"), ("debug", "mitmproxy.ctx.log", "x")])

    def test_sink_and_context(self):
        from _flowkit import logs

        class Bridge:
            level = 4

            def log(self, *entry):
                seen.append(entry)

        seen = []
        with mock.patch.object(log, "sink", lambda *entry: seen.append(entry)), taddons.context() as tctx:
            ctx.log.warn("by ctx")
            logs._Handler(Bridge()).emit(logging.LogRecord("a.b", logging.ERROR, "", 0, "by %s", ("logging",), None))
        self.assertEqual([(e.level, e.msg) for e in tctx.master.logs], [("warn", "by ctx"), ("error", "by logging")])
        self.assertEqual(seen, [("warn", "mitmproxy.ctx.log", "by ctx"), ("error", "a.b", "by logging")])

    def test_python_logging(self):
        with self.assertLogs("mitmproxy.ctx.log", "DEBUG") as caught:
            ctx.log.alert("50% of it")
            ctx.log.warn("careful")
        self.assertEqual([r.getMessage() for r in caught.records], ["50% of it", "careful"])
        self.assertEqual([r.levelno for r in caught.records], [log.ALERT, logging.WARNING])
        self.assertEqual(logging.getLevelName(log.ALERT), "ALERT")

    def test_levels(self):
        self.assertEqual([log.level_of(n) for n in (5, 10, 15, 20, 21, 25, 30, 40, 50)],
                         ["debug", "debug", "debug", "info", "alert", "info", "warn", "error", "error"])
        self.assertEqual(log.LogLevels, log.LogTierOrder)
        self.assertEqual(log.LOGGING_LEVELS_TO_LOGENTRY[logging.WARNING], "warn")

    def test_handler(self):
        seen = []

        class Handler(log.MitmLogHandler):
            def emit(self, record):
                seen.append(log.MitmFormatter(False).format(record))

        handler = Handler()
        handler.install()
        try:
            logging.getLogger("x").warning("hello %s", "you")
        finally:
            handler.uninstall()
        logging.getLogger().debug("not seen")
        self.assertEqual(len(seen), 1)
        self.assertTrue(seen[0].endswith("] hello you"), seen)


class Exceptions(unittest.TestCase):
    def test_old_names(self):
        from mitmproxy.exceptions import HttpSyntaxException, Kill

        self.assertTrue(issubclass(HttpSyntaxException, exceptions.NetlibException))
        self.assertTrue(issubclass(Kill, exceptions.MitmproxyException))
        self.assertIs(exceptions.Kill, Kill)
        self.assertFalse(hasattr(exceptions, "Nope"))

    def test_type_error(self):
        self.assertTrue(issubclass(exceptions.TypeError, ValueError))
        self.assertTrue(issubclass(exceptions.TypeError, exceptions.MitmproxyException))


class Options(unittest.TestCase):
    def test_types(self):
        o = optmanager.OptManager()
        for i, typespec in enumerate(self.sequences()):
            name = "s%d" % i
            o.add_option(name, typespec, [], "help")
            o.set("%s=a" % name, "%s=b" % name)
            self.assertEqual(getattr(o, name), ["a", "b"])
            self.assertEqual(optmanager.type_name(typespec), "sequence of str")
        for i, typespec in enumerate(self.optionals()):
            name = "o%d" % i
            o.add_option(name, typespec, None, "help")
            o.set("%s=3" % name)
            self.assertEqual(getattr(o, name), 3)
            o.set(name)
            self.assertIsNone(getattr(o, name))
            with self.assertRaises(TypeError):
                setattr(o, name, "x")

    def sequences(self):
        yield typing.Sequence[str]
        yield typing.List[str]
        if sys.version_info >= (3, 9):
            yield collections.abc.Sequence[str]
            yield list[str]

    def optionals(self):
        yield typing.Optional[int]
        yield typing.Union[int, None]
        if sys.version_info >= (3, 10):
            yield int | None

    def test_more_types(self):
        o = optmanager.OptManager()
        o.add_option("f", float, 1.0, "help")
        o.add_option("ob", typing.Optional[bool], None, "help")
        o.set("f=2.5", "ob=true")
        self.assertEqual((o.f, o.ob), (2.5, True))
        o.set("ob=")
        self.assertIsNone(o.ob)
        with self.assertRaisesRegex(exceptions.OptionsError, "Not a number: x"):
            o.set("f=x")

    def test_signal_without_sender(self):
        o = options.Options()
        seen = []

        def new(updated):
            seen.append(("new", updated))

        def old(opts, updated):
            seen.append(("old", opts is o, updated))

        def keywords(**kwargs):
            seen.append(("keywords", kwargs))

        def anything(*args, **kwargs):
            seen.append(("anything", len(args), kwargs))

        class Callable:
            def __call__(self, updated):
                seen.append(("callable", updated))

        called = Callable()
        for receiver in (new, old, keywords, anything, called):
            o.changed.connect(receiver)
        o.showhost = True
        names = {"showhost"}
        self.assertEqual(seen, [
            ("new", names), ("old", True, names), ("keywords", {"updated": names}),
            ("anything", 1, {"updated": names}), ("callable", names),
        ])  # fmt: skip

    def test_subscribers_come_before_configure(self):
        # As in mitmproxy from 9 on; before, the order was that of a set.
        seen = []

        class Addon:
            def configure(self, updated):
                seen.append(("configure", sorted(updated)))

        def subscriber(options, updated):
            seen.append(("subscriber", sorted(updated)))

        with taddons.context(Addon()) as tctx:
            tctx.options.subscribe(subscriber, ["showhost"])
            del seen[:]
            tctx.options.update(showhost=True, anticache=True)
            tctx.options.anticache = False
        self.assertEqual(seen, [
            ("subscriber", ["anticache", "showhost"]), ("configure", ["anticache", "showhost"]), ("configure", ["anticache"]),
        ])  # fmt: skip

    def test_weak(self):
        o = options.Options()

        class Receiver:
            def method(self, updated):
                raise AssertionError

        receiver = Receiver()
        o.changed.connect(receiver.method)
        self.assertEqual(o.changed.receivers, [receiver.method])
        del receiver
        o.showhost = True
        self.assertEqual(o.changed.receivers, [])

    def test_offline(self):
        o = options.offline(rfile="x")
        self.assertEqual((o.rfile, o.anticache, o.block_list, o.hardump), ("x", False, [], ""))
        self.assertNotIn("anticache", options.Options())
        self.assertEqual(o._options["rfile"].typespec, typing.Optional[str])
        self.assertEqual(optmanager.dump_dicts(o, ["certs"])["certs"]["type"], "sequence of str")
        for name, option in o.items():
            optmanager.check_type(name, option.default, option.typespec)
            self.assertTrue(option.help)

    def test_own_fields(self):
        class Mine(optmanager.OptManager):
            pass

        o = Mine()
        with self.assertRaisesRegex(KeyError, "Unknown options: other"):
            o.other = 1

    def test_files(self):
        folder = tempfile.mkdtemp()
        path = os.path.join(folder, "config.yaml")
        o = options.offline()
        o.scripts = ["/a b.py", "it's"]
        o.showhost = True
        optmanager.save(o, path)
        with open(path) as f:
            self.assertEqual(sorted(f.read().splitlines()), ['- "it\'s"', "- /a b.py", "scripts:", "showhost: true"])
        with open(path, "a") as f:
            f.write("unknown: 1\n")
        o = options.offline()
        optmanager.load_paths(o, path)
        self.assertEqual((o.scripts, o.showhost), (["/a b.py", os.path.join(folder, "it's")], True))
        self.assertEqual(o.deferred, {"unknown": 1})
        with open(path, "w") as f:
            f.write("a: [1\n")
        with self.assertRaisesRegex(exceptions.OptionsError, "Error reading .*Config error at line 1"):
            optmanager.load_paths(o, path)
        with open(path, "wb") as f:
            f.write(b"\xff\xff")
        with self.assertRaisesRegex(exceptions.OptionsError, "Error reading"):
            optmanager.load_paths(o, path)
        with self.assertRaisesRegex(exceptions.OptionsError, "Error trying to modify"):
            optmanager.save(o, path)

    def test_config_errors(self):
        for text, problem in (
            ("invalid: foo\ninvalid", "line 2"), ("invalid", "no keys"), ("a: 'x", "line 1"), ("\ta: b", "line 1"),
            ("a: b: c", "mapping values"), ("a: *x", "not supported"), ("\x01", "Could not parse"), ("a: 'b' c", "line 1"),
        ):  # fmt: skip
            with self.assertRaisesRegex(exceptions.OptionsError, problem):
                optmanager.parse(text)

    def test_flags(self):
        import argparse

        o = optmanager.OptManager()
        for name, typespec, default in (
            ("text", str, "x"), ("number", typing.Optional[int], None), ("on_off", bool, True), ("off", bool, False),
            ("many", typing.Sequence[str], []),
        ):  # fmt: skip
            o.add_option(name, typespec, default, "help")
        parser = argparse.ArgumentParser()
        for name in ("text", "number", "on_off", "off", "many", "nope"):
            o.make_parser(parser, name, short=None if name == "many" else name[:2][-1])
        args = vars(parser.parse_args("-e y --number 3 -n -f --many a --many b".split()))
        self.assertEqual(args, {"text": "y", "number": 3, "on_off": False, "off": True, "many": ["a", "b"]})
        self.assertEqual(set(vars(parser.parse_args([])).values()), {None})
        o.add_option("odd", float, 1.0, "help")
        with self.assertRaises(ValueError):
            o.make_parser(parser, "odd")


class Adder:
    """The addon of many tests."""

    def __init__(self):
        self.configured = []

    def load(self, loader):
        loader.add_option("adder", typing.Optional[int], None, "help")

    def configure(self, updated):
        self.configured.append(set(updated))
        if ctx.options.adder is not None and ctx.options.adder > 100:
            raise exceptions.OptionsError("adder must be <= 100")

    def request(self, flow):
        flow.request.headers["adder"] = str(ctx.options.adder)

    @command.command("adder.get")
    def get(self) -> int:
        return ctx.options.adder or 0


class Addons(unittest.TestCase):
    def test_hooks_of(self):
        class One:
            def __init__(self, *addons):
                self.addons = addons

            def request(self, f):
                pass

        inner, other = One(), One()
        outer = One(inner, other)
        found = [a for a, _ in addonmanager.hooks_of(outer, "request")]
        self.assertEqual(found, [outer, inner, other])
        outer.response = os
        self.assertEqual(list(addonmanager.hooks_of(outer, "response")), [])
        outer.response = "x"
        with self.assertRaisesRegex(exceptions.AddonManagerError, r"Addon handler response \(.*\) not callable"):
            list(addonmanager.hooks_of(outer, "response"))

    def test_outdated(self):
        class Old:
            def clientconnect(self, layer):
                pass

        with taddons.context(Old()) as tctx:
            self.assertTrue(tctx.master.has_log("clientconnect event has been removed, use client_connected", "warn"))

    def test_redeclared(self):
        class Again:
            def load(self, loader):
                loader.add_option("adder", typing.Optional[int], None, "help")

        class Other:
            def load(self, loader):
                loader.add_option("adder", str, "x", "help")

        with taddons.context(Adder(), Again()) as tctx:
            self.assertFalse(tctx.master.has_log("Over-riding"))
            tctx.master.addons.add(Other())
            self.assertTrue(tctx.master.has_log("Over-riding existing option adder", "warn"))
            self.assertEqual(tctx.options.adder, "x")

    def test_error_is_logged(self):
        class Bad:
            def running(self):
                raise ValueError("here it is")

        with taddons.context(Bad()) as tctx:
            tctx.master.addons.trigger(hooks.RunningHook())
            entry = tctx.master.logs[-1]
            self.assertEqual(entry.level, "error")
            self.assertTrue(entry.msg.startswith("Addon error: Traceback"))
            self.assertTrue(entry.msg.endswith("ValueError: here it is"))
            self.assertNotIn("invoke_addon", entry.msg)
            tctx.master.addons.trigger("no event")
            self.assertIn("AssertionError", tctx.master.logs[-1].msg)

    def test_invoke_addon(self):
        seen = []

        class Plain:
            def running(self):
                seen.append("running")

        m = master.Master(options.Options())
        coroutine = m.addons.invoke_addon(Plain(), hooks.RunningHook())
        with self.assertRaises(StopIteration):
            coroutine.send(None)
        self.assertEqual(seen, ["running"])

    def test_commands_are_lazy(self):
        m = master.Master(options.Options())
        with mock.patch.dict(sys.modules):
            del sys.modules["mitmproxy.command"]
            m.addons.add(Adder())
            self.assertIsNone(m._commands)
        self.assertEqual(m.commands.call("adder.get"), 0)

    def test_shutdown(self):
        m = master.Master(options.Options())
        self.assertFalse(m.should_exit)
        m.shutdown()
        self.assertTrue(m.should_exit)

    def test_user_interface(self):
        m = master.Master(options.Options())
        self.assertFalse(hasattr(m, "view"))
        with self.assertRaisesRegex(AttributeError, "needs a user interface"):
            m.view

    def test_load_flow(self):
        seen = []

        class Recorder:
            def request(self, f):
                seen.append("request")

            async def response(self, f):
                seen.append("response")

            def update(self, flows):
                seen.append(len(flows))

        m = master.Master(options.Options())
        m.addons.add(Recorder())
        asyncio.run(m.load_flow(tflow.tflow(resp=True)))
        self.assertEqual(seen, [1, "request", 1, 1, "response", 1])


class Events(unittest.TestCase):
    def test_udp(self):
        f = tflow.tudpflow()
        names = [e.name for e in eventsequence.iterate(f)]
        self.assertEqual(names, ["udp_start"] + ["udp_message"] * len(f.messages) + ["udp_end"])
        names = [e.name for e in eventsequence.iterate(tflow.tudpflow(err=True))]
        self.assertEqual(names[-1], "udp_error")

    def test_new_names(self):
        for name in ("http_connected", "quic_start_client", "server_connect_error", "udp_start", "load"):
            self.assertIn(name, hooks.all_hooks if name != "load" else {hooks.LoadHook.name})
        self.assertIs(hooks.all_hooks["request"], hooks.HttpRequestHook)
        self.assertIn("HttpRequestHook", hooks.of_module("mitmproxy.proxy.layers.http"))
        self.assertEqual(list(hooks.of_module("mitmproxy.addonmanager")), ["LoadHook"])
        self.assertFalse(hasattr(hooks, "NopeHook"))


class Commands(unittest.TestCase):
    def offline(self):
        m = master.Master(options.offline(), stock=True)
        return m.commands

    def test_live_ones_say_so_once(self):
        commands = self.offline()
        seen = []
        with mock.patch.object(log, "sink", lambda *entry: seen.append(entry)):
            for _ in range(2):
                self.assertIsNone(commands.call("replay.client", [tflow.tflow()]))
                self.assertEqual(commands.call("replay.client.count"), 0)
                self.assertIsNone(commands.execute("view.clear"))
                self.assertIsNone(commands.call("inject.websocket", tflow.twebsocketflow(), True, b"x"))
                self.assertEqual(commands.execute("commands.history.get"), [])
        self.assertEqual(len(seen), 5)
        self.assertEqual(seen[0][0], "warn")
        self.assertIn("replay.client does nothing here", seen[0][2])

    def test_unknown(self):
        with self.assertRaisesRegex(exceptions.CommandError, "Unknown command: nope"):
            self.offline().call("nope")

    def test_comment(self):
        f = tflow.tflow()
        self.offline().call("flow.comment", [f], "text")
        self.assertEqual(f.comment, "text")

    def test_cut(self):
        f = tflow.tflow(resp=True)
        f.request.headers["x.y"] = "dotted"
        cuts = (
            "request.url,request.content,response.status_code,request.header[x.y],client_conn.peername.host,"
            "server_conn.address.port,client_conn.tls_established,nope.x,request.header[nope],response.nope.x"
        ).split(",")
        row = self.offline().call("cut", [f], cuts)[0]
        self.assertEqual(
            row, ["http://address:22/path", b"content", "200", "dotted", "127.0.0.1", "22", "true", "", "", ""]
        )

    def test_cut_save(self):
        commands, f = self.offline(), tflow.tflow()
        path = os.path.join(tempfile.mkdtemp(), "cut")
        commands.call("cut.save", [f], ["request.content"], path)
        commands.call("cut.save", [f], ["request.method"], "+" + path)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"content\nGET")
        commands.call("cut.save", [f, f], ["request.method", "request.host"], path)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"GET,address\r\nGET,address\r\n")

    def test_save_file(self):
        from mitmproxy import io as flows

        commands, f = self.offline(), tflow.tflow()
        path = os.path.join(tempfile.mkdtemp(), "flows")
        commands.call("save.file", [f], path)
        commands.call("save.file", [f], "+" + path)
        with open(path, "rb") as file:
            self.assertEqual([one.id for one in flows.FlowReader(file).stream()], [f.id, f.id])
        with self.assertRaises(exceptions.CommandError):
            commands.call("save.file", [f], "/nonexistent/x")

    def test_script_run(self):
        path = os.path.join(tempfile.mkdtemp(), "s.py")
        with open(path, "w") as f:
            f.write("def request(flow):\n    flow.comment = 'ran'\n")
        flow = tflow.tflow()
        self.offline().call("script.run", [flow], path)
        self.assertEqual(flow.comment, "ran")
        with self.assertRaisesRegex(exceptions.CommandError, "Error running script: No such script"):
            self.offline().call("script.run", [flow], path + "x")

    def test_own_in_place_of_stock(self):
        class Mine:
            @command.command("replay.client")
            def replay(self, f: str) -> str:
                return "mine " + f

        m = master.Master(options.Options(), stock=True)
        m.addons.add(Mine())
        self.assertEqual(m.commands.execute("replay.client x"), "mine x")

    def test_added_function(self):
        m = master.Master(options.Options())

        def add(a: int, b: int) -> int:
            return a + b

        addonmanager.Loader(m).add_command("add", add)
        self.assertEqual(m.commands.execute("add 1 2"), 3)

    def test_text_annotations(self):
        namespace = {"__name__": "m"}
        exec(
            compile(
                "from __future__ import annotations\n"
                "from mitmproxy import command, flow\n"
                "from typing import Sequence\n"
                "class A:\n"
                "    @command.command('a.b')\n"
                "    def b(self, flows: Sequence[flow.Flow], n: int) -> Sequence[str]:\n"
                "        return [str(n)]\n",
                "x.py", "exec",
            ),
            namespace,
        )  # fmt: skip
        m = master.Master(options.Options())
        m.addons.add(namespace["A"]())
        self.assertEqual(m.commands.commands["a.b"].signature_help(), "a.b flows n -> str[]")

    def test_quote_cycle(self):
        for text in ("foo", "a b", "'", '"', "\\", "'foo\\'", '"foo\\\'"', "a'b\"c", "\n", ""):
            back = command_lexer.unquote(command_lexer.quote(text)).replace(r"\x22", '"')
            self.assertEqual(back, text)

    def test_dump(self):
        out = io.StringIO()
        self.offline().dump(out)
        self.assertIn("\nflow.mark flows marker\n", out.getvalue())
        self.assertIs(types.Arg, types.CmdArgs)


class Concurrent(unittest.TestCase):
    def test_marked(self):
        def request(flow):
            """Text."""

        made = script.concurrent(request)
        self.assertIs(made._flowkit_concurrent, request)
        self.assertEqual((made.__name__, made.__doc__), ("request", "Text."))

    def test_old_events(self):
        def clientconnect(layer):
            pass

        script.concurrent(clientconnect)

    def test_in_a_thread(self):
        import threading

        seen = []

        class Addon:
            @script.concurrent
            def request(self, flow):
                seen.append(threading.current_thread() is threading.main_thread())

            @script.concurrent
            async def response(self, flow):
                await asyncio.sleep(0)
                seen.append(threading.current_thread() is threading.main_thread())

        async def run():
            with taddons.context() as tctx:
                await tctx.cycle(Addon(), tflow.tflow(resp=True))

        asyncio.run(run())
        self.assertEqual(seen, [False, False])


class Helpers(unittest.TestCase):
    """taddons, used in the ways that tests of addons have used it."""

    def test_documented(self):
        adder = Adder()
        with taddons.context() as tctx:
            f = tflow.tflow(resp=True)
            tctx.configure(adder, adder=3)
            adder.request(f)
            self.assertEqual(f.request.headers["adder"], "3")
            with self.assertRaisesRegex(exceptions.OptionsError, "<= 100"):
                tctx.configure(adder, adder=1000)
            self.assertEqual(tctx.options.adder, 3)
        self.assertEqual(adder.configured[0], {"adder"})

    def test_in_chain(self):
        adder = Adder()
        with taddons.context(adder) as tctx:
            tctx.configure(adder, adder=5)
            self.assertEqual(adder.configured, [{"adder"}])
            tctx.configure(adder)
            self.assertEqual(adder.configured, [{"adder"}, set()])
            self.assertEqual(tctx.command(adder.get), 5)
            self.assertEqual(tctx.master.commands.execute("adder.get"), 5)

    def test_sync_cycle(self):
        adder, f = Adder(), tflow.tflow()
        with taddons.context(adder) as tctx:
            tctx.cycle(adder, f)
        self.assertEqual(f.request.headers["adder"], "None")

    def test_async_forms(self):
        adder, f = Adder(), tflow.tflow()

        async def run():
            async with taddons.context(adder) as tctx:
                await tctx.cycle(adder, f)
                await asyncio.gather(tctx.cycle(adder, f), tctx.cycle(adder, f))
                await asyncio.wait_for(tctx.cycle(adder, f), 1)

        asyncio.run(run())
        self.assertEqual(f.request.headers["adder"], "None")

    def test_async_hooks(self):
        class Slow:
            def __init__(self):
                self.seen = []

            async def request(self, f):
                self.seen.append(f.comment + " request")
                await asyncio.sleep(0.01)
                self.seen.append(f.comment + " slept")

            async def response(self, f):
                await asyncio.sleep(0)
                self.seen.append(f.comment + " response")

        slow = Slow()
        a, b = tflow.tflow(resp=True), tflow.tflow(resp=True)
        a.comment, b.comment = "a", "b"

        async def run():
            with taddons.context() as tctx:
                await asyncio.gather(tctx.cycle(slow, a), tctx.cycle(slow, b))

        asyncio.run(run())
        self.assertEqual(slow.seen[:2], ["a request", "b request"])
        self.assertEqual(sorted(slow.seen[2:]), ["a response", "a slept", "b response", "b slept"])
        with taddons.context() as tctx:
            asyncio.run(tctx.cycle(slow, a))
        self.assertEqual(slow.seen[-1], "a response")
        self.assertEqual(len(slow.seen), 9)

    def test_errors_of_async_hooks(self):
        class Bad:
            async def request(self, f):
                await asyncio.sleep(0)
                raise ValueError("bad")

        with taddons.context() as tctx:
            with self.assertRaisesRegex(ValueError, "bad"):
                asyncio.run(tctx.cycle(Bad(), tflow.tflow()))

    def test_script(self):
        path = os.path.join(tempfile.mkdtemp(), "s.py")
        with open(path, "w") as f:
            f.write(
                "from mitmproxy import ctx\n"
                "seen = []\n"
                "class A:\n"
                "    def load(self, loader): loader.add_option('mine', int, 1, '')\n"
                "    def configure(self, updated): seen.append('mine' in updated)\n"
                "    def request(self, flow): flow.comment = str(ctx.options.mine)\n"
                "addons = [A()]\n"
            )
        flow = tflow.tflow()
        with taddons.context() as tctx:
            module = tctx.script(path)
            tctx.cycle(module, flow)
            self.assertEqual((module.seen, flow.comment), ([True], "1"))
            with self.assertRaisesRegex(exceptions.OptionsError, "No such script"):
                tctx.script(path + "x")
            with open(path, "w") as f:
                f.write("1/0")
            self.assertIsNone(tctx.script(path))
            self.assertTrue(tctx.master.has_log("in script", "error"))

    def test_invoke_and_events(self):
        adder, f = Adder(), tflow.tflow()
        with taddons.context(adder) as tctx:
            tctx.invoke(adder, "request", f)
            self.assertIn("adder", f.request.headers)
            tctx.invoke(adder, hooks.ConfigureHook({"x"}))
            self.assertEqual(adder.configured, [{"x"}])
            tctx.master.addons.trigger(hooks.RunningHook())
            self.assertTrue(tctx.master.has_event("running"))

    def test_add_log(self):
        seen = []

        class Listener:
            def add_log(self, entry):
                seen.append((entry.level, entry.msg))
                ctx.log.info("from within")

        with taddons.context(Listener()) as tctx:
            ctx.log.warn("outside")
            self.assertEqual(seen, [("warn", "outside")])
            self.assertEqual(tctx.master.event_log, [("warn", "outside"), ("info", "from within")])
            out = io.StringIO()
            tctx.master.dump_log(out)
            self.assertEqual(out.getvalue(), "warn: outside\ninfo: from within\n")

    def test_core(self):
        with taddons.context() as tctx:
            tctx.master.commands.execute("set showhost true")
            self.assertTrue(tctx.options.showhost)
            self.assertIsNotNone(tctx.master.addons.get("core"))
        with taddons.context(loadcore=False) as tctx:
            self.assertEqual(tctx.master.commands.commands, {})

    def test_options_of_the_caller(self):
        mine = options.Options(showhost=True)
        with taddons.context(options=mine) as tctx:
            self.assertIs(tctx.options, mine)


class Tools(unittest.TestCase):
    def test_names(self):
        from mitmproxy.tools.dump import DumpMaster
        from mitmproxy.tools.main import mitmdump
        from mitmproxy.tools.web.master import WebMaster  # noqa: F401

        for live in (mitmdump, DumpMaster):
            with self.assertRaisesRegex(NotImplementedError, "needs a live proxy"):
                live([])
        for module in ("console.overlay", "console.signals", "web.app"):
            with self.assertRaisesRegex(ImportError, "needs a live proxy"):
                importlib.import_module("mitmproxy.tools." + module)


# The warnings that the tests cause are no news.
logging.getLogger("mitmproxy").addHandler(logging.NullHandler())

if __name__ == "__main__":
    unittest.main()
