"""Flow files of all versions that can be read; damaged ones; what is no flow file."""
import io
import os
import random
import sys
import tempfile
import unittest

from mitmproxy import exceptions, flow, http
from mitmproxy.io import FilteredFlowWriter, FlowReader, FlowWriter, compat, read_flows_from_paths, tnetstring
from mitmproxy.test import tflow


def written(*flows):
    out = io.BytesIO()
    for f in flows:
        FlowWriter(out).add(f)
    return out.getvalue()


def read(data):
    return list(FlowReader(io.BytesIO(data)).stream())


class TestVersions(unittest.TestCase):
    def test_round_trip(self):
        for version in range(17, 22):
            for f in tflow.tflows():
                f._version = version
                data = written(f)
                (g,) = read(data)
                self.assertEqual((type(g), g.get_state()), (type(f), f.get_state()))
                self.assertEqual(written(g), data)
                c = g.copy()
                c.id = g.id
                self.assertEqual(written(c), data)

    def test_refused(self):
        for version, text in (
            (7, "flow format version 7, `flowkit cat` converts them."),
            (16, "flow format version 16, `flowkit cat` converts them."),
            ((0, 18, 3), r"flow format version \(0, 18\), `flowkit cat` converts them."),
            ((0, 10), r"flow format version \(0, 10\)\.$"),
            (22, "flow format version 22, please update mitmproxy."),
            (3, "flow format version 3.$"),
            (0, "cannot read files with flow format version 0"),
        ):
            with self.assertRaisesRegex(exceptions.FlowReadException, text):
                read(tnetstring.dumps({"version": version}))

    def test_bytes_keys(self):
        with self.assertRaisesRegex(exceptions.FlowReadException, "flow format version"):
            read(tnetstring.dumps({b"version": (0, 17, 1)}))

    def test_har(self):
        for text in (b'{"log": {}}', b'\xef\xbb\xbf{"log": {}}'):
            with self.assertRaisesRegex(exceptions.FlowReadException, "HAR"):
                read(text)

    def test_migrate(self):
        f = tflow.tflow(resp=True)
        newest = f.get_state()
        self.assertIs(compat.migrate_flow(newest), newest)
        f._version = 17
        self.assertEqual(compat.migrate_flow(f.get_state()), newest)
        with self.assertRaises(ValueError):
            compat.migrate_flow({"version": 7})

    def test_times_keep_their_kind(self):
        f = tflow.tflow()
        f.request.timestamp_start = 5
        f.request.timestamp_end = 5.0
        (g,) = read(written(f))
        self.assertEqual((repr(g.request.timestamp_start), repr(g.request.timestamp_end)), ("5", "5.0"))

    def test_text_that_was_no_utf8(self):
        self.assertEqual(tnetstring.dumps("a\udcff"), b"2:a\xff;")


class TestDamaged(unittest.TestCase):
    def test_only_flow_read_exceptions(self):
        r = random.Random(1)
        whole = written(*tflow.tflows())
        for _ in range(600):
            data = bytearray(whole)
            for _ in range(r.randrange(1, 4)):
                at = r.randrange(len(data))
                what = r.randrange(4)
                if what == 0:
                    data[at] = r.randrange(256)
                elif what == 1:
                    del data[at]
                elif what == 2:
                    data.insert(at, r.choice(b"0123456789:,;#^!~]}"))
                else:
                    data[at] = r.choice(b",;#^!~]}")
            try:
                for f in FlowReader(io.BytesIO(bytes(data))).stream():
                    pass
            except exceptions.FlowReadException:
                pass

    def test_other_values(self):
        state = tflow.tflow(resp=True, ws=True).get_state()
        for value in (None, 5, "x", b"x", [], {}, [1], {"a": 1}, True):
            for key in state:
                for data in (dict(state, **{key: value}), dict(state, request=dict(state["request"], headers=value))):
                    try:
                        read(tnetstring.dumps(data))
                    except exceptions.FlowReadException:
                        pass

    def test_missing_keys(self):
        state = tflow.tflow(resp=True).get_state()
        for key in state:
            if key != "backup":
                data = dict(state)
                del data[key]
                with self.assertRaisesRegex(exceptions.FlowReadException, "Invalid data format"):
                    read(tnetstring.dumps(data))

    def test_length_is_not_believed(self):
        class File(io.BytesIO):
            largest = 0

            def read(self, size=-1):
                self.largest = max(self.largest, size)
                return super().read(size)

        f = File(b"999999999999:x,")
        with self.assertRaises(exceptions.FlowReadException):
            list(FlowReader(f).stream())
        self.assertLessEqual(f.largest, 1 << 20)

    def test_large(self):
        f = tflow.tflow()
        f.request.content = bytes(5 << 20)
        (g,) = read(written(f))
        self.assertEqual(g.request.content, f.request.content)

    def test_deep(self):
        data = b"0:]"
        for _ in range(5000):
            data = b"%d:%s]" % (len(data), data)
        with self.assertRaises(exceptions.FlowReadException):
            read(data)
        value = []
        for _ in range(sys.getrecursionlimit() * 2):
            value = [value]
        with self.assertRaises(RecursionError):
            tnetstring.dumps(value)

    def test_flows_before_are_given(self):
        seen = []
        with self.assertRaises(exceptions.FlowReadException):
            for f in FlowReader(io.BytesIO(written(tflow.tflow()) + b"x")).stream():
                seen.append(f)
        self.assertIsInstance(seen[0], http.HTTPFlow)


class TestFiles(unittest.TestCase):
    def test_paths(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.mitm")
            with open(path, "wb") as f:
                f.write(written(*tflow.tflows()))
            self.assertEqual(len(read_flows_from_paths([path, path])), 2 * len(tflow.tflows()))
        with self.assertRaisesRegex(exceptions.FlowReadException, "No such file"):
            read_flows_from_paths([path])

    def test_filter(self):
        out = io.BytesIO()
        from mitmproxy import flowfilter

        writer = FilteredFlowWriter(out, flowfilter.parse("~tcp"))
        for f in tflow.tflows():
            writer.add(f)
        self.assertEqual({f.type for f in read(out.getvalue())}, {"tcp"})

    def test_memoryview(self):
        value, rest = tnetstring.pop(memoryview(b"1:a,xyz"))
        self.assertEqual((value, bytes(rest)), (b"a", b"xyz"))

    def test_subclass(self):
        state = tflow.tdummyflow().get_state()
        self.assertEqual(flow.Flow.from_state(state).get_state(), state)


if __name__ == "__main__":
    unittest.main()
