"""The loop of --real-mitmproxy: scripts run in the mitmproxy of the user's Python.

The frames are those of bridge.py, but a record is the flow as it stands in a dump, and all
of mitmproxy's own addons are there but for those that need a proxy or a terminal. Nothing
is done for speed.
"""
import asyncio
import os
import sys
from io import BytesIO

from . import wire
from .errors import ScriptTimeout, Stop
from .hooks import NAMES
from .loader import LoadError, Script, describe, place

# How many bytes of changed bodies wait before a part of a RESULT is sent.
_PART = 8 << 20
# The first version of dumps that flowkit writes: that of mitmproxy 8.1.
_OLDEST = 17
_TIERS = {"error": 0, "warn": 1, "info": 3, "alert": 3, "debug": 4}
_LIFE = ("load", "configure", "running", "done")


def main():
    """Runs in a process that flowkit started, until flowkit has no more to do."""
    import mmap

    for fd in (3, 4, 5):
        os.set_inheritable(fd, False)
    arena = mmap.mmap(5, os.fstat(5).st_size)
    runtime = Runtime(wire.Wire(3, 4), memoryview(arena)[:4096].cast("Q"))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(runtime.serve())
    except EOFError:
        pass
    except BaseException:
        import traceback

        runtime.wire.send(wire.FATAL, traceback.format_exc())
    sys.stdout.flush()


class RealScript(Script):
    """A script that gets nothing of flowkit's but its place in the chain."""

    def load(self):
        self.run_module(self.read())
        if not getattr(self.module, "name", None):
            self.module.name = self.path
        self.addon = self.module

    def hooks(self):
        return sorted(name for name in NAMES if any(True for _ in handlers(self.addon, name)))


def handlers(addon, name):
    """Yield the hooks of that name of an addon and of those within it."""
    from types import ModuleType

    from mitmproxy.addonmanager import traverse
    from mitmproxy.exceptions import AddonManagerError

    for one in traverse([addon]):
        call = getattr(one, name, None)
        if callable(call):
            yield call
        elif call and not isinstance(call, ModuleType):
            raise AddonManagerError("Addon handler %s (%s) not callable" % (name, one))


