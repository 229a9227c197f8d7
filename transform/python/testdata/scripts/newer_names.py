# mitmdump: skip these names came after version 8.1
"""Names, options and hooks of mitmproxy 9 to 12."""
from collections.abc import Sequence
from typing import Optional

from _show import attempt, name

from mitmproxy import connection, ctx, flow, flowfilter, http, tcp, udp, version


def load(loader):
    loader.add_option("seq", Sequence[str], ["a"], "A list.")
    loader.add_option("opt", Optional[bool], None, "A switch or nothing.")
    print(version.VERSION.split(".")[0] >= "1", flowfilter.match_all is not None, attempt(lambda: flowfilter.parse("~all").pattern))
    c = connection.Client(peername=("192.0.2.1", 1), sockname=("127.0.0.1", 2), timestamp_start=1.0)
    s = connection.Server(address=("h.example", 443))
    print(c.proxy_mode.full_spec if c.proxy_mode else None, c.state, s.state, c.transport_protocol, s.via)
    f = udp.UDPFlow(c, s)
    f.messages.append(udp.UDPMessage(True, b"datagram", 2.0))
    print(f.type, f.messages, f.messages[0].get_state(), isinstance(f, flow.Flow), tcp.TCPFlow(c, s).type)
    r = http.Request.make("GET", "https://h.example:8443/p")
    print(r.is_http3, r.is_http11, r.host_header, r.pretty_url)
    r.port = 443
    r.host = "other.example"
    print(r.url, r.headers.fields)


def udp_message(flow):
    print("never", flow)


def request(flow):
    if flow.request.is_http3:
        flow.request.headers["x-version"] = flow.request.http_version
    if flow.request.path == "/index.html":
        flow.request.host = "moved.example"
        flow.request.port = 8080
        print(name(flow), flow.request.pretty_url, flow.request.headers["host"], ctx.options.seq)


def response(flow):
    if flow.response.headers.get("content-encoding") == "zstd":
        flow.response.text = flow.response.text.upper()
