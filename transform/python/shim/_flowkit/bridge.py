"""The loop that runs scripts over the flows that flowkit sends: PROTOCOL.md."""
import os
import sys

from mitmproxy import addonmanager, exceptions, log
from mitmproxy.master import Master
from mitmproxy.options import offline

from . import diff, hooks, info, run, sequence, wire
from .batch import Batch, Files
from .errors import ScriptTimeout, Stop
from .loader import LoadError, Script, describe, place

# How many bytes of changed bodies wait before a part of a RESULT is sent.
_PART = 8 << 20


def main():
    """Runs in a process that flowkit started, until flowkit has no more to do."""
    for fd in (3, 4, 5):
        os.set_inheritable(fd, False)
    bridge = Bridge(wire.Wire(3, 4), _Arena(5))
    try:
        bridge.serve()
    except EOFError:
        pass
    except BaseException:
        import traceback

        bridge.wire.send(wire.FATAL, traceback.format_exc())
    sys.stdout.flush()


class _Arena:
    """Shared memory: a page of control words, then bodies."""

    def __init__(self, fd):
        import mmap

        self._map = mmap.mmap(fd, os.fstat(fd).st_size)
        # [0] is even outside of hooks and odd within; [1] is what [0] was when the time was up.
        self.words = memoryview(self._map)[:4096].cast("Q")

    def __getitem__(self, place):
        return self._map[place]


