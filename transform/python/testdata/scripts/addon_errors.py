"""One addon of a script raises: what the ones behind it hear."""
from _show import name


class First:
    def request(self, flow):
        if flow.request.path == "/index.html":
            raise ValueError("of the first")
        flow.request.headers["X-First"] = "1"


class Second:
    def request(self, flow):
        flow.request.headers["X-Second"] = "1"

    def response(self, flow):
        if flow.request.path == "/old":
            flow.response.headers["X-Before"] = "raised"
            raise KeyError("of the second")


def response(flow):
    flow.response.headers["X-Module"] = "1"
    if flow.request.path == "/ws":
        raise RuntimeError("of the module")


addons = [First(), Second()]
