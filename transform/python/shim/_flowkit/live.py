"""Events of live traffic: PROTOCOL.md, "Live".

Flows stay objects from their first event to their last. What flowkit sends with an event is what is new
of the flow; what comes back is what the hooks changed. Hooks run at once, as the frames
come; one that awaits goes on as a task beside others.
"""
import asyncio
import os
import select
import sys
from collections import deque
from marshal import dumps, loads
from sys import getrefcount
from types import coroutine
from weakref import WeakValueDictionary

from . import diff, livehooks, wire
from .errors import ScriptTimeout
from .loader import describe, place
from .run import _ALONE, class_of

_LAYOUTS = ((3, "request", diff.REQUEST), (4, "response", diff.RESPONSE))
_COLD = ("error", "intercepted", "is_replay", "marked", "comment", "metadata", "_metadata0", "_cold")
_STARTS = ("requestheaders", "responseheaders")


def begin(bridge):
    """Turn a bridge to live traffic, before the scripts are started."""
    from mitmproxy.net import encoding

    if bridge.loop is None and sys.version_info < (3, 10):
        # What scripts made at their top level is bound to that of the main thread.
        bridge.loop = asyncio.get_event_loop()
    bridge.wire = LiveWire(bridge.wire)
    encoding.fallback = bridge.wire.code
    bridge.live = Live(bridge)
    livehooks.install(bridge.live)


class LiveWire(wire.Wire):
    """The two pipes, of which the first is read by the event loop, and by who asks."""

    def __init__(self, old):
        self._fd = old._in.fileno()
        self._in = old._in
        self._out = old._out
        self._sending = old._sending
        self._asking = old._asking
        self._waiting = old._waiting
        self._data = bytearray()
        self.more = None  # is called where frames came for somebody else
        os.set_blocking(self._fd, False)

    def pump(self):
        """Take what is there, without waiting, unless somebody else does."""
        if self._asking.acquire(False):
            try:
                self._fill()
                while True:
                    frame = self._frame()
                    if frame is None:
                        return
                    self._waiting.append(frame)
            finally:
                self._asking.release()

    def next(self):
        """Return the next frame that came, None if there is none."""
        return self._waiting.popleft() if self._waiting else None

    def _fill(self):
        try:
            data = os.read(self._fd, 1 << 18)
        except BlockingIOError:
            return
        if data:
            self._data += data
        else:
            self._waiting.append((wire.BYE, None))

    def _frame(self):
        data = self._data
        if len(data) < 5:
            return None
        end = 5 + int.from_bytes(data[:4], "little")
        while len(data) < end:  # a large one: the rest is on its way
            if self._waiting and self._waiting[-1][0] == wire.BYE:
                return None
            select.select([self._fd], [], [])
            self._fill()
        payload = bytes(memoryview(data)[5:end])
        kind = data[4]
        del data[:end]
        return kind, loads(payload) if payload else None

    def _read(self):
        while True:
            frame = self._frame()
            if frame is not None:
                return frame
            if self._waiting and self._waiting[-1][0] == wire.BYE:
                return wire.BYE, None
            select.select([self._fd], [], [])
            self._fill()

    def _ask(self, kind, value, raw=()):
        try:
            return super()._ask(kind, value, raw)
        finally:
            if self._waiting and self.more is not None:
                self.more()


class _Source:
    """Where a flow finds what was not sent along: a Batch of one."""

    __slots__ = ("live", "copies", "over")
    file = None

    def __init__(self, live):
        self.live = live
        self.copies = ()
        self.over = False

    def body(self, number, part, off, length):
        if length is None:
            return None
        if length == 0:
            return b""
        bridge = self.live.bridge
        if length > bridge.limit:
            raise self.too_large(length)
        if number not in self.live.flows:
            raise RuntimeError("the flow ended before this part of it was read")
        from .batch import unlinked

        path, size, problem = bridge.wire.ask("body", 0, number, part)
        if problem:
            raise OSError(problem)
        if size > bridge.limit:
            os.unlink(path)
            raise self.too_large(size)
        return bytes(unlinked(path, size))

    def too_large(self, size):
        from .batch import TooLarge

        return TooLarge("body too large: %d bytes, limit %d (--max-script-body)" % (size, self.live.bridge.limit))

    def messages(self, number):
        return []


