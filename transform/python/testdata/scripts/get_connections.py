"""Attributes of client and server connections."""
import warnings

from _show import get, lines, name, show

from mitmproxy import connection

warnings.simplefilter("ignore")
seen = {}


def each(flow):
    for conn in (flow.client_conn, flow.server_conn):
        lines(flow, type(conn).__name__, *get(conn, """id state peername sockname address error tls alpn alpn_offers cipher
            cipher_list tls_version sni timestamp_start timestamp_end timestamp_tls_setup connected tls_established
            timestamp_tcp_setup via transport_protocol alpn_proto_negotiated cipher_name clientcert ip_address cert"""))
        print(name(flow), ascii(str(conn)), len(conn.certificate_list), hash(conn) == hash(conn.id), conn == conn, conn != flow, isinstance(conn, connection.Connection))
        print(name(flow), conn.state is connection.ConnectionState.CLOSED, repr(conn.state), conn.state == connection.ConnectionState.OPEN)
        print(name(flow), conn == seen.setdefault(conn.id, conn), conn.copy() == conn, show(conn.get_state()))
    print(name(flow), flow.client_conn == flow.server_conn)


request = tcp_start = dns_request = each
