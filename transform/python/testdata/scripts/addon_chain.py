"""Module hooks, addons, addons of addons: the order, and who hears what."""
from _show import name

from mitmproxy import ctx


class Addon:
    def __init__(self, label, *children):
        self.name = label
        if children:
            self.addons = list(children)

    def load(self, loader):
        print("load", self.name)

    def configure(self, updated):
        print("configure", self.name, len(updated) > 10)

    def running(self):
        print("running", self.name, ctx.master.addons.get(self.name) is self)

    def request(self, flow):
        if flow.metadata.setdefault("trail", "") is not None and len(flow.request.path) == 7:
            flow.metadata["trail"] += " " + self.name
            print("request", self.name, name(flow))

    def done(self):
        print("done", self.name)


class Unnamed:
    def response(self, flow):
        flow.response.headers["X-Unnamed"] = type(self).__name__

    def running(self):
        print(ctx.master.addons.get("unnamed") is self, "unnamed" in ctx.master.addons, Addon("x") in ctx.master.addons, Addon("inner 1") in ctx.master.addons)


class OnlySome:
    response = None
    request = property(lambda self: None)
    tcp_start = "no function" and None


def load(loader):
    print("load module", loader.master is ctx.master)


def configure(updated):
    print("configure module", "scripts" in updated, "confdir" in updated)


def running():
    print("running module")


def request(flow):
    if len(flow.request.path) == 7:
        flow.metadata["trail"] = "module"


def done():
    print("done module")


addons = [
    Addon("outer", Addon("inner 1"), Addon("inner 2", Addon("innermost"))),
    Unnamed(),
    OnlySome(),
    Addon("last"),
]
