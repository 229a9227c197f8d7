# What stays the same of a flow and of its connections from hook to hook.
from _log import log

flows, clients, servers = {}, {}, {}


def number(known, x):
    return known.setdefault(id(x), (len(known), x))[0]


def seen(hook):
    def call(flow):
        if hook != "requestheaders":
            log(hook, flow.metadata.get("n"), flow.my_own, flow.comment)
        flow.metadata["n"] = flow.metadata.get("n", 0) + 1
        flow.comment += hook[0]
        flow.my_own = getattr(flow, "my_own", "") + hook[-1]
        log(hook, flow.request.path, number(flows, flow), number(clients, flow.client_conn), flow.live, flow.intercepted, flow.is_replay, flow.type)
        log(flow.response is None, flow.error is None, flow.websocket is None, flow.client_conn.mitmcert, flow.client_conn.sni)
        if flow.response:
            log(number(servers, flow.server_conn), flow.server_conn.timestamp_start <= flow.server_conn.timestamp_tcp_setup <= flow.response.timestamp_start)
            log(flow.request.timestamp_start <= flow.request.timestamp_end <= flow.response.timestamp_start, flow.response.timestamp_end is not None)

    return call


requestheaders = seen("requestheaders")
request = seen("request")
responseheaders = seen("responseheaders")
response = seen("response")
