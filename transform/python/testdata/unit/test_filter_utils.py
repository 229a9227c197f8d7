"""mitmproxy.utils, as far as oracle/utils.py does not say it."""
import asyncio
import io
import unittest
from unittest import mock

from mitmproxy.utils import asyncio_utils, data, debug, emoji, signals, sliding_window, strutils, vt_codes


class Strutils(unittest.TestCase):
    def test_utf8_is_text(self):
        for before in range(6):
            self.assertFalse(strutils.is_mostly_bin(b"a" * before + "𐍅".encode() * 50))
        self.assertTrue(strutils.is_mostly_bin(b"\x80" * 150))
        self.assertTrue(strutils.is_mostly_bin(b"\xff" * 40))
        for tail in range(4):
            self.assertFalse(strutils.is_mostly_bin(b"a" * 100 + b"\x80" * tail))

    def test_escaping_goes_both_ways(self):
        for b in (bytes(range(256)), b"\\'", b"\\\\''", b"\n\\n"):
            for quotes in (True, False):
                escaped = strutils.bytes_to_escaped_str(b, escape_single_quotes=quotes)
                self.assertEqual(strutils.escaped_str_to_bytes(escaped), b)

    def test_cut_after_n_lines(self):
        for text, n, want in (("foo\nbar\nbaz", 1, "foo\n"), ("foo\nbar", 100, "foo\nbar"), ("\nbar", 1, "\n"), ("x", 0, "")):
            self.assertEqual(strutils.cut_after_n_lines(text, n), want)


class Others(unittest.TestCase):
    def test_window_is_lazy(self):
        touched = []
        window = sliding_window.window((touched.append(i) for i in range(3)), 1, 1)
        self.assertEqual(touched, [])
        next(window)
        self.assertEqual(len(touched), 2)

    def test_data(self):
        self.assertTrue(data.pkg_data.path("utils/data.py"))
        self.assertTrue(data.pkg_data.push("utils").path("data.py"))
        with self.assertRaises(ValueError):
            data.pkg_data.path("nonexistent")

    def test_emoji(self):
        self.assertGreater(len(emoji.emoji), 1000)
        for name, character in ((":heart:", "\u2764"), (":dog2:", "\U0001f415"), (":grapes:", "\U0001f347"), (":default:", "●")):
            self.assertEqual(emoji.emoji[name], character)
        self.assertTrue(all(emoji.emoji.values()))

    def test_vt_codes(self):
        self.assertFalse(vt_codes.ensure_supported(io.StringIO()))

    def test_debug(self):
        for dump in (debug.dump_info, debug.dump_stacks):
            out = io.StringIO()
            dump(None, None, file=out)
            self.assertIn("Thread", out.getvalue())
        debug.register_info_dumpers()


class Signals(unittest.TestCase):
    def test_sync(self):
        receiver = mock.Mock()
        signal = signals.SyncSignal(lambda event: None)
        signal.connect(receiver)
        signal.send("foo")

        class Bound:
            called = None

            def method(self, event):
                self.called = event

        bound = Bound()
        signal.connect(bound.method)
        signal.send(event="bar")
        self.assertEqual(bound.called, "bar")
        signal.disconnect(bound.method)
        signal.send(event="baz")
        self.assertEqual(bound.called, "bar")
        self.assertEqual(receiver.call_args_list, [mock.call("foo"), mock.call(event="bar"), mock.call(event="baz")])

    def test_receivers_are_weak(self):
        def receiver():
            pass

        signal = signals.SyncSignal(lambda: None)
        signal.connect(receiver)
        del receiver
        signal.send()
        self.assertEqual(signal.receivers, [])

    def test_async(self):
        seen = []

        async def coroutine(event):
            seen.append(event)

        def function(event):
            seen.append(event)

        signal = signals.AsyncSignal(lambda event: None)
        signal.connect(coroutine)
        signal.connect(function)
        asyncio.run(signal.send("x"))
        self.assertEqual(seen, ["x", "x"])
        with self.assertRaises(AssertionError):
            signals.SyncSignal(lambda: None).connect(coroutine)


class Tasks(unittest.TestCase):
    def test_repr(self):
        async def nothing():
            asyncio_utils.set_current_task_debug_info(name="renamed")

        async def main():
            task = asyncio_utils.create_task(nothing(), name="it", client=("127.0.0.1", 80), keep_ref=True)
            before = asyncio_utils.task_repr(task)
            await task
            return before, asyncio_utils.task_repr(task)

        with mock.patch.dict("os.environ"):
            __import__("os").environ.pop("PYTEST_CURRENT_TEST", None)
            before, after = asyncio.run(main())
        self.assertEqual(before, "127.0.0.1:80: it (age: 0s)")
        self.assertEqual(after, "127.0.0.1:80: renamed (age: 0s)")

    def test_exception_handler(self):
        async def main():
            handler = mock.Mock()
            with asyncio_utils.install_exception_handler(handler):
                asyncio.get_running_loop().call_exception_handler({"message": "x"})
            handler.assert_called_once()
            with asyncio_utils.set_eager_task_factory():
                pass

        asyncio.run(main())


if __name__ == "__main__":
    unittest.main()
