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

    def __init__(self, target, era):
        self.__dict__["_target"] = target
        self.era = era

    def __getattr__(self, name):
        if name in _HIDDEN or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._target, name)


def adapt(module, era, argv, classic, source):
    module.__flowkit_era__ = era
    if era == "0.18":
        return _plain(module, argv, classic, source)
    return _with_context(module, era, argv, source)


# Up to 0.17.

def _with_context(module, era, argv, source):
    from . import views
    from .context import ScriptContext

    names = vars(module)
    python2.equip(names, source)
    context = ScriptContext()
    addon = Adapted(module, era)
    view = views.ListFlow if era == "0.13" else views.FlowView
    for name in signs.WITH_CONTEXT + ("done",):
        hook = names.get(name)
        if not inspect.isroutine(signs.plain(hook)):
            continue
        if name in ("request", "responseheaders", "response", "error"):
            given = view
        else:
            given = views.TcpMessage if name == "tcp_message" else None
        setattr(addon, name, _wrapped(hook, lambda fn: _context_hook(fn, name, context, given)))
    start = names.get("start")
    if signs.starts(module):
        start(*_as_many(start, (context, list(argv))))
    return addon


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


def _as_many(fn, args):
    """Return as many of the arguments, from the first, as a function takes."""
    return args[:signs.parameters(fn)[1]]


# 0.18 to 6.x.

def _plain(module, argv, classic, source):
    started = signs.starts(module)
    old = started or signs.is_old(module)
    within = _with_argv(list(argv)) if "argv" in source or "parse_args" in source else _as_it_is
    target = module
    if started:
        with_argv = _with_argv(list(argv))
        made = with_argv(module.start)(*_as_many(module.start, _options()))
        if made is not None and made is not False:
            target = made
            if callable(getattr(made, "start", None)):
                with_argv(made.start)(*_as_many(made.start, _options()))
    return _addon(target, classic, source, within, old, started)


def _options():
    from mitmproxy import ctx

    return (ctx.options,)


def _addon(target, classic, source, within, old, started):
    """Return an addon of 0.18 to 6.x as one of today: itself if that is what it is."""
    hooks = {}
    changed = started
    for name in _FLOWS + _TODAY + ("load", "configure", "done"):
        if started and name in ("load", "running", "update", "add_log"):
            continue  # 3.0 brought them
        hook = getattr(target, name, None)
        if not inspect.isroutine(signs.plain(hook)):
            continue
        hooks[name] = _hook(hook, name, source, within)
        changed = changed or hooks[name] is not hook
    if old and signs.is_hook(target, "log"):
        hooks["add_log"] = _hook(target.log, "log", source, within)
    if old and not classic:
        # Both come, the end last.
        for error, end in (("tcp_error", "tcp_end"), ("websocket_error", "websocket_end")):
            _both(hooks, error, end)
    addons = getattr(target, "addons", None)
    if isinstance(addons, (list, tuple)):
        made = [_addon(a, classic, source, within, old, False) for a in addons]
        changed = changed or any(m is not a for m, a in zip(made, addons))
    else:
        made = None
    if not changed and all(hooks[name] is getattr(target, name, None) for name in hooks):
        return target
    adapted = Adapted(target, "0.18")
    adapted.__dict__.update(hooks)
    if made is not None:
        adapted.addons = made
    return adapted


def _hook(hook, name, source, within):
    """Return a hook of today for one of 0.18 to 6.x, the same one if it is."""
    if name == "configure" and signs.parameters(hook)[1] >= 2:
        return within(lambda updated: hook(_options()[0], updated))
    if name in _FLOWS and ("request.is_replay" in source or "response.is_replay" in source):
        return _wrapped(hook, lambda fn: within(_replayed(fn)))
    if within is _as_it_is:
        return hook
    return _wrapped(hook, within)


def _both(hooks, error, end):
    """Have the hook of an error followed by that of the end, as it is without an error."""
    first, last = hooks.get(error), hooks.get(end)
    if first is None:
        return
    if error == "tcp_error":
        if last is not None:
            def tcp_error(flow):
                first(flow)
                return last(flow)

            hooks[error] = tcp_error
        return

    def websocket_end(flow):
        if flow.error is not None:
            first(flow)
        return last(flow) if last is not None else None

    hooks[end] = websocket_end


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
    if owner is not None:
        fn = fn.__get__(owner)
    made = make(fn)
    if made is fn:
        return hook
    from mitmproxy.script import concurrent

    made.__name__ = fn.__name__
    return concurrent(made)


def _as_it_is(fn):
    return fn


def _with_argv(argv):
    """Return a decorator that sets sys.argv while a function runs."""
    def decorate(fn):
        if inspect.iscoroutinefunction(fn):
            return fn

        def hook(*args):
            before = sys.argv
            sys.argv = list(argv)
            try:
                return fn(*args)
            finally:
                sys.argv = before

        return hook

    return decorate
