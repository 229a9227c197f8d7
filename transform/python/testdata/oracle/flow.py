"""Flows: states, copies, backups, and what is refused."""
import re
import warnings

from _oracle import main
from mitmproxy import flow, http, tcp, websocket
from mitmproxy.test import tflow

warnings.simplefilter("ignore")

DEVIATIONS = {
    "tcp no messages": "there is a list always",
    "ws data state": "only states of flows of before format 19 have the types that those versions want",
    "from_state extra key": "unknown keys are ignored: flowkit keeps them in the file",
    "metadata shared": "a copy shares nothing with the flow it was made of",
}

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def plain(state):
    """Returns a state as text without what is different every time."""
    return UUID.sub("UUID", repr(state))


def old(f):
    """Makes the flow one of format 17, which is that of 8.1.1."""
    f._version = 17
    return f


def kinds():
    yield "http", lambda: old(tflow.tflow(resp=True))
    yield "request", lambda: old(tflow.tflow())
    yield "http error", lambda: old(tflow.tflow(resp=True, err=True))
    yield "websocket", lambda: fixed(old(tflow.twebsocketflow()))
    yield "tcp", lambda: old(tflow.ttcpflow(err=True))
    yield "dns", lambda: old(tflow.tdnsflow(resp=True))
    yield "dummy", lambda: fixed(old(tflow.tdummyflow()))


def fixed(f):
    f.timestamp_created = 5.5
    return f


def cases():
    for name, make in kinds():
        yield name + " state", lambda make=make: plain(make().get_state())
        yield name + " keys", lambda make=make: [(k, list(v) if isinstance(v, dict) else None) for k, v in make().get_state().items()]
        yield name + " copy", lambda make=make: copied(make())
        yield name + " from_state", lambda make=make: again(make())
        yield name + " backup", lambda make=make: backed_up(make())
        yield name + " start", lambda make=make: make().timestamp_start
        yield name + " kill", lambda make=make: killed(make())
        yield name + " intercept", lambda make=make: intercepted(make())
        yield name + " not live", lambda make=make: not_live(make())
        yield name + " type", lambda make=make: (make().type, type(make()).type)
    yield from values()
    yield from errors()
    yield from backups()
    yield from messages()
    yield from web_sockets()


def copied(f):
    f.comment, f.marked, f.extra = "c", ":red_circle:", 5
    c = f.copy()
    a, b = f.get_state(), c.get_state()
    return (
        a.pop("id") != b.pop("id"), a == b, f.live, c.live, hasattr(c, "extra"), c == f, hash(c) == hash(f),
        c.client_conn is f.client_conn, c.client_conn == f.client_conn, c.server_conn == f.server_conn,
    )  # fmt: skip


def again(f):
    state = f.get_state()
    g = flow.Flow.from_state(state)
    h = type(f).from_state(state)
    h.set_state(state)
    return type(g) is type(f), g.get_state() == state, h.get_state() == state, g.live


def backed_up(f):
    seen = [f.modified()]
    f.backup()
    seen += [f.modified(), "backup" in f.get_state()]
    f.comment = "changed"
    state = f.get_state()
    seen += [f.modified(), list(state), list(state["backup"]), state["backup"]["comment"]]
    f.backup()
    seen += [f.modified()]
    c = f.copy()
    seen += [c.modified(), c.id == f.id]
    f.revert()
    seen += [f.comment, f.modified(), "backup" in f.get_state()]
    c.revert()
    return seen + [c.comment, c.id == f.id]


def killed(f):
    seen = [f.killable]
    f.intercept()
    f.kill()
    return seen + [f.killable, f.live, f.intercepted, str(f.error)]


def not_live(f):
    f.live = False
    seen = [f.killable]
    try:
        f.kill()
    except Exception as e:
        seen.append((type(e).__name__, str(e)))
    f.live, f.error = True, flow.Error("other")
    seen.append(f.killable)
    f.error = flow.Error(flow.Error.KILLED_MESSAGE)
    return seen + [f.killable]


def intercepted(f):
    seen = [f.intercepted]
    for call in (f.intercept, f.intercept, f.resume, f.resume):
        call()
        seen.append(f.intercepted)
    return seen


