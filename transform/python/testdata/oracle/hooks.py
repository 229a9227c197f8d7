"""Events and addons: names, order of a flow's events, calling, adding and removing addons."""
import asyncio
import types
import warnings
from dataclasses import dataclass

from _oracle import main
from mitmproxy import addonmanager, ctx, eventsequence, exceptions, flow, hooks, log, script
from mitmproxy.proxy import layers, server_hooks  # noqa: F401  (they have the classes of events)
from mitmproxy.test import taddons, tflow

DEVIATIONS = {
    "events": "later versions have more events",
    "cycle configure": "an addon that is not in the chain is configured, too, as the documentation says",
}

NEWER = """http_connected http_connect_error udp_start udp_message udp_end udp_error quic_start_client
quic_start_server server_connect_error""".split()


class Recorder:
    def __init__(self, name="recorder", addons=None):
        self.name = name
        self.seen = []
        if addons is not None:
            self.addons = addons

    def __repr__(self):
        return self.name

    def __getattr__(self, name):
        if name in hooks.all_hooks and name != "add_log":
            return lambda *args: self.seen.append((name, len(args)))
        raise AttributeError(name)


def events(make, edit=lambda f, name: None):
    """The events of a flow and how many messages there are at each."""
    f = make()
    seen = []
    for event in eventsequence.iterate(f):
        holder = getattr(f, "websocket", None) or f
        messages = getattr(holder, "messages", None)
        seen.append((event.name, type(event).__name__, messages if messages is None else len(messages)))
        edit(f, event.name)
    return seen, len(getattr(getattr(f, "websocket", None) or f, "messages", ()))


def answer(f, name):
    if name == "request":
        f.response = tflow.tflow(resp=True).response


def refuse(f, name):
    if name == "request":
        f.response = None


def fail(f, name):
    if name == "response":
        f.error = flow.Error("late")


def drop(f, name):
    if name == "tcp_message":
        f.messages.pop()


def no_error(f, name):
    f.error = None


def without_messages():
    f = tflow.twebsocketflow()
    f.websocket.messages = []
    return f


FLOWS = {
    "http": tflow.tflow,
    "http response": lambda: tflow.tflow(resp=True),
    "http error": lambda: tflow.tflow(err=True),
    "http both": lambda: tflow.tflow(resp=True, err=True),
    "websocket": tflow.twebsocketflow,
    "websocket error": lambda: tflow.twebsocketflow(err=True),
    "websocket empty": without_messages,
    "tcp": tflow.ttcpflow,
    "tcp error": lambda: tflow.ttcpflow(err=True),
    "tcp empty": lambda: tflow.ttcpflow(messages=False),
    "dns": tflow.tdnsflow,
    "dns response": lambda: tflow.tdnsflow(resp=True),
    "dns all": lambda: tflow.tdnsflow(resp=True, err=True),
}


def quiet(coroutine):
    return asyncio.run(coroutine)


def manager(*addons):
    context = taddons.context(loadcore=False)
    for addon in addons:
        context.master.addons.add(addon)
    return context.master.addons


def attempt(action, *args):
    try:
        result = action(*args)
    except Exception as e:
        return "%s: %s" % (type(e).__name__, str(e).split(" object at")[0])
    return result if result is None or isinstance(result, (bool, str, int, list)) else type(result).__name__


class Named:
    name = "named"


class Load:
    def load(self, loader):
        loader.add_option("declared", int, 1, "help")
        loader.add_option("declared", int, 1, "help")
        loader.add_command("load.command", self.run)

    def run(self, a: int) -> int:
        return a + ctx.options.declared


class Failing:
    def load(self, loader):
        1 / 0


class AsyncLoad:
    async def load(self, loader):
        pass


class Configure:
    def __init__(self):
        self.seen = []

    def load(self, loader):
        loader.add_option("number", int, 1, "help")

    def configure(self, updated):
        self.seen.append((sorted(n for n in updated if n in ("number", "mode")), ctx.options.number))
        if ctx.options.number > 9:
            raise exceptions.OptionsError("too many")


def chain():
    a = manager(Named(), Recorder("outer", [Recorder("inner", [Recorder("innermost")]), Recorder("second")]))
    found = [list(a.lookup), [addonmanager._get_name(one) for one in addonmanager.traverse(a.chain)], len(a)]
    found += [Named() in a, "named" in a, a.get("named") is not None, a.get("nope")]
    found += [attempt(a.add, Named()), attempt(a.remove, Load()), attempt(a.add, Failing()), attempt(a.add, AsyncLoad())]
    a.remove(a.get("inner"))
    found += [list(a.lookup), len(a)]
    a.clear()
    return found + [list(a.lookup), len(a)]


