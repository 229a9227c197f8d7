"""A context in which tests run addons without a proxy."""
import sys

from mitmproxy import addonmanager, command, eventsequence, hooks, log, master
from mitmproxy import options as options_module

_WAITING = object()


class TestAddons(addonmanager.AddonManager):
    """Remembers what was triggered."""

    __test__ = False  # for pytest: these are no tests

    def trigger(self, event):
        if isinstance(event, hooks.Hook):
            self.master.events.append(event.name)
        super().trigger(event)


class RecordingMaster(master.Master):
    """Remembers what was logged, in `logs`."""

    addon_manager = TestAddons

    def __init__(self, opts=None, event_loop=None):
        self.logs = []
        self.events = []
        self._telling = False
        super().__init__(opts, event_loop)

    def record_log(self, level, text):
        """Called for each entry of the log."""
        entry = log.LogEntry(text, level)
        self.logs.append(entry)
        # What add_log logs itself is not told again.
        if not self._telling:
            self._telling = True
            try:
                self.addons.trigger(hooks.AddLogHook(entry))
            finally:
                self._telling = False

    @property
    def event_log(self):
        """The log as versions before 3.0 have it: (level, message)."""
        return [(entry.level, entry.msg) for entry in self.logs]

    def dump_log(self, outf=None):
        """Prints the log."""
        for entry in self.logs:
            print("%s: %s" % (entry.level, entry.msg), file=outf or sys.stdout)

    def has_log(self, txt, level=None):
        """Whether a text occurs in the log, in upper or lower case."""
        for entry in self.logs:
            if level and entry.level != level:
                continue
            if txt.lower() in entry.msg.lower():
                return True
        return False

    def has_event(self, name):
        """Whether an event was triggered."""
        return name in self.events

    async def await_log(self, txt, level=None, timeout=1):
        """Waits until a text occurs in the log."""
        import asyncio

        for _ in range(max(1, int(timeout / 0.01))):
            if self.has_log(txt, level):
                return True
            await asyncio.sleep(0.01)
        raise AssertionError("Did not find log entry %r in %s." % (txt, self.logs))

    def clear(self):
        """Forgets the log."""
        self.logs = []
        self.events = []


class context:
    """A master with addons, as a context manager of both kinds.

    `options` may be an Options object; `loadcore` adds the commands on flows and options.
    """

    def __init__(self, *addons, options=None, loadcore=True, master=None):
        self.master = master or RecordingMaster(options or options_module.offline())
        self.options = self.master.options
        if loadcore:
            from mitmproxy import _stock

            self.master.addons.add(_stock.Core())
        for addon in addons:
            self.master.addons.add(addon)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return False

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        return False

    def cycle(self, addon, f):
        """Tells an addon all events of a flow.

        The methods that are no coroutines have run when this returns. The result can be
        awaited, and has to be where there are coroutines.
        """
        return _Cycle(self._cycle(addon, f))

    async def _cycle(self, addon, f):
        paused = False
        for event in eventsequence.iterate(f):
            for _, method in addonmanager.hooks_of(addon, event.name):
                result = method(*event.args())
                if hasattr(result, "__await__"):
                    if not paused:
                        paused = True
                        await _Pause()
                    await result

    def invoke(self, addon, event, *args):
        """Calls the methods of an addon for an event that is given by name or as an object."""
        if isinstance(event, hooks.Hook):
            return self.master.addons.invoke_addon_sync(addon, event)
        for _, method in addonmanager.hooks_of(addon, event):
            method(*args)

    def configure(self, addon, **kwargs):
        """Sets options and has the addon configured. An OptionsError undoes it."""
        if addon not in self.master.addons:
            self.master.addons.register(addon)
        updated = set(kwargs)
        with self.options.rollback(updated, reraise=True):
            if kwargs:
                self.options.update(**kwargs)
            if not kwargs or not self._in_chain(addon):
                self.master.addons.invoke_addon_sync(
                    addon, hooks.ConfigureHook(updated)
                )

    def _in_chain(self, addon):
        chain = addonmanager.traverse(self.master.addons.chain)
        return any(one is addon for one in chain)

    def script(self, path):
        """Loads and configures a script; the module, or None if that failed."""
        from mitmproxy import _stock

        addons = self.master.addons
        module = _stock.load_script(path)
        if module is None:
            return None
        with addonmanager.safecall():
            addons.register(module)
            addons.invoke_addon_sync(
                module, hooks.ConfigureHook(self.options.keys())
            )
            return module
        return None

    def command(self, func, *args):
        """Calls a function as a command, with texts."""
        return command.Command(self.master.commands, "test.command", func).call(args)


class _Pause:
    """Awaited once by a cycle, before it goes on with what needs an event loop."""

    def __await__(self):
        yield _WAITING


class _Cycle:
    """A coroutine that is run up to its first _Pause at once."""

    def __init__(self, coro):
        self._coro = coro
        self._done = False
        try:
            coro.send(None)
        except StopIteration:
            self._done = True

    def send(self, value):
        if self._done:
            raise StopIteration
        return self._coro.send(value)

    def throw(self, *exc):
        return self._coro.throw(*exc)

    def close(self):
        self._coro.close()

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)
