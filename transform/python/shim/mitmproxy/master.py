"""The object that holds options, commands and addons together."""
import sys

from mitmproxy import ctx, options
from mitmproxy.addonmanager import AddonManager


class Master:
    """The master of a run over saved flows; it becomes `ctx.master`.

    `stock` adds the commands that mitmdump has.
    """

    addon_manager = AddonManager

    def __init__(self, opts, event_loop=None, stock=False):
        self.options = options.Options() if opts is None else opts
        self._event_loop = event_loop
        self.should_exit = False
        self.stock = stock
        self._commands = None
        self.log = ctx.log
        ctx.master = self
        ctx.options = self.options
        self.addons = self.addon_manager(self)

    @property
    def event_loop(self):
        """The loop that coroutines of addons run in."""
        if self._event_loop is None:
            import asyncio

            return asyncio.get_running_loop()
        return self._event_loop

    @event_loop.setter
    def event_loop(self, loop):
        self._event_loop = loop

    @property
    def commands(self):
        """The commands; they are collected on first touch, for most runs have no need of them."""
        if self._commands is None:
            from mitmproxy.command import CommandManager

            self._commands = CommandManager(self)
            if self.stock:
                from mitmproxy import _stock

                _stock.collect(self._commands)
            for addon in list(self.addons.lookup.values()):
                self._commands.collect_commands(addon)
        return self._commands

    def collect_commands(self, addon):
        """Adds the commands of an addon that was loaded."""
        # None was declared where nobody has imported the decorator.
        if self._commands is not None or "mitmproxy.command" in sys.modules:
            self.commands.collect_commands(addon)

    def shutdown(self):
        """Asks for the end of the run. Whoever runs the addons decides what becomes of it."""
        self.should_exit = True

    async def running(self):
        from mitmproxy import hooks

        await self.addons.trigger_event(hooks.RunningHook())

    async def done(self):
        from mitmproxy import hooks

        await self.addons.trigger_event(hooks.DoneHook())

    async def load_flow(self, f):
        """Tells all addons the events of a flow."""
        from mitmproxy import eventsequence

        for event in eventsequence.iterate(f):
            await self.addons.handle_lifecycle(event)

    def run(self):
        from _flowkit.errors import NeedsProxy

        raise NeedsProxy("Master.run")

    def __getattr__(self, name):
        text = "%r object has no attribute %r" % (type(self).__name__, name)
        if name in _LIVE:
            text += "; ctx.master.%s needs a user interface or a live proxy" % name
        raise AttributeError(text)


# What the masters of the user interfaces had through the ages.
_LIVE = {
    "change_upstream_server",
    "event_queue",
    "replay_request",
    "server",
    "start",
    "state",
    "tick",
    "unload_scripts",
    "view",
}
