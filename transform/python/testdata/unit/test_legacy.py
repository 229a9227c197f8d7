"""Eras: what tells them apart, and the pieces that old scripts are given.

What changes the classes of today is tested by legacy_cases.py, in a process of its own.
"""
import os
import subprocess
import sys
import unittest

from _flowkit import era, legacy
from _flowkit.legacy import python2, signs, stream
from _flowkit.legacy.odict import ODict, ODictCaseless
from _flowkit.legacy.text import Bytes, CallableBool, CallableText, subn

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "..", "legacy")


def source(name):
    with open(os.path.join(SCRIPTS, name), encoding="utf-8") as f:
        return f.read()


class Cases(unittest.TestCase):
    def test_in_a_process_of_their_own(self):
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "unittest", "legacy_cases"], cwd=HERE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True, timeout=300,
        )
        self.assertEqual(done.returncode, 0, "\n" + done.stdout)

    def test_a_script_of_today_imports_nothing_of_it(self):
        code = (
            "import sys; from _flowkit.loader import Script; s = Script(sys.argv[1], [], None); s.load(); "
            "print(s.era, [m for m in sys.modules if m.startswith('_flowkit.legacy')])"
        )
        script = "from mitmproxy import http\n\ndef request(flow: http.HTTPFlow):\n    flow.request.headers['a'] = 'b'\n"
        done = subprocess.run(
            [sys.executable, "-c", code.replace("sys.argv[1], [], None", "'s.py', [], %r" % script.encode())],
            stdout=subprocess.PIPE, universal_newlines=True, timeout=60,
        )
        self.assertEqual(done.stdout, "modern []\n")


class Wanted(unittest.TestCase):
    def test_all_fixtures(self):
        for name in sorted(os.listdir(SCRIPTS)):
            if name.endswith(".py") and not name.endswith("_sink.py"):
                self.assertTrue(era.wanted(source(name)), name)

    def test_context_of_any_name(self):
        self.assertTrue(era.wanted("\ndef response(c, f):\n    pass\n"))
        self.assertTrue(era.wanted("\ndef done(c):\n    pass\n"))
        self.assertFalse(era.wanted("\ndef response(f):\n    pass\n\ndef done():\n    pass\n"))

    def test_configure(self):
        self.assertTrue(era.wanted("class A:\n    def configure(self, opts, up):\n        pass\n"))
        self.assertFalse(era.wanted("class A:\n    def configure(self, updated: set):\n        pass\n"))

    def test_scripts_of_today(self):
        for text in (
            "from mitmproxy import ctx, http\n\ndef request(flow):\n    flow.response = http.Response.make(200)\n",
            "def websocket_message(flow):\n    flow.websocket.messages[-1].drop()\n",
            "def response(flow):\n    flow.response.content = flow.response.content.replace(b'a', b'b')\n",
            "class A:\n    def load(self, loader):\n        pass\n    def configure(self, updated):\n        pass\n",
        ):
            self.assertFalse(era.wanted(text), text)


class Lists(unittest.TestCase):
    """Headers as lists, up to 0.13, or as texts."""

    def check(self, body, lists, imports=""):
        text = "%s\ndef response(context, flow):\n    %s\n" % (imports, body)
        self.assertIs(bool(signs.has_lists(text)), lists, text)

    def test_lists(self):
        self.check("flow.response.headers['a'] = ['b']", True)
        self.check("x = flow.response.headers['a'][0]", True)
        self.check("x = flow.response.headers.get_first('a')", True)
        self.check("x = flow.response.headers['a'] == ['b']", True)
        self.check("x = flow.request.headers.get('a', (None,))[0]", True)
        self.check("x = 'b' in flow.request.headers['a']", True)
        self.check("flow.request.headers['a'].append('b')", True)
        self.check("x = flow.request.pretty_host(hostheader=True)", True)
        self.check("pass", True, "from libmproxy.protocol.http import decoded")
        self.check("pass", True, "from netlib.odict import ODictCaseless")

    def test_texts(self):
        self.check("flow.response.headers['a'] = 'b'", False)
        self.check("flow.response.headers['a'] = str(1)", False)
        self.check("x = flow.request.headers['a'].startswith('b')", False)
        self.check("x = flow.request.headers.get('a', '')", False)
        self.check("x = 'b' in flow.request.headers.get('a', '')", False)
        self.check("x = flow.request.pretty_host", False)
        self.check("pass", False)
        self.check("pass", False, "from libmproxy.models import decoded")
        self.check("pass", False, "from mitmproxy.models import decoded")
        self.check("x = 'b' in flow.request.headers['a']", False, "from netlib.http import Headers")


