"""Hooks that do not keep others waiting."""
from functools import wraps

_EVENTS_WITHOUT = ("load", "configure")

# The names up to 6.x of events that have others now.
_OLD_EVENTS = (
    "clientconnect",
    "clientdisconnect",
    "serverconnect",
    "serverdisconnect",
    "websocket_error",
    "websocket_handshake",
    "websockets_handshake",
)


def concurrent(fn):
    """Marks a hook that may run beside others, in a thread of its own.

    The result is a coroutine function, which whoever calls it awaits. Where nothing runs
    beside, that is needless: `_flowkit_concurrent` is the function itself.
    """
    from mitmproxy import hooks

    name = fn.__name__
    known = name in hooks.all_hooks or name in _OLD_EVENTS
    if not known or name in _EVENTS_WITHOUT:
        raise NotImplementedError(
            "Concurrent decorator not supported for '%s' method." % name
        )

    @wraps(fn)
    async def _concurrent(*args):
        import asyncio

        def run():
            result = fn(*args)
            if hasattr(result, "__await__"):
                # What it waits for must not be bound to the loop outside.
                asyncio.run(result)

        await asyncio.get_running_loop().run_in_executor(None, run)

    _concurrent._flowkit_concurrent = fn
    return _concurrent