class Runtime:
    """One process's scripts in a real mitmproxy, and what flowkit asks of them."""

    def __init__(self, wire_, words):
        self.wire = wire_
        self.words = words
        self.scripts = []
        self.master = None
        self.stopped = None  # the Stop that ended the run
        self.script = None  # the one that was called last
        self.hook = ""  # the hook that it was
        self.index = -1  # of the flow in hand

    async def serve(self):
        self._catch_interrupts()
        while True:
            kind, value = self.wire.receive()
            if kind == wire.BATCH:
                await self.batch(value[0], value[2])
            elif kind == wire.HELLO:
                self.hello(value)
            elif kind == wire.START:
                await self.start()
            elif kind == wire.DONE:
                await self.done()
            elif kind == wire.BYE:
                return

    def _catch_interrupts(self):
        """Makes SIGINT the time limit: Ctrl-C, which comes to all processes, is flowkit's matter."""
        import signal

        def interrupt(number, frame):
            now = self.words[0]
            if now & 1 and self.words[1] == now:
                self.words[1] = 0
                raise self._timed_out()

        signal.signal(signal.SIGINT, interrupt)

    def _timed_out(self):
        return ScriptTimeout("the call took more than %s (--script-timeout)" % self.timeout)

    # The life of a run.

    def hello(self, hello):
        self.timeout, self.seconds = hello["timeout"], hello["seconds"]
        self.policy = hello["policy"]
        self.stop_at_shutdown = hello["shutdown"]
        self.verdict = hello["verdict"]
        self.level = _TIERS.get(hello["level"], 3)
        self.set = hello["set"]
        try:
            from mitmproxy.version import FLOW_FORMAT_VERSION, VERSION

            if FLOW_FORMAT_VERSION < _OLDEST:
                raise ImportError("it is %s, and 8.1 or later is needed" % VERSION)
            from . import realmaster
        except ImportError as e:
            self.wire.send(wire.READY, self._ready(True, missing=describe(e)))
            return
        try:
            self.master = realmaster.make(self, hello["preset"])
            failed = False
        except Exception as e:
            self._report(e, None, "", -1)
            failed = True
        for path, args, source in hello["scripts"] if not failed else ():
            script = RealScript(path, args, source)
            self.scripts.append(script)
            try:
                script.load()
            except LoadError as e:
                self.wire.send(wire.ERROR, (e.script, e.line, e.message, e.trace, "", -1))
                failed = True
                break
            except SystemExit as e:
                text = "sys.exit(%s) while it was loaded" % (e.code,)
                self.wire.send(wire.ERROR, (script.name, 0, text, "", "", -1))
                failed = True
                break
        self.ready(failed)

    def ready(self, failed):
        sys.stdout.flush()
        self.wire.send(wire.READY, self._ready(failed))

    def _ready(self, failed, missing=""):
        from .info import options, parallel

        version = "%d.%d.%d" % sys.version_info[:3]
        number = 0
        if not missing:
            from mitmproxy.version import FLOW_FORMAT_VERSION as number
            from mitmproxy.version import VERSION

            version += " with mitmproxy " + VERSION
        loaded = [s for s in self.scripts if s.addon is not None]
        return {
            "hooks": [s.hooks() for s in loaded],
            "options": options(self) if self.master else [],
            "eras": ["modern"] * len(loaded),
            "parallel": [parallel(self, s) for s in loaded],
            "asserted": [s.asserted for s in loaded],
            "python": version,
            "failed": failed,
            "format": number,
            "missing": missing,
        }

    async def start(self):
        """Load and configure one script after the other, then tell all that it begins."""
        from mitmproxy import hooks

        holder, manager = self.master.holder, self.master.addons
        for script in self.scripts:
            known = set(self.options.keys())
            if not await self._life(script, "load", self._register, manager, script):
                return await self._fail(script)
            for name in self.options.keys() - known:
                self.owners[name] = script.name
            holder.addons.append(script.addon)
            configure = hooks.ConfigureHook(set(self.options.keys()))
            if not await self._life(script, "configure", manager.invoke_addon_sync, script.addon, configure):
                return await self._fail(script)
        unknown = self._unknown()
        if unknown:
            self.wire.send(wire.ERROR, (self.scripts[0].name, 0, unknown, "", "load", -1))
            return await self._fail(None)
        await self._stock("running")
        for script in self.scripts:
            if not await self._life(script, "running", self._call_all, script, "running"):
                return await self._fail(script)
        self.ready(False)

    @property
    def options(self):
        return self.master.options

    @property
    def owners(self):
        return self.master.owners

    @property
    def stock(self):
        return self.master.stock

    def _register(self, manager, script):
        manager.register(script.addon)

    async def _life(self, script, phase, do, *args):
        """Run a phase of a script; tell whether it went well."""
        self.script = script
        try:
            with script.args():
                result = do(*args)
                if result is not None and hasattr(result, "__await__"):
                    await result
        except BaseException as e:
            self.error(e, script, phase, -1)
            return False
        return True

    async def _call_all(self, script, name, *args):
        for call in list(handlers(script.addon, name)):
            await self._call(call, *args)

    async def _fail(self, last):
        """End a start that went wrong: done of the scripts before."""
        scripts = self.scripts[:self.scripts.index(last)] if last else self.scripts
        await self._done(scripts)
        self.ready(True)

    def _unknown(self):
        """Return what is wrong with the options that --set gave, None if nothing is."""
        from .info import declared

        known = self.options.keys()
        for text in self.set:
            name = text.partition("=")[0]
            if name not in known:
                there = declared(self)
                return "--set %s: there is no such option; %s" % (
                    name, "there is " + ", ".join(there) if there else "the scripts declare none",
                )
        return None

    async def done(self):
        await self._done(self.scripts)
        await self._stock("done")
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for t in tasks:
            t.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.ready(False)

    async def _done(self, scripts):
        for script in scripts:
            await self._life(script, "done", self._call_all, script, "done")

    # Batches.

    async def batch(self, seq, records):
        from . import realdiff

        result = _Result(self.wire, seq)
        try:
            for i, data in enumerate(records if not self.stopped else ()):
                await self._replay(data, i, result, realdiff)
                if self.stop_at_shutdown and self.master.asked_to_end:
                    raise Stop("shutdown")
        except Stop as stop:
            self.stopped = stop
        if self.stopped:
            result.stop = self.stopped.wire
        self.index = -1
        sys.stdout.flush()
        result.send()
        await asyncio.sleep(0)  # what a script started goes on

    async def _replay(self, data, i, result, realdiff):
        from mitmproxy.io import FlowReader

        self.index = self.words[2] = i
        try:
            flow = next(iter(FlowReader(BytesIO(data)).stream()))
        except Exception as e:
            self._report(e, None, "", i)
            result.to = i + 1
            return
        before = realdiff.Snapshot(flow)
        try:
            dropped = await self._events(flow, i)
        finally:  # also of a run that ends with it
            self._finish(flow, before, i, result, realdiff)
        if dropped:
            result.diffs = [d for d in result.diffs if d[0] != i] + [(i, True, None, None, None)]
        if result.raw.size > _PART:
            result.send()

    def _finish(self, flow, before, i, result, realdiff):
        found = realdiff.diff(before, flow, result.raw)
        for e in result.raw.errors:
            self._report(e, self.script, self.hook, i)
        del result.raw.errors[:]
        if found is not None:
            result.diffs.append((i, False) + found)
        result.to = i + 1

    async def _events(self, flow, i):
        """Run the events of a flow; tell whether it is to be left out."""
        from mitmproxy import eventsequence, hooks

        for event in eventsequence.iterate(flow):
            for e in (event, hooks.UpdateHook([flow])):
                if await self._event(e, i):
                    return True
        return False

    async def _event(self, event, i):
        from mitmproxy.exceptions import AddonHalt

        try:
            for addon in list(self.master.addons.chain):
                if addon is not self.master.holder:
                    await self._others(addon, event)
                    continue
                for script in self.scripts:
                    if await self._script(script, event, i):
                        return True
        except AddonHalt:
            pass
        return False

    async def _others(self, addon, event):
        """Call a hook of mitmproxy's own addons, and of those that scripts add."""
        from mitmproxy.exceptions import AddonHalt

        try:
            await self.master.addons.invoke_addon(addon, event)
        except AddonHalt:
            raise
        except Exception as e:
            self.addon_error(e, addon, event.name)

    def addon_error(self, e, addon, hook):
        """Report what an addon raised: as a warning, if it is one of mitmproxy's own."""
        if id(addon) in self.master.builtin:
            self.log("warn", "mitmproxy", "%s: %s" % (type(addon).__name__, describe(e)))
        else:
            self.error(e, self.script, "" if hook == "configure" else hook, self.index)

    async def _stock(self, name):
        """Tell mitmproxy's own addons of the start or the end."""
        from mitmproxy import hooks

        event = hooks.RunningHook() if name == "running" else hooks.DoneHook()
        for addon in list(self.master.addons.chain):
            if addon is not self.master.holder:
                await self._others(addon, event)

    async def _script(self, script, event, i):
        """Call a hook of a script; tell whether its flow is to be left out."""
        from mitmproxy.exceptions import AddonHalt

        try:
            for call in handlers(script.addon, event.name):
                self.script, self.hook = script, event.name
                await self._call(call, *event.args())
        except AddonHalt:
            raise
        except (Exception, ScriptTimeout, SystemExit) as e:
            self.error(e, script, event.name, i)
            if self.policy == "abort":
                raise Stop("abort")
            return self.policy == "drop"
        return False

    async def _call(self, call, *args):
        """Call a hook, for as long as --script-timeout allows."""
        words = self.words
        words[0] += 1
        try:
            result = call(*args)
        finally:
            words[0] += words[0] & 1
        if result is None or not hasattr(result, "__await__"):
            return
        task, over = asyncio.current_task(), []

        def expire():
            over.append(True)
            task.cancel()

        timer = asyncio.get_running_loop().call_later(self.seconds, expire)
        try:
            await result
        except asyncio.CancelledError:
            if not over:
                raise
            raise self._timed_out() from None
        finally:
            timer.cancel()

    # Errors and log.

    def error(self, e, script, hook, index):
        """Reports an exception of a script. It raises Stop where the run is to end."""
        if isinstance(e, Stop):
            raise e
        if isinstance(e, SystemExit) and hook not in _LIFE:
            raise Stop("exit", "0" if e.code is None else str(e.code), script, hook)
        self._report(e, script, hook, index)

    def _report(self, e, script, hook, index):
        script = script or (self.scripts[0] if self.scripts else None)
        line, trace = place(e, script.path if script else "")
        self.wire.send(wire.ERROR, (script.name if script else "mitmproxy", line, describe(e), trace, hook, index))

    def log(self, level, name, text):
        """Sends a line of the log."""
        if _TIERS.get(level, 3) <= self.level:
            self.wire.send(wire.LOG, (level, self.script.name if self.script else name, text, self.index))


class _Result:
    """The RESULT of a batch, sent in parts."""

    def __init__(self, w, seq):
        from .diff import Raw

        self.wire = w
        self.seq = seq
        self.start = self.to = 0
        self.stop = None
        self.diffs = []
        self._new = Raw
        self.raw = Raw()

    def send(self):
        self.wire.send(wire.RESULT, (self.seq, self.start, self.to, self.diffs, self.stop), self.raw.pieces)
        self.start = self.to
        self.diffs = []
        self.raw = self._new()
