# HTTP/2 on both sides.
from _log import log


def requestheaders(flow):
    r = flow.request
    log("requestheaders", r.http_version, r.method, r.scheme, r.authority, r.path, r.is_http2)


def request(flow):
    log("request", flow.request.content, flow.request.headers.get("x-a"), flow.request.host_header)
    flow.request.headers["X-Upper"] = "1"


def responseheaders(flow):
    log("responseheaders", flow.response.http_version, flow.response.reason, flow.client_conn.alpn, flow.server_conn.alpn)


def response(flow):
    log("response", flow.response.content, flow.response.headers.get("x-got"))
    flow.response.headers["X-Added"] = "1"
    flow.response.content += b" and more"
