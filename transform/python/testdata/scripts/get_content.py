"""Bodies: raw, decoded, as text, as JSON, strict and not."""
from _show import attempt, get, lines, name


def each(flow, m):
    lines(flow, *get(m, "raw_content content text"))
    print(name(flow), "get_content", attempt(m.get_content), attempt(m.get_content, strict=False), attempt(m.get_content, False))
    print(name(flow), "get_text", attempt(m.get_text), attempt(m.get_text, strict=False))
    print(name(flow), "json", attempt(m.json), attempt(m.json, parse_float=str))
    print(name(flow), "same", attempt(lambda: m.content is m.content), attempt(lambda: m.raw_content is m.data.content))


def request(flow):
    each(flow, flow.request)


def response(flow):
    each(flow, flow.response)
