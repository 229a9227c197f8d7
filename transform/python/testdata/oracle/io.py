"""Flow files of format 17: what is written, what is read, what is refused."""
import hashlib
import os
import re

import _io as io  # this file has the name of the module

from _oracle import main
from mitmproxy import exceptions, flowfilter
from mitmproxy import io as mitmproxy_io
from mitmproxy.io import tnetstring
from mitmproxy.test import tflow, tutils

HERE = os.path.dirname(os.path.abspath(__file__))
FLOWS = os.path.join(HERE, "..", "flows", "flows17.mitm")

DEVIATIONS = {
    "read old": "versions before 17 are for flowkit to convert",
    "read extra key": "unknown keys are ignored: flowkit keeps them in the file",
}


def cases():
    yield from written()
    yield from rewritten()
    yield from refused()
    yield from paths()


def fixed(f):
    """Makes the flow one of format 17, without what is different every time."""
    f._version = 17
    f.id = "id"
    f.timestamp_created = 7.5
    for conn in (f.client_conn, f.server_conn):
        conn.id = "conn"
    return f


def flows():
    yield "http", fixed(tflow.tflow(resp=True))
    yield "request", fixed(tflow.tflow())
    yield "error", fixed(tflow.tflow(err=True))
    yield "websocket", fixed(tflow.twebsocketflow())
    yield "tcp", fixed(tflow.ttcpflow())
    yield "dns", fixed(tflow.tdnsflow(resp=True))
    f = fixed(tflow.tflow(resp=True, req=tutils.treq(content=None, headers=(), trailers=None)))
    f.metadata = {"a": [1, 2.5, {"b": None}], "ü": True}
    f.comment, f.marked, f.is_replay, f.intercepted = "ü", ":grapes:", "request", True
    f.response.timestamp_end = 3.25
    yield "much", f
    g = fixed(tflow.tflow(resp=True))
    g.backup()
    g.request.path = "/changed"
    yield "backup", g


def bytes_of(*all_flows):
    out = io.BytesIO()
    writer = mitmproxy_io.FlowWriter(out)
    for f in all_flows:
        writer.add(f)
    return out.getvalue()


def read(data):
    return list(mitmproxy_io.FlowReader(io.BytesIO(data)).stream())


def written():
    for name, f in flows():
        yield "write " + name, lambda f=f: bytes_of(f)
        yield "again " + name, lambda f=f: bytes_of(*read(bytes_of(f, f))) == bytes_of(f, f) or bytes_of(*read(bytes_of(f)))
        yield "read " + name, lambda f=f: [(type(g).__name__, g.live, g.modified(), g.id) for g in read(bytes_of(f))]
    for text in ("~c 200", "~c 404", "~q", None):
        yield "filtered %s" % text, lambda text=text: filtered(text)
    yield "unserializable", lambda: unserializable()


def filtered(text):
    out = io.BytesIO()
    writer = mitmproxy_io.FilteredFlowWriter(out, text and flowfilter.parse(text))
    for _, f in flows():
        writer.add(f)
    return hashlib.sha1(out.getvalue()).hexdigest()


def unserializable():
    f = fixed(tflow.tflow())
    f.request.data.path = object
    return bytes_of(f)


def rewritten():
    """Reads the test flows and writes them, as they are and changed."""
    if not os.path.exists(FLOWS):
        return
    with open(FLOWS, "rb") as file:
        data = file.read()
    for i, f in enumerate(read(data)):
        yield "flow %d" % i, lambda f=f: hashlib.sha1(bytes_of(f)).hexdigest()
        yield "flow %d changed" % i, lambda f=f: hashlib.sha1(changed(f)).hexdigest()


def changed(f):
    f.comment, f.marked = "x", ":default:"
    f.metadata["k"] = [1, (2, 3.5)]
    f.backup()
    f.intercepted = not f.intercepted
    copy = f.copy()
    copy.id = "copy"
    data = bytes_of(copy, f)
    f.revert()
    return data + bytes_of(f, copy)


def refused():
    state = fixed(tflow.tflow(resp=True)).get_state()
    good = tnetstring.dumps(state)
    for name, data in (
        ("nothing", b""), ("bogus", b"bogus"), ("0:", b"0:"), ("empty dict", b"0:}"), ("cut", good[:-1]),
        ("cut early", good[:50]), ("newline", good + b"\n"), ("json", b"{}"), ("bom", b"\xef\xbb\xbf{}"),
        ("trailing", good + b"x"), ("huge", b"9999999999999:a,"), ("large", b"99999999:a,"), ("key", b"9:1:5#2:17#}"),
        ("no version", tnetstring.dumps({"a": 1})), ("text version", tnetstring.dumps({"version": "x"})),
        ("version null", tnetstring.dumps({"version": None})), ("version float", tnetstring.dumps({"version": 17.0})),
        ("type number", tnetstring.dumps({"version": 17, "type": 5})),
        ("type list", tnetstring.dumps({"version": 17, "type": ["a"]})),
        ("unknown type", tnetstring.dumps({"version": 17, "type": "xx"})),
        ("request number", tnetstring.dumps(dict(state, request=5))),
        ("request empty", tnetstring.dumps(dict(state, request={}))),
        ("extra key", tnetstring.dumps(dict(state, zz=1))),
        ("old", tnetstring.dumps(dict(state, version=7))),
        ("future", tnetstring.dumps({"version": 99})),
        ("ancient", tnetstring.dumps({"version": (0, 10)})),
        ("zero", tnetstring.dumps({"version": 0})),
        ("negative", tnetstring.dumps({"version": -1})),
    ):
        yield "read " + name, lambda data=data: quiet(data)
    for value, name in ((5, "comment"), (None, "client_conn"), (None, "request"), (True, "marked")):
        data = tnetstring.dumps(dict(state, **{name: value}))
        yield "read %s %s" % (name, value), lambda data=data: (lambda f: (f.comment, f.marked, f.request, f.client_conn is None))(read(data)[0])


def quiet(data):
    """Returns what is read, or what is wrong, without the version of mitmproxy and what it advises."""
    try:
        return [f.id for f in read(data)]
    except exceptions.FlowReadException as e:
        text = re.sub(r"^mitmproxy [0-9.]+ ", "", str(e))
        if "HAR" in text or "format version ('x',)" in text:
            return "Invalid data format."
        return text.replace(", please update mitmproxy", "").replace(", `flowkit cat` converts them", "")


def paths():
    read_paths = mitmproxy_io.read_flows_from_paths
    yield "paths missing", lambda: read_paths(["/nonexistent/file"])
    yield "paths home", lambda: read_paths(["~/nonexistent/file"])
    if os.path.exists(FLOWS):
        yield "paths two", lambda: len(read_paths([FLOWS, FLOWS]))
    yield "paths damaged", lambda: read_paths([os.path.join(HERE, "io.py")])


if __name__ == "__main__":
    main(cases)
