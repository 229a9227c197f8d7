"""The makers of flows for tests give the same values."""
import re

from _oracle import main
from mitmproxy.test import tflow, tutils

DEVIATIONS = {
    "ttcpflow no messages": "there is a list always",
    "ttcpflow no connections": "connections are made for None, as the other makers do",
    "twebsocketflow own": "8.1.1 makes nothing of messages and err",
    "tflows": "UDP flows are new in 9",
}

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def plain(f, same_time=True):
    f._version = 17
    state = f.get_state()
    if not same_time:
        del state["timestamp_created"]
    return UUID.sub("UUID", repr(state)), f.live


def cases():
    for name, call in (
        ("tflow", lambda: plain(tflow.tflow())),
        ("tflow resp", lambda: plain(tflow.tflow(resp=True, err=True))),
        ("tflow ws", lambda: plain(tflow.tflow(ws=True))),
        ("tflow not live", lambda: plain(tflow.tflow(live=False))),
        ("tflow own", lambda: plain(tflow.tflow(req=tutils.treq(path=b"/zz"), resp=tutils.tresp(status_code=500), err=tflow.terr("z")))),
        ("tflow own ws", lambda: plain(tflow.tflow(ws=tflow.twebsocket(False)))),
        ("tflow false", lambda: plain(tflow.tflow(resp=False, err=False, ws=False))),
        ("ttcpflow", lambda: plain(tflow.ttcpflow())),
        ("ttcpflow err", lambda: plain(tflow.ttcpflow(err=True))),
        ("ttcpflow no messages", lambda: tflow.ttcpflow(messages=False).messages),
        ("ttcpflow no connections", lambda: plain(tflow.ttcpflow(client_conn=None, server_conn=None))),
        ("tdnsflow", lambda: plain(tflow.tdnsflow())),
        ("tdnsflow resp", lambda: plain(tflow.tdnsflow(resp=True, err=True, live=False))),
        ("tdnsflow own", lambda: plain(tflow.tdnsflow(req=tutils.tdnsreq(id=7), resp=tutils.tdnsresp(id=7)))),
        ("tdummyflow", lambda: plain(tflow.tdummyflow(err=True), False)),
        ("tdummyflow no connection", lambda: tflow.tdummyflow(client_conn=False).client_conn),
        ("twebsocketflow", lambda: plain(tflow.twebsocketflow(), False)),
        ("twebsocketflow own", lambda: plain(tflow.twebsocketflow(messages=False, err=True, close_code=1001, close_reason="x"), False)),
        ("terr", lambda: (tflow.terr().get_state(), tflow.terr("q").get_state())),
        ("treq", lambda: tutils.treq(method=b"POST", content=b"x", headers=(), trailers=None).get_state()),
        ("treq headers", lambda: tutils.treq(headers=((b"a", b"b"),)).headers["A"]),
        ("treq unknown", lambda: unknown(tutils.treq)),
        ("tresp", lambda: tutils.tresp(status_code=404, reason=b"q", content=None, timestamp_start=5).get_state()),
        ("tdnsreq", lambda: tutils.tdnsreq(id=5).packed),
        ("tdnsresp", lambda: tutils.tdnsresp().packed),
        ("tdnsreq unknown", lambda: unknown(tutils.tdnsreq)),
        ("tclient_conn", lambda: str(tflow.tclient_conn())),
        ("tserver_conn", lambda: str(tflow.tserver_conn())),
        ("conn kept", kept),
        ("tflows", lambda: [f.type for f in tflow.tflows()]),
    ):
        yield name, call


def unknown(make):
    try:
        make(foo=1)
    except TypeError:
        return "refused"


def kept():
    c = tflow.tclient_conn()
    return tflow.tflow(client_conn=c).client_conn is c, tflow.ttcpflow(client_conn=c).client_conn is c


if __name__ == "__main__":
    main(cases)
