# 0.18
from mitmproxy.models import HTTPResponse
from netlib.http import Headers


def request(flow):
    if flow.request.pretty_host.endswith("answer.example"):
        flow.reply.send(HTTPResponse.make(200, b"Hello", {"Content-Type": "text/html"}))
    elif flow.request.pretty_host.endswith("killed.example"):
        flow.reply.kill()
    elif flow.request.pretty_host.endswith("old.example"):
        flow.response = HTTPResponse(b"HTTP/1.1", 203, b"Old", Headers(x_y="z"), b"body")
