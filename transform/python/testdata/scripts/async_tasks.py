"""Tasks started in hooks, a queue between them, futures, and the loop."""
import asyncio

from _show import name

queue = None
seen = []
tasks = []


async def worker():
    while True:
        flow = await queue.get()
        seen.append(name(flow))
        queue.task_done()


def running():
    global queue
    queue = asyncio.Queue()
    tasks.append(asyncio.create_task(worker()))
    asyncio.get_running_loop().call_soon(print, "called soon")


async def request(flow):
    queue.put_nowait(flow)
    await queue.join()


def response(flow):
    tasks.append(asyncio.ensure_future(later(flow)))


async def later(flow):
    await asyncio.sleep(0)
    seen.append(name(flow) + "r")


async def done():
    await asyncio.gather(*tasks[1:])
    tasks[0].cancel()
    print(len(seen), seen[:10], tasks[0].cancelled(), asyncio.get_running_loop().is_running())
