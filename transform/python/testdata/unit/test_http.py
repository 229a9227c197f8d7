"""Messages as scripts see them, above all those that came from flowkit."""
import json
import subprocess
import sys
import unittest
from marshal import dumps

from _flowkit import diff
from mitmproxy import http
from mitmproxy.http import Headers, HTTPFlow, Request, Response
from mitmproxy.net import encoding

HEADERS = ((b"Host", b"shop.example"), (b"Accept", b"*/*"), (b"accept", b"x"))
SENT = ((b"Content-Type", b"text/plain; charset=utf-8"), (b"Content-Length", b"4"), (b"Set-Cookie", b"a=b"))


class Batch:
    """Stands for what fetches what was not sent; it remembers what it was asked for."""

    def __init__(self, request=b"form", response=b"body"):
        self.bodies = (request, response)
        self.asked = []
        self.copies = []

    def body(self, index, part, off, length):
        self.asked.append((index, part, off, length))
        if isinstance(self.bodies[part], Exception):
            raise self.bodies[part]
        return self.bodies[part]

    def conns(self, index):
        return None, None


def received(batch=None, headers=SENT, trailers=None, cold=None, request_headers=HEADERS, response=True):
    """Return a flow as the bridge makes it."""
    flow = HTTPFlow.__new__(HTTPFlow)
    d = flow.__dict__
    d["_rec"] = (
        0, "id", 5.0,
        dumps(("10.0.0.1", 8080, b"get", b"http", b"", b"/p?a=1&b#f", b"HTTP/1.1", request_headers, 7, 4, 1.0, 2.0, None)),
        dumps((200, b"OK", b"HTTP/1.1", headers, 11, 4, 3.0, None, trailers)) if response else None,
        cold, 21,
    )  # fmt: skip
    d["_batch"] = batch or Batch()
    d["_index"] = 3
    return flow


