"""Two flows of one connection: the ids are equal, the objects are each flow's own."""
from _show import name

by_client = {}


def request(flow):
    other = by_client.setdefault(flow.client_conn.id, flow)
    if other is not flow:
        print(name(flow), name(other), flow.client_conn == other.client_conn, flow.client_conn is other.client_conn, hash(flow.client_conn) == hash(other.client_conn))
        flow.client_conn.sni = "only-mine.example"
        print(other.client_conn.sni, flow.client_conn.sni)


def done():
    print(len(by_client), sum(len(c) > 0 for c in by_client))
