"""The filter language, against what mitmproxy said: testdata/filter of the project, see its record.py."""
import io
import json
import os
import unittest
import warnings
from unittest import mock

from mitmproxy import flowfilter
from mitmproxy.io import FlowReader
from mitmproxy.test import tflow

VECTORS = os.path.join(os.path.dirname(__file__), *[".."] * 4, "testdata", "filter")


def setUpModule():
    # Some vectors are regexes of which Python says that they may mean something else one day.
    warnings.simplefilter("ignore", FutureWarning)


def heed_case(yes):
    return mock.patch.dict(os.environ, MITMPROXY_CASE_SENSITIVE_FILTERS="1" if yes else "0")


class Vectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(VECTORS, "vectors.jsonl"), encoding="utf-8") as f:
            lines = [json.loads(line) for line in f]
        cls.names = lines[0]["flows"]
        cls.vectors = lines[1:]
        with open(os.path.join(VECTORS, "flows.mitm"), "rb") as f:
            cls.flows = list(FlowReader(f).stream())

    def answers(self, expr):
        flt = flowfilter.parse(expr)
        out = ""
        for f in self.flows:
            answer = flt(f)
            self.assertIsInstance(answer, bool)
            self.assertIs(answer, flowfilter.match(expr, f))
            out += "1" if answer else "0"
        return out

    def check(self, name):
        for v in self.vectors:
            with self.subTest(v["expr"]):
                if "error" in v:
                    with self.assertRaises(ValueError) as raised:
                        flowfilter.parse(v["expr"])
                    self.assertEqual(str(raised.exception), v["error"])
                else:
                    self.assertEqual(self.answers(v["expr"]), v.get(name, v["match"]))

    def test_ids(self):
        self.assertEqual([f.id for f in self.flows], self.names)

    def test_match_ignores_case(self):
        with heed_case(False):
            self.check("nocase")

    def test_match_heeds_case(self):
        with heed_case(True):
            self.check("match")

    def test_dump(self):
        for v in self.vectors:
            if "dump" in v:
                with self.subTest(v["expr"]):
                    out = io.StringIO()
                    flowfilter.parse(v["expr"]).dump(fp=out)
                    self.assertEqual(out.getvalue(), v["dump"])


class API(unittest.TestCase):
    def test_match(self):
        f = tflow.tflow()
        self.assertTrue(flowfilter.match(None, f))
        self.assertFalse(flowfilter.match("foobar", f))
        self.assertTrue(flowfilter.match_all(f))
        self.assertTrue(flowfilter.match(flowfilter.match_all, f))
        self.assertTrue(flowfilter.match(lambda flow: flow is f, f))
        for bad in ("", "[foobar"):
            with self.assertRaises(ValueError):
                flowfilter.match(bad, f)

    def test_other_types_of_flow(self):
        f = tflow.tdummyflow()
        for expr in ("~u .", "~b .", "~q", "~s", "~h .", "~c 200", "~dns", "~tcp", "~udp", "~http", "~a", "~websocket"):
            self.assertFalse(flowfilter.match(expr, f), expr)
        self.assertTrue(flowfilter.match("~all", f))

    def test_udp(self):
        f = tflow.tudpflow()
        self.assertTrue(flowfilter.match("~udp", f))
        self.assertTrue(flowfilter.match("~b hello", f))
        self.assertFalse(flowfilter.match("~bs hello", f))
        self.assertFalse(flowfilter.match("~tcp", f))

    def test_missing_parts(self):
        f = tflow.tflow(resp=True)
        f.client_conn.peername = None
        f.server_conn.address = None
        self.assertFalse(flowfilter.match("~src .", f))
        self.assertFalse(flowfilter.match("~dst .", f))
        f.request = f.client_conn = f.server_conn = None
        for expr in ("~src .", "~dst .", "~u .", "~d .", "~m .", "~hq .", "~tq .", "~bq ."):
            self.assertFalse(flowfilter.match(expr, f), expr)
        self.assertTrue(flowfilter.match("~h .", f))

    def test_parsed_filters_are_not_shared(self):
        a, b = flowfilter.parse("~q & foo"), flowfilter.parse("~q & foo")
        self.assertIsNot(a, b)
        self.assertEqual(len({a: 1, b: 2}), 2)
        self.assertEqual(a.pattern, "~q & foo")

    def test_attributes(self):
        flt = flowfilter.parse("~u foo & !~c 200 & ('a' | b)")
        self.assertIsInstance(flt, flowfilter.FAnd)
        self.assertEqual(flt.lst[0].expr, "foo")
        self.assertEqual(flt.lst[1].itm.num, 200)
        self.assertIsInstance(flt.lst[2], flowfilter.FOr)
        self.assertEqual(flt.lst[0].re.pattern, "foo")
        self.assertEqual(flowfilter.FHead("x").re.pattern, b"x")
        self.assertTrue(flowfilter.FUrl("path")(tflow.tflow()))

    def test_words(self):
        with heed_case(False):
            for expr, words in (
                ("~a", "is asset"),
                ("~bq rex", "body request matches /rex/is"),
                ("~h rex", "header matches /rex/im"),
                ("~src 1", "source address matches /1/i"),
                ("~c 404", "response code is 404"),
                ("!(~u foo | ~c 200)", "not (url matches /foo/i or response code is 200)"),
                ("~u foo & !~h x", "url matches /foo/i and not header matches /x/im"),
            ):
                self.assertEqual(str(flowfilter.parse(expr)), words)
        with heed_case(True):
            self.assertEqual(str(flowfilter.parse("~u foo")), "url matches /foo/")

    def test_case_is_part_of_the_cache(self):
        f = tflow.tflow()
        with heed_case(True):
            self.assertFalse(flowfilter.match("/PATH", f))
        self.assertTrue(flowfilter.match("/PATH", f))

    def test_nesting(self):
        self.assertTrue(flowfilter.parse("(" * 50 + "a" + ")" * 50))
        with self.assertRaises(ValueError):
            flowfilter.parse("(" * 5000 + "a" + ")" * 5000)

    def test_surrogates(self):
        with self.assertRaises(ValueError):
            flowfilter.parse("~b \udc80")
        self.assertFalse(flowfilter.match("~u \udc80", tflow.tflow()))

    def test_help(self):
        names = [name for name, text in flowfilter.help]
        self.assertIn("~udp", names)
        self.assertIn("~u regex", names)
        self.assertIn("~c int", names)
        self.assertEqual(names[-4:], ["!", "&", "|", "(...)"])

    def test_bodies_are_not_touched(self):
        class Untouchable(type(tflow.tflow().request)):
            @property
            def raw_content(self):
                raise AssertionError("touched")

            content = text = _body = raw_content

        f = tflow.tflow(resp=True)
        f.request.__class__ = Untouchable
        for expr in ("~u nowhere", "~d nowhere", "~m PUT", "~c 404", "~h nothing", "~t nothing"):
            self.assertFalse(flowfilter.match(expr, f), expr)


if __name__ == "__main__":
    unittest.main()