def changed(**fields):
    f = old(tflow.tflow(resp=True))
    for name, value in fields.items():
        setattr(f, name, value)
    return f


def values():
    """What becomes of values of other types."""
    for name, value in (
        ("comment", 5), ("marked", True), ("marked", False), ("intercepted", 1), ("is_replay", 5), ("is_replay", "request"),
        ("timestamp_created", 3), ("metadata", {"a": 1.5, "b": None, "c": True, "d": (1, 2), "e": {"f": (1, [2])}}),
        ("metadata", {1: 2}), ("metadata", {"a": object}), ("metadata", {"a": {1}}), ("metadata", {"a": b"x"}),
        ("metadata", {"a": [b"x"]}), ("response", None), ("error", None), ("client_conn", None), ("server_conn", None),
    ):  # fmt: skip
        yield "state of %s %s" % (name, str(value).replace("<class ", "<")), lambda name=name, value=value: (
            changed(**{name: value}).get_state()[name]
        )
    for name, value in (
        ("comment", 5), ("marked", True), ("intercepted", 0), ("timestamp_created", 4), ("timestamp_created", "x"),
        ("is_replay", "response"), ("error", {"msg": 5, "timestamp": 3}), ("error", {"msg": "x"}), ("type", "xx"),
        ("client_conn", {}), ("metadata", {"a": [1]}),
    ):  # fmt: skip
        yield "from state %s %s" % (name, value), lambda name=name, value=value: plain(
            getattr(http.HTTPFlow.from_state(dict(old(tflow.tflow()).get_state(), **{name: value})), name)
        )
    for name in ("comment", "client_conn", "type", "request", "metadata", "id"):
        yield "from state without " + name, lambda name=name: without(name)
    yield "from_state extra key", lambda: plain(http.HTTPFlow.from_state(dict(old(tflow.tflow()).get_state(), zz=1)).id)
    yield "metadata shared", lambda: shared()
    yield "user subclass", lambda: subclass()
    yield "new", lambda: new()
    yield "repr", lambda: [repr(f) for f in (old(tflow.tflow(err=True)), tflow.ttcpflow())]
    yield "attributes", lambda: [name for name in NAMES if not hasattr(tflow.tflow(), name)]


NAMES = (
    "backup", "client_conn", "comment", "copy", "error", "from_state", "get_state", "id", "intercept", "intercepted",
    "is_replay", "kill", "killable", "live", "marked", "metadata", "modified", "request", "response", "resume", "revert",
    "server_conn", "set_state", "timestamp_created", "timestamp_start", "type", "wait_for_resume", "websocket",
)  # fmt: skip


def without(name):
    state = old(tflow.tflow()).get_state()
    del state[name]
    http.HTTPFlow.from_state(state)


def shared():
    f = old(tflow.tflow())
    f.metadata["a"] = [1]
    return f.copy().metadata["a"] is f.metadata["a"]


def subclass():
    class MyFlow(http.HTTPFlow):
        pass

    f = MyFlow(tflow.tclient_conn(), tflow.tserver_conn())
    return MyFlow.type, f.live, f.error, f.marked, f.metadata, f.is_replay, f.intercepted, f.comment


def new():
    f = tcp.TCPFlow(tflow.tclient_conn(), tflow.tserver_conn(), True)
    return len(f.id), f.live, f.messages, type(f.timestamp_created), f.modified()


def errors():
    e = flow.Error("foo", 3.5)
    yield "error", lambda: (str(e), repr(e), e.get_state(), e == flow.Error("foo", 3.5), flow.Error.KILLED_MESSAGE)
    yield "error now", lambda: (type(flow.Error("x").timestamp), type(flow.Error("x", 0).timestamp))
    yield "error again", lambda: flow.Error.from_state({"msg": "q", "timestamp": 1.0}).get_state()
    yield "error copy", lambda: (e.copy() is e, e.copy().get_state())
    yield "error missing", lambda: flow.Error.from_state({"msg": "q"})
    yield "error of flow", lambda: changed(error=flow.Error("x", 3)).get_state()["error"]


