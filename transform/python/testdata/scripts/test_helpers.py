"""mitmproxy.test inside of a script: tflow, tutils, taddons."""
from _show import attempt, get, show

from mitmproxy import ctx, exceptions, flow
from mitmproxy.addons import anticache
from mitmproxy.test import taddons, tflow, tutils


class Addon:
    def __init__(self):
        self.heard = []

    def load(self, loader):
        loader.add_option("of_the_test", str, "default", "An option.")

    def configure(self, updated):
        self.heard.append(sorted(updated) if len(updated) < 5 else "all")
        if ctx.options.of_the_test == "bad":
            raise exceptions.OptionsError("no")

    def request(self, flow):
        self.heard.append("request")
        flow.request.headers["x-test"] = ctx.options.of_the_test

    def response(self, flow):
        self.heard.append("response")

    def tcp_message(self, flow):
        self.heard.append(len(flow.messages))


def state(f):
    """What every version of mitmproxy has in a state."""
    d = f.get_state()
    for k in ("id", "client_conn", "server_conn", "version", "type", "backup", "timestamp_created"):
        d.pop(k, None)
    return d


def running():
    for f in (tflow.tflow(), tflow.tflow(resp=True), tflow.tflow(resp=True, err=True), tflow.tflow(ws=True), tflow.twebsocketflow(), tflow.ttcpflow(), tflow.ttcpflow(err=True), tflow.tdnsflow(), tflow.tdnsflow(resp=True)):
        for k, v in state(f).items():
            print(f.type, k, show(sorted(v.items()) if isinstance(v, dict) else v))
        print(f.live, f.error)
    for m in (tutils.treq(), tutils.tresp(), tutils.treq(path=b"/x", method=b"PUT"), tutils.tresp(status_code=404, content=None), tutils.tdnsreq(), tutils.tdnsresp()):
        print(show(sorted(m.get_state().items())))
    print(show(sorted(state(tflow.tflow(req=tutils.treq(host="h"), resp=tutils.tresp(content=b"c"))).items())), len(tflow.tflows()), [f.type for f in tflow.tflows()])
    print(*get(tflow.tclient_conn(), "peername sockname sni tls_version cipher alpn timestamp_start state mitmcert"), *get(tflow.tserver_conn(), "peername address via sni timestamp_tcp_setup state"), tflow.terr(), tflow.terr("x").msg)
    keep = ctx.options, ctx.master, ctx.log
    try:
        context()
    finally:
        ctx.options, ctx.master, ctx.log = keep


def context():
    a = Addon()
    with taddons.context(a) as tctx:
        print(a.heard, ctx.options.of_the_test, tctx.options is ctx.options, tctx.master is ctx.master)
        tctx.configure(a, of_the_test="set")
        f = tflow.tflow(resp=True)
        a.request(f)
        print(f.request.headers["x-test"], a.heard, attempt(tctx.configure, a, of_the_test="bad"), attempt(tctx.configure, a, nosuch=1), ctx.options.of_the_test)
        print(attempt(lambda: tctx.command(lambda x: x, "a")).split(" in ")[0])
    with taddons.context(anticache.AntiCache()) as tctx:
        f = tflow.tflow()
        f.request.headers["if-modified-since"] = "x"
        tctx.options.anticache = True
        tctx.master.addons.get("anticache").request(f)
        print(f.request.headers.get("if-modified-since"))


async def done():
    a = Addon()
    keep = ctx.options, ctx.master, ctx.log
    try:
        with taddons.context(a) as tctx:
            await tctx.cycle(a, tflow.tflow(resp=True))
            await tctx.cycle(a, tflow.ttcpflow())
            print(a.heard)
            print(tctx.master.has_log("nosuch"))
    finally:
        ctx.options, ctx.master, ctx.log = keep
    print(flow.Error("x").msg)
