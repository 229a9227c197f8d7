"""stream set on saved flows has no effect."""
from _show import name


def responseheaders(flow):
    flow.response.stream = (lambda chunk: chunk.upper()) if len(flow.request.path) % 2 else True


def requestheaders(flow):
    flow.request.stream = True


def response(flow):
    print(name(flow), callable(flow.response.stream), flow.request.stream, len(flow.response.raw_content or b""))