class Hint(unittest.TestCase):
    def hint(self, text):
        with self.assertRaises(SyntaxError) as raised:
            compile(text, "s.py", "exec")
        return legacy.python2_hint(raised.exception)

    def test_python2(self):
        for text, said in (
            ("print 'a'\n", "print is a statement"),
            ("def f():\n    print x, y\n", "print is a statement"),
            ("exec 'a' in {}\n", "exec is a statement"),
            ("try:\n    pass\nexcept (A, B), e:\n    pass\n", '"except X, e"'),
            ("raise ValueError, 'text'\n", '"raise X, text"'),
            ("x = 1 <> 2\n", "<> for !="),
            ("x = ur'a'\n", "ur'' texts"),
            ("x = `y`\n", "backticks"),
            ("x = 0777\n", "octal"),
            ("x = 10L\n", "long numbers"),
            ("def f((a, b), c):\n    pass\n", "tuples as parameters"),
            ("x = lambda (a, b): a\n", "tuples as parameters"),
            ("if x:\n        a = 1\n\tb = 2\n", "tabs and spaces"),
        ):
            self.assertIn(said, self.hint(text) or "", text)

    def test_others(self):
        for text in ("a +\n", "def f(:\n    pass\n", "x = (1\n", "x = 'abc\n", "for x in y\n    pass\n"):
            self.assertIsNone(self.hint(text), text)


class Odicts(unittest.TestCase):
    def test_set_keeps_places(self):
        d = ODict([["a", "1"], ["b", "2"], ["a", "3"]])
        d["a"] = ["x"]
        self.assertEqual(d.lst, [["a", "x"], ["b", "2"]])
        d["a"] = ["y", "z"]
        self.assertEqual(d.lst, [["a", "y"], ["b", "2"], ["a", "z"]])
        with self.assertRaises(ValueError):
            d["a"] = "text"

    def test_read(self):
        d = ODictCaseless([["Host", "x"], ["A", "1"], ["a", "2"]])
        self.assertEqual((d["A"], d["none"], d.get("none"), d.get("none", 5)), (["1", "2"], [], None, 5))
        self.assertEqual((d.get_first("HOST"), d.get_first("none", 1)), ("x", 1))
        self.assertTrue("HOST" in d and d.in_any("host", "X", True) and not d.in_any("host", "X"))
        self.assertEqual((len(d), sorted(d.keys()), list(d)), (3, ["a", "host"], d.items()))
        self.assertEqual(str(d), "Host: x\r\nA: 1\r\na: 2\r\n")
        self.assertTrue(d.match_re("ost: x"))
        self.assertFalse(ODict())

    def test_change(self):
        d = ODict([["a", "foo"]])
        d.add("b", "foo")
        d.add("c", "1", prepend=True)
        other = d.copy()
        self.assertEqual(d.replace("fo+", "bar"), 2)
        self.assertEqual(d.lst, [["c", "1"], ["a", "bar"], ["b", "bar"]])
        del d["b"]
        del d["none"]
        self.assertNotEqual(d, other)
        self.assertEqual(ODict.from_state(d.get_state()), d)
        d.extend(other)
        self.assertEqual(d["a"], ["bar", "foo"])


