"""URLs, forms, cookies and what else messages consist of."""
import random
import unittest
import urllib.parse

from mitmproxy.http import Headers, Request, Response
from mitmproxy.net import check, server_spec
from mitmproxy.net.http import cookies, http1, multipart, url, user_agents, validate
from mitmproxy.net.http.http1 import read


class URLs(unittest.TestCase):
    def random_texts(self, alphabet, count=3000, size=14):
        chance = random.Random(5)
        for _ in range(count):
            yield "".join([chance.choice(alphabet) for _ in range(chance.randrange(size))])

    def test_quoting_is_that_of_urllib(self):
        escape = {"errors": "surrogateescape"}
        for text in self.random_texts("ab=&;+%4e%c3%a9%zZ\xe9\udcff %2/~"):
            self.assertEqual(url.unquote(text), urllib.parse.unquote(text, **escape))
            self.assertEqual(url.quote(text), urllib.parse.quote(text, **escape))
            self.assertEqual(url.quote(text, safe=""), urllib.parse.quote(text, safe="", **escape))
            pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, **escape)
            self.assertEqual(url.decode(text), pairs)
            self.assertEqual(url.encode(pairs), urllib.parse.urlencode(pairs, **escape))

    def test_paths_are_split_as_by_urllib(self):
        for text in self.random_texts("/a;?#%2f:@.* \té"):
            path = "/" + text
            parsed = urllib.parse.urlparse("http://h" + path)
            self.assertEqual(url.split_path(path), (parsed.path, parsed.params, parsed.query, parsed.fragment), path)

    def test_bytes(self):
        self.assertEqual(url.encode([(b"a\xff", b"b c"), ("d", 5)]), "a%FF=b+c&d=5")
        self.assertEqual(url.unparse(b"http", b"a", 81, b"/"), b"http://a:81/")

    def test_lenient_views(self):
        r = Request.make("GET", "http://a/?x=1")
        r.query = [["a", "b"]]
        self.assertEqual(r.path, "/?a=b")
        r.cookies = {"a": "b"}
        self.assertEqual(r.headers["cookie"], "a=b")
        s = Response.make()
        s.cookies["a"] = ("b", {"Path": "/"})
        self.assertEqual(s.headers["set-cookie"], "a=b; Path=/")

    def test_hosts(self):
        for host in (b"one_two", b"::1", b"127.0.0.1", b"a.b.", "x" * 63 + ".tld", "\xfc.de"):
            self.assertTrue(check.is_valid_host(host), host)
        for host in (b"", b"xn--ke.ws", b"one" * 255, b"ex@mple", b"a..b", b"2001:db8::85a3::7334", "x" * 64 + ".tld", "a b", "\n"):
            self.assertFalse(check.is_valid_host(host), host)

    def test_server_specs(self):
        for spec, scheme, want in (
            ("example.com", "https", ("https", ("example.com", 443))),
            ("smtp.example.com:25", "tcp", ("tcp", ("smtp.example.com", 25))),
            ("http://[::1]:8080", "https", ("http", ("::1", 8080))),
            ("8.8.8.8", "dns", ("dns", ("8.8.8.8", 53))),
            ("a:80", None, ("http", ("a", 80))),
        ):
            self.assertEqual(server_spec.parse(spec, scheme), want)
        for spec, scheme, error in (
            (":", "https", "Invalid server specification"),
            ("ftp://example.com", "https", "Invalid server scheme"),
            ("$$$", "https", "Invalid hostname"),
            ("example.com:999999", "https", "Invalid port"),
            ("example.com", "tcp", "Port specification missing"),
        ):
            with self.assertRaisesRegex(ValueError, error):
                server_spec.parse(spec, scheme)


class Cookies(unittest.TestCase):
    def test_attributes_without_a_value(self):
        r = Response.make(headers={"set-cookie": "a=b; Secure; HttpOnly; Path=/"})
        value, attrs = r.cookies["a"]
        self.assertEqual((value, attrs["httponly"], attrs["path"]), ("b", None, "/"))
        r.cookies = r.cookies.fields
        self.assertEqual(r.headers["set-cookie"], "a=b; Secure; HttpOnly; Path=/")

    def test_short_expires(self):
        [(name, value, attrs)] = cookies.parse_set_cookie_header("a=b; expires=0; path=/")
        self.assertEqual((name, value, attrs.fields), ("a", "b", (("expires", "0"), ("path", "/"))))

    def test_expired(self):
        attrs = cookies.CookieAttrs
        self.assertTrue(cookies.is_expired(attrs([("Expires", "Thu, 01-Jan-1970 00:00:00 GMT")])))
        self.assertTrue(cookies.is_expired(attrs([("Max-Age", "0")])))
        self.assertFalse(cookies.is_expired(attrs([("Max-Age", "10")])))
        self.assertFalse(cookies.is_expired(attrs([("Max-Age", "nan"), ("Expires", "false")])))

    def test_refresh(self):
        r = Response.make(headers=[(b"date", b"Fri, 31 Dec 1999 23:00:00 GMT"), (b"set-cookie", b"a=b; Expires=Tue, 08-Mar-2011 00:20:38 GMT; Secure")])
        r.timestamp_start = 1000
        r.refresh(1060)
        self.assertEqual(r.headers["date"], "Fri, 31 Dec 1999 23:01:00 GMT")
        self.assertEqual(r.headers["set-cookie"], "a=b; Expires=Tue, 08 Mar 2011 00:21:38 GMT; Secure")