class Bridge:
    """One process's scripts, and what flowkit asks of them."""

    def __init__(self, wire_, arena):
        self.wire = wire_
        self.arena = arena
        self.words = arena.words
        self.files = Files()
        self.scripts = []
        self.table = None
        self.classic = False
        self.stopped = None  # the Stop that ended the run
        self.running = False
        self.owners = {}  # which script declared an option
        self.stream_noticed = False
        self.logging = False  # an add_log hook is under way
        self.loop = None  # of asyncio, if a script uses it
        self.live = None  # what serves live traffic
        self.index = -1  # of the flow in hand
        self.script = None  # the one that was called last
        self.hook = ""  # the hook that it was

    def serve(self):
        self._catch_interrupts()
        while True:
            kind, value = self.wire.receive()
            if kind == wire.BATCH:
                self.batch(*value)
            elif kind == wire.FILE:
                self.files.add(*value)
            elif kind == wire.HELLO:
                self.hello(value)
            elif kind == wire.START:
                self.start(value)
                if self.live is not None:
                    return self.live.serve()
            elif kind == wire.DONE:
                self.done()
            elif kind == wire.BYE:
                return

    def _catch_interrupts(self):
        """Makes SIGINT the time limit: Ctrl-C, which comes to all processes, is flowkit's matter."""
        import _signal

        words = self.words

        def interrupt(number, frame):
            now = words[0]
            if now & 1 and words[1] == now:
                words[1] = 0
                raise self.timed_out()

        _signal.signal(_signal.SIGINT, interrupt)

    def timed_out(self):
        return ScriptTimeout("the call took more than %s (--script-timeout)" % self.timeout)

    # The life of a run.

    def hello(self, hello):
        from mitmproxy.net import encoding

        self.timeout = hello["timeout"]
        self.seconds = hello["seconds"]
        self.limit = hello["max_body"]
        self.policy = hello["policy"]
        self.concurrency = hello["concurrency"]
        self.stop_at_shutdown = hello["shutdown"]
        self.apply_stream = hello["apply_stream"]
        self.verdict = hello["verdict"]
        self._set_up(hello)
        encoding.fallback, encoding.limit = self.wire.code, self.limit
        failed = False
        for path, args, source in hello["scripts"]:
            script = Script(path, args, source)
            self.scripts.append(script)
            try:
                script.load()
            except LoadError as e:
                self.wire.send(wire.ERROR, (e.script, e.line, e.message, e.trace, "", -1))
                failed = True
                break
            except SystemExit as e:
                self.wire.send(wire.ERROR, (script.name, 0, "sys.exit(%s) while it was loaded" % (e.code,), "", "", -1))
                failed = True
                break
        if not failed:
            failed = not self._tabulate()
        self.ready(failed)

    def _set_up(self, hello):
        """Makes ctx.master, ctx.options and ctx.log."""

        self.halt = exceptions.AddonHalt
        log.sink = self.log
        level = hello["level"]
        self.level = _TIERS.get(level, 3)
        set_, bridge = hello["set"], self

        self.options = offline()
        self.stock = set(self.options.keys())  # those of mitmdump
        self.set = set_
        self.master = Master(self.options, stock=True)
        addonmanager.on_error = self._raised
        if hello["preset"]:
            self.options.set(*hello["preset"], defer=True)
        if set_:
            self.options.set(*set_, defer=True)
        _watch_logging(self)

    def _tabulate(self):
        try:
            self.table = hooks.Table(self.scripts, self.concurrency > 1 or "asyncio" in sys.modules)
        except Exception as e:
            script = getattr(e, "script", None) or self.scripts[-1]
            self.wire.send(wire.ERROR, (script.name, 0, describe(e), "", "", -1))
            return False
        self.hooks = self.table.hooks
        self.updates = self.hooks.get("update")
        self.plan = self._plan()
        self.wants = [
            frozenset(h for h in names if self.updates or h in self.hooks) for names in sequence.HOOKS
        ]
        return True

    def _plan(self):
        """Returns the hooks of a plain HTTP flow: (name, attribute, place in the record, handlers,
        whether it is one for heads). None where more is to be done than to call them."""
        if self.updates or any(script.args_wanted for script in self.scripts):
            return None
        hooks_ = (
            ("requestheaders", "request", 3, True), ("request", "request", 3, False),
            ("responseheaders", "response", 4, True), ("response", "response", 4, False),
        )
        return [(h, attr, place, self.hooks[h], heads) for h, attr, place, heads in hooks_ if h in self.hooks]

    def ready(self, failed):
        sys.stdout.flush()
        self.wire.send(wire.READY, info.ready(self, failed))

    def start(self, order):
        if order.startswith("live"):
            from .live import begin

            begin(self)
            order = order[5:]
        self.order = order
        self.classic = order == "classic"
        loaded, failed = 0, False
        for phase in (self._load, self._configure, self._running):
            for i, script in enumerate(self.scripts):
                self.script = script
                try:
                    with script.args():
                        self.drive(phase, script)
                except BaseException as e:
                    self.error(e, script, phase.__name__.lstrip("_"), -1)
                    failed = True
                    break
                loaded = max(loaded, i + 1)
            if failed:
                break
            if phase == self._load:
                failed = not self._options_right()
                if failed:
                    break
        if failed:
            self._done(self.scripts[:loaded])
        else:
            import gc

            # What is there now stays; a script's flows are the only garbage to come.
            gc.freeze()
            gc.set_threshold(50000, 20, 50)
            self.running = True
            self._tabulate()  # load may have added addons
        self.ready(failed)

    def _load(self, script):
        script.adapt(self.order != "")
        self._name(script.addon)
        known = set(self.options.keys())
        for coroutine in self._call(script, "load", addonmanager.Loader(self.master)):
            yield coroutine
        for name in self.options.keys() - known:
            self.owners[name] = script.name
        self._name(script.addon)  # load may have added some
        self.options.process_deferred()
        self.master.addons.chain.append(script.addon)  # from now on it is told of changed options

    def _name(self, addon):
        """Makes an addon and those inside of it known to ctx.master.addons."""
        addons = self.master.addons
        for one in addonmanager.traverse([addon]):
            name = addonmanager._get_name(one)
            if addons.lookup.get(name, one) is not one:
                raise ValueError("An addon called '%s' already exists." % name)
            addons.lookup[name] = one
            self.master.collect_commands(one)

    def _configure(self, script):
        return self._call(script, "configure", set(self.options.keys()))

    def _running(self, script):
        return self._call(script, "running")

    def _call(self, script, name, *args):
        """Calls a lifecycle hook of a script; a generator of what is to be awaited."""
        for _, call in list(addonmanager.hooks_of(script.addon, name)):
            result = call(*args)
            if result is None or not hasattr(result, "__await__"):
                continue
            if name in ("load", "configure"):
                result.close()
                raise exceptions.AddonManagerError(
                    "Async handler %s (%s) cannot be called from sync context" % (name, script.addon)
                )
            yield result

    def drive(self, phase, *args):
        """Runs a phase, within an event loop if a script knows asyncio."""
        if "asyncio" not in sys.modules and not (self.table and self.table.coroutines):
            for coroutine in phase(*args):
                self.await_(coroutine)
            return

        async def within():
            for coroutine in phase(*args):
                await coroutine

        self.event_loop().run_until_complete(within())

    def _options_right(self):
        """Complains about options that were set and that nobody declared, or with a wrong value."""
        problem = info.problem(self)
        if problem:
            self.wire.send(wire.ERROR, (self.scripts[0].name, 0, problem, "", "load", -1))
        return not problem

    def done(self):
        self._done(self.scripts)
        self.ready(False)

    def _done(self, scripts):
        for script in scripts:
            self.script = script
            try:
                with script.args():
                    self.drive(self._done_of, script)
            except BaseException as e:
                self.error(e, script, "done", -1)
        self._end_tasks()

    def _done_of(self, script):
        return self._call(script, "done")

    def _end_tasks(self):
        if self.loop is None:
            return
        asyncio = sys.modules["asyncio"]
        tasks = [t for t in asyncio.all_tasks(self.loop) if not t.done()]
        for t in tasks:
            t.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    # Coroutines.

    def await_(self, coroutine):
        """Runs a coroutine to its end, with an event loop only if a script knows asyncio."""
        if "asyncio" in sys.modules:
            return self.event_loop().run_until_complete(coroutine)
        try:
            coroutine.send(None)
        except StopIteration as e:
            return e.value
        coroutine.close()
        raise RuntimeError("a hook waits for something that is not asyncio's")

    def event_loop(self):
        if self.loop is None:
            import asyncio

            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
        return self.loop

    # Batches.

    def batch(self, seq, file, records):
        if self.stopped:
            self.wire.send(wire.RESULT, (seq, 0, 0, [], self.stopped.wire))
            return
        b = Batch(seq, self.files.get(file), self.wire, self.arena, self.limit)
        result = _Result(self.wire, seq)
        try:
            run.runner(self)(b, records, result)
        except Stop as stop:
            self.stopped = stop
            result.stop = stop.wire
        sys.stdout.flush()
        b.over = True
        result.send()

    def finish(self, flow, i, result):
        """Notes what was changed in a flow."""
        d = flow.__dict__
        if d.get("_dropped"):
            result.diffs.append((i, True, None, None, None))
        elif len(d) > 3:
            request, response, ops = diff.KINDS[flow._rec[0]](flow, result.raw)
            if result.raw.errors:
                for e in result.raw.errors:
                    self.error(e, self.script, self.hook, i)
                del result.raw.errors[:]
            if request is not None or response is not None or ops:
                result.diffs.append((i, False, request, response, ops or None))
        result.to = i + 1
        if result.raw.size > _PART:
            result.send()

    def streamed(self, flow, hook, i):
        """Sees to a .stream that was set in a hook for heads."""
        m = flow.request if hook == "requestheaders" else flow.response
        if m is not None and m.__dict__.get("stream"):
            from . import streaming

            streaming.apply(self, m, flow, i)

    # Errors and log.

    def error(self, e, script, hook, index):
        """Reports an exception of a script. It raises Stop where the run is to end."""
        if isinstance(e, SystemExit) and hook not in _LIFE:
            raise Stop("exit", "0" if e.code is None else str(e.code), script, hook)
        if isinstance(e, Stop):
            raise e
        if script is None:
            script = self.scripts[0]
        line, trace = place(e, script.path)
        self.wire.send(wire.ERROR, (script.name, line, describe(e), trace, hook, index))

    def _raised(self, e):
        """Reports what an addon raised when it was told of something besides a flow's events."""
        self.error(e, self.script, "", self.index)

    def log(self, level, name, text):
        """Sends a line of the log."""
        if self.running and "add_log" in self.hooks and not self.logging:
            self._add_log(level, text)
        if _TIERS.get(level, 3) <= self.level:
            self.wire.send(wire.LOG, (level, self.script.name if self.script else name, text, self.index))


    def _add_log(self, level, text):
        """Calls the add_log hooks, unless it is one of them that logs."""
        from mitmproxy.log import LogEntry

        self.logging = True
        try:
            for script, calls in self.hooks["add_log"]:
                for call in calls:
                    call(LogEntry(text, level))
        except Exception as e:
            self.error(e, script, "add_log", self.index)
        finally:
            self.logging = False


