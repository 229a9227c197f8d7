# Filter expressions of live flows, before and behind the response.
from _log import log
from mitmproxy import flowfilter

texts = (
    "~q", "~s", "~m GET", "~m post & ~u /b", "~u /a$", "~d 127.0.0.1", "~d example", "~h X-Case", "~hq X-Case: yes", "~hs X-Origin",
    "~b hello", "~bq tea", "~bs hello", "~c 200", "~c 404", "~t text/plain", "~tq json", "~ts text", "~http", "~tcp", "~websocket", "~e",
    "~all", "! ~q", "(~m GET | ~m POST) & ! ~c 200", "~a", "~marked", "~src 127.0.0.1", "~dst 127.0.0.1", "/b",
)
filters = [(text, flowfilter.parse(text)) for text in texts]


def matching(flow):
    return [text for text, f in filters if flowfilter.match(f, flow)]


def requestheaders(flow):
    log("requestheaders", flow.request.path, matching(flow))


def request(flow):
    log("request", flow.request.path, matching(flow))
    if flow.request.path == "/b":
        flow.marked = ":star:"


def response(flow):
    log("response", flow.request.path, matching(flow), flowfilter.match("~c 200 & ~u a", flow))


def error(flow):
    log("error", flow.request.path, matching(flow))
