# Hooks in threads of their own.
import threading

from _log import log
from mitmproxy.script import concurrent

free = threading.Event()
main = threading.current_thread()


@concurrent
def request(flow):
    log("request", flow.request.path)
    if flow.request.path == "/wait":
        free.wait(5)
    flow.request.headers["X-Thread"] = str(threading.current_thread() is not main)
    log("request goes on", flow.request.path)


class Addon:
    @concurrent
    def response(self, flow):
        flow.response.headers["X-Thread"] = "1"
        if flow.request.path == "/free":
            free.set()


addons = [Addon()]
