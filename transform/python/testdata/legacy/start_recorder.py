# 0.18
import sys

from mitmproxy import controller, ctx


class Recorder:
    calls = []

    def __init__(self, name="solo"):
        self.name = name

    def __getattr__(self, attr):
        if attr in controller.Events:
            def record(*args, **kwargs):
                if attr != "log":
                    self.calls.append((self.name, attr, len(args)))
                    ctx.log.info("called %s" % attr)
            return record
        raise AttributeError(attr)


def start():
    return Recorder(*sys.argv[1:])
