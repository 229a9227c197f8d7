"""Old scripts as addons of today."""
import inspect
import sys

from . import python2, signs

_FLOWS = (
    "requestheaders", "request", "responseheaders", "response", "error", "tcp_start", "tcp_message", "tcp_error",
    "tcp_end", "websocket_start", "websocket_message", "websocket_error", "websocket_end", "http_connect",
)
_TODAY = (
    "running", "update", "add_log", "client_connected", "client_disconnected", "server_connect", "server_connected",
    "server_disconnected", "dns_request", "dns_response", "dns_error", "udp_start", "udp_message", "udp_error",
    "udp_end", "next_layer",
)
_HIDDEN = frozenset(("load", "configure", "done", "addons", "start") + _FLOWS + _TODAY)


class Adapted:
    """An addon that has the hooks of a script, and otherwise what the script has."""

    def __init__(self, target, hooks):
        self.__dict__.update(hooks, _target=target)

    def __getattr__(self, name):
        if name == "name":
            # What mitmproxy calls an addon that has no name.
            return getattr(self._target, "name", type(self._target).__name__.lower())
        if name in _HIDDEN or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._target, name)

    def __setattr__(self, name, value):
        setattr(self._target, name, value)

    def __dir__(self):
        return sorted((set(dir(self._target)) - _HIDDEN) | set(self.__dict__))


def adapt(module, era, argv, ordered, source):
    module.__flowkit_era__ = era  # see extras.eras_of
    before = sys.argv
    sys.argv = list(argv)
    try:
        if era == "0.18":
            return _plain(module, ordered, source)
        return _with_context(module, era, argv, source)
    finally:
        sys.argv = before


# Up to 0.17.

def _with_context(module, era, argv, source):
    from . import views
    from .context import ScriptContext

    names = vars(module)
    python2.equip(names, source)
    context = ScriptContext()
    hooks = {}
    view = views.ListFlow if era == "0.13" else views.FlowView
    for name in signs.WITH_CONTEXT + ("done",):
        hook = names.get(name)
        if not inspect.isroutine(signs.plain(hook)):
            continue
        if name in ("request", "responseheaders", "response", "error"):
            given = view
        else:
            given = views.TcpMessage if name == "tcp_message" else None
        hooks[name] = _wrapped(hook, lambda fn: _context_hook(fn, name, context, given))
    if signs.starts(module):
        _start(names["start"], context, list(argv))
    return Adapted(module, hooks)


def _context_hook(fn, name, context, given):
    """Return a hook for one that takes a context, or none if it does not."""
    if name == "done":
        needed = signs.parameters(fn)[1]
        return (lambda: fn(context)) if needed else fn
    alone = len(signs.parameters(fn)[0]) == 1 and signs.parameters(fn)[1] == 1
    if given is None:
        return fn if alone else lambda it: fn(context, it)
    if alone:
        return lambda it: fn(given(it))
    return lambda it: fn(context, given(it))


def _start(start, *args):
    """Call a start() with as many of the arguments, from the first, as it takes."""
    return start(*args[:signs.parameters(start)[1]])


# 0.18 to 6.x.

def _plain(module, ordered, source):
    target = module
    started = signs.starts(module)
    old = started or signs.is_old(module)
    if started:
        from mitmproxy import ctx

        made = _start(module.start, ctx.options)
        if made is not None and made is not False:
            target = made
            if callable(getattr(made, "start", None)):
                _start(made.start, ctx.options)
    return _addon(target, ordered, source, old, started)


def _addon(target, ordered, source, old, started):
    """Return an addon of 0.18 to 6.x as one of today: itself if that is what it is."""
    found, hooks = {}, {}
    for name in _FLOWS + _TODAY + ("load", "configure", "done"):
        if started and name in ("load", "running", "update", "add_log"):
            continue  # 3.0 brought them
        hook = getattr(target, name, None)
        if inspect.isroutine(signs.plain(hook)):
            found[name], hooks[name] = hook, _hook(hook, name, source)
    if old and signs.is_hook(target, "log"):
        hooks["add_log"] = target.log
    if old and not ordered:
        # Both come, the end last.
        _both(hooks, "tcp_error", "tcp_end")
        _both(hooks, "websocket_error", "websocket_end")
    addons = getattr(target, "addons", None)
    if isinstance(addons, (list, tuple)):
        made = [_addon(a, ordered, source, old, False) for a in addons]
        if any(m is not a for m, a in zip(made, addons)):
            hooks["addons"] = made
        else:
            found["addons"] = hooks["addons"] = addons
    if hooks == found and not started:
        return target
    return Adapted(target, hooks)


def _hook(hook, name, source):
    """Return a hook of today for one of 0.18 to 6.x, the same one if it is."""
    if name == "configure" and signs.parameters(hook)[1] >= 2:
        from mitmproxy import ctx

        return lambda updated: hook(ctx.options, updated)
    if name in _FLOWS and ("request.is_replay" in source or "response.is_replay" in source):
        return _wrapped(hook, _replayed)
    return _wrapped(hook, lambda fn: fn)


def _both(hooks, error, end):
    """Have the hook of an error followed by that of the end, as it is without an error."""
    first, last = hooks.get(error), hooks.get(end)
    if first is None:
        return
    if error == "websocket_error":
        def websocket_end(flow):
            if flow.error is not None:
                first(flow)
            return last(flow) if last is not None else None

        hooks[end] = websocket_end
    elif last is not None:
        def tcp_error(flow):
            first(flow)
            return last(flow)

        hooks[error] = tcp_error


def _replayed(fn):
    """Have messages know that they are replayed, which is today the flow's to know."""
    def hook(flow):
        parts = [(name, getattr(flow, name, None)) for name in ("request", "response")]
        parts = [(name, part) for name, part in parts if part is not None]
        for name, part in parts:
            part.is_replay = flow.is_replay == name
        try:
            return fn(flow)
        finally:
            for name, part in parts:
                replayed = part.__dict__.pop("is_replay", None)
                if replayed is not None and bool(replayed) != (flow.is_replay == name):
                    flow.is_replay = name if replayed else None

    return hook


# Both.

def _wrapped(hook, make):
    """Return what make returns for a hook; one with @concurrent has it around that."""
    fn = getattr(hook, "_flowkit_concurrent", None)
    if fn is None:
        return make(hook)
    owner = getattr(hook, "__self__", None)
    # Up to 2.x such a method took no self.
    bare = owner is not None and len(signs.parameters(fn)[0]) == 1
    if owner is not None and not bare:
        fn = fn.__get__(owner)
    made = make(fn)
    if made is fn and not bare:
        return hook
    from mitmproxy.script import concurrent

    made.__name__ = fn.__name__
    return concurrent(made)
