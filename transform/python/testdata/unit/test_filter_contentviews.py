"""contentviews as mitmproxy 12 has them; oracle/contentviews.py has the older ones."""
import time
import unittest
from unittest import mock

from mitmproxy import contentviews, http
from mitmproxy.contentviews import ContentviewRegistry, Metadata, prettify_message, registry
from mitmproxy.test import tflow, tutils


class SwapCase(contentviews.Contentview):
    def prettify(self, data, metadata):
        return data.swapcase().decode()

    def render_priority(self, data, metadata):
        return 2 if metadata.content_type == "text/example" else 0


class InteractiveContentview(contentviews.InteractiveContentview):
    def prettify(self, data, metadata):
        return data.decode()

    def reencode(self, prettified, metadata):
        return prettified.encode()


class FailingContentview(contentviews.Contentview):
    def prettify(self, data, metadata):
        raise ValueError("oops")

    def render_priority(self, data, metadata):
        return 1


class Old(contentviews.View):
    name = "Old"

    def __call__(self, data, *, content_type=None, flow=None, http_message=None, **unknown):
        return "old", contentviews.format_text(data)


class Registering(unittest.TestCase):
    def setUp(self):
        self.addCleanup(contentviews.views.__setitem__, slice(None), list(contentviews.views))
        self.addCleanup(registry._by_name.update, dict(registry._by_name))

    def test_add_class(self):
        contentviews.add(SwapCase)
        self.assertIn("swapcase", registry)
        self.assertEqual(registry["SwapCase"].name, "SwapCase")
        self.assertEqual(registry["swapcase"].syntax_highlight, "none")
        m = tutils.tresp(content=b"aBc", headers=http.Headers(content_type="text/example"))
        f = tflow.tflow(resp=m)
        self.assertEqual(prettify_message(m, f).text, "AbC")
        self.assertEqual(prettify_message(m, f).view_name, "SwapCase")
        description, lines, error = contentviews.get_message_content_view("auto", m, f)
        self.assertEqual((description, list(lines), error), ("SwapCase", [[("text", "AbC")]], None))
        contentviews.add(SwapCase)
        self.assertEqual(sum(v.name == "SwapCase" for v in contentviews.views), 1)

    def test_add_old(self):
        view = Old()
        contentviews.add(view)
        self.assertIs(contentviews.get("old"), view)
        m = tutils.tresp(content=b"a\nb")
        self.assertEqual(prettify_message(m, tflow.tflow(resp=m), "old").text, "a\nb")
        contentviews.remove(view)
        self.assertNotIn("old", registry)

    def test_reencode(self):
        contentviews.add(InteractiveContentview)
        f = tflow.tflow()
        self.assertEqual(contentviews.reencode_message("x", f.request, f, "interactive"), b"x")

    def test_abstract(self):
        with self.assertRaises(TypeError):
            contentviews.Contentview()


class Registry(unittest.TestCase):
    def test_mapping(self):
        r = ContentviewRegistry()
        told = mock.Mock()
        r.on_change.connect(told)
        view = SwapCase()
        r.register(view)
        told.assert_called_once_with(view)
        self.assertEqual((list(r), len(r), r["SWAPCASE"]), (["swapcase"], 1, view))
        self.assertEqual(r.available_views(), ["auto", "swapcase"])

    def test_unknown_view(self):
        r = ContentviewRegistry()
        r.register(SwapCase)
        with self.assertLogs(level="WARNING") as logs:
            self.assertEqual(r.get_view(b"data", Metadata(), "unknown").name, "SwapCase")
        self.assertIn("Unknown contentview 'unknown'", logs.output[0])

    def test_failing_priority(self):
        class Bad(SwapCase):
            def render_priority(self, data, metadata):
                raise ValueError

        r = ContentviewRegistry()
        r.register(Bad)
        r.register(SwapCase)
        with self.assertLogs(level="ERROR"):
            self.assertEqual(r.get_view(b"data", Metadata()).name, "SwapCase")

    def test_failing_view(self):
        r = ContentviewRegistry()
        r.register(FailingContentview)
        r.register(registry["raw"])
        f = tflow.tflow()
        result = prettify_message(f.request, f, registry=r)
        self.assertEqual((result.text, result.view_name), ("content", "Raw"))
        self.assertIn("[failed to parse as Failing]", result.description)
        result = prettify_message(f.request, f, "failing", registry=r)
        self.assertIn("Couldn't parse as Failing", result.text)
        self.assertEqual(result.syntax_highlight, "error")

    def test_selection(self):
        for data, content_type, name in (
            (b"foo", None, "Raw"),
            (b"", None, "Raw"),
            (b"<html></html>", "text/html", "XML/HTML"),
            (b"<xml></xml>", "text/flibble", "XML/HTML"),
            (b"{}", "application/acme+json", "JSON"),
            (b"\xff" * 30, None, "Hex Dump"),
            (b"a=b", "application/x-www-form-urlencoded", "URL-encoded"),
        ):
            self.assertEqual(registry.get_view(data, Metadata(content_type=content_type)).name, name)


