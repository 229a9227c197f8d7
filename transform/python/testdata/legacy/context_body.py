# 0.17
from mitmproxy.models import decoded


def start(context, argv):
    if len(argv) != 3:
        raise ValueError('Usage: -s "context_body.py old new"')
    context.old, context.new = argv[1:]


def response(context, flow):
    with decoded(flow.response):
        flow.response.content = flow.response.content.replace(context.old, context.new)
