# flowkit: log
"""ctx.log at every level."""
from _show import name

from mitmproxy import ctx


def load(loader):
    ctx.log.info("in load")


def running():
    ctx.log.debug("debug")
    ctx.log.info("info")
    ctx.log.alert("alert")
    ctx.log.warn("warn")
    ctx.log("called")
    ctx.log("called with a level", "warn")
    ctx.log.info({"an": "object", "n": 5})
    ctx.log.info("caf\u00e9 \u732b")
    ctx.log.info("two\nlines")


def request(flow):
    if flow.request.path.startswith("/status"):
        ctx.log.warn("%s: %s" % (name(flow), flow.request.path))
        ctx.log.error("error of " + name(flow))
