"""flow.error set, changed and removed in each hook."""
from _show import name

from mitmproxy import flow as mflow


def request(flow):
    n = int(name(flow)[1:])
    if n % 10 == 1:
        flow.error = mflow.Error("set in request", 1600000000.25)
    if flow.error and n % 2:
        flow.error.msg += " \u00e9"


def response(flow):
    n = int(name(flow)[1:])
    if n % 10 == 2:
        flow.error = flow.error or mflow.Error("set in response", 1600000001.0)
    if n == 113:
        flow.error = None


def error(flow):
    print("error", name(flow), ascii(flow.error.msg), flow.error.timestamp, flow.response is None)
    if "response" in flow.error.msg:
        flow.comment = "seen in error"
    if flow.error.msg == "timed out":
        flow.error = mflow.Error(mflow.Error.KILLED_MESSAGE, 1600000002.0)


def tcp_message(flow):
    if b"row 3" in flow.messages[-1].content:
        flow.error = mflow.Error("set in tcp_message", 1600000003.0)


def tcp_error(flow):
    print("tcp_error", name(flow), flow.error)
    flow.error.timestamp = 5.0


def websocket_message(flow):
    if flow.error:
        flow.error = None


def dns_request(flow):
    if flow.request.questions[0].name.startswith("pending"):
        flow.error = mflow.Error("dns", 1.5)


def dns_error(flow):
    print("dns_error", name(flow), flow.error)
    flow.error.msg = flow.error.msg.upper()
