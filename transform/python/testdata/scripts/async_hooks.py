"""Async hooks are awaited in order."""
import asyncio

from _show import name


async def running():
    await asyncio.sleep(0.01)
    print("running")


async def request(flow):
    await asyncio.sleep(0.001)
    flow.request.headers["X-Async"] = name(flow)


async def response(flow):
    results = await asyncio.gather(*(part(flow, i) for i in range(3)))
    flow.response.headers["X-Parts"] = ",".join(results)
    print(name(flow), "response")


async def part(flow, i):
    await asyncio.sleep(0.003 - i / 1000)
    return "%s.%d" % (name(flow), i)


class Other:
    async def response(self, flow):
        print(name(flow), "after", flow.response.headers["X-Parts"])

    def request(self, flow):
        print(name(flow), "request", flow.request.headers["X-Async"])

    async def done(self):
        await asyncio.sleep(0)
        print("done of the other")


async def tcp_message(flow):
    await asyncio.sleep(0)
    flow.messages[-1].content += b"!"


async def websocket_message(flow):
    await asyncio.wait_for(asyncio.sleep(0), 1)
    flow.websocket.messages[-1].content += b"?"


async def done():
    await asyncio.sleep(0.01)
    print("done")


addons = [Other()]
