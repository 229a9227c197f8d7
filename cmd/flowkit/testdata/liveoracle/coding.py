# Compressed bodies: edited, undone, made.
from _log import log


def response(flow):
    r, path = flow.response, flow.request.path
    log("response", path, r.headers.get("content-encoding"), r.text)
    if path.startswith("/edit"):
        r.text = r.text.replace("gzip", "edited")
    elif path.startswith("/decode"):
        r.decode()
    elif path.startswith("/encode"):
        r.encode("gzip")
    log("now", r.headers.get("content-encoding"), r.content, len(r.raw_content) == int(r.headers["content-length"]))
