"""eventsequence.iterate on flows of the script's own making."""
from _show import attempt, name

from mitmproxy import eventsequence
from mitmproxy.test import tflow


def running():
    for f in (tflow.tflow(), tflow.tflow(resp=True), tflow.tflow(err=True), tflow.tflow(resp=True, err=True), tflow.twebsocketflow(), tflow.twebsocketflow(err=True), tflow.ttcpflow(), tflow.ttcpflow(err=True),
              tflow.tdnsflow(), tflow.tdnsflow(resp=True), tflow.tdnsflow(err=True)):
        print(f.type, [(type(e).__name__, e.name, len(e.args())) for e in eventsequence.iterate(f)])
    f = tflow.twebsocketflow()
    for e in eventsequence.iterate(f):
        print(e.name, len(f.websocket.messages), e.args()[0] is f)
    print(attempt(lambda: list(eventsequence.iterate(tflow.tdummyflow()))))


def response(flow):
    if not flow.websocket:
        print(name(flow), [e.name for e in eventsequence.iterate(flow)])
