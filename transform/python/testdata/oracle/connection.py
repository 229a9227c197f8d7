"""Connections: text, states, old names."""
import os
import warnings

from _oracle import main
from mitmproxy import certs, connection
from mitmproxy.net.server_spec import ServerSpec
from mitmproxy.test import tflow

warnings.simplefilter("ignore")
State = connection.ConnectionState
PEM = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "certs.pem"), "rb").read().partition(b"# ec\n")[2]
PEM = PEM[: PEM.index(b"# ")]

DEVIATIONS = {
    "client repr": "all fields are shown, in the order of the record",
    "server repr": "all fields are shown, in the order of the record",
    "client missing": "the message counts keywords, too",
    "client missing two": "the message counts keywords, too",
    "client keywords": "since 11 a connection made with keywords is closed at first",
    "client tls_extensions": "a name of versions before 7",
    "server via state": "a state is plain data",
    "server source_address": "a name of versions before 7",
}


def client(**fields):
    c = tflow.tclient_conn()
    c._version = 17
    c.__dict__.update(fields)
    c.id = "id of it"
    return c


def server(**fields):
    s = tflow.tserver_conn()
    s._version = 17
    s.__dict__.update(fields)
    s.id = "id of it"
    return s


def cases():
    for make, name in ((client, "client"), (server, "server")):
        for tls in (False, True):
            for setup in (None, 0, 1):
                for alpn in (None, b"", b"h2", b"\xff"):
                    yield "%s str %s %s %s" % (name, tls, setup, alpn), lambda make=make, fields=dict(
                        tls=tls, timestamp_tls_setup=setup, alpn=alpn
                    ): str(make(**fields))
        for state in (State.CLOSED, State.OPEN, State.CAN_READ, State.CAN_WRITE):
            yield "%s %s" % (name, state), lambda make=make, state=state: of_state(make(state=state))
        for at in (None, ("a", 1), ("::1", 2, 3, 4), ("127.0.0.1", 8080), ("0.0.0.0", 0), ("::", 1)):
            yield "%s at %s" % (name, at), lambda make=make, at=at: str(make(peername=at, sockname=at, address=at))
        yield name + " repr", lambda make=make: repr(make())
        yield name + " state", lambda make=make: list(make().get_state().items())
        yield name + " certs", lambda make=make: with_certs(make())
        yield name + " again", lambda make=make: again(make())
        yield name + " copy", lambda make=make: copied(make())
        yield name + " equal", lambda make=make: (make() == make(), make() == 5, make() != make(), hash(make()) == hash("id of it"))
        for old in ("alpn_proto_negotiated", "tls_established", "connected"):
            yield "%s %s" % (name, old), lambda make=make, old=old: getattr(make(), old)
            yield "%s set %s" % (name, old), lambda make=make, old=old: refused(make(), old)
    for old in ("address", "cipher_name", "clientcert", "tls_extensions"):
        yield "client " + old, lambda old=old: getattr(client(), old)
    for old in ("ip_address", "cert", "source_address"):
        yield "server " + old, lambda old=old: getattr(server(), old)
    yield "client cert", lambda: changed(client(), "clientcert")
    yield "server cert changed", lambda: changed(server(), "cert")
    yield "client address changed", lambda: changed_address(client())
    yield "server address changed", lambda: moved(server(), ("x", 5))
    yield "server address open", lambda: moved(server(state=State.OPEN), ("x", 5))
    yield "server address same", lambda: moved(server(state=State.OPEN), ("address", 22))
    yield "server address half", lambda: moved(server(state=State.CAN_READ), ("x", 5))
    yield "server via open", lambda: via(server(state=State.OPEN))
    yield "server via", lambda: via(server())
    yield "server via state", lambda: server(via=ServerSpec("https", ("a", 1))).get_state()
    yield "server via again", lambda: connection.Server.from_state(server(via=ServerSpec("https", ("a", 1))).get_state()).via
    yield "client positional", lambda: made(connection.Client(("a", 1), ("b", 2), 3.5))
    yield "client udp", lambda: made(connection.Client(("a", 1), ("b", 2), 3.5, transport_protocol="udp"))
    yield "client keywords", lambda: made(connection.Client(peername=("a", 1), sockname=("b", 2), timestamp_start=3))
    yield "server made", lambda: made(connection.Server(("a", 1)))
    yield "server made keyword", lambda: made(connection.Server(address=None))
    yield "client missing", lambda: connection.Client()
    yield "client missing two", lambda: connection.Client(("a", 1))
    yield "client unknown field", lambda: connection.Client(("a", 1), ("b", 2), 1, foo=2)
    yield from states()


def of_state(c):
    return str(c), c.connected, c.get_state()["state"]


def with_certs(c):
    c.certificate_list = [certs.Cert.from_pem(PEM)]
    state = c.get_state()
    c2 = type(c).from_state(state)
    return state["certificate_list"] == [PEM], c2.certificate_list == c.certificate_list, repr(c2.certificate_list)


def again(c):
    state = c.get_state()
    c2 = type(c).from_state(state)
    c3 = type(c).from_state(tflow.tclient_conn().get_state() if type(c) is connection.Client else tflow.tserver_conn().get_state())
    c3.set_state(state)
    return c2.get_state() == state, c3.get_state() == state, c2.state, c2.certificate_list, c2 == c


def copied(c):
    c.state = State.OPEN
    c2 = c.copy()
    a, b = c.get_state(), c2.get_state()
    return a.pop("id") != b.pop("id"), a == b


def refused(c, name):
    try:
        setattr(c, name, 1)
    except AttributeError:
        return "refused"
    return "set"


def changed(c, name):
    cert = certs.Cert.from_pem(PEM)
    setattr(c, name, cert)
    seen = [repr(c.certificate_list), getattr(c, name) == cert]
    setattr(c, name, None)
    return seen + [c.certificate_list, getattr(c, name)]


def changed_address(c):
    c.address = ("x", 5)
    return c.peername, c.address


def moved(s, address):
    s.address = address
    return s.address


def via(s):
    s.via = None
    s.via = ServerSpec("http", ("b", 2))
    return s.via


def made(c):
    return type(c.id), len(c.id), c.state, c.transport_protocol, c.timestamp_start, c.peername, c.sockname, c.tls, str(c)


def states():
    for name, call in (
        ("or", lambda: State.CAN_READ | State.CAN_WRITE),
        ("same", lambda: (State.CAN_READ | State.CAN_WRITE) is State.OPEN),
        ("and", lambda: State.OPEN & State.CAN_READ),
        ("and not", lambda: State.OPEN & ~State.CAN_READ),
        ("xor", lambda: State.OPEN ^ State.CAN_READ),
        ("bool", lambda: (bool(State.CLOSED), bool(State.CAN_READ))),
        ("number", lambda: (State(3), State(0), State.OPEN == 3, State.OPEN.value)),
        ("name", lambda: (State["OPEN"], State.CAN_WRITE.name)),
        ("in", lambda: State.CAN_READ in State.OPEN),
    ):
        yield "state " + name, call


if __name__ == "__main__":
    main(cases)
