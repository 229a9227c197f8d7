# TLS that goes through untouched, by its name.
from _log import log


def tls_clienthello(data):
    log("tls_clienthello", data.client_hello.sni)
    data.ignore_connection = data.client_hello.sni == "private.example"


def tls_established_client(data):
    log("tls_established_client", data.conn.sni)


def request(flow):
    log("request", flow.request.pretty_url)


def response(flow):
    log("response", flow.response.status_code)


def tcp_start(flow):
    log("tcp_start")


def tcp_message(flow):
    log("tcp_message")
