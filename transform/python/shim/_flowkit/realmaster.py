"""mitmproxy's own master, with its addons, for --real-mitmproxy."""
import logging

from mitmproxy import log, options
from mitmproxy.tools.dump import DumpMaster

# Those that would read the input themselves, or keep on running, or have no meaning without
# a proxy: TlsConfig makes a certificate authority.
_LEFT_OUT = ("ReadFile", "ReadFileStdin", "KeepServing", "ErrorCheck", "TlsConfig", "TermLog", "Dumper")

_LEVELS = {logging.ERROR: "error", logging.WARNING: "warn", logging.INFO: "info", 21: "alert", logging.DEBUG: "debug"}


class Holder:
    """The scripts, at the place in the chain where mitmproxy has them."""

    name = "scriptloader"

    def __init__(self):
        self.addons = []


class Master(DumpMaster):
    """A master that is told of the end and goes on: all flows are read, as in mitmdump."""

    asked_to_end = False

    def shutdown(self):
        self.asked_to_end = True


def make(runtime, preset):
    """Return the master for a run; a running event loop is there."""
    _watch_logging(runtime)
    master = Master(options.Options())
    if hasattr(master.log, "master") and not hasattr(master, "_legacy_log_events"):
        _watch_log(runtime, master)  # before mitmproxy 9
    manager = master.addons
    for addon in list(manager.chain):
        if type(addon).__name__ in _LEFT_OUT:
            manager.remove(addon)
            if hasattr(addon, "uninstall"):  # TermLog from 9 on prints all the same
                addon.uninstall()
    master.holder = holder = Holder()
    manager.chain[:] = [holder if type(a).__name__ == "ScriptLoader" else a for a in manager.chain]
    manager.lookup[holder.name] = holder
    master.builtin = {id(a) for a in manager.chain if a is not holder}
    _watch_trigger(runtime, manager)
    master.options.update(server=False)
    master.stock = set(master.options.keys())
    master.owners = {}  # which script declared an option
    if preset:
        master.options.set(*preset, defer=True)
    if runtime.set:
        master.options.set(*runtime.set, defer=True)
    return master


def _watch_trigger(runtime, manager):
    """Has what addons raise when options change reported, which mitmproxy only logs."""
    from mitmproxy.exceptions import AddonHalt, OptionsError

    def trigger(event):
        for addon in list(manager.chain):
            try:
                manager.invoke_addon_sync(addon, event)
            except AddonHalt:
                return
            except OptionsError:
                raise
            except Exception as e:
                runtime.addon_error(e, addon, event.name)

    manager.trigger = trigger


def _watch_log(runtime, master):
    """Has ctx.log end in flowkit's log at once, and in add_log hooks as in mitmproxy."""
    from mitmproxy import ctx

    class Log(log.Log):
        def __call__(self, text, level="info"):
            runtime.log(level, "mitmproxy", str(text))
            super().__call__(text, level)

    master.log = ctx.log = Log(master)


def _watch_logging(runtime):
    """Has Python's logging end in flowkit's log."""

    class Handler(logging.Handler):
        def emit(self, record):
            try:
                text = record.getMessage()
                if record.exc_info:
                    text += "\n" + logging.Formatter().formatException(record.exc_info)
                runtime.log(_LEVELS.get(record.levelno, "info"), record.name, text)
            except Exception:
                self.handleError(record)

    for name in ("asyncio", "tornado", "hpack", "urwid", "quic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    root = logging.getLogger()
    root.addHandler(Handler())
    root.setLevel({4: logging.DEBUG, 3: logging.INFO, 1: logging.WARNING}.get(runtime.level, logging.ERROR))
