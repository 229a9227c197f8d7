"""Makers of flows for tests. They are live, so that a script may kill them."""
from __future__ import annotations

from mitmproxy import connection, dns, flow, http, tcp, udp, websocket
from mitmproxy.test.tutils import tdnsreq, tdnsresp, treq, tresp

_TIME = 946681200


def tclient_conn():
    """Returns a connection of a client that has been closed."""
    return connection.Client(
        peername=("127.0.0.1", 22),
        sockname=("", 0),
        timestamp_start=_TIME,
        timestamp_tls_setup=_TIME + 1,
        timestamp_end=_TIME + 6,
        sni="address",
        cipher="cipher",
        alpn=b"http/1.1",
        tls_version="TLSv1.2",
        state=connection.ConnectionState.CLOSED,
        certificate_list=[],
        alpn_offers=[],
        cipher_list=[],
    )


def tserver_conn():
    """Returns a connection to a server that has been closed."""
    return connection.Server(
        address=("address", 22),
        peername=("192.168.0.1", 22),
        sockname=("address", 22),
        timestamp_start=_TIME + 2,
        timestamp_tcp_setup=_TIME + 3,
        timestamp_tls_setup=_TIME + 4,
        timestamp_end=_TIME + 5,
        sni="address",
        tls_version="TLSv1.2",
        state=connection.ConnectionState.CLOSED,
        certificate_list=[],
        alpn_offers=[],
        cipher_list=[],
    )


def terr(content="error"):
    """Returns an error."""
    return flow.Error(content, _TIME + 7.0)


def _error(err):
    return terr() if err is True else err or None


def _made(value, make):
    """Returns what make() does for True or None, else value."""
    return make() if value is True or value is None else value


def tflow(
    *,
    client_conn=None,
    server_conn=None,
    req=None,
    resp=False,
    err=False,
    ws=False,
    live=True,
):
    """Returns an HTTP flow: a request and, as asked for, a response, an error, WebSocket data."""
    f = http.HTTPFlow(client_conn or tclient_conn(), server_conn or tserver_conn())
    f.timestamp_created = _TIME
    f.request = req if req is not None else treq()
    f.response = tresp() if resp is True else resp or None
    f.error = _error(err)
    f.websocket = twebsocket() if ws is True else ws or None
    f.live = live
    return f


def twebsocketflow(messages=True, err=None, close_code=None, close_reason=""):
    """Returns an HTTP flow that became a WebSocket conversation."""
    f = http.HTTPFlow(tclient_conn(), tserver_conn())
    f.request = http.Request(
        "example.com",
        80,
        b"GET",
        b"http",
        b"example.com",
        b"/ws",
        b"HTTP/1.1",
        headers=http.Headers(
            connection="upgrade",
            upgrade="websocket",
            sec_websocket_version="13",
            sec_websocket_key="1234",
        ),
        content=b"",
        trailers=None,
        timestamp_start=_TIME,
        timestamp_end=_TIME + 1,
    )
    f.response = http.Response(
        b"HTTP/1.1",
        101,
        reason=b"Switching Protocols",
        headers=http.Headers(connection="upgrade", upgrade="websocket", sec_websocket_accept=b""),
        content=b"",
        trailers=None,
        timestamp_start=_TIME + 2,
        timestamp_end=_TIME + 3,
    )
    f.websocket = twebsocket(messages)
    f.websocket.close_reason = close_reason
    if close_code is not None:
        f.websocket.close_code = close_code
    f.error = _error(err)
    f.live = True
    return f


def twebsocket(messages=True):
    """Returns the data of a WebSocket conversation of three messages, or of none."""
    data = websocket.WebSocketData()
    if messages:
        data.messages = [
            websocket.WebSocketMessage(websocket.Opcode.BINARY, True, b"hello binary", _TIME + 3),
            websocket.WebSocketMessage(websocket.Opcode.TEXT, True, b"hello text", _TIME + 4),
            websocket.WebSocketMessage(websocket.Opcode.TEXT, False, b"it's me", _TIME + 5),
        ]
    data.close_reason = "Close Reason"
    data.close_code = 1000
    data.closed_by_client = False
    data.timestamp_end = _TIME + 5
    return data


def ttcpflow(client_conn=True, server_conn=True, messages=True, err=None):
    """Returns a TCP flow of two messages."""
    return _messages(tcp.TCPFlow, tcp.TCPMessage, client_conn, server_conn, messages, err)


def tudpflow(client_conn=True, server_conn=True, messages=True, err=None):
    """Returns a UDP flow of two messages."""
    f = _messages(udp.UDPFlow, udp.UDPMessage, client_conn, server_conn, messages, err)
    if client_conn is True:
        f.client_conn.transport_protocol = "udp"
    if server_conn is True:
        f.server_conn.transport_protocol = "udp"
    return f


def _messages(flow_class, message_class, client_conn, server_conn, messages, err):
    client_conn = _made(client_conn, tclient_conn)
    server_conn = _made(server_conn, tserver_conn)
    if messages is True:
        messages = [message_class(True, b"hello", _TIME + 4.2), message_class(False, b"it's me", _TIME + 4.5)]
    f = flow_class(client_conn, server_conn)
    f.timestamp_created = client_conn.timestamp_start
    f.messages = messages or []
    f.error = _error(err)
    f.live = True
    return f


def tdnsflow(
    *,
    client_conn=None,
    server_conn=None,
    req=None,
    resp=False,
    err=False,
    live=True,
):
    """Returns a DNS flow: a query and, as asked for, an answer or an error."""
    f = dns.DNSFlow(client_conn or tclient_conn(), server_conn or tserver_conn())
    f.timestamp_created = _TIME
    f.request = req if req is not None else tdnsreq()
    f.response = tdnsresp() if resp is True else resp or None
    f.error = _error(err)
    f.live = live
    return f


class DummyFlow(flow.Flow):
    """A flow of a kind that nothing knows."""

    def __init__(self, client_conn, server_conn, live=False):
        super().__init__(client_conn, server_conn, live)


def tdummyflow(client_conn=True, server_conn=True, err=None):
    """Returns a flow of a kind that nothing knows."""
    f = DummyFlow(_made(client_conn, tclient_conn), _made(server_conn, tserver_conn))
    f.error = _error(err)
    f.live = True
    return f


def tflows():
    """Returns flows of all kinds."""
    return [
        tflow(resp=True),
        tflow(err=True),
        tflow(ws=True),
        ttcpflow(),
        ttcpflow(err=True),
        tudpflow(),
        tudpflow(err=True),
        tdnsflow(resp=True),
        tdnsflow(err=True),
    ]
