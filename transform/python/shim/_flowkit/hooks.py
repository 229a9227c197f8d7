"""The hooks of all scripts, and how they are called.

An exception of one script does not skip the next; within a script it does skip the addons
behind the one that raised, as in mitmproxy. AddonHalt ends the event for all.
"""
from . import sequence

NAMES = frozenset(
    [h for kind in sequence.HOOKS for h in kind] + ["update", "add_log", "load", "configure", "running", "done"]
)


class Table:
    """For each hook, for each script that has it: (script, [callable, ...])."""

    def __init__(self, scripts, concurrent):
        from mitmproxy.addonmanager import hooks_of

        self.hooks = {}
        self.coroutines = False  # somebody has an async hook
        self.threads = False  # somebody has a @concurrent hook
        for script in scripts:
            for name in NAMES:
                calls = [self._plain(c, concurrent) for _, c in hooks_of(script.addon, name)]
                if calls:
                    self.hooks.setdefault(name, []).append((script, calls))

    def _plain(self, call, concurrent):
        fn = getattr(call, "_flowkit_concurrent", None)
        if fn is not None:
            self.threads = True
            if not concurrent and not fn.__code__.co_flags & 0x80:
                owner = getattr(call, "__self__", None)
                return _in_thread(fn if owner is None else fn.__get__(owner))
        code = getattr(getattr(call, "__func__", call), "__code__", None)
        if code is not None and code.co_flags & 0x80:  # CO_COROUTINE
            self.coroutines = True
        return call

    def of(self, script):
        """Return the names of a script's hooks."""
        return sorted(name for name, all in self.hooks.items() if any(s is script for s, _ in all))


def _in_thread(fn):
    """Return a function that runs fn in a thread and waits for it: a @concurrent hook, one at a time."""
    from concurrent.futures import ThreadPoolExecutor

    submit = ThreadPoolExecutor(1).submit
    return lambda flow: submit(fn, flow).result()
