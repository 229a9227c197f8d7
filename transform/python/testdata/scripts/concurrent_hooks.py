"""@concurrent on functions and methods, sync and async."""
import threading
import time

from _show import attempt, name

from mitmproxy.script import concurrent


@concurrent
def request(flow):
    time.sleep(0.001)
    flow.request.headers["X-Thread"] = str(threading.current_thread() is not threading.main_thread())


class Addon:
    @concurrent
    def response(self, flow):
        time.sleep(0.001)
        flow.response.headers["X-Concurrent"] = flow.request.headers["X-Thread"]
        print(name(flow))
        if flow.request.path == "/old":
            raise ValueError("in a thread")

    @concurrent
    async def tcp_message(self, flow):
        flow.messages[-1].content += b" concurrent"


@concurrent
def dns_response(flow):
    flow.response.answers.clear()


addons = [Addon()]


def load(loader):
    def load(x):
        pass

    def configure(x):
        pass

    def nosuch(x):
        pass
    print(attempt(concurrent, load), attempt(concurrent, configure), attempt(concurrent, nosuch))
