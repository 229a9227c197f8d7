"""Which scripts are seen to keep nothing between flows, and why the others are not."""
import textwrap
import unittest

from _flowkit.parallel import verdict

STATELESS = {
    "a header": """
        def request(flow):
            flow.request.headers["myheader"] = "value"
        """,
    "imports and annotations": """
        from __future__ import annotations
        import json, re
        from urllib.parse import urljoin
        from collections.abc import Iterable
        from mitmproxy import http, flowfilter
        from mitmproxy.http import Headers

        def modify(data: bytes) -> bytes | Iterable[bytes]:
            return data.replace(b"foo", b"bar")

        def responseheaders(flow: http.HTTPFlow) -> None:
            flow.response.stream = modify

        def request(flow: http.HTTPFlow):
            if flow.request.pretty_url == "http://example.com/path":
                flow.response = http.Response.make(200, b"Hello", {"Content-Type": "text/html"})
            flow.request.trailers = Headers([(b"a", b"b")])
            flow.request.url = urljoin(flow.request.url, "x")
            if re.search("a", flow.request.path, re.I | re.M):
                flow.comment = json.dumps({"a": 1})
        """,
    "constants": """
        '''What it does.'''
        import re
        from mitmproxy import flowfilter
        HOSTS = ["a.example", "b.example"]
        NAMES: dict = {"a": "b", "c": ("d", 1)}
        PATTERN = re.compile(r"x+", re.IGNORECASE | re.S)
        FILTER = flowfilter.parse("~u x")
        LIMIT = 64 * 1024
        WORDS = "a b c".split()
        FROZEN = frozenset(HOSTS)
        ALIAS = LIMIT

        def response(flow):
            host = flow.request.pretty_host
            if host in HOSTS and host not in FROZEN and flowfilter.match(FILTER, flow):
                flow.comment = NAMES.get(host, "") + NAMES["a"] + ",".join(WORDS)
            for k, v in NAMES.items():
                flow.response.headers[k] = str(v)
            if not HOSTS or any(w for w in WORDS if w == host) or len(HOSTS) > LIMIT:
                flow.response.text = PATTERN.sub(lambda m: m.group().upper(), flow.response.text)
            seen = {}
            for i, w in enumerate(sorted(WORDS)):
                seen[w] = i
            seen.update(x=1)
            try:
                flow.request.content = bytes(seen["a"])
            except (KeyError, ValueError) as e:
                flow.comment = str(e)
        """,
    "a helper": """
        def allowed(flow, host="a.example"):
            return flow.request.host == host and flow.client_conn.peername[0].startswith("10.")

        def request(flow):
            if not allowed(flow):
                flow.response = None
        """,
}

STATEFUL = [
    ("class Counter may keep a state", 2, "class Counter:\n    n = 0"),
    ("class Counter may keep a state", 4, "from mitmproxy import ctx\nimport time\nclass Counter: pass"),
    ("n is global", 4, "n = 0\ndef request(flow):\n    global n\n    n += 1"),
    ("seen is changed or handed on", 4, "seen = []\ndef request(flow):\n    seen.append(flow.id)"),
    ("seen is changed", 4, "seen = {}\ndef request(flow):\n    seen[flow.id] = 1"),
    ("seen is changed", 4, "seen = {}\ndef request(flow):\n    del seen[flow.id]"),
    ("seen is changed or handed on", 4, "seen = {}\ndef request(flow):\n    s = seen"),
    ("seen is changed or handed on", 5, "seen = {}\ndef note(s): s[1] = 1\ndef request(flow):\n    note(seen)"),
    ("request is changed", 3, "def request(flow):\n    request.n = 1"),
    ("request is used as a value", 3, "def request(flow):\n    f = request\n    f.n = 1"),
    ("note is used as a value", 5, "def note(f): f.n = 1\ndef f(flow):\n    pass\n    note(note)"),
    ("a default of helper may change", 2, "def helper(flow, seen=[]): pass"),
    ("request takes more than a flow", 2, "def request(context, flow): pass"),
    ("request has a decorator", 3, "from mitmproxy import http\n@http\ndef request(flow): pass"),
    ("request is async", 2, "async def request(flow): pass"),
    ("load is not about one flow", 2, "def load(loader): pass"),
    ("done is not about one flow", 2, "def done(): pass"),
    ("it imports time", 2, "import time"),
    ("it imports random", 3, "def request(flow):\n    import random"),
    ("it imports mitmproxy.ctx", 2, "from mitmproxy import ctx"),
    ("it imports .helper", 2, "from . import helper"),
    ("it imports re.*", 2, "from re import *"),
    ("it uses mitmproxy.ctx.log", 4, "import mitmproxy.http\ndef request(flow):\n    mitmproxy.ctx.log('x')"),
    ("it uses print", 3, "def request(flow):\n    print(1)"),
    ("it uses print", 3, "def request(flow):\n    p = print"),
    ("it uses open", 3, "def request(flow):\n    open('x')"),
    ("it uses setattr", 3, "def request(flow):\n    setattr(request, 'n', 1)"),
    ("it uses __class__", 3, "def request(flow):\n    flow.__class__.n = 1"),
    ("http is changed", 4, "from mitmproxy import http\ndef request(flow):\n    http.Response.n = 1"),
    ("http.Response is used as a value", 4, "from mitmproxy import http\ndef request(flow):\n    r = http.Response"),
    ("it uses http.x.update", 4, "from mitmproxy import http\ndef request(flow):\n    http.x.update(a=1)"),
    ("what counts holds may change", 3, "import collections\ncounts = collections.Counter()"),
    ("what counts holds may change", 3, "import itertools\ncounts = itertools.count()"),
    ("what nested holds may change", 2, "nested = {'a': []}"),
    ("what addons holds may change", 2, "addons = [Addon()]"),
    ("what f holds may change", 2, "f = lambda flow: flow"),
    ("it does something when it is loaded", 2, "for x in 1, 2: pass"),
    ("it does something when it is loaded", 3, "x = {}\nx['a'] = []"),
    ("inner is a function within a function", 3, "def request(flow):\n    def inner(): pass"),
    ("flows share what is kept in client_conn", 3, "def request(flow):\n    flow.client_conn.n = 1"),
    ("flows share what is kept in client_conn", 3, "def request(flow):\n    c = flow.client_conn"),
    ("flows share what is kept in server_conn", 3, "def request(flow):\n    flow.server_conn.address.port = 1"),
    ("open has two meanings in request", 2, "def request(flow):\n    open('x')\n    [open for open in 'ab']"),
    ("x has two meanings", 1, "x = 1\ndef x(flow): pass"),
    ("it cannot be read", 0, "def"),
]


class Verdicts(unittest.TestCase):
    def test_stateless(self):
        for name, source in STATELESS.items():
            with self.subTest(name):
                self.assertEqual(verdict(textwrap.dedent(source)), "")

    def test_stateful(self):
        for why, line, source in STATEFUL:
            with self.subTest(source):
                want = "line %d: %s" % (line, why) if line else why
                self.assertEqual(verdict("\n" + source), want)

    def test_bytes(self):
        self.assertEqual(verdict(b"# -*- coding: latin-1 -*-\nNAME = '\xe9'\n"), "")


if __name__ == "__main__":
    unittest.main()
