"""Exceptions out of async hooks, before and after they waited."""
import asyncio

from _show import name


class Failing:
    async def request(self, flow):
        if int(name(flow)[1:]) % 30 == 0:
            raise ValueError("before it waited")
        await asyncio.sleep(0)
        if int(name(flow)[1:]) % 30 == 1:
            raise KeyError("after it waited")
        flow.request.headers["X-Passed"] = "1"

    async def response(self, flow):
        if int(name(flow)[1:]) % 50 == 2:
            await asyncio.wait_for(asyncio.sleep(10), 0.01)


async def response(flow):
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.001)
    except asyncio.TimeoutError:
        flow.response.headers["X-Timeout"] = "caught"


addons = [Failing()]