def loading():
    a = manager(Load())
    master = ctx.master
    found = [ctx.options.declared, master.commands.call("load.command", 5), master.commands.execute("load.command 6")]
    master.options.declared = 10
    found.append(master.commands.execute("load.command 7"))
    master.options.set("later=3", defer=True)
    a.add(types.SimpleNamespace(name="x", load=lambda loader: loader.add_option("later", int, 0, "")))
    return found + [ctx.options.later, list(a.lookup)]


def order():
    seen = []

    def addon(name, addons=()):
        return types.SimpleNamespace(name=name, addons=list(addons), running=lambda: seen.append(name))

    a = manager(addon("a", [addon("b", [addon("c")]), addon("d")]), addon("e"))
    a.trigger(hooks.RunningHook())
    return seen


def halted():
    seen = []

    def halt():
        seen.append("halt")
        raise exceptions.AddonHalt()

    def bad():
        seen.append("bad")
        raise ValueError("bad")

    a = manager(
        types.SimpleNamespace(name="first", running=bad, addons=[types.SimpleNamespace(name="in", running=bad)]),
        types.SimpleNamespace(name="second", running=halt),
        types.SimpleNamespace(name="third", running=bad),
    )
    a.trigger(hooks.RunningHook())
    quiet(a.trigger_event(hooks.RunningHook()))
    return seen


def odd_methods():
    a = manager()
    event = hooks.RunningHook()
    found = []
    for value in (3, "", None, types, lambda: 5, 0):
        addon = types.SimpleNamespace(name="x", running=value)
        found.append(attempt(a.invoke_addon_sync, addon, event).__str__().split(" (")[0])
    return found