class _Copies(list):
    """Messages that scripts copied: of live flows, nothing is to be read for them later."""

    def append(self, message):
        pass


class _Exit(Exception):
    """A SystemExit within a task, whose loop would end with it."""


@coroutine
def _steps(words, awaitable):
    """Await what a hook returned, each step of it marked as one of a hook, for the time limit."""
    steps = awaitable.__await__()
    thrown = None
    while True:
        words[0] += 1
        try:
            if thrown is not None:
                waiting = steps.throw(thrown)
            else:
                waiting = next(steps)
        except StopIteration as e:
            return e.value
        except SystemExit as e:
            raise _Exit(e) from None
        finally:
            words[0] += words[0] & 1
        thrown = None
        try:
            yield waiting
        except BaseException as e:
            thrown = e


class Event:
    """One event on its way through the hooks."""

    __slots__ = ("number", "hook", "flow", "arg", "data", "errors", "dropped", "stop", "task", "over")

    def __init__(self, number, hook):
        self.number = number
        self.hook = hook
        self.flow = self.arg = self.data = self.stop = self.task = None
        self.errors = []
        self.dropped = self.over = False


class Live:
    """The flows and events of a proxy."""

    def __init__(self, bridge):
        self.bridge = bridge
        self.words = bridge.words
        self.flows = {}  # by number, from the first event to END
        self.conns = (WeakValueDictionary(), WeakValueDictionary())  # by id: clients, servers
        self.kept = {}  # those that are connected, whether somebody holds them or not
        self.events = {}  # by number, that are not over
        self.busy = {}  # flows with an event that is not over: how many
        self.streams = {}  # (flow, side): what a script set
        self.control = deque()
        self.source = _Source(self)
        self.source.copies = _Copies()
        self.loop = bridge.event_loop()
        bridge.wire.more = lambda: self.loop.call_soon_threadsafe(self.frames)

    # The loop.

    def serve(self):
        """Runs until flowkit says BYE."""
        fd = self.bridge.wire._fd
        self.loop.add_reader(fd, self.readable)
        self.loop.set_exception_handler(self.lost)
        while True:
            self.frames()
            while self.control:
                kind = self.control.popleft()
                if kind == wire.BYE:
                    return
                self.end_all()
                self.bridge.done()
            self.loop.run_forever()

    def readable(self):
        self.bridge.wire.pump()
        self.frames()

    def frames(self):
        """Handle the frames that are there."""
        take = self.bridge.wire.next
        while True:
            frame = take()
            if frame is None:
                return
            kind, value = frame
            if kind == wire.EVENT:
                self.event(*value)
            elif kind == wire.CHUNK:
                self.chunk(*value)
            elif kind == wire.END:
                self.end(value)
            elif kind == wire.GIVE_UP:
                self.give_up(value)
            else:
                self.control.append(kind)
                self.loop.stop()

    def lost(self, loop, context):
        """Reports what a task of a script raised that nobody awaits."""
        e = context.get("exception")
        if isinstance(e, SystemExit) or e is None:
            return
        self.bridge.error(e, self.bridge.script, "", -1)

    def end_all(self):
        """Let go of what is held."""
        for flow in list(self.flows.values()):
            if flow.intercepted:
                flow.resume()

    # Events.

    def event(self, number, hook, key, head, extra):
        e = Event(number, hook)
        self.events[number] = e
        bridge = self.bridge
        if key:
            try:
                e.flow = e.arg = self.received(key, head)
            except Exception as x:
                self.report(e, x, None)
                return self.finish(e)
            self.busy[key] = self.busy.get(key, 0) + 1
        else:
            e.data = livehooks.Data(self, hook, extra)
        handlers = bridge.hooks.get(hook, ())
        calls = [(script, call, e.arg) for script, all_ in handlers for call in all_]
        if e.data is not None:
            calls = e.data.calls(calls)
        if e.flow is not None and bridge.updates:
            calls += [(script, call, [e.flow]) for script, all_ in bridge.updates for call in all_]
        self.run(e, iter(calls))

    def run(self, e, calls):
        """Call hooks until one awaits; then the rest is a task."""
        skip = None
        for script, call, arg in calls:
            if script is skip:
                continue
            try:
                r = self.call(script, e.hook, call, arg)
            except BaseException as x:
                skip = self.raised(e, x, script)
                if skip is None:
                    break
                continue
            if r is not None and hasattr(r, "__await__"):
                e.task = self.loop.create_task(self.rest(e, script, r, calls))
                return
        self.hold_or_finish(e)

    def call(self, script, hook, call, arg):
        bridge, words = self.bridge, self.words
        bridge.script, bridge.hook = script, hook
        args = () if arg is _NOTHING else (arg,)
        words[0] += 1
        try:
            if script.args_wanted:
                with script.args():
                    return call(*args)
            return call(*args)
        finally:
            words[0] += words[0] & 1

    async def rest(self, e, script, r, calls):
        skip = None
        try:
            while True:
                try:
                    if r is not None and hasattr(r, "__await__"):
                        await self.limited(r)
                except asyncio.CancelledError:
                    raise
                except BaseException as x:
                    skip = self.raised(e, x, script)
                    if skip is None:
                        break
                script, call, arg = next(calls, _NO_CALL)
                while script is skip and call is not None:
                    script, call, arg = next(calls, _NO_CALL)
                if call is None:
                    break
                r = self.attempt(script, e.hook, call, arg)
            await self.held(e)
        finally:
            self.finish(e)

    def attempt(self, script, hook, call, arg):
        """Call a hook; what it raises is raised by who awaits the result."""
        try:
            return self.call(script, hook, call, arg)
        except BaseException as x:
            return _Raised(x)

    async def limited(self, awaitable):
        """Await, for as long as --script-timeout allows; a flow that is intercepted has all the time."""
        task = asyncio.ensure_future(_steps(self.words, awaitable))
        try:
            done, _ = await asyncio.wait([task], timeout=self.bridge.seconds)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            task.cancel()
            raise self.bridge.timed_out()
        return task.result()

    def hold_or_finish(self, e):
        if e.flow is not None and e.flow.intercepted and not e.over:
            e.task = self.loop.create_task(self.hold(e))
        else:
            self.finish(e)

    async def hold(self, e):
        try:
            await self.held(e)
        finally:
            self.finish(e)

    async def held(self, e):
        if e.flow is not None and e.flow.intercepted:
            self.bridge.wire.send(wire.HELD, e.number)
            await e.flow.wait_for_resume()

    def raised(self, e, x, script):
        """Note an exception; return the script whose other hooks are passed over, None for all."""
        bridge = self.bridge
        if isinstance(x, bridge.halt):
            return None
        if isinstance(x, _Exit):
            x = x.args[0]
        if isinstance(x, SystemExit):
            e.stop = ("exit", "0" if x.code is None else str(x.code), script.name, e.hook)
            return None
        if not isinstance(x, (Exception, ScriptTimeout)):
            raise x
        self.report(e, x, script)
        if bridge.policy == "drop":
            e.dropped = True
            return None
        return None if bridge.policy == "abort" else script

    def report(self, e, x, script):
        script = script or self.bridge.scripts[0]
        line, trace = place(x, script.path)
        e.errors.append((script.name, line, describe(x), trace, e.hook))

    def give_up(self, number):
        """End an event that takes too long; the answer tells flowkit that this process is well."""
        e = self.events.get(number)
        if e is not None and e.task is not None:
            e.task.cancel()
        self.bridge.wire.send(wire.GIVEN_UP, number)

    def finish(self, e):
        """Send what the hooks changed."""
        if e.over:
            return
        e.over = True
        self.events.pop(e.number, None)
        raw = diff.Raw()
        request = response = conns = None
        stream, ops = None, []
        flow = e.flow
        if flow is not None:
            key = flow.__dict__["_index"]
            self.busy[key] -= 1
            if not self.busy[key]:
                del self.busy[key]
            e.dropped = e.dropped or bool(flow.__dict__.get("_dropped"))
            try:
                request, response, ops = self.changes(flow, e.hook, raw)
                stream = self.streamed(flow, e.hook, key)
            except Exception as x:
                self.report(e, x, self.bridge.script)
        elif e.data is not None:
            try:
                conns = e.data.changes()
            except Exception as x:
                self.report(e, x, self.bridge.script)
        for x in raw.errors:
            self.report(e, x, self.bridge.script)
        sys.stdout.flush()
        self.bridge.wire.send(
            wire.ANSWER,
            (e.number, e.errors, e.dropped, request, response, ops or None, stream, conns, e.stop),
            raw.pieces,
        )

    # Flows.

    def received(self, key, head):
        """Return the flow of an event, with what is new of it."""
        kind, id_, created, request, response, cold, version, client, server, start, messages, bodies = head
        flow = self.flows.get(key)
        if flow is None:
            flow = object.__new__(class_of(kind))
            d = flow.__dict__
            d["_rec"] = (kind, id_, created, None, None, None, version)
            d["_batch"] = self.source
            d["_index"] = key
            d["live"] = True
            self.flows[key] = flow
        d = flow.__dict__
        old = d["_rec"]
        d["_rec"] = rec = (
            kind, id_, created, old[3] if request is True else request, old[4] if response is True else response,
            old[5] if cold is True else cold, version,
        )
        for name in ("id", "timestamp_created"):
            d.pop(name, None)
        if kind == 0:
            if request is not True:
                self.refresh(flow, d, 3, "request", diff.REQUEST, request)
            if response is not True:
                self.refresh(flow, d, 4, "response", diff.RESPONSE, response)
            for i, (_, name, _) in enumerate(_LAYOUTS):
                if bodies[i] is not True:
                    self.body(flow, d, name, bodies[i])
        elif kind == 3:
            for value, name in ((request, "request"), (response, "response")):
                if value is not True:
                    d.pop(name, None)
        if cold is not True:
            self.cold(flow, d, rec)
        if kind != 3:
            self.append(flow, d, kind, start, messages)
        for side, value, name in ((0, client, "client_conn"), (1, server, "server_conn")):
            if value is not True:
                d[name] = self.conn(side, value)
        return flow

    def refresh(self, flow, d, place_, name, layout, blob):
        """Make a message what flowkit has."""
        message = d.get(name)
        if message is None or blob is None:
            d.pop(name, None)
            if blob is None:
                d[name] = None
            return
        m = message.__dict__
        for attr in layout.compare:
            m.pop(attr, None)
        for attr in ("_rec", "_body0"):
            m.pop(attr, None)
        m["_raw"] = blob
        m["_batch"] = self.source
        m["_index"] = d["_index"]

    def body(self, flow, d, name, content):
        message = getattr(flow, name)
        if message is None:
            return
        m = message.__dict__
        m.pop("_body", None)
        m.pop("_body0", None)
        if content is not None and len(content) <= self.bridge.limit:
            m["_body"] = m["_body0"] = content

    def cold(self, flow, d, rec):
        """Forget what was read of a flow's marks, error and metadata."""
        websocket = d.get("websocket")
        for name in _COLD:
            d.pop(name, None)
        origin = flow._cold[6]
        if origin is None or websocket is None:
            d.pop("websocket", None)
        else:
            w = websocket.__dict__
            w["closed_by_client"], w["close_code"], w["close_reason"], w["timestamp_end"] = origin
        d["intercepted"] = flow._cold[1]

    def append(self, flow, d, kind, start, new):
        """Take over the messages that are new: those from number start on."""
        if kind == 0:
            holder = flow.websocket
            if holder is None:
                return
            from mitmproxy.websocket import WebSocketMessage as cls
        else:
            holder = flow
            if kind == 1:
                from mitmproxy.tcp import TCPMessage as cls
            else:
                from mitmproxy.udp import UDPMessage as cls
        h = holder.__dict__
        origins = d.get("_messages0")
        if origins is None or "messages" not in h:
            d["_messages0"] = origins = []
            h.pop("_flow", None)
            holder.messages = []
        if start < len(origins):  # somebody else took some out
            del origins[start:]
            holder.messages = [m for m in holder.messages if getattr(m, "_origin", (start,))[0] < start]
        for m in new:
            n = len(origins)
            origins.append(m)
            holder.messages.append(cls._received(n, m))

    def conn(self, side, blob):
        """Return the connection of a blob: the same object for the same connection."""
        from mitmproxy.connection import Client, Server

        cls = Server if side else Client
        if blob is None:
            return cls._unknown()
        id_ = loads(blob)[0]
        known = self.conns[side].get(id_)
        if known is None:
            known = cls.__new__(cls)
            known.__dict__["_raw"] = blob
            self.conns[side][id_] = known
            return known
        d = known.__dict__
        if d.get("_raw") != blob:
            for name in cls._defaults:
                d.pop(name, None)
            for name in ("_rec", "_mode", "_version"):
                d.pop(name, None)
            d["_raw"] = blob
        return known

    def end(self, key):
        """Let go of a flow that has no more events; who holds it has all of it."""
        flow = self.flows.get(key)
        if flow is not None:
            if flow.intercepted:
                flow.resume()
            if getrefcount(flow) > _ALONE + 1:  # in flows, too
                flow._materialise()
            flow.__dict__["live"] = False
            del self.flows[key]
        for side in (0, 1):
            self.streams.pop((key, side), None)
        self.bridge.wire.send(wire.ENDED, key)

    # What was changed.

    def changes(self, flow, hook, raw):
        """Return the diffs of request and response, and the ops of the flow; all of it is known then."""
        d = flow.__dict__
        kind = flow._rec[0]
        request = response = None
        if kind == 3:
            return diff.dns(flow, raw)
        if kind == 0:
            if "request" in d:
                request = diff._part(flow, d["request"], 3, diff.REQUEST, raw)
            if "response" in d:
                response = diff._part(flow, d["response"], 4, diff.RESPONSE, raw)
        ops = diff._common(flow, d, raw)
        holder = flow
        if kind == 0:
            holder = d.get("websocket")
            if holder is None:
                if "websocket" in d and flow._rec[5] is not None and loads(flow._rec[5])[6] is not None:
                    ops += [8, None]
            else:
                ops += self.websocket(flow, holder, raw)
        marks = bool(ops)
        if holder is not None and "messages" in holder.__dict__ and self.touched(holder.messages, d, hook):
            found = diff._guarded(diff._messages, holder.messages, d.get("_messages0"), raw, kind == 0)
            if found:
                ops += found
                self.renumber(holder.messages, d, kind == 0)
        if marks:
            self.settle(flow, d)
        return request, response, ops

    @staticmethod
    def touched(messages, d, hook):
        """Tell whether messages may have been changed: within a message's hook, that one or the list."""
        origins = d["_messages0"]
        if not hook.endswith("_message") or len(messages) != len(origins) or not messages:
            return True
        last = messages[-1]
        number = diff._number(last, origins)
        return number != len(origins) - 1 or not last._unchanged()

    @staticmethod
    def websocket(flow, w, raw):
        old = diff._cold(flow._rec)[6]
        now = (w.closed_by_client, w.close_code, w.close_reason, w.timestamp_end)
        if now == old:
            return []
        code = None if now[1] is None else int(now[1])
        return [8, (now[0], code, now[2], now[3])]

    @staticmethod
    def renumber(messages, d, websocket):
        """Make the messages as they are those that flowkit has."""
        origins = []
        for n, m in enumerate(messages):
            head = (m._number() if websocket else 0, bool(m.from_client))
            tail = (bool(m.dropped), bool(m.injected)) if websocket else (False, False)
            t = head + (m.content, m.timestamp) + tail
            origins.append(t)
            m.__dict__["_origin"] = (n, t)
            m.__dict__["_content0"] = m.content
        d["_messages0"] = origins

    @staticmethod
    def settle(flow, d):
        """Make a flow's marks as they are those that flowkit has."""
        rec = d["_rec"]
        error, w = flow.error, flow.__dict__.get("websocket")
        try:
            metadata = diff.metadata(flow.metadata)
            cold = (
                None if error is None else (error.msg, error.timestamp), bool(flow.intercepted), flow.is_replay,
                flow.marked, flow.comment, metadata,
                None if w is None else (w.closed_by_client, w.close_code, w.close_reason, w.timestamp_end),
            )
            d["_rec"] = rec[:5] + (dumps(cold, 2),) + rec[6:]
        except (diff.WrongType, ValueError):
            return
        d["_metadata0"] = metadata
        d.pop("_cold", None)

    # Streams.

    def streamed(self, flow, hook, key):
        """Return what a script set as .stream: None, False, True or "call" for a function."""
        if hook not in _STARTS:
            return None
        side = _STARTS.index(hook)
        message = flow.response if side else flow.request
        if message is None:
            return None
        stream = message.__dict__.get("stream")
        if stream is None:
            return None
        if not callable(stream):
            return bool(stream)
        from . import livestream

        self.streams[key, side] = livestream.feeder(stream)
        return "call"

    def chunk(self, number, key, side, data, end):
        """Have a script's function make of a part of a body what goes on."""
        e = Event(number, "stream")
        self.events[number] = e
        out = []
        feed = self.streams.get((key, side))
        script = self.bridge.script or self.bridge.scripts[0]
        try:
            if feed is None:
                raise RuntimeError("the flow of this body has ended")
            out = self.call(script, "stream", feed, (data, end))
        except BaseException as x:
            self.streams.pop((key, side), None)
            self.raised(e, x, script)
            e.errors = e.errors or [(script.name, 0, "the stream ended", "", "stream")]
        if end:
            self.streams.pop((key, side), None)
        self.events.pop(number, None)
        self.bridge.wire.send(wire.ANSWER, (number, e.errors, False, None, None, None, None, None, e.stop), out)

    # What scripts ask of the proxy.

    def killed(self, flow):
        """A flow was killed; within an event the answer tells it."""
        key = flow.__dict__.get("_index")
        event = flow.__dict__.get("_resume_event")
        if event is not None:
            self.loop.call_soon_threadsafe(event.set)
        if key in self.flows and key not in self.busy:
            self.bridge.wire.send(wire.WISH, ("kill", flow.id, False, 0, b""))

    def inject(self, flow, to_client, opcode, data):
        self.bridge.wire.send(wire.WISH, ("inject", flow.id, bool(to_client), opcode, bytes(data)))

    def shutdown(self):
        self.bridge.wire.send(wire.WISH, ("shutdown", "", False, 0, b""))


class _Raised:
    """An exception that is to be raised where it is awaited."""

    def __init__(self, exception):
        self.exception = exception

    def __await__(self):
        raise self.exception
        yield  # which makes it an iterator


_NOTHING = livehooks.NOTHING
_NO_CALL = (None, None, None)