def backups():
    def request_kept():
        f = old(tflow.tflow(resp=True))
        request, conn = f.request, f.client_conn
        f.backup()
        f.request.path = "/other"
        f.response.status_code = 404
        f.revert()
        return f.request is request, f.client_conn is conn, f.request.path, f.response.status_code

    def forced():
        f = old(tflow.tflow())
        f.backup()
        f.request.path = "/2"
        f.backup(force=True)
        f.request.path = "/3"
        f.revert()
        return f.request.path

    def of_response():
        f = old(tflow.tflow(resp=True))
        f.backup()
        f.response = None
        f.error = flow.Error("x")
        f.revert()
        return f.response.content, f.error

    def loaded():
        f = old(tflow.tflow())
        f.backup()
        f.request.path = "/2"
        g = flow.Flow.from_state(f.get_state())
        seen = [g.modified(), g.request.path]
        g.revert()
        return seen + [g.request.path, g.modified()]

    def copy_of_same():
        f = old(tflow.ttcpflow())
        f.backup()
        c = f.copy()
        seen = [c.modified(), "backup" in c.get_state()]
        c.revert()
        return seen + [c.id == f.id]

    yield "backup copy of same", copy_of_same
    yield "backup request kept", request_kept
    yield "backup forced", forced
    yield "backup response", of_response
    yield "backup loaded", loaded


def messages():
    make = tcp.TCPMessage
    yield "tcp message", lambda: [
        (repr(m), m.get_state()) for m in (make(True, b"a\n\0\xff'\"", 1.5), make(False, b"", 2), make(1, "x", 3))
    ]
    yield "tcp message now", lambda: (type(make(True, b"").timestamp), type(make(True, b"", 0).timestamp))
    yield "tcp message again", lambda: make.from_state((True, b"x", 1.5)).get_state()
    yield "tcp message list", lambda: make.from_state([True, b"x"]).content
    yield "tcp message short", lambda: make(True, b"", 1).set_state((1, 2))
    yield "tcp messages", lambda: (repr(tflow.ttcpflow()), tflow.ttcpflow().messages[0].copy().get_state())
    yield "tcp no messages", lambda: old(tflow.ttcpflow(messages=False)).get_state()["type"]


def web_sockets():
    make = websocket.WebSocketMessage
    for op in (0, 1, 2, 8, 9, 10, 5):
        yield "ws message %d" % op, lambda op=op: (repr(make(op, True, b"x", 1)), make(op, True, b"x", 1).get_state())
        yield "ws text %d" % op, lambda op=op: (make(op, True, b"x").is_text, make(op, True, b"x").text)
        yield "ws set text %d" % op, lambda op=op: set_text(make(op, False, b"x"))
        yield "ws type %d" % op, lambda op=op: make(op, False, b"x").type
    yield "ws bad text", lambda: repr(make(1, True, b"\xff"))
    yield "ws bad text read", lambda: make(1, True, b"\xff").text
    yield "ws again", lambda: make.from_state((1, True, b"x", 1.5, False, True)).get_state()
    yield "ws short", lambda: make.from_state((1, True, b"x", 1.5)).get_state()
    yield "ws set short", lambda: make(1, True, b"x").set_state((1, True, b"x", 1.5))
    yield "ws drop", lambda: dropped(make(1, True, b"x"))
    yield "ws opcodes", lambda: [repr(o) for o in websocket.Opcode]
    data = websocket.WebSocketData
    yield "ws data", lambda: (repr(data()), data().get_state(), repr(tflow.twebsocket()))
    yield "ws data state", lambda: tflow.twebsocket().get_state()
    yield "ws data again", lambda: data.from_state(tflow.twebsocket().get_state()).get_state() == tflow.twebsocket().get_state()
    yield "ws casts", lambda: casts()


def set_text(m):
    m.text = "ü"
    return m.content


def dropped(m):
    seen = [m.dropped]
    m.drop()
    seen.append(m.dropped)
    m.dropped = False
    m.kill()
    return seen + [m.dropped]


def casts():
    f = old(tflow.twebsocketflow())
    w = f.websocket
    w.close_code, w.closed_by_client, w.close_reason, w.timestamp_end = 1.0, 1, 5, 3
    state = f.get_state()["websocket"]
    del state["messages"]
    return state


if __name__ == "__main__":
    main(cases)