class Received(unittest.TestCase):
    def test_fields(self):
        f = received(trailers=((b"t", b"u"),))
        q, r = f.request, f.response
        self.assertIs(f.request, q)
        self.assertEqual(
            (q.host, q.port, q.method, q.scheme, q.authority, q.path, q.http_version, q.timestamp_start, q.timestamp_end, q.trailers),
            ("10.0.0.1", 8080, "GET", "http", "", "/p?a=1&b#f", "HTTP/1.1", 1.0, 2.0, None),
        )
        self.assertEqual((r.status_code, r.reason, r.http_version, r.timestamp_start, r.timestamp_end), (200, "OK", "HTTP/1.1", 3.0, None))
        self.assertEqual(r.trailers["T"], "u")
        self.assertEqual(f.timestamp_start, 1.0)
        self.assertIsNone(f.websocket)

    def test_nothing_is_decoded_or_asked_before_it_is_touched(self):
        f = received()
        self.assertEqual(len(f.__dict__), 3)
        r = f.response
        self.assertEqual(sorted(r.__dict__), ["_batch", "_index", "_raw"])
        r.status_code
        self.assertNotIn("headers", r.__dict__)
        r.headers["content-type"]
        self.assertEqual(f._batch.asked, [])

    def test_bodies_are_asked_for_once(self):
        f = received()
        self.assertEqual((f.response.content, f.response.text, f.response.raw_content), (b"body", "body", b"body"))
        self.assertEqual(f.request.content, b"form")
        self.assertEqual(f._batch.asked, [(3, 1, 11, 4), (3, 0, 7, 4)])

    def test_setting_a_body_asks_for_nothing(self):
        f = received()
        f.response.content = b"other"
        f.request.text = "x"
        self.assertEqual(f._batch.asked, [])
        self.assertNotIn("_body0", f.response.__dict__)

    def test_what_is_not_changed_is_the_same_object(self):
        f = received()
        r = f.response
        r.content = r.content
        r.text = r.text
        r.content = bytes(bytearray(b"body"))
        r.raw_content = r.raw_content.replace(b"nope", b"x")
        r.headers["content-length"] = "4"
        r.headers["SET-COOKIE"] = "a=b"
        r.headers.set_all("set-cookie", ["a=b"])
        r.headers.pop("nope", None)
        r.headers.setdefault("Set-Cookie", "c")
        r.headers.update({"Content-Length": "4"})
        r.decode()
        self.assertIs(r.headers.fields, r._rec[3])
        self.assertIs(r._body, r._body0)

    def test_edits_leave_the_record(self):
        f = received()
        h = f.response.headers
        h["newheader"] = "foo"
        h["content-length"] = "5"
        self.assertEqual(f.response._rec[3], SENT)
        self.assertEqual(h.fields, (SENT[0], (b"Content-Length", b"5"), SENT[2], (b"newheader", b"foo")))
        self.assertIs(h.fields[0], f.response._rec[3][0])

    def test_same_body_after_decoding(self):
        zipped = encoding.encode_gzip(b"hello" * 99)
        f = received(Batch(response=zipped), headers=((b"content-encoding", b"gzip"), (b"Content-Length", b"%d" % len(zipped))))
        r = f.response
        r.text = r.text.replace("nope", "x")
        self.assertIs(r._body, r._body0)
        self.assertIs(r.headers.fields, r._rec[3])
        r.content += b"!"
        self.assertEqual(encoding.decode(r.raw_content, "gzip"), b"hello" * 99 + b"!")

    def test_what_flowkit_gets_back(self):
        f = received()
        f.request.path, f.request.pretty_url, f.response.text, f.response.headers.get("x"), f.request.query.fields
        self.assertEqual(diff.http(f, diff.Raw())[:2], (None, None))
        f.response.headers["newheader"] = "foo"
        f.request.host = "h"
        f.request.content = b"other"
        raw = diff.Raw()
        request, response, _ = diff.http(f, raw)
        self.assertEqual(list(response[::2]), [3])
        self.assertEqual(dict(zip(request[::2], request[1::2]))[0], "h")
        self.assertEqual(sorted(request[::2]), [0, 7, 8])
        self.assertEqual(raw.pieces, [b"other"])
        f.response = Response.make(204)
        self.assertEqual(diff.http(f, diff.Raw())[1][:4], [True, 204, b"No Content", b"HTTP/1.1"])

    def test_error_of_the_batch_goes_through(self):
        class TooLarge(ValueError):
            pass

        f = received(Batch(TooLarge("large"), TooLarge("large")), request_headers=((b"content-type", b"multipart/form-data; boundary=x"),))
        for call in (
            lambda: f.response.content, lambda: f.response.text, lambda: f.response.raw_content, lambda: f.response.json(),
            lambda: f.response.get_text(strict=False), lambda: f.request.multipart_form.fields,
        ):  # fmt: skip
            with self.assertRaises(TooLarge):
                call()

    def test_missing_body(self):
        f = received(Batch(None, None))
        self.assertEqual((f.response.content, f.response.text, f.request.content), (None, None, None))
        self.assertIsNone(f.response.__dict__["_body0"])

    def test_missing_response(self):
        f = received(response=False)
        self.assertIsNone(f.response)
        f.response = Response.make(404)
        self.assertEqual(f.response.reason, "Not Found")

    def test_copy_of_a_message(self):
        f = received()
        r = f.response
        c = r.copy()
        c.headers["a"] = "b"
        c.status_code = 5
        c.content = b"x"
        self.assertEqual((r.status_code, r.headers.fields, r.content), (200, SENT, b"body"))
        self.assertEqual(r.copy().content, b"body")
        self.assertFalse(hasattr(c, "anything"))

    def test_copy_of_a_flow(self):
        f = received()
        f.request.headers["x"] = "y"
        f.metadata["k"] = "v"
        c = f.copy()
        self.assertEqual(f._batch.asked, [])
        self.assertNotEqual(c.id, f.id)
        self.assertEqual((c.request.headers["x"], c.response.text, c.metadata), ("y", "body", {"k": "v"}))
        c.request.path = "/other"
        self.assertEqual(f.request.path, "/p?a=1&b#f")

    def test_state(self):
        state = received().get_state()
        self.assertEqual(
            list(state["request"]),
            "http_version headers content trailers timestamp_start timestamp_end host port method scheme authority path".split(),
        )
        self.assertEqual(state["response"]["content"], b"body")
        self.assertEqual(HTTPFlow.from_state(state).get_state(), state)

    def test_data(self):
        r = received().response
        self.assertEqual((r.data.status_code, r.data.content, r.data.headers["set-cookie"]), (200, b"body", "a=b"))
        r.data.content = b"raw"
        r.data.reason = b"x"
        self.assertEqual((r.raw_content, r.reason, r.headers["content-length"]), (b"raw", "x", "4"))

    def test_lost_field(self):
        with self.assertRaises(AttributeError):
            Response.__new__(Response).headers
        with self.assertRaises(AttributeError):
            Response.__new__(Response).status_code


