# Behind a second proxy.
from _log import log


def http_connect(flow):
    log("http_connect", flow.request.host)


def http_connect_upstream(flow):
    log("http_connect_upstream", flow.request.method, flow.request.host, flow.request.port, flow.request.authority, flow.request.headers.fields)
    flow.request.headers["X-Via"] = "script"


def request(flow):
    log("request", flow.request.url, flow.request.scheme)
    flow.request.headers["X-In"] = "1"


def response(flow):
    log("response", flow.response.status_code, flow.server_conn.address)
