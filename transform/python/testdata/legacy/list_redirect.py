# 0.11
from libmproxy.protocol.http import HTTPResponse
from netlib.odict import ODictCaseless


def request(context, flow):
    host = flow.request.pretty_host(hostheader=True)
    if host.endswith("answer.example"):
        answer = HTTPResponse([1, 1], 200, "OK", ODictCaseless([["Content-Type", "text/plain"]]), "answered")
        answer.headers["X-By"] = ["script"]
        flow.reply(answer)
    elif host.endswith("moved.example"):
        flow.request.host = "new.example"
        flow.request.update_host_header()
