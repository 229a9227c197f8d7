"""Every hook there is, recorded in order, with what the event order depends on."""
from _show import name

from mitmproxy import flow, hooks

trace = []


def recorder(hook):
    def record(*args):
        f = args[0] if args and isinstance(args[0], flow.Flow) else None
        if hook == "update":
            trace.append(("update", len(args[0]), name(args[0][0])))
        elif f is not None:
            trace.append((hook, name(f), f.type, bool(f.error)))
        elif hook not in ("add_log",):
            trace.append((hook, [type(a).__name__ for a in args]))
    return record


for hook in hooks.all_hooks:
    if hook != "done":
        globals()[hook] = recorder(hook)


def done():
    print(len(trace), "events")
    for event in trace:
        if event[0] != "configure":
            print(*event)
    print([e for e in trace if e[0] == "configure"][:1])
