#!/usr/bin/python3
"""Records what mitmproxy's filter language says: flows.mitm and vectors.jsonl beside this file.

Run it with an interpreter that has mitmproxy 8.1.1. flows.mitm is a dump, format 17. The first
line of vectors.jsonl is {"mitmproxy": its version, "flows": [the name of each flow]}; every other one is

    expr    the expression
    error   mitmproxy refuses it, with this message; else:
    match   a 0 or 1 for each flow; mitmproxy 8.1.1 heeds case
    nocase  the same when case is ignored, as mitmproxy 11.1 and later do; absent: as match
    dump    what dump() of the filter prints
    go      how the Go filter differs, and why: {"why": ..., "match": its answers, or null if it refuses}
    newer   not recorded, for mitmproxy 8.1.1 does not know it
"""
import io
import itertools
import json
import os
import random
import re
import zlib

from mitmproxy import connection, dns, flow, flowfilter, http, tcp, version, websocket
from mitmproxy.io import FlowReader, FlowWriter

HERE = os.path.dirname(os.path.abspath(__file__))
START = 1700000000.0


# Flows. Each is a case of its own; no randomness, no clock.


def client(number, peer):
    c = connection.Client(peer, ("127.0.0.1", 8080), START)
    c.id = "client-%d" % number
    return c


def server(number, address, peer=None):
    s = connection.Server(address)
    s.id, s.peername, s.timestamp_start = "server-%d" % number, peer, START
    return s


class Flows:
    def __init__(self):
        self.names, self.flows = [], []

    def add(self, name, f):
        f.id, f.timestamp_created = name, START + len(self.flows)
        self.names.append(name)
        self.flows.append(f)
        return f

    def conns(self, peer=("127.0.0.1", 50001), address=("example.com", 80), server_peer=None):
        n = len(self.flows)
        return client(n, peer), server(n, address, server_peer)

    def http(self, name, request, response=None, **conns):
        f = http.HTTPFlow(*self.conns(**conns))
        f.request, f.response = request, response
        return self.add(name, f)

    def tcp(self, name, messages, **conns):
        f = tcp.TCPFlow(*self.conns(**conns))
        f.messages = [tcp.TCPMessage(c, b, START) for c, b in messages]
        return self.add(name, f)

    def dns(self, name, request, response=None, **conns):
        f = dns.DNSFlow(*self.conns(address=("8.8.8.8", 53), **conns))
        f.request, f.response = request, response
        return self.add(name, f)


def request(method, path, headers=(), body=b"", host="example.com", port=80, scheme=b"http", authority=b"", version=b"HTTP/1.1"):
    return http.Request(
        host=host, port=port, method=method, scheme=scheme, authority=authority, path=path, http_version=version,
        headers=http.Headers(headers), content=body, trailers=None, timestamp_start=START, timestamp_end=START + 1,
    )


def response(status, headers=(), body=b"", reason=b"x", version=b"HTTP/1.1"):
    return http.Response(
        http_version=version, status_code=status, reason=reason, headers=http.Headers(headers), content=body,
        trailers=None, timestamp_start=START + 2, timestamp_end=START + 3,
    )


def gzip(b):
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    return z.compress(b) + z.flush()


def dnsmsg(query, names, records=()):
    return dns.Message(
        timestamp=START, id=1, query=query, op_code=0, authoritative_answer=False, truncation=False,
        recursion_desired=True, recursion_available=not query, reserved=0, response_code=0,
        questions=[dns.Question(n, 1, 1) for n in names],
        answers=[dns.ResourceRecord("dns.foo", t, 1, 60, d) for t, d in records], authorities=[], additionals=[],
    )


def websocket_data(messages):
    w = websocket.WebSocketData()
    w.closed_by_client, w.close_code, w.close_reason = False, 1000, ""
    w.messages = [websocket.WebSocketMessage(op, c, b, START) for op, c, b in messages]
    return w


