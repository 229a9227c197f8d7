"""The fields that every flow has, set."""
from _show import attempt, name

EDITS = r'''
flow.marked = ":red_circle:"
flow.marked = "X"
flow.marked = ""
flow.comment = "caf\u00e9 \u732b\nsecond line"
flow.comment = ""
flow.is_replay = "request"
flow.is_replay = "response"
flow.is_replay = None
flow.intercepted = True
flow.intercepted = False
flow.timestamp_created = 12.5
flow.metadata["one"] = 1
flow.metadata.clear()
flow.metadata = {"new": ["list", None, True, 1.5]}
flow.metadata["k\u00e9y"] = {"deep": {"deeper": "x"}}
flow.timestamp_created = 99
flow.custom = "an attribute of the script's own"
flow.live = True
'''.strip().split("\n")


def each(flow):
    code = EDITS[int(name(flow)[1:]) % len(EDITS)]
    print(name(flow), ascii(code), attempt(exec, code, {"flow": flow}), flow.modified())


request = tcp_message = dns_request = each


def response(flow):
    if hasattr(flow, "custom"):
        flow.response.headers["X-Custom"] = flow.custom