class Pretty(unittest.TestCase):
    def check(self, view, data, want, **metadata):
        self.assertEqual(registry[view].prettify(data, Metadata(**metadata)), want)

    def test_json(self):
        self.check("json", '{"b": "日本", "a": [1]}'.encode(), '{\n    "b": "日本",\n    "a": [\n        1\n    ]\n}')
        with self.assertRaises(ValueError):
            self.check("json", b"{", "")

    def test_urlencoded(self):
        self.check("url-encoded", b"one=two&three=four&one=2", "one:\n- two\n- '2'\nthree: four\n")
        self.check("url-encoded", b"x=", "x: ''\n")
        self.check("url-encoded", b"\xff\x00", "\\xff\\x00: ''\n")

    def test_query(self):
        request = tutils.treq()
        request.query = [("foo", "bar"), ("foo", "baz")]
        self.check("query", b"", "foo:\n- bar\n- baz\n", http_message=request)
        with self.assertRaises(ValueError):
            self.check("query", b"", "")

    def test_multipart(self):
        form = b'--AaB03x\r\nContent-Disposition: form-data; name="submit-name"\r\n\r\nLarry\r\n--AaB03x--'
        headers = {"content-type": "multipart/form-data; boundary=AaB03x"}
        request = http.Request.make("POST", "https://example.com/", headers=headers)
        self.check("multipart form", form, "submit-name: Larry\n", http_message=request)
        with self.assertRaises(ValueError):
            self.check("multipart form", form, "")

    def test_raw_and_hex(self):
        self.check("raw", "🫠\xff".encode() + b"\xff", "🫠\xff\\xff")
        self.check("hex stream", b"content", "636f6e74656e74")
        self.check("hex dump", b"a\x00", "0000000000  61 00%s  a." % (" " * 42))

    def test_javascript(self):
        self.check("javascript", b"a={b:1};c", "a= {\n  b:1\n};\nc")
        self.check("javascript", b"a;'\xff'", "a;\n'\\xff'")
        headers = {"content-type": "text/javascript; charset=latin1"}
        response = http.Response.make(200, b"a;'\xe9'", headers)
        self.check("javascript", response.raw_content, "a;\n'\u00e9'", http_message=response)
        self.assertEqual(registry["JavaScript"].syntax_highlight, "javascript")
        result = prettify_message(response, tflow.tflow(resp=response))
        self.assertEqual((result.view_name, result.text), ("JavaScript", "a;\n'\u00e9'"))

    def test_javascript_without_ends(self):
        """What does not end is looked for once."""
        for text in ("'\\'", "`\\`", "/*/", "=/\\/", "for(", "=/a,/ ", "{", "}/*a*/\n"):
            data = text.encode() * 50000
            start = time.process_time()
            registry["javascript"].prettify(data, Metadata())
            self.assertLess(time.process_time() - start, 5, text)

    def test_messages(self):
        for f, m in (
            (tflow.ttcpflow(), lambda f: f.messages[0]),
            (tflow.tudpflow(), lambda f: f.messages[0]),
            (tflow.twebsocketflow(), lambda f: f.websocket.messages[0]),
        ):
            self.assertEqual(prettify_message(m(f), f).view_name, "Raw")
        f = tflow.tflow()
        f.request.content = None
        self.assertEqual(prettify_message(f.request, f).text, "Content is missing.")


if __name__ == "__main__":
    unittest.main()
