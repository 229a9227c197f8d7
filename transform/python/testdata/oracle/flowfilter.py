"""mitmproxy.flowfilter: more random expressions than testdata/filter/vectors.jsonl has."""
import io
import os
import random
import warnings

os.environ["MITMPROXY_CASE_SENSITIVE_FILTERS"] = "1"  # as mitmproxy 8 is

from _oracle import main

from mitmproxy import flowfilter
from mitmproxy.io import FlowReader
from mitmproxy.test import tflow

FLOWS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "..", "testdata", "filter", "flows.mitm")

# mitmproxy 8 searches DNS messages as they are on the wire.
WITHOUT = {"answer"}

PIECES = (
    "~a ~all ~dns ~e ~http ~marked ~q ~replay ~replayq ~replays ~s ~tcp ~websocket ! & | ( ) ! & | ( ) ! & | ~ ~x ~udx ' \" foo a|b x&y a! !a "
    "~c ~u ~b ~h 200 404 "
).split() + [
    "~u foo", "~d ^example", "~m get", "~c 200", "~c 404", "~c 2.", "~t json", "~tq json", "~ts css", "~h x-a", "~hq upg", "~hs type",
    "~b foo", "~bq foo", "~bs bar", "~b needle", "~src 50001", "~dst example", "~meta k", "~marker red", "~comment ^second", '"foo"', "'a.c'",
    r'"\\."', r"~u 'a\\?x'", '""', "~h '^content-type: text'", '"a b"', r'"\t"', r"'\q'", "\t", "\n", "é", "*", "[",
]


def expressions(n):
    r = random.Random(11)
    for _ in range(n):
        yield "".join(r.choice(PIECES) + ("" if r.randrange(5) == 0 else " ") for _ in range(r.randrange(1, 8)))


def answers(expression, flows):
    flt = flowfilter.parse(expression)
    out = io.StringIO()
    flt.dump(fp=out)
    return "".join("1" if flt(f) else "0" for f in flows), out.getvalue(), flt.pattern


def cases():
    warnings.simplefilter("ignore")
    with open(FLOWS, "rb") as f:
        flows = [flow for flow in FlowReader(f).stream() if flow.id not in WITHOUT]
    flows += [tflow.tflow(resp=True), tflow.twebsocketflow(), tflow.ttcpflow(), tflow.tflow(err=True), tflow.tdummyflow()]
    for expression in dict.fromkeys(expressions(1500)):
        yield repr(expression), lambda: answers(expression, flows)
    yield "help", lambda: [h for h in flowfilter.help if h[0] != "~udp"]
    yield "match None", lambda: flowfilter.match(None, flows[0])
    yield "match empty", lambda: flowfilter.match("", flows[0])
    yield "match no flow", lambda: bool(flowfilter.match("foo", None))
    yield "match_all", lambda: flowfilter.match_all.pattern
    for cls in flowfilter.filter_unary + flowfilter.filter_rex + flowfilter.filter_int:
        if cls.code != "udp":
            yield "class " + cls.code, lambda: (cls.__name__, cls.help, int(getattr(cls, "flags", 0)), getattr(cls, "is_binary", None))


if __name__ == "__main__":
    main(cases)