def async_methods():
    seen = []

    class Async:
        async def running(self):
            await asyncio.sleep(0)
            seen.append("running")

    class Awaitable:
        def __await__(self):
            seen.append("awaited")
            return iter(())

    class Odd:
        def running(self):
            return Awaitable()

    a = manager(Async(), Odd())
    quiet(a.trigger_event(hooks.RunningHook()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen.append(attempt(a.invoke_addon_sync, Async(), hooks.RunningHook()).split(" (")[0])
    return seen


def configured():
    addon = Configure()
    a = manager(addon)
    options = ctx.options
    options.number = 5
    options.update(number=6, mode="transparent")
    found = [attempt(setattr, options, "number", 12), options.number]
    a.trigger(hooks.UpdateHook([]))
    return found + [addon.seen]


def configure_in_context():
    addon = Configure()
    with taddons.context(addon, loadcore=False) as tctx:
        tctx.configure(addon)
        tctx.configure(addon, number=3)
        found = [attempt(lambda: tctx.configure(addon, number=20)), tctx.options.number]
        found.append(attempt(lambda: tctx.configure(addon, nope=20)))
    return found + [addon.seen]


def configure_unknown():
    addon = Configure()
    with taddons.context(loadcore=False) as tctx:
        tctx.configure(addon)
        tctx.configure(addon, number=3)
        return addon.seen, tctx.options.number


def cycle(make):
    addon = Recorder()
    with taddons.context(addon, loadcore=False) as tctx:
        addon.seen.clear()
        result = tctx.cycle(addon, make())

        async def wait():
            await result

        quiet(wait())
    return addon.seen


def cycle_async():
    seen = []

    class Async:
        async def request(self, f):
            seen.append("request")
            await asyncio.sleep(0)
            seen.append("slept")

        def response(self, f):
            seen.append("response")

    with taddons.context(loadcore=False) as tctx:
        async def both():
            await tctx.cycle(Async(), tflow.tflow(resp=True))

        quiet(both())
    return seen


def lifecycle():
    addon = Recorder()
    a = manager(addon)
    addon.seen.clear()
    quiet(a.handle_lifecycle(layers.http.HttpRequestHook(tflow.tflow())))
    quiet(a.handle_lifecycle(server_hooks.ClientConnectedHook(tflow.tclient_conn())))
    quiet(a.handle_lifecycle(server_hooks.ServerConnectHook(types.SimpleNamespace())))
    return addon.seen


def concurrent(name):
    def function(*args):
        return args

    function.__name__ = name
    made = script.concurrent(function)
    return asyncio.iscoroutinefunction(made), quiet(made(1))


def concurrent_async():
    seen = []

    async def request(f):
        await asyncio.sleep(0)
        seen.append(f)
        return 5

    return quiet(script.concurrent(request)("flow")), seen


def classes():
    found = [attempt(hooks.Hook)]

    class NoFields(hooks.Hook):
        pass

    found.append(attempt(NoFields))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        @dataclass
        class MyOwnHook(hooks.Hook):
            data: bytes
            more: int = 3

        @dataclass
        class MYOther2Hook(hooks.Hook):
            pass

        @dataclass
        class Abstract(hooks.Hook):
            name = ""

        @dataclass
        class Again(hooks.Hook):
            name = "my_own"

        found += [str(w.message).split(":")[0] for w in caught]
    one = MyOwnHook(b"x")
    found += [repr(one).split("<locals>.")[-1], one.args(), one.name, MYOther2Hook.name, one == MyOwnHook(b"x"), hash(one) != 0]
    found += [Abstract in hooks.all_hooks.values(), hooks.all_hooks["my_own"] is Again]
    for cls in (NoFields, MYOther2Hook, Again):
        del hooks.all_hooks[cls.name]
    return found


def event_class(cls, *args):
    made = cls(*args)
    return made.name, made.args(), repr(made), cls.__name__, made == cls(*args)


def logged():
    entry = log.LogEntry({"a": 1}, "info")
    tiers = [log.log_tier(level) for level in ("error", "warn", "info", "alert", "debug")]
    return repr(entry), entry.msg, entry == log.LogEntry("{'a': 1}", "info"), entry == 42, log.LogTierOrder, tiers


def context_log():
    async def run():
        with taddons.context(loadcore=False) as tctx:
            for method in ("debug", "info", "alert", "warn", "error"):
                getattr(ctx.log, method)("by " + method)
            ctx.log("called")
            ctx.log("called", "warn")
            await asyncio.sleep(0)
            found = [(e.level, e.msg) for e in tctx.master.logs]
            found += [tctx.master.has_log("BY info"), tctx.master.has_log("by info", "error"), tctx.master.has_log("nope")]
            await tctx.master.await_log("called", level="warn")
            tctx.master.clear()
            return found + [tctx.master.logs]

    return quiet(run())


def command_in_context():
    def function(a: int, *b: str) -> str:
        return repr((a, b))

    with taddons.context(loadcore=False) as tctx:
        found = [tctx.command(function, "1", "x"), attempt(tctx.command, function, "x"), attempt(tctx.command, function)]
    return found[:2] + [found[2].split(":")[0]]


def messages():
    found = []
    for name in ("FlowReadException", "ControlException", "CommandError", "OptionsError", "AddonManagerError", "AddonHalt"):
        cls = getattr(exceptions, name)
        found.append((name, [b.__name__ for b in cls.__mro__], str(cls("x")), cls("x").args))
    return found, str(exceptions.OptionsError()), repr(exceptions.AddonHalt())


def cases():
    known = [n for n in hooks.all_hooks if n not in NEWER]
    yield "event names", lambda: sorted(known)
    yield "events", lambda: sorted(hooks.all_hooks)
    yield "event classes", lambda: sorted((n, hooks.all_hooks[n].__name__, hooks.all_hooks[n].__module__) for n in known)
    for name, make in FLOWS.items():
        yield "order " + name, lambda make=make: events(make)
    for edit in (answer, refuse, fail, drop, no_error):
        for name in ("http", "http response", "http both", "tcp", "tcp error", "websocket error"):
            yield "%s %s" % (edit.__name__, name), lambda n=name, e=edit: events(FLOWS[n], e)
    yield "no flow", lambda: list(eventsequence.iterate(42))
    yield "configure event", lambda: event_class(hooks.ConfigureHook, {"a"})
    yield "done event", lambda: event_class(hooks.DoneHook)
    yield "update event", lambda: event_class(hooks.UpdateHook, [])
    yield "load event", lambda: event_class(addonmanager.LoadHook, 1)
    yield "log event", lambda: event_class(log.AddLogHook, 1)
    yield "request event", lambda: event_class(layers.http.HttpRequestHook, 1)
    yield "clienthello event", lambda: event_class(layers.tls.TlsClienthelloHook, 1)
    yield "classes", classes
    for action in (chain, loading, order, halted, odd_methods, async_methods, configured, configure_in_context):
        yield action.__name__.replace("_", " "), action
    yield "cycle configure", configure_unknown
    for name, make in FLOWS.items():
        yield "cycle " + name, lambda make=make: cycle(make)
    for action in (cycle_async, lifecycle, concurrent_async, logged, context_log, command_in_context, messages):
        yield action.__name__.replace("_", " "), action
    for name in ("request", "load", "configure", "nope", "done", "running", "update", "tcp_message", "http_connect"):
        yield "concurrent " + name, lambda name=name: concurrent(name)


if __name__ == "__main__":
    main(cases)
