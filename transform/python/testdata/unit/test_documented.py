"""Tests of addons as mitmproxy's documentation has shown them since 2018."""
import unittest

from mitmproxy.addons import anticache
from mitmproxy.test import taddons, tflow


class TestAntiCache(unittest.TestCase):
    def check(self, context):
        sa = anticache.AntiCache()
        with context(sa) as tctx:
            f = tflow.tflow(resp=True)
            f.request.headers["if-modified-since"] = "test"
            f.request.headers["if-none-match"] = "test"

            sa.request(f)
            self.assertIn("if-modified-since", f.request.headers)
            self.assertIn("if-none-match", f.request.headers)

            tctx.configure(sa, anticache=True)
            sa.request(f)
            self.assertNotIn("if-modified-since", f.request.headers)
            self.assertNotIn("if-none-match", f.request.headers)

    def test_without_the_addon(self):
        # As in 2018: the options of all addons were there.
        self.check(lambda sa: taddons.context())

    def test_with_the_addon(self):
        self.check(taddons.context)


class TestConnectionClose(unittest.TestCase):
    def test_versions(self):
        from mitmproxy.http import Headers
        from mitmproxy.net.http.http1.read import connection_close

        for version, closes in (("HTTP/1.0", True), ("HTTP/1.1", False), (b"HTTP/1.1", False), ("HTTP/2.0", False)):
            self.assertEqual(connection_close(version, Headers()), closes)
        self.assertTrue(connection_close("HTTP/1.1", Headers(connection="close")))


if __name__ == "__main__":
    unittest.main()
