# TLS on both sides, and what is known of it when.
from _log import log


def http_connect(flow):
    log("http_connect")


def tls_clienthello(data):
    log("tls_clienthello", data.client_hello.sni, data.client_hello.alpn_protocols, data.context.client.sni, data.context.client.tls, data.ignore_connection)


def tls_start_client(data):
    log("tls_start_client", data.conn is data.context.client, data.conn.sni)


def tls_established_client(data):
    c = data.conn
    log("tls_established_client", c.tls, c.tls_established, c.tls_version, c.alpn, c.sni)


def tls_failed_client(data):
    log("tls_failed_client", bool(data.conn.error))


def tls_start_server(data):
    log("server: tls_start_server", data.conn is data.context.server)


def tls_established_server(data):
    s = data.conn
    log("server: tls_established_server", s.tls, s.tls_established, s.tls_version, s.alpn, s.sni, len(s.certificate_list))


def tls_failed_server(data):
    log("server: tls_failed_server", bool(data.conn.error))


def server_connect(data):
    log("server: server_connect", data.server.address)


def server_connected(data):
    log("server: server_connected", data.server.tls_established, len(data.server.certificate_list))


def request(flow):
    log("request", flow.request.url, flow.request.pretty_url, flow.client_conn.tls_established)


def response(flow):
    cert = flow.server_conn.certificate_list[0]
    log("response", flow.response.status_code, flow.server_conn.alpn, cert.cn, cert.organization, cert.altnames)


def error(flow):
    log("error", flow.request.method)
