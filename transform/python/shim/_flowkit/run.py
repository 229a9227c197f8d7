"""Running the hooks over a batch: one flow after the other, or many at a time."""
import sys
from sys import getrefcount

from . import sequence
from .errors import ScriptTimeout, Stop

_classes = [None, None, None, None]


def class_of(kind):
    """Return the class of a kind of flow, imported when the first one comes."""
    cls = _classes[kind]
    if cls is None:
        keep, sys.dont_write_bytecode = sys.dont_write_bytecode, False  # see _flowkit_start.py
        if kind == 0:
            from mitmproxy.http import HTTPFlow as cls
        elif kind == 1:
            from mitmproxy.tcp import TCPFlow as cls
        elif kind == 2:
            from mitmproxy.udp import UDPFlow as cls
        else:
            from mitmproxy.dns import DNSFlow as cls
        sys.dont_write_bytecode = keep
        _classes[kind] = cls
    return cls


def runner(bridge):
    """Return how this batch is run: (batch, records, result)."""
    if bridge.concurrency > 1 and (bridge.table.coroutines or bridge.table.threads):
        from .tasks import Concurrent

        return Concurrent(bridge).run
    if bridge.table.coroutines or "asyncio" in sys.modules:
        return Sequential(bridge).run_in_loop
    return Sequential(bridge).run


def received(batch, i, rec):
    """Return the flow of a record."""
    flow = object.__new__(class_of(rec[0]))
    d = flow.__dict__
    d["_rec"] = rec
    d["_batch"] = batch
    d["_index"] = i
    return flow


def _references():
    """Return what getrefcount says of an object that only a local variable holds."""
    x = object.__new__(_Nothing)
    return getrefcount(x)


class _Nothing:
    pass


_ALONE = _references()


def settle(batch, flow, kept):
    """Load what a script may still ask for of what it kept: the flow, its messages, copies of them."""
    if kept:
        flow._materialise()
    if batch.file is not None:
        batch.copies.clear()
        return  # the file stays
    d = flow.__dict__
    for name in ("request", "response"):
        m = d.get(name)
        if m is not None and getrefcount(m) > _ALONE + 1:
            _load(m)
    while batch.copies:
        m = batch.copies.pop()
        if getrefcount(m) > _ALONE:
            _load(m)


def _load(message):
    try:
        message._body
    except ValueError:
        pass  # too large; it raises again where it is touched