class Forms(unittest.TestCase):
    def test_multipart(self):
        r = Request.make("POST", "http://a/")
        r.multipart_form = [(b"file", b"shell.jpg"), (b"size", b"1000")]
        self.assertTrue(r.headers["content-type"].startswith("multipart/form-data; boundary="))
        self.assertEqual(list(r.multipart_form.items()), [(b"file", b"shell.jpg"), (b"size", b"1000")])
        r.multipart_form.add(b"more", b"x")
        self.assertEqual(r.multipart_form[b"more"], b"x")

    def test_multipart_without_type(self):
        self.assertEqual(multipart.encode_multipart("", [(b"a", b"b")]), b"")
        self.assertEqual(multipart.decode_multipart(None, b"x"), [])
        self.assertEqual(multipart.encode_multipart("a/b; boundary=\u8305", [(b"a", b"b")]), b"")
        with self.assertRaisesRegex(ValueError, "boundary found"):
            multipart.encode_multipart("a/b; boundary=B", [(b"a", b"--B")])

    def test_keys_without_a_value(self):
        r = Request.make("POST", "http://a/", "a&b=c", {"content-type": "application/x-www-form-urlencoded"})
        r.urlencoded_form["d"] = ""
        self.assertEqual(r.content, b"a&b=c&d")


class HTTP1(unittest.TestCase):
    def test_body_size(self):
        q, s = Request.make("GET", "http://a/"), Response.make()

        def size(headers, response=False):
            m = s if response else q
            m.headers = Headers([(k.encode(), v.encode()) for k, v in headers])
            return http1.expected_http_body_size(q, s if response else None)

        self.assertEqual(size([("content-length", "42")]), 42)
        self.assertEqual(size([]), 0)
        self.assertEqual(size([], True), -1)
        self.assertIsNone(size([("transfer-encoding", "gzip,\tchunked")]))
        self.assertEqual(size([("transfer-encoding", "identity"), ("content-length", "42")]), 42)
        self.assertEqual(size([("transfer-encoding", "gzip")]), -1)
        for bad in ([("transfer-encoding", "qux")], [("transfer-encoding", "chun\u212aed")], [("content-length", "-1")], [("content-length", "4"), ("content-length", "4")]):
            with self.assertRaises(ValueError):
                size(bad)
        s.headers = Headers(content_length="7")
        for status in (100, 204, 304):
            s.status_code = status
            self.assertEqual(http1.expected_http_body_size(q, s), 0)

    def test_read(self):
        self.assertEqual(read._read_request_line(b"GET HTTP://foo:42/bar HTTP/1.1"), ("foo", 42, b"GET", b"http", b"foo:42", b"/bar", b"HTTP/1.1"))
        for bad in (b"GET / WTF/1.1", b"CONNECT example.com HTTP/1.1", b"GET ws://example.com/ HTTP/1.1", b"this is not http", b""):
            with self.assertRaises(ValueError):
                read._read_request_line(bad)
        self.assertEqual(read.get_header_tokens(Headers(a="b, c"), "A"), ["b", "c"])

    def test_validate(self):
        for te in ("unknown", "chunked,chunked", "chunked,gzip", "", "chun\u212aed", "chun ked"):
            with self.assertRaisesRegex(ValueError, "transfer-encoding"):
                validate.parse_transfer_encoding(te)
        self.assertEqual(validate.parse_transfer_encoding(b"gzip, chunked"), "gzip,chunked")
        for cl in ("NaN", "", " ", "-1", "+1", "0x42", "010", "1, 1", "\u0661"):
            with self.assertRaisesRegex(ValueError, "invalid content-length"):
                validate.parse_content_length(cl)
        s = Response.make()
        for fields in (
            ((b"transfer-encoding", b"chunked"), (b"content-length", b"42")), ((b"content-length ", b"42"),), ((b"content-length", b"42 "),),
            ((b"content-length", b"42"), (b"content-length", b"43")), ((b"transfer-encoding", b""), (b"transfer-encoding", b"chunked")), ((b"", b""),),
        ):  # fmt: skip
            s.headers = Headers(fields)
            with self.assertRaises(ValueError):
                validate.validate_headers(s)
        s.headers = Headers(transfer_encoding="chunked")
        validate.validate_headers(s)
        http1.validate_headers(s.headers)
        s.status_code = 204
        with self.assertRaises(ValueError):
            validate.validate_headers(s)
        q = Request.make("GET", "http://a", "", {"transfer-encoding": "identity"})
        with self.assertRaises(ValueError):
            validate.validate_headers(q)

    def test_user_agents(self):
        self.assertEqual(user_agents.get_by_shortcut("c")[0], "chrome")
        self.assertIsNone(user_agents.get_by_shortcut("_"))


if __name__ == "__main__":
    unittest.main()
