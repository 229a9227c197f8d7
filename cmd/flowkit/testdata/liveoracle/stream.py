# Bodies of responses that are not held: passed on, and through functions.
from _log import log


class Counting:
    def __init__(self):
        self.size = 0

    def __call__(self, data):
        self.size += len(data)
        if not data:
            log("end", self.size)
            return b"<%d>" % self.size
        return data


def several(data):
    if not data:
        return []
    return [data.lower(), b"|"]


def responseheaders(flow):
    log("responseheaders", flow.request.path, flow.response.raw_content)
    what = flow.request.path.split("/")[1]
    if what == "true":
        flow.response.stream = True
    elif what == "upper":
        flow.response.stream = lambda data: data.upper()
    elif what == "count":
        flow.response.stream = Counting()
    elif what == "several":
        flow.response.stream = several
    elif what == "nothing":
        flow.response.stream = lambda data: b""
    flow.response.headers["X-What"] = what


def response(flow):
    # Too late for the head, and for the body.
    flow.response.headers["X-Late"] = "1"
    log("response", flow.request.path, flow.response.raw_content, flow.response.stream is not False)
