"""Every hook raises, each in a line of its own, after a change that stays."""
from _show import name


def change(flow, what):
    flow.comment += what + " "
    return int(name(flow)[1:]) % 40 == 5 or flow.type != "http" or flow.websocket


def requestheaders(flow):
    if change(flow, "requestheaders"):
        raise RuntimeError("raised in requestheaders of %s" % name(flow))


def request(flow):
    if change(flow, "request"):
        raise RuntimeError("raised in request of %s" % name(flow))


def responseheaders(flow):
    if change(flow, "responseheaders"):
        raise RuntimeError("raised in responseheaders of %s" % name(flow))


def response(flow):
    if change(flow, "response"):
        raise RuntimeError("raised in response of %s" % name(flow))


def error(flow):
    if change(flow, "error"):
        raise RuntimeError("raised in error of %s" % name(flow))


def tcp_start(flow):
    if change(flow, "tcp_start"):
        raise RuntimeError("raised in tcp_start of %s" % name(flow))


def tcp_message(flow):
    if change(flow, "tcp_message"):
        raise RuntimeError("raised in tcp_message of %s" % name(flow))


def tcp_end(flow):
    if change(flow, "tcp_end"):
        raise RuntimeError("raised in tcp_end of %s" % name(flow))


def tcp_error(flow):
    if change(flow, "tcp_error"):
        raise RuntimeError("raised in tcp_error of %s" % name(flow))


def websocket_start(flow):
    if change(flow, "websocket_start"):
        raise RuntimeError("raised in websocket_start of %s" % name(flow))


def websocket_message(flow):
    if change(flow, "websocket_message"):
        raise RuntimeError("raised in websocket_message of %s" % name(flow))


def websocket_end(flow):
    if change(flow, "websocket_end"):
        raise RuntimeError("raised in websocket_end of %s" % name(flow))


def dns_request(flow):
    if change(flow, "dns_request"):
        raise RuntimeError("raised in dns_request of %s" % name(flow))


def dns_response(flow):
    if change(flow, "dns_response"):
        raise RuntimeError("raised in dns_response of %s" % name(flow))


def dns_error(flow):
    if change(flow, "dns_error"):
        raise RuntimeError("raised in dns_error of %s" % name(flow))


def update(flows):
    if len(flows[0].comment) % 10 == 0:
        raise RuntimeError("raised in update")


def done():
    print("done")
    raise ValueError("raised in done")
