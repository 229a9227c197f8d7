"""The state of the run: `master`, `options` and `log`.

`master` and `options` exist as soon as a Master was made. Where somebody gave `setup` (a function
without arguments that makes one), the first touch of them does.
"""

setup = None


def __getattr__(name):
    if name == "log":
        from mitmproxy.log import Log

        value = Log(None)
    elif name == "proxy":
        value = _NoProxy()
    elif name in ("master", "options") and setup is not None:
        globals()["setup"], make = None, setup
        make()
        return globals()[name]
    else:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    globals()[name] = value
    return value


class _NoProxy:
    """What 0.18 to 6.x had as `ctx.proxy`."""

    def __getattr__(self, name):
        raise AttributeError("ctx.proxy.%s needs a live proxy" % name)