# The hooks of a run's life, where a script that ends itself is one that fails.
_LIFE = ("load", "configure", "running", "done")
_TIERS = {"error": 0, "warn": 1, "info": 3, "alert": 3, "debug": 4}


class _Result:
    """The RESULT of a batch, sent in parts."""

    def __init__(self, w, seq):
        self.wire = w
        self.seq = seq
        self.start = self.to = 0
        self.stop = None
        self.diffs = []
        self.raw = diff.Raw()

    def send(self):
        self.wire.send(wire.RESULT, (self.seq, self.start, self.to, self.diffs, self.stop), self.raw.pieces)
        self.start = self.to
        self.diffs = []
        self.raw = diff.Raw()


def _watch_logging(bridge):
    """Has Python's logging, as soon as somebody imports it, end in flowkit's log."""
    if "logging" in sys.modules:
        from . import logs

        logs.install(bridge)
        return
    from importlib.machinery import PathFinder

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name != "logging":
                return None
            sys.meta_path.remove(Finder)
            spec = PathFinder.find_spec(name, path)
            run = spec.loader.exec_module

            def exec_module(module):
                run(module)
                from . import logs

                logs.install(bridge)

            spec.loader.exec_module = exec_module
            return spec

    sys.meta_path.insert(0, Finder)