class Redirect(unittest.TestCase):
    """The host and the port, which the Host header follows as since version 10."""

    def request(self, headers=(), authority=b"", version=b"HTTP/1.1"):
        return Request("h", 80, "GET", "http", authority, "/p", version, headers, b"", None, 1, 2)

    def test_host(self):
        r = self.request(((b"Host", b"h"),), b"h")
        r.port = 81
        self.assertEqual((r.headers["host"], r.authority), ("h:81", "h:81"))
        r.host = "i"
        self.assertEqual((r.headers["host"], r.authority, r.url), ("i:81", "i:81", "http://i:81/p"))
        r.url = "https://j/q"
        self.assertEqual((r.headers["host"], r.authority, r.pretty_url), ("j", "j", "https://j/q"))

    def test_no_host_header_is_made(self):
        r = self.request()
        r.host, r.port = "i", 5
        self.assertEqual((r.headers.fields, r.authority), ((), ""))
        r.host_header = "x"
        self.assertEqual(r.headers.fields, ((b"Host", b"x"),))

    def test_later_versions(self):
        for version in (b"HTTP/2.0", b"HTTP/3"):
            r = self.request((), b"a", version)
            self.assertEqual(r.host_header, "a")
            r.host_header = "b"
            self.assertEqual((r.headers.fields, r.authority), ((), "b"))
        self.assertTrue(r.is_http3)

    def test_port_must_be_a_number(self):
        for port in ("80", None, 1.5):
            with self.assertRaises(ValueError):
                self.request().port = port

    def test_host_is_valid_or_whole(self):
        for header, host in ((b"a:1", "a"), (b".disqus.com", ".disqus.com"), (b"a..b:1", "a..b:1"), (b"[::1]:5", "::1")):
            self.assertEqual(self.request(((b"host", header),)).pretty_host, host)

    def test_constrain_encoding(self):
        r = self.request(((b"accept-encoding", b"br;q=1, oink, gzip"),))
        r.constrain_encoding()
        self.assertEqual(r.headers["accept-encoding"], "gzip, br")


class Encodings(unittest.TestCase):
    def test_gzip_is_as_that_of_the_module(self):
        import gzip
        import io

        for data in (b"", b"a", b"hello" * 50000, bytes(range(256)) * 1000):
            out = io.BytesIO()
            with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) as f:
                f.write(data)
            # Before 3.9 the module did not say how fast it was.
            self.assertEqual(encoding.encode_gzip(data)[:8] + b"\x04" + encoding.encode_gzip(data)[9:], encoding.encode_gzip(data))
            self.assertEqual(encoding.encode_gzip(data)[9:], out.getvalue()[9:])
            self.assertEqual(gzip.decompress(encoding.encode_gzip(data)), data)

    def test_what_is_cut_off(self):
        data = encoding.encode_gzip(b"hello" * 1000)
        self.assertTrue((b"hello" * 1000).startswith(encoding.decode(data[:-12], "gzip")))
        with self.assertRaises(ValueError):
            encoding.decode(b"foobar", "gzip")

    def test_gzip_several(self):
        one = encoding.encode_gzip(b"a")
        self.assertEqual(encoding.decode_gzip(one + one + one), b"aaa")
        self.assertEqual(encoding.decode_gzip(one + b"tail"), b"a")
        self.assertEqual(encoding.decode_gzip(encoding.encode_deflate(b"a")), b"a")

    def test_missing_package(self):
        before, packages = encoding.fallback, dict(encoding._packages)
        finders = encoding._find_brotli, encoding._find_zstd
        encoding._packages.clear()
        encoding._find_brotli = encoding._find_zstd = lambda: None
        try:
            for name, package in (("br", "brotli"), ("zstd", "zstandard")):
                with self.assertRaisesRegex(ValueError, package):
                    encoding.decode(b"x", name)
                self.assertEqual(encoding.decode(b"", name), b"")
                r = Response.make(200, b"x", {"content-encoding": name})
                self.assertEqual((r.raw_content, r.headers.get("content-encoding")), (b"x", None))
            encoding.fallback = lambda what, name, content: ("%s %s" % (what, name)).encode() + content
            self.assertEqual(encoding.decode(b"1", "br"), b"decode br1")
            self.assertEqual(encoding.encode(b"2", "ZSTD"), b"encode zstd2")
        finally:
            encoding.fallback = before
            encoding._packages.clear()
            encoding._packages.update(packages)
            encoding._find_brotli, encoding._find_zstd = finders

    def test_charsets(self):
        from mitmproxy.net.http.headers import infer_content_encoding as infer

        for content_type, content, charset in (
            ("", b"", "latin-1"), ("", b"\xfc", "latin-1"), ("", b"\xef\xbb\xbffoo", "utf-8-sig"), ("", b"\xff\xfef\x00", "utf-16le"),
            ("", b"\xfe\xff\x00f", "utf-16be"), ("", b"\xff\xfe\x00\x00f\x00\x00\x00", "utf-32le"), ("", b"\x00\x00\xfe\xff\x00\x00\x00f", "utf-32be"),
            ("text/html; charset=latin1", b"", "latin1"), ("text/html; charset=GBK", b"", "gb18030"), ("application/json", b"", "utf8"),
            ("text/html", b'<meta charset="gb2312">', "gb18030"), ("text/html", b"<html>", "utf8"), ("text/html", b"<meta charset=>", "utf8"),
            ("application/xml", b'<?xml version="1.0" encoding="koi8-r"?>', "koi8-r"), ("application/xml", b"<?xml?>", "utf8"),
            ("application/xml", b'<?xml version="1.0"?><a encoding="koi8-r"/>', "utf8"), ("text/css", b'@charset "koi8-r";', "koi8-r"),
            ("text/css", b"h1 {}", "utf8"), ("text/css", b'@charset "";', "utf8"), ("text/javascript", b"", "utf8"), ("application/ecmascript", b"", "utf8"),
            ("text/plain", b"", "latin-1"), ("application/xhtml+xml", b'<?xml encoding="koi8-r"?>', "utf8"),
        ):  # fmt: skip
            self.assertEqual(infer(content_type, content), charset, (content_type, content))

    def test_large_meta(self):
        page = b"<html>" + b"<p>x</p>" * 10000 + b"<META charset='koi8-r'>\xc1"
        self.assertEqual(Response.make(200, page, {"content-type": "text/html"}).text[-1], "\u0430")

    def test_text_falls_back_to_utf8(self):
        r = Response.make(200, b"", {"content-type": "text/html; charset=latin1; x=y"})
        r.text = "\u2603"
        self.assertEqual((r.headers["content-type"], r.raw_content), ("text/html; charset=utf-8; x=y", "\u2603".encode()))


