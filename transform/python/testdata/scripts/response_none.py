"""The response removed in its own hook."""
from _show import name


def response(flow):
    if int(name(flow)[1:]) % 10 == 3 and not flow.websocket:
        flow.response = None
        print(name(flow), flow.response)
