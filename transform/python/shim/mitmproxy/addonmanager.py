"""The chain of addons: adding, finding and calling them."""
import sys

from mitmproxy import exceptions, hooks, log
from mitmproxy.hooks import LoadHook

_ModuleType = type(sys)

# Called with what an addon raised, in place of a line of the log.
on_error = None

# Hooks that are no more, and what replaced them.
_OUTDATED = {
    "clientconnect": "client_connected",
    "clientdisconnect": "client_disconnected",
    "serverconnect": "server_connect and server_connected",
    "serverdisconnect": "server_disconnected",
}


def _get_name(itm):
    return getattr(itm, "name", itm.__class__.__name__.lower())


def traverse(chain):
    """The addons of a chain with the addons inside of them: an addon, then what it contains."""
    for addon in chain:
        yield addon
        if hasattr(addon, "addons"):
            yield from traverse(addon.addons)


def hooks_of(addon, name):
    """(addon, method) for every method `name` of an addon and of those inside of it."""
    for one in traverse([addon]):
        method = getattr(one, name, None)
        if not method:
            continue
        if callable(method):
            yield one, method
        elif not isinstance(method, _ModuleType):
            # A module is no mistake: a script may import one that is named like an event.
            raise exceptions.AddonManagerError(
                "Addon handler %s (%s) not callable" % (name, one)
            )


def cut_traceback(tb, func_name):
    """The part of a traceback behind the (first) frame of that function, all if it has none."""
    here = tb
    while here is not None:
        name = here.tb_frame.f_code.co_name
        here = here.tb_next
        if name == func_name:
            break
    return here or tb


class _SafeCall:
    """Logs what an addon raises, but for what the caller has to know."""

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        if kind is None or not issubclass(kind, Exception):
            return False
        if issubclass(kind, (exceptions.AddonHalt, exceptions.OptionsError)):
            return False
        tb = cut_traceback(tb, "invoke_addon_sync")
        tb = cut_traceback(tb, "invoke_addon")
        if on_error is not None:
            on_error(value)
            return True
        import traceback

        text = "".join(traceback.format_exception(kind, value, tb))
        log.emit("error", __name__, "Addon error: " + text.rstrip())
        return True


safecall = _SafeCall


class Loader:
    """What the `load` event gives to an addon."""

    def __init__(self, master):
        self.master = master

    def add_option(self, name, typespec, default, help, choices=None):
        """Declares an option. Declaring it again in the same way does nothing.

        The type is bool, int, float, str, an Optional of one, or a Sequence of str.
        """
        options = self.master.options
        if name in options:
            old = options._options[name]
            same = (
                old.typespec == typespec
                and old._default == default
                and old.choices == choices
            )
            if same:
                return
            log.emit("warn", __name__, "Over-riding existing option %s" % name)
        options.add_option(name, typespec, default, help, choices)

    def add_command(self, path, func):
        """Adds a command; the annotations of the function are its types."""
        self.master.commands.add(path, func)


class AddonManager:
    """The addons of a master. `lookup` has all of them by name, `chain` the outer ones."""

    def __init__(self, master):
        self.lookup = {}
        self.chain = []
        self.master = master
        if master.options is not None:
            master.options.changed.connect(self._configure_all, weak=False)

    def _configure_all(self, options, updated=None):
        # Later versions leave out the options.
        self.trigger(hooks.ConfigureHook(options if updated is None else updated))

    def clear(self):
        """Removes all addons."""
        for addon in self.chain:
            self.invoke_addon_sync(addon, hooks.DoneHook())
        self.lookup = {}
        self.chain = []

    def get(self, name):
        """The addon of that name, or None. A class without `name` is called as its class is."""
        return self.lookup.get(name, None)

    def register(self, addon):
        """Loads an addon and gives it a name, without putting it into the chain."""
        contained = list(traverse([addon]))
        for one in contained:
            for old, new in _OUTDATED.items():
                if hasattr(one, old):
                    log.emit(
                        "warn",
                        __name__,
                        "The %s event has been removed, use %s instead." % (old, new),
                    )
        for one in contained:
            name = _get_name(one)
            if name in self.lookup:
                raise exceptions.AddonManagerError(
                    "An addon called '%s' already exists." % name
                )
        self.invoke_addon_sync(addon, LoadHook(Loader(self.master)))
        # Again, because `load` may have added some.
        for one in traverse([addon]):
            self.lookup[_get_name(one)] = one
            self.master.collect_commands(one)
        self.master.options.process_deferred()
        return addon

    def add(self, *addons):
        """Loads addons and puts them at the end of the chain."""
        for addon in addons:
            self.chain.append(self.register(addon))

    def remove(self, addon):
        """Takes an addon out, with those inside of it, and tells it so."""
        for one in traverse([addon]):
            name = _get_name(one)
            if name not in self.lookup:
                raise exceptions.AddonManagerError("No such addon: %s" % name)
            self.chain = [other for other in self.chain if other is not one]
            del self.lookup[name]
        self.invoke_addon_sync(addon, hooks.DoneHook())

    def __len__(self):
        return len(self.chain)

    def __str__(self):
        import pprint

        return pprint.pformat([str(addon) for addon in self.chain])

    def __contains__(self, item):
        # By the name of the item, so a str is in here no more than in mitmproxy.
        return _get_name(item) in self.lookup

    async def handle_lifecycle(self, event):
        """Tells all addons an event, and that its flow may have changed."""
        message = event.args()[0]
        await self.trigger_event(event)
        if hasattr(message, "client_conn"):
            await self.trigger_event(hooks.UpdateHook([message]))

    def _iter_hooks(self, addon, event):
        assert isinstance(event, hooks.Hook)
        return hooks_of(addon, event.name)

    async def invoke_addon(self, addon, event):
        """Calls the methods for an event; nothing is caught."""
        for _, method in self._iter_hooks(addon, event):
            result = method(*event.args())
            if result is not None and hasattr(result, "__await__"):
                await result

    def invoke_addon_sync(self, addon, event):
        """Like `invoke_addon`, for where nothing can be awaited."""
        for one, method in self._iter_hooks(addon, event):
            result = method(*event.args())
            if result is not None and hasattr(result, "__await__"):
                if hasattr(result, "close"):
                    result.close()
                raise exceptions.AddonManagerError(
                    "Async handler %s (%s) cannot be called from sync context"
                    % (event.name, one)
                )

    async def trigger_event(self, event):
        """Tells all addons an event; what they raise is logged."""
        for addon in self.chain:
            try:
                with safecall():
                    await self.invoke_addon(addon, event)
            except exceptions.AddonHalt:
                return

    def trigger(self, event):
        """Like `trigger_event`, for where nothing can be awaited."""
        for addon in self.chain:
            try:
                with safecall():
                    self.invoke_addon_sync(addon, event)
            except exceptions.AddonHalt:
                return
