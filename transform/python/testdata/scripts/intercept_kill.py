"""intercept, resume and kill of flows that are not live."""
import asyncio

from _show import attempt, name


def each(flow):
    n = int(name(flow)[1:])
    if n % 4 == 0:
        flow.intercept()
        flow.intercept()
    elif n % 4 == 1:
        flow.resume()
        flow.intercept()
        flow.resume()
    print(name(flow), flow.intercepted, flow.killable, attempt(flow.kill), flow.live, flow.error)


request = tcp_message = dns_request = each


async def response(flow):
    n = int(name(flow)[1:])
    if n % 4 == 1:
        await flow.wait_for_resume()
        print(name(flow), "resumed")
    if n == 8:
        asyncio.get_running_loop().call_soon(flow.resume)
        await flow.wait_for_resume()
        print(name(flow), "resumed later", flow.intercepted)
    if n == 12:
        flow.live = True
        flow.kill()
        print(name(flow), flow.error.msg, flow.intercepted, flow.live, attempt(flow.kill))
        flow.error.timestamp = 1.0
    if n == 16:
        flow.kill()


def error(flow):
    print("error", name(flow), flow.error)
