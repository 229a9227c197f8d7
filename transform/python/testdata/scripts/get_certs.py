"""Certificates of connections."""
from _show import get, lines, name, show

from mitmproxy import certs


def response(flow):
    for conn in (flow.client_conn, flow.server_conn):
        for c in list(conn.certificate_list) + [getattr(conn, "mitmcert", None)]:
            if c is None:
                continue
            lines(flow, *get(c, "cn organization altnames issuer subject serial keyinfo notbefore notafter"))
            print(name(flow), c.has_expired(), c.fingerprint().hex(), show(c.to_pem()), c == certs.Cert.from_pem(c.to_pem()), show(c.get_state()), ascii(repr(c)))
            print(name(flow), hash(c) == hash(certs.Cert.from_state(c.get_state())), isinstance(c, certs.Cert))
