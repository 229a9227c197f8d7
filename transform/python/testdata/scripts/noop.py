"""Touches everything, changes nothing: every flow has to come out as it was."""


def request(flow):
    r = flow.request
    r.path = r.path
    r.port, r.scheme, r.method = r.port, r.scheme, r.data.method
    r.headers = r.headers
    r.trailers = r.trailers
    r.raw_content = r.raw_content
    r.headers.fields = tuple(list(r.headers.fields))
    r.timestamp_end = r.timestamp_end
    for k in set(k.lower() for k in r.headers):
        if len(r.headers.get_all(k)) == 1:
            r.headers[k] = r.headers[k]
    str(r.query), str(r.cookies), r.url, r.pretty_url, r.path_components, r.get_text(strict=False)
    flow.comment, flow.marked = flow.comment, flow.marked
    flow.metadata["x"] = 1
    del flow.metadata["x"]
    flow.client_conn.sni = flow.client_conn.sni
    flow.server_conn.address = flow.server_conn.address
    flow.copy().comment = "of the copy"


def response(flow):
    r = flow.response
    r.status_code, r.reason, r.http_version = r.status_code, r.reason, r.http_version
    r.data.content = bytes(bytearray(r.raw_content)) if r.raw_content else r.raw_content
    r.headers["x-temporary"] = "1"
    del r.headers["x-temporary"]
    flow.response = flow.response
    flow.request.headers = flow.request.headers.copy()
    list(r.cookies.items(multi=True))


def tcp_message(flow):
    m = flow.messages[-1]
    m.content = bytes(m.content)
    flow.messages = list(flow.messages)


def websocket_message(flow):
    m = flow.websocket.messages[-1]
    m.content, m.dropped = m.content[:], m.dropped


def dns_request(flow):
    flow.request.questions = list(flow.request.questions)
    flow.request.content, flow.request.packed, str(flow)
