# 0.15
from libmproxy import filt
from libmproxy.models import HTTPResponse
from libmproxy.protocol import Kill
from netlib.http import Headers


def start(context, argv):
    context.filter = filt.parse("~d answer.example")


def request(context, flow):
    if flow.match(context.filter):
        assert context.filter(flow)
        flow.reply(HTTPResponse([1, 1], 418, "Teapot", Headers(Content_Type="text/plain"), "short and stout"))
    elif flow.match("~d killed.example"):
        context.kill_flow(flow)
    elif flow.match("~d replied.example"):
        flow.reply(Kill)
    assert flow.request.pretty_host.endswith("example")
    assert flow.match(None)
