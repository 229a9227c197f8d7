# 0.13
from libmproxy.protocol.http import decoded


def response(context, flow):
    if flow.response.headers.get_first("content-type", "").startswith("image"):
        with decoded(flow.response):
            flow.response.content = flow.response.content[::-1]
            flow.response.headers["content-type"] = ["image/x-mirrored"]