class Texts(unittest.TestCase):
    def test_bytes_go_with_str(self):
        b = Bytes(b"foo bar\nx")
        self.assertEqual(b.replace("foo", "b\u00e4r"), "b\u00e4r bar\nx")
        self.assertTrue("bar" in b and b.startswith(("x", "foo")) and b == b"foo bar\nx" and b != "foo")
        self.assertEqual((b.find("bar"), b.split("\n"), b[0], b[1:3]), (4, ["foo bar", "x"], "f", "oo"))
        self.assertEqual([c for c in b][:2], ["f", "o"])
        self.assertEqual(("<" + b[:3] + ">", b + "!", "%s" % b[:3], "{}".format(b[:3])), ("<foo>", "foo bar\nx!", "foo", "foo"))
        for made in (b.upper(), b.strip(), b + "x", "x" + b, b[:2], b.encode("utf8"), Bytes(b",").join(["a", b"b"])):
            self.assertIs(type(made), Bytes)
        self.assertEqual(b.decode(), "foo bar\nx")
        self.assertEqual(str(Bytes(b"\xff")).encode("utf-8", "surrogateescape"), b"\xff")
        self.assertEqual({b"a": 1}[Bytes(b"a")], 1)

    def test_callables(self):
        text = CallableText("a", lambda hostheader=False: "b" if hostheader else "c")
        self.assertEqual((text, text(), text(hostheader=True), text.upper()), ("a", "c", "b", "A"))
        self.assertTrue(CallableBool(1) and CallableBool(1)() is True and not CallableBool(0))
        self.assertEqual(repr(CallableBool(1)), "True")

    def test_subn(self):
        self.assertEqual(subn("fo+", "x", b"foo foo"), (b"x x", 2))
        self.assertEqual(subn(b"fo+", b"x", "foo foo", 1), ("x foo", 1))

    def test_re_takes_both(self):
        re = python2.Re()
        body = Bytes(b"foo http://a.b/ foo")
        self.assertEqual(re.sub("fo+", "x", body), "x http://a.b/ x")
        self.assertEqual(re.search("http://([a-z.]+)", body).group(1), b"a.b")
        pattern = re.compile("FOO", re.IGNORECASE)
        self.assertEqual((pattern.findall(body), pattern.findall("Foo"), pattern.pattern), ([b"foo", b"foo"], ["Foo"], "FOO"))
        self.assertEqual(pattern.sub(lambda m: m.group().upper(), body), "FOO http://a.b/ FOO")
        self.assertEqual(re.split("o+", body, 1), [b"f", b" http://a.b/ foo"])
        self.assertEqual(re.escape("."), "\\.")
        with self.assertRaises(re.error):
            re.compile("(")

    def test_equip(self):
        import re
        import urllib

        names = {"re": re, "sub": re.sub, "urllib": urllib, "unicode": "mine"}
        python2.equip(names, "unicode(x); basestring; reduce(a, b); xrange(3)")
        self.assertEqual(names["unicode"], "mine")
        self.assertTrue(isinstance(b"", names["basestring"]) and list(names["xrange"](2)) == [0, 1])
        self.assertEqual(names["sub"]("a", "b", b"a"), b"b")
        self.assertEqual(names["urllib"].quote(" "), "%20")
        self.assertNotIn("file", names)


class Streams(unittest.TestCase):
    def test_of_chunks(self):
        def old(chunks):
            for chunk in chunks:
                yield chunk.replace(b"a", b"b")

        def triples(chunks):
            for prefix, content, suffix in chunks:
                yield prefix, content.upper(), suffix

        def today(data):
            yield data.replace(b"a", b"b")

        self.assertTrue(stream.of_chunks(old) and stream.of_chunks(triples))
        self.assertFalse(stream.of_chunks(today) or stream.of_chunks(True) or stream.of_chunks(len))
        fed = stream.Chunks(old)
        self.assertEqual((fed(b"xa"), fed(b"a"), fed(b"")), (b"", b"", b"xbb"))
        self.assertEqual(fed(b""), b"")
        fed = stream.Chunks(triples, Bytes)
        self.assertEqual((fed(b"xa"), fed(b"")), (b"", b"XA"))


if __name__ == "__main__":
    unittest.main()