class MoreHeaders(unittest.TestCase):
    def test_any_name(self):
        h = Headers(HEADERS)
        self.assertEqual((h["ACCEPT"], h[b"accept"], h.get("nope"), "host" in h), ("*/*, x", "*/*, x", None, True))
        for bad in (5, None, ["x"], bytearray(b"x")):
            for call in (lambda: h[bad], lambda: h.get(bad), lambda: bad in h, lambda: h.__setitem__("x", bad), lambda: h.__setitem__(bad, "x"), lambda: h.__delitem__(bad)):
                with self.assertRaises(TypeError):
                    call()
        self.assertEqual(h.fields, HEADERS)

    def test_many_names(self):
        h = Headers()
        for i in range(3000):
            h["name-%d" % i] = "x"
        self.assertEqual((len(h), h["NAME-2999"], len(http._lowered) <= 1024), (3000, "x", True))

    def test_items(self):
        h = Headers(HEADERS)
        self.assertEqual(list(h.items()), [("Host", "shop.example"), ("Accept", "*/*, x")])
        self.assertEqual([k for k in h], ["Host", "Accept"])
        self.assertIn(("Host", "shop.example"), h.items())
        self.assertEqual(json.loads(json.dumps(dict(h))), {"Host": "shop.example", "Accept": "*/*, x"})
        for name, value in h.items():
            del h[name]
        self.assertEqual(h.fields, ())

    def test_changes_replace_fields(self):
        h = Headers(HEADERS)
        edits = (
            lambda: h.add("a", "b"), lambda: h.insert(0, "c", "d"), lambda: h.pop("a"), lambda: h.__setitem__("host", "z"),
            lambda: h.set_all("accept", ["1", "2", "3"]), lambda: h.__delitem__("c"), lambda: h.clear(),
        )  # fmt: skip
        for edit in edits:
            before = h.fields
            kept = tuple(before)
            edit()
            self.assertIsNot(h.fields, before)
            self.assertEqual(before, kept)


class Imports(unittest.TestCase):
    SLOW = "typing dataclasses enum re json logging asyncio inspect urllib email datetime gzip zlib ipaddress collections"

    def test_starts_fast(self):
        code = (
            "import sys; before = set(sys.modules); import mitmproxy.http, mitmproxy.flow; "
            "print(*sorted(set(sys.modules) - before))"
        )
        out = subprocess.run([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, check=True).stdout.decode().split()
        self.assertEqual([name for name in self.SLOW.split() if name in out], [])

    def test_names(self):
        for name in ("Headers", "HTTPFlow", "Message", "Request", "Response", "WebSocketData", "RequestData", "ResponseData", "MessageData"):
            self.assertTrue(hasattr(http, name), name)
        with self.assertRaises(AttributeError):
            http.nope


if __name__ == "__main__":
    unittest.main()
