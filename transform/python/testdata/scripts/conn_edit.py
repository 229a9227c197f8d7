"""Attributes of the connections, set."""
from _show import attempt, name

from mitmproxy import connection

EDITS = r'''
s.address = ("new.example", 444)
s.address = None
s.via = ("https", ("up.example", 8443))
s.sni = "sni.example"
s.sni = None
s.alpn = b"http/1.1"
s.error = "script says no"
s.tls = True
s.tls_version = "TLSv1.2"
s.cipher = "AES"
s.cipher_list = ["A", "B"]
s.alpn_offers = [b"h2"]
s.peername = ("203.0.113.5", 99)
s.sockname = None
s.timestamp_start = 1.5; s.timestamp_end = None
s.timestamp_tls_setup = 2.5; s.timestamp_tcp_setup = 2.25
s.timestamp_tls_setup = None
s.state = connection.ConnectionState.OPEN; s.address = ("x", 1)
s.state = connection.ConnectionState.CAN_READ
s.id = "new-server-id"
s.certificate_list = []
s.certificate_list = list(c.certificate_list)
s.peername = None
s.custom = "own attribute"
s.connected = True
c.peername = ("203.0.113.6", 7)
c.sockname = ("::1", 8080, 0, 0)
c.sni = "client.example"
c.alpn = None
c.error = "client error"
c.tls = False
c.tls_version = "SSLv3"
c.cipher = None
c.cipher_list = []
c.mitmcert = None
c.id = "new-client-id"
c.timestamp_start = 3.0
c.timestamp_end = None
c.timestamp_tls_setup = 1.0
c.alpn_offers = (b"a", b"b")
c.state = connection.ConnectionState.CAN_WRITE | connection.ConnectionState.CAN_READ
c.certificate_list = s.certificate_list
c.tls_established = True
c.address = ("203.0.113.7", 8)
'''.strip().split("\n")


def each(flow):
    n = int(name(flow)[1:])
    code = EDITS[n % len(EDITS)]
    print(name(flow), code, attempt(exec, code, {"c": flow.client_conn, "s": flow.server_conn, "connection": connection}))
    print(name(flow), str(flow.server_conn), str(flow.client_conn), flow.server_conn.tls_established, flow.client_conn.connected)
    if n % 41 == 0:
        flow.client_conn = connection.Client(("192.0.2.200", 1), ("127.0.0.1", 2), 5.0)
        flow.client_conn.id = "made-client"
        flow.server_conn = connection.Server(("made.example", 443))
        flow.server_conn.id = "made-server"
        flow.server_conn.sni = "made.example"


request = tcp_start = dns_request = each


def websocket_end(flow):
    flow.client_conn.timestamp_end = 77.0


def response(flow):
    if flow.server_conn.sni == "sni.example":
        flow.response.headers["X-Sni"] = flow.server_conn.sni
