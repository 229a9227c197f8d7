# 0.17
from mitmproxy.flow import FlowWriter


def start(context, argv):
    context.file = open(argv[1], "wb")
    context.writer = FlowWriter(context.file)


def response(context, flow):
    copy = context.duplicate_flow(flow)
    copy.request.path = "/copied"
    context.replay_request(copy)
    context.writer.add(copy)
    assert flow.replace("zzz", "y") == 0
    flow.copies = flow.replace("(fo)o", r"\1xx")


def done(context):
    context.file.close()