def make_flows():
    F = Flows()
    f = F.http(
        "get",
        request(b"GET", b"/a?x=1", [(b"host", b"pretty.example:8080"), (b"Cookie", b"session=abc; theme=dark")]),
        response(200, [(b"content-type", b"text/html; charset=utf-8"), (b"x-a", b"b")], b"plain body foo\n"),
    )
    f.marked, f.comment = ":red_circle:", "first line\nsecond foo"
    f.metadata = {"k": "v", "n": 7, "deep": {"key": "value"}, "list": [1, "a", None], "on": True}
    f = F.http(
        "post",
        request(
            b"POST", b"/b/foo", [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")],
            gzip(b'{"needle": "in gzip"}\nsecond'),
        ),
        response(404, [(b"content-type", b"text/css")], None),
    )
    f.is_replay = "request"
    f = F.http("noresp", request(b"GET", b"/foo", [(b"content-encoding", b"gzip")], b"not gzip"))
    f.error, f.is_replay = flow.Error("boom", START), "response"
    f = F.http(
        "ws", request(b"GET", b"/ws", [(b"upgrade", b"websocket")]), response(101, [(b"Upgrade", b"websocket")]),
    )
    f.websocket = websocket_data([(1, True, b"from client foo"), (1, False, b"from server bar"), (2, True, b"\x00\xfe\n\xff")])
    F.tcp("tcp", [(True, b"hello foo"), (False, b"\xffbar\nbaz")])
    F.dns("query", dnsmsg(True, ["dns.foo"]))
    F.dns("answer", dnsmsg(True, ["dns.foo", "second.bar"]), dnsmsg(False, ["dns.foo"], [
        (1, b"\x01\x02\x03\x04"), (28, bytes(15) + b"\x01"), (5, b"\x05alias\x03foo\x00"),
        (16, b"\x04text"), (99, b"\xab\xcd"),
    ]))
    F.http(
        "h2",
        request(
            b"get", b"/img/Logo.PNG", [(b"accept", b"image/webp")], None, port=443, scheme=b"https",
            authority=b"pretty.h2", version=b"HTTP/2.0",
        ),
        response(200, [(b"content-type", b"image/png")], b"\x89PNG\r\n\x1a\n\x00\xff", b"", b"HTTP/2.0"),
        address=("example.com", 443),
    )
    F.http(
        "connect", request(b"CONNECT", b"", [], host="secure.example", port=443, scheme=b"", authority=b"secure.example:443"),
        response(200), address=("secure.example", 443),
    )
    f = F.http(
        "unicode",
        request(
            "GÄT".encode(), "/ä/%C3%A4?q=ß".encode(), [(b"x-latin", b"caf\xe9"), (b"x-utf8", "café".encode())],
            "grüße\u2028zeile".encode(), host="bücher.example",
        ),
        response(200, [(b"content-type", b"text/plain; charset=iso-8859-1")], "größe".encode("latin-1")),
    )
    f.marked, f.comment, f.metadata = "👍", "Grüße\r\nStraße", {"ключ": "значение", "b": ["it's", "a \"b\""]}
    f = F.http(
        "upper",
        request(
            b"POST", b"/UPPER/FOO", [(b"HOST", b"WWW.EXAMPLE.ORG"), (b"CONTENT-TYPE", b"APPLICATION/JSON")],
            b'{"FOO": "NEEDLE"}', host="EXAMPLE.ORG",
        ),
        response(500, [(b"CONTENT-TYPE", b"TEXT/CSS"), (b"X-A", b"B")], b"SERVER FOO"),
        address=("EXAMPLE.ORG", 80),
    )
    f.marked, f.comment, f.metadata = ":RED_CIRCLE:", "SECOND FOO", {"K": "V"}
    F.http("nobody", request(b"HEAD", b"/", body=None), response(304, body=None))
    F.http(
        "many",
        request(b"GET", b"/many", [(b"accept", b"a"), (b"Accept", b"b")]),
        response(
            200,
            [(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"content-type", b"x/y"), (b"content-type", b"font/woff2")],
            b"line one\r\nline two\r\n",
        ),
    )
    f = F.tcp("tcperror", [], peer=None, address=None)
    f.error = flow.Error("reset", START)
    F.http(
        "ipv6", request(b"GET", b"/6", host="2001:db8::1", port=8080), response(204),
        peer=("::1", 50002, 0, 0), address=("2001:db8::1", 8080, 0, 0),
    )
    F.http(
        "peer", request(b"GET", b"/redirect"), response(302, [(b"Location", b"https://example.org/next")]),
        address=None, server_peer=("93.184.216.34", 80),
    )
    F.http(
        "deflate",
        request(b"PUT", b"/upload/file.js", [(b"Content-Type", b"multipart/form-data; boundary=xx")], b"--xx\r\n\x00\xffbinary\r\n--xx--"),
        response(
            201, [(b"Content-Type", b"application/javascript"), (b"Content-Encoding", b"deflate")],
            zlib.compress(b"function needle() {}\n"),
        ),
    )
    F.http("options", request(b"OPTIONS", b"*", [(b"Host", b"example.com:80")]), response(200, [(b"Allow", b"GET, POST")]))
    F.dns("dnserror", dnsmsg(True, [])).error = flow.Error("no such name", START)
    F.http(
        "proxied", request(b"DELETE", b"/api/v2/items/17?a=b&c=d|e", [(b"Host", b"api.example")], port=8443, scheme=b"https", version=b"HTTP/1.0"),
        response(503, [(b"content-type", b"application/problem+json")], b'{"status": 503}', b"Service Unavailable"),
        address=("api.example", 8443),
    )
    return F


# Expressions: those of expressions.txt, one a line; those that cannot be lines of a text file; random ones.

SPECIAL = [
    '',
    '  ',
    '\n',
    '\x0b',
    'foo\x0bbar',
    'foo\x0c',
    '\xa0',
    'foo\xa0~q',
    '~q\x01',
    '~q\x7f',
    '~u\xa0foo',
    'foo\r\na',
    '~u\nfoo',
    '\ufefffoo',
    '(\n  foo\n  | ~q\n)',
    '"foo\\\na"',
    '"foo\na"',
    ' foo ',
    '\tfoo',
    'foo\ta',
    '~u\tfoo',
    '~q\t',
    '"a\tb"',
    '~u\t"\t"',
    '~u ',
]

# Where Go's filter differs, and why. Expressions that mitmproxy refuses, and what they mean in Go:
TAKEN = {
    "a sign or bracket may stand right behind a flag": {
        "(~q)": "(~q )", "(~s)": "(~s )", "(~q & ~s)": "(~q & ~s )", "(~q | ~s)": "(~q | ~s )",
        "!(~q | ~s)": "!(~q | ~s )", "~q&~s": "~q & ~s", "~http&~q": "~http & ~q", "~http& ~q": "~http & ~q",
        "~http|~q": "~http | ~q", "~q&": "~q &",
    },
    "a quote may stand right behind an operator": {'~u"foo"': "~u foo", "~u'foo'": "~u foo"},
    "side by side is \"and\" within brackets too": {
        "(foo bar)": "foo & bar", "(foo ~q )": "foo & ~q", "(~q ~s )": "~q & ~s", "(& foo)": "& foo", "(foo !)": "foo !",
    },
    "RE2 takes it": {'~u "(?P<1>a)"': "~u a", r'~u "\\400"': "~u \u0100"},
    "\\u works in every regex": {r"~b \u1234": "~b \u1234"},
}

# Expressions that Go refuses:
REFUSED = {
    "RE2 has no lookahead, lookbehind, backreferences, comments and flag x": [
        "~u '^(?!http:)'", "~u '(?<=/)foo'", "~u '(o)\\\\1'", "~u '(?=.*foo)'", '~u "(?#comment)foo"',
        "~u '(?P<o>o)(?P=o)'", '~u "(?x) f o o"',
    ],
}

# Expressions that match other flows in Go: the names of flows, with which answers are the others.
OTHERWISE = {
    "a server without an address is matched by that of its connection": {
        "~dst :80": ["peer"], '~dst ":80$"': ["peer"], "~dst .": ["peer"],
    },
    "IPv6 addresses have brackets in URLs": {"~u ]": ["ipv6"], r'~u "\\[2001:db8::1\\]"': ["ipv6"]},
}

# What mitmproxy 8.1.1 does not know, and how it can say the same.
NEWER = {"~udp": "!~all", "!~udp": "~all", "~udp ~q": "!~all", "~q | ~udp": "~q", "(~udp )": "!~all"}

PIECES = [
    "~a", "~all", "~dns", "~e", "~http", "~marked", "~q", "~replay", "~replayq", "~replays", "~s", "~tcp", "~websocket",
    "~u foo", "~d ^example", "~m get", "~c 200", "~c 404", "~c 2.", "~t json", "~tq json", "~ts css", "~h x-a", "~hq upg",
    "~hs type", "~b foo", "~bq foo", "~bs bar", "~b needle", "~src 50001", "~dst example", "~meta k", "~marker red",
    "~comment ^second", "foo", "a|b", "x&y", '"foo"', "'a.c'", r'"\\."', r"~u 'a\\?x'", '""', "!", "&", "|", "(", ")",
    "!", "&", "|", "(", ")", "~h '^content-type: text'",
]


def random_expressions(n):
    r = random.Random(7)
    while n:
        s = "".join(r.choice(PIECES) + ("" if r.randrange(6) == 0 else " ") for _ in range(r.randrange(1, 10)))
        try:
            flowfilter.parse(s)
        except ValueError:
            continue
        n -= 1
        yield s


def expressions():
    with open(os.path.join(HERE, "expressions.txt"), encoding="utf-8", newline="\n") as f:
        written = f.read().strip("\n").split("\n")
    unary = ["~" + c.code for c in flowfilter.filter_unary]
    return list(dict.fromkeys(itertools.chain(unary, written, SPECIAL, random_expressions(150))))


# What mitmproxy says.


def ignore_case():
    """Makes filters that are parsed from now on ignore case."""
    for cls in flowfilter.filter_rex:
        cls.flags |= re.IGNORECASE
    flowfilter.FAsset.ASSET_TYPES = [re.compile(t.pattern, re.IGNORECASE) for t in flowfilter.FAsset.ASSET_TYPES]


def answers(flt, flows):
    return "".join("1" if flt(f) else "0" for f in flows)


def dump(flt):
    out = io.StringIO()
    flt.dump(fp=out)
    return out.getvalue()


def go_differs(e, nocase, flows):
    for why, taken in TAKEN.items():
        if e in taken:
            return {"why": why, "match": answers(flowfilter.parse(taken[e]), flows)}
    for why, refused in REFUSED.items():
        if e in refused:
            return {"why": why, "match": None}
    for why, changed in OTHERWISE.items():
        if e in changed:
            other = [c if f.id not in changed[e] else "10"[int(c)] for c, f in zip(nocase, flows)]
            return {"why": why, "match": "".join(other)}
    return None


def record(flows):
    lines = [{"expr": e} for e in expressions()]
    for line in lines:
        try:
            flt = flowfilter.parse(line["expr"])
        except ValueError as x:
            line["error"] = str(x)
            continue
        line["match"] = answers(flt, flows)
        # pyparsing 3.0 takes \\n within quotes for a backslash and a line feed, 3.1 and later for \n.
        if not re.search(r"\\\\[tnfr]", line["expr"]):
            line["dump"] = dump(flt)
    ignore_case()
    for line in lines:
        nocase = None
        if "match" in line:
            nocase = answers(flowfilter.parse(line["expr"]), flows)
            if nocase != line["match"]:
                line["nocase"] = nocase
        go = go_differs(line["expr"], nocase, flows)
        if go:
            line["go"] = go
    for e, same in NEWER.items():
        lines.append({"expr": e, "match": answers(flowfilter.parse(same), flows), "newer": True})
    return lines


def main():
    # mitmproxy 9 and later search what a DNS message says, not its bytes on the wire.
    dns.Message.content = property(lambda m: str(m).encode())
    F = make_flows()
    with open(os.path.join(HERE, "flows.mitm"), "wb") as f:
        w = FlowWriter(f)
        for each in F.flows:
            w.add(each)
    with open(os.path.join(HERE, "flows.mitm"), "rb") as f:
        flows = list(FlowReader(f).stream())
    with open(os.path.join(HERE, "vectors.jsonl"), "w", encoding="ascii") as f:
        for line in [{"mitmproxy": version.VERSION, "flows": F.names}] + record(flows):
            f.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
