"""What flowkit is told of the scripts: the READY frame."""
import sys


def ready(bridge, failed):
    return {
        "hooks": [bridge.table.of(s) if bridge.table else [] for s in bridge.scripts],
        "options": options(bridge),
        "eras": [s.era for s in bridge.scripts],
        "parallel": [None for s in bridge.scripts],
        "asserted": [s.asserted for s in bridge.scripts],
        "python": "%d.%d.%d" % sys.version_info[:3],
        "failed": failed,
    }


def options(bridge):
    """Return the options that scripts declared: (name, type, default, help)."""
    return [tuple(o) for o in bridge.master.addons.declared_options()] if hasattr(bridge.master.addons, "declared_options") else []
