"""Metadata: values of every kind, changed in place, and shared between hooks."""
from _show import name, show


def requestheaders(flow):
    flow.metadata["trail"] = ["requestheaders"]


def request(flow):
    flow.metadata["trail"].append("request")
    if "l" in flow.metadata:
        flow.metadata["l"][2].append("appended in place")
        flow.metadata["d"]["k\u00e9y"]["deep"] = (1, 2, "tuple")
        del flow.metadata["i"]


def response(flow):
    flow.metadata["trail"].append("response")
    flow.metadata["trail"] = "/".join(flow.metadata["trail"])
    if len(flow.request.path) == 5:
        flow.metadata.clear()
    print(name(flow), show(flow.metadata))


def tcp_start(flow):
    print(name(flow), show(flow.metadata))
    flow.metadata.setdefault("count", 0)


def tcp_message(flow):
    flow.metadata["count"] += 1


def websocket_message(flow):
    flow.metadata[str(len(flow.websocket.messages))] = flow.websocket.messages[-1].from_client


def dns_request(flow):
    flow.metadata = {"big": 2 ** 70, "neg": -1, "float": 1e300, "small": 1e-7, "whole": 2.0, "bytes as list": list(b"ab")}
