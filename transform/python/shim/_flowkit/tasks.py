"""Hooks of several flows at a time, for --concurrency: those of one flow stay in order."""
import asyncio
from sys import getrefcount

from .errors import Stop
from .run import _ALONE, Sequential, received, settle


class Concurrent(Sequential):
    """A task for each flow, so many at a time; what they changed is sent in order."""

    def run(self, batch, records, result):
        self.loop = loop = self.bridge.event_loop()
        self._executor(loop)
        flows = [received(batch, i, rec) for i, rec in enumerate(records)]
        stop = loop.run_until_complete(self._all(flows))
        end = len(flows) if stop is None else stop[0] + 1
        for i in range(end):
            self.bridge.finish(flows[i], i, result)
        while flows:
            flow = flows.pop()
            settle(batch, flow, getrefcount(flow) > _ALONE)
        self.bridge.index = -1
        if stop is not None:
            raise stop[1]
        if self.bridge.master.should_exit and self.bridge.stop_at_shutdown:
            raise Stop("shutdown")

    def _executor(self, loop):
        """Has @concurrent hooks run in as many threads."""
        if getattr(self.bridge, "executor", None) is None:
            from concurrent.futures import ThreadPoolExecutor

            self.bridge.executor = ThreadPoolExecutor(self.bridge.concurrency)
            loop.set_default_executor(self.bridge.executor)

    async def _all(self, flows):
        """Run the events of all flows; return the index and the Stop of the first that stopped."""
        waiting = iter(range(len(flows)))
        stops = []

        async def work():
            for i in waiting:
                if stops:
                    return
                try:
                    await self.flow_in_loop(flows[i], i)
                except Stop as stop:
                    stops.append((i, stop))

        await asyncio.gather(*[work() for _ in range(min(self.bridge.concurrency, len(flows)))])
        return min(stops, key=lambda s: s[0]) if stops else None
