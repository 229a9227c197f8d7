"""What flowkit is told of the scripts and their options: the READY frame."""
import sys


def ready(bridge, failed):
    return {
        "hooks": [bridge.table.of(s) if bridge.table else [] for s in bridge.scripts],
        "options": options(bridge),
        "eras": [s.era for s in bridge.scripts],
        "parallel": [parallel(bridge, s) for s in bridge.scripts],
        "asserted": [s.asserted for s in bridge.scripts],
        "python": "%d.%d.%d" % sys.version_info[:3],
        "failed": failed,
    }


def parallel(bridge, script):
    """Return why a script's flows must come in order, "" if they need not. It is looked at if flowkit asks."""
    if not bridge.verdict:
        return "it may keep a state"
    if script.verdict is None:
        from .parallel import verdict

        try:
            script.verdict = verdict(script.read())
        except OSError:
            script.verdict = "it cannot be read any more"
    return script.verdict


def declared(bridge):
    """Return the names of the options that scripts declared, in their order."""
    return [k for k in bridge.options._options if k not in bridge.stock]


def options(bridge):
    """Return the options that scripts declared: (script, name, type, default, help)."""
    all_ = []
    for name in declared(bridge):
        o = bridge.options._options[name]
        spec = o.typespec
        kind = spec.__name__ if isinstance(spec, type) else str(spec).replace("typing.", "")
        all_.append((bridge.owners.get(name, ""), name, kind, repr(o.default), str(o.help or "")))
    return all_


def problem(bridge):
    """Return what is wrong with the options that --set gave, None if nothing is."""
    known = bridge.options.keys()
    for text in bridge.set:
        name, _, value = text.partition("=")
        if name not in known:
            there = declared(bridge)
            return "--set %s: there is no such option; %s" % (
                name, "there is " + ", ".join(there) if there else "the scripts declare none",
            )
        if name in bridge.stock:
            bridge.log("warn", "flowkit", "--set %s: flowkit does nothing with this option of mitmdump; scripts see its value" % name)
        choices = bridge.options._options[name].choices
        if choices and value and value not in choices:
            return "--set %s: it must be one of %s" % (text, ", ".join(choices))
    return None