class Sequential:
    """One flow after the other, hooks in order: as mitmproxy replays a file."""

    def __init__(self, bridge):
        self.bridge = bridge
        self.words = bridge.words
        self.loop = None

    def run(self, batch, records, result):
        bridge, words = self.bridge, self.words
        alone = _ALONE
        plan = bridge.plan
        for i in range(len(records)):
            rec = records[i]
            flow = received(batch, i, rec)
            bridge.index = words[2] = i
            try:
                if plan is not None and rec[5] is None and rec[0] == 0:
                    self.plain(flow, i, plan)
                else:
                    self.flow(flow, i)
            except Stop:
                bridge.finish(flow, i, result)
                raise
            except Exception as e:  # of reading the flow, between hooks
                bridge.error(e, None, "", i)
            bridge.finish(flow, i, result)
            kept = getrefcount(flow) > alone
            if kept or batch.file is None or batch.copies:
                settle(batch, flow, kept)
            if bridge.stop_at_shutdown and bridge.master.should_exit:
                raise Stop("shutdown")
        bridge.index = -1

    def plain(self, flow, i, plan):
        """Run the events of an HTTP flow without error and WebSocket: what flow() does, in one piece.

        Nearly all flows are such, and what a hook does often takes less than to find it.
        """
        words, bridge, d = self.words, self.bridge, flow.__dict__
        for hook, attr, place, handlers, heads in plan:
            if (d[attr] if attr in d else d["_rec"][place]) is None:
                continue
            for script, calls in handlers:
                bridge.script, bridge.hook = script, hook
                n = words[0] + 1
                words[0] = n
                try:
                    for call in calls:
                        r = call(flow)
                        if r is not None:
                            self.result(r)
                    words[0] = n + 1
                except BaseException as e:
                    words[0] = n + 1
                    if self.raised(e, script, hook, flow, i):
                        break
            if heads:
                bridge.streamed(flow, hook, i)
            if "_dropped" in d:
                return
        if "error" in d or "websocket" in d:
            for hook in sequence.http_end(flow, bridge.wants[0], bridge.classic):
                self.fire(bridge.hooks[hook], hook, flow, flow, i)
                if "_dropped" in d:
                    return

    def flow(self, flow, i):
        """Run the events of one flow."""
        bridge = self.bridge
        kind = flow._rec[0]
        hooks, updates = bridge.hooks, bridge.updates
        try:
            for hook in sequence.KINDS[kind](flow, bridge.wants[kind], bridge.classic):
                if hook in hooks:
                    self.fire(hooks[hook], hook, flow, flow, i)
                if updates:
                    self.fire(updates, "update", [flow], flow, i)
                if "_dropped" in flow.__dict__:
                    break
        except Stop:
            raise
        except Exception as e:  # of reading the flow, between hooks
            bridge.error(e, None, "", i)

    def fire(self, handlers, hook, arg, flow, i):
        """Call a hook of all scripts."""
        words = self.words
        bridge = self.bridge
        for script, calls in handlers:
            bridge.script, bridge.hook = script, hook
            words[0] += 1
            try:
                if script.args_wanted:
                    with script.args():
                        self.calls(calls, arg)
                else:
                    for call in calls:
                        r = call(arg)
                        if r is not None:
                            self.result(r)
                words[0] += 1
            except BaseException as e:
                words[0] += words[0] & 1
                if self.raised(e, script, hook, flow, i):
                    break
        if hook in _HEADS:
            bridge.streamed(flow, hook, i)

    def calls(self, calls, arg):
        for call in calls:
            r = call(arg)
            if r is not None:
                self.result(r)

    def result(self, r):
        """Run what an async hook returned to its end."""
        if hasattr(r, "send") and hasattr(r, "throw"):
            self.bridge.await_(r)

    def raised(self, e, script, hook, flow, i):
        """Report an exception; tell whether the event is over for all scripts."""
        bridge = self.bridge
        if isinstance(e, bridge.halt):
            return True
        if not isinstance(e, (Exception, ScriptTimeout, SystemExit)):
            raise e
        bridge.error(e, script, hook, i)
        if bridge.policy == "abort":
            raise Stop("abort")
        if bridge.policy == "drop":
            flow.__dict__["_dropped"] = True
            return True
        return False

    # The same within an event loop, so that hooks can await and start tasks. The loop is
    # entered once for a batch: a coroutine that waits for nothing never leaves it.

    def run_in_loop(self, batch, records, result):
        self.loop = self.bridge.event_loop()
        self.loop.run_until_complete(self._in_loop(batch, records, result))

    async def _in_loop(self, batch, records, result):
        bridge = self.bridge
        alone = _ALONE
        for i in range(len(records)):
            flow = received(batch, i, records[i])
            bridge.index = self.words[2] = i
            try:
                await self.flow_in_loop(flow, i)
            except Stop:
                bridge.finish(flow, i, result)
                raise
            bridge.finish(flow, i, result)
            kept = getrefcount(flow) > alone
            if kept or batch.file is None or batch.copies:
                settle(batch, flow, kept)
            if bridge.stop_at_shutdown and bridge.master.should_exit:
                raise Stop("shutdown")
        bridge.index = -1

    async def flow_in_loop(self, flow, i):
        bridge = self.bridge
        kind = flow._rec[0]
        hooks, updates = bridge.hooks, bridge.updates
        try:
            for hook in sequence.KINDS[kind](flow, bridge.wants[kind], bridge.classic):
                if hook in hooks:
                    await self.fire_in_loop(hooks[hook], hook, flow, flow, i)
                if updates:
                    await self.fire_in_loop(updates, "update", [flow], flow, i)
                if "_dropped" in flow.__dict__:
                    break
        except Stop:
            raise
        except Exception as e:
            bridge.error(e, None, "", i)

    async def fire_in_loop(self, handlers, hook, arg, flow, i):
        words = self.words
        for script, calls in handlers:
            try:
                for call in calls:
                    self.bridge.script, self.bridge.hook = script, hook
                    words[0] += 1
                    if script.args_wanted:
                        with script.args():
                            r = call(arg)
                    else:
                        r = call(arg)
                    words[0] += 1
                    if r is not None and hasattr(r, "__await__"):
                        await self.limited(r)
            except BaseException as e:
                words[0] += words[0] & 1
                if self.raised(e, script, hook, flow, i):
                    break
        if hook in _HEADS:
            self.bridge.streamed(flow, hook, i)

    async def limited(self, awaitable):
        """Await, for as long as --script-timeout allows."""
        import asyncio

        task, over = asyncio.current_task(), []

        def expire():
            over.append(True)
            task.cancel()

        timer = self.loop.call_later(self.bridge.seconds, expire)
        try:
            await awaitable
        except asyncio.CancelledError:
            if not over:
                raise
            raise self.bridge.timed_out() from None
        finally:
            timer.cancel()


_HEADS = ("requestheaders", "responseheaders")
