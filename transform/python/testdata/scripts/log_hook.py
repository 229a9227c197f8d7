"""add_log hears what scripts log."""
from _show import name

from mitmproxy import ctx

entries = []


def add_log(entry):
    if entry.level != "debug" and not entry.msg.startswith("Loading script"):
        entries.append((entry.level, entry.msg))


def request(flow):
    if flow.request.path == "/old":
        ctx.log.warn("logged in request")
        ctx.log.error("an error")
        ctx.log.alert(name(flow))


async def response(flow):
    # mitmproxy delivers what was logged once a hook waits.
    import asyncio
    await asyncio.sleep(0.001)


def done():
    print(entries)
