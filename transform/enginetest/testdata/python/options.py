# Declares options, and comments with their values.
from mitmproxy import ctx


def load(loader):
    loader.add_option("level", int, 1, "a number")
    loader.add_option("name", str, "alice", "a name", choices=["alice", "bob"])
    loader.add_option("on", bool, False, "a switch")
    loader.add_option("other", str, "default", "one that is not set")

def response(flow):
    o = ctx.options
    flow.comment = "level %d name %s %s %s unset" % (o.level + 1, o.name, "on" if o.on else "off", o.other)
