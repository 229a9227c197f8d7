# Reads {"flows": [...], "exprs": [...]} and prints what mitmproxy's flowfilter says: per
# expression a list of booleans, or null if it cannot be parsed.
import base64
import json
import sys

from mitmproxy import dns, flow, flowfilter, http, tcp, version, websocket
from mitmproxy.test import tflow

b64 = base64.b64decode


def b(s):
    return s.encode("utf8", "surrogateescape")


def message(m, cls, **kw):
    return cls(
        http_version=b(m["version"]),
        headers=http.Headers([(b(n), b(v)) for n, v in m["headers"]]),
        content=None if m["body"] is None else b64(m["body"]),
        trailers=None,
        timestamp_start=1,
        timestamp_end=2,
        **kw,
    )


def dnsmsg(names, query):
    return dns.Message(
        timestamp=1, id=1, query=query, op_code=0, authoritative_answer=False, truncation=False,
        recursion_desired=True, recursion_available=False, reserved=0, response_code=0,
        questions=[dns.Question(n, 1, 1) for n in names], answers=[], authorities=[], additionals=[],
    )


def make(j):
    if j["kind"] == "tcp":
        f = tflow.ttcpflow(messages=[tcp.TCPMessage(c, b64(x), 1) for c, x in j["messages"]])
    elif j["kind"] == "dns":
        resp = dnsmsg(j["questions"], False) if j["answered"] else False
        f = tflow.tdnsflow(req=dnsmsg(j["questions"], True), resp=resp)
    else:
        r = j["request"]
        req = message(
            r, http.Request, host=r["host"], port=r["port"], method=b(r["method"]), scheme=b(r["scheme"]),
            authority=b(r["authority"]), path=b(r["path"]),
        )
        f = tflow.tflow(req=req)
        if j["response"]:
            f.response = message(j["response"], http.Response, status_code=j["response"]["status"], reason=b"x")
        if j["websocket"]:
            f.websocket = websocket.WebSocketData()
            f.websocket.messages = [websocket.WebSocketMessage(1, c, b64(x), 1) for c, x in j["messages"]]
    f.error = flow.Error("boom", 1) if j["error"] else None
    f.marked, f.comment, f.metadata = j["marked"], j["comment"], dict(j["metadata"])
    f.is_replay = j["replay"] or None
    f.client_conn.peername = tuple(j["src"]) if j["src"] else None
    f.server_conn.address = tuple(j["dst"]) if j["dst"] else None
    return f


if __name__ == "__main__":
    job = json.load(sys.stdin)
    flows = [make(j) for j in job["flows"]]
    out = []
    for e in job["exprs"]:
        try:
            flt = flowfilter.parse(e)
        except Exception:
            out.append(None)
            continue
        out.append([bool(flt(f)) for f in flows])
    json.dump({"version": version.VERSION, "results": out}, sys.stdout)
