"""Attributes of the script's own on flows and their parts, from hook to hook."""
from _show import name


def requestheaders(flow):
    flow.mine = [1]
    flow.request.mine = "request"
    flow.client_conn.mine = "client"


def request(flow):
    flow.mine.append(2)
    flow.request.headers["X-Mine"] = "%s %s" % (flow.mine, flow.request.mine)


def response(flow):
    flow.mine.append(3)
    flow.response.headers["X-Mine"] = "%s %s %s" % (flow.mine, hasattr(flow.response, "mine"), flow.client_conn.mine)


def error(flow):
    print(name(flow), flow.mine)


def websocket_start(flow):
    flow.websocket.mine = 0


def websocket_message(flow):
    flow.websocket.mine += 1
    flow.websocket.messages[-1].mine = flow.websocket.mine


def websocket_end(flow):
    print(name(flow), flow.websocket.mine, [m.mine for m in flow.websocket.messages], flow.mine)
