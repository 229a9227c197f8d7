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


if __name__ == "__main__":
    unittest.main()
