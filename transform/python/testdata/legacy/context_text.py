# 0.15: bodies were texts as well; so are they for regular expressions.
import re
from re import findall

from libmproxy.models import decoded

LINK = re.compile("https?://([a-z.]+)")


def response(context, flow):
    if not isinstance(flow.response.content, basestring):
        return
    with decoded(flow.response):
        body = flow.response.content
        if "html" in body and body.find("<body>") >= 0 and body[0] == "<":
            flow.response.headers["X-Links"] = str(len(findall("https?://", body)))
            match = LINK.search(body)
            if match:
                flow.response.headers["X-First"] = match.group(1)
            body = re.sub("(?i)FOO", "b\u00e4r", body)
            flow.response.body = unicode("<!-- ") + body + " -->"
            context.log("changed %s to %d bytes" % (flow.request.path, len(flow.response.content)))
