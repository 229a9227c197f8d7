# Async hooks: one flow waits, the others go on.
import asyncio

from _log import log

waiting = asyncio.Event()


async def running():
    await asyncio.sleep(0)
    log("running")


async def request(flow):
    log("request", flow.request.path)
    if flow.request.path == "/wait":
        await waiting.wait()
    elif flow.request.path == "/free":
        asyncio.ensure_future(free())
    await asyncio.sleep(0.01)
    flow.request.headers["X-Async"] = "1"
    log("request goes on", flow.request.path)


async def free():
    await asyncio.sleep(0.1)
    waiting.set()


async def response(flow):
    await asyncio.sleep(0.01)
    flow.response.text += "after an await"
    log("response", flow.request.path)


async def done():
    log("done")
