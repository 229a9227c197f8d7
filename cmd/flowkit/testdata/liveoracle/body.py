# Bodies: content, text, JSON, forms, with content-codings, of both directions.
import json

from _log import log


def request(flow):
    r = flow.request
    log("request", r.path, r.content, r.headers.get("content-length"), r.headers.get("transfer-encoding"))
    if r.path == "/text":
        r.text = r.text.replace("tea", "coffee \u2615")
    elif r.path == "/form":
        log(list(r.urlencoded_form.items(multi=True)))
        r.urlencoded_form["b"] = "3 & 4"
        r.query["q"] = "x y"
    elif r.path == "/none":
        r.content = b""
    elif r.path == "/cookies":
        log(list(r.cookies.items(multi=True)))
        r.cookies["b"] = "9"
        r.content = b"was empty"


def response(flow):
    r = flow.response
    log("response", flow.request.path, r.raw_content, r.headers.get("content-length"), r.headers.get("transfer-encoding"))
    path = flow.request.path
    if path == "/json":
        data = json.loads(r.text)
        data["added"] = [1, 2.5, None]
        r.text = json.dumps(data)
    elif path == "/form":
        r.content = b"short"
    elif path == "/none":
        r.content = b""
    elif path == "/raw":
        r.raw_content = r.raw_content.swapcase()
    elif path == "/chunked":
        r.text = r.text.upper()
    elif path == "/eof":
        r.content += b" and more"
    log("now", r.content, r.headers.get("content-length"))
