"""mitmproxy.utils."""
import os
import sys
import time
import typing
from collections.abc import Sequence

from _oracle import main

from mitmproxy.utils import bits, emoji, human, sliding_window, spec, strutils, typecheck

DEVIATIONS = {
    "bytes_to_escaped_str b\"\\\\\\\\'\" False False": "mitmproxy loses backslashes before quotes, so that the text does not give the bytes again",
    "bytes_to_escaped_str b\"\\\\\\\\'\" True False": "mitmproxy loses backslashes before quotes, so that the text does not give the bytes again",
    "is_mostly_bin b'\\xc3\\xa9'": "UTF-8 is text since mitmproxy 10",
    "is_mostly_bin b'\\xc3\\xa9' * 100": "UTF-8 is text since mitmproxy 10",
    "is_xml b'\\r<'": "a carriage return is white space in mitmproxy 12",
}

TEXTS = ["", "foo", "é", "a\x00b\x1f\x7f\x80\xa0", "tab\tline\nreturn\r", "q'uo\"te\\", "\u200b\u2028", "\\x41\\n\\101\\q", "b\\\n", "\\'"]
BYTES = [
    b"", b"foo", b"\xc3\xa9", bytes(range(256)), b"tab\tline\nreturn\r", b"q'uo\"te\\", b"\\n", b"\\\n", b"\\\\n", b"\\'", b"''",
    b"\\\\'", b"a" * 70 + b"\0" * 30, b"a" * 69 + b"\0" * 31, b"\xff" * 10, b"foo\xff", b"\x0b\x0c\x09\x0d", b"\x0e\x1f\x08", b"\x7f" * 3,
    b"one\0" * 10, b"  \n\t <x", b"\x00<", b"<",
]
NUMBERS = [0, 1, 99, 100, 1023, 1024, 1025, 1536, 10240, 101888, 102348, 102349, 102400, 1024000, 2**20 - 1, 2**20, 10 * 2**20, 1310720,
           2**30, 2**40, 2**50, 5 * 2**50, -5, -2048, 1.5]
SECONDS = [None, 0, 1e-5, 1e-4, 0.001, 0.0999, 0.1, 0.5, 0.9999, 1, 1.123, 9.994, 9.996, 10, 99.94, 99.96, 100, 1234.5, 10000, -1, -0.5]
SIZES = ["0", "0b", "1k", "1K", "1.5k", "", "b", "12 k", " 12", "-1k", "1kb", None, 5, "0x10", "1T", "3m", "3g", "3t", "1f", "ak", "1_0"]
ADDRESSES = [
    ("::1", 1), ("::ffff:1.2.3.4", 1), ("1.2.3.4", 80), ("host", 80), ("::", 1), ("0.0.0.0", 2), None, ("2001:0db8::0001", 1, 0, 2),
    ("999.1.1.1", 3), ("", 4), ("::1", "54010", "0", "0"),
]
TYPED = [
    (1, int), (True, int), (1, float), (1.0, int), ("x", str), (None, str), (b"x", str), (None, typing.Optional[str]), ("x", typing.Optional[str]),
    (1, typing.Optional[str]), ([1], typing.Sequence[int]), ((1,), typing.Sequence[int]), (["a", 1], typing.Sequence[str]),
    ("foo", typing.Sequence[str]), (1, typing.Union[int, str]), ([], typing.Union[int, str]), ((1, "a"), typing.Tuple[int, str]),
    ((1,), typing.Tuple[int, str]), ((1, 1), typing.Tuple[int, str]), (None, typing.Tuple[int]), (1, typing.Any), (None, typing.Any),
    (sys.stdout, typing.TextIO), ("x", typing.TextIO), ({}, dict), (1, dict), (1, bool), (True, bool), (None, type(None)),
]
TYPES = [str, int, bool, float, bytes, dict, typing.Any, typing.Optional[str], typing.Optional[int], typing.Optional[bool],
         typing.Sequence[str], typing.Sequence[int], typing.Union[int, str], type(None)]
WINDOWS = [([1, 2, 3], 0, 0), ([1, 2, 3], 1, 0), ([1, 2, 3], 0, 1), ([1, 2, 3], 2, 2), ([], 1, 1), ([1], 5, 0), ([1], 0, 5), (range(5), 1, 3)]
QUOTED = [r"'.*?(?<!\\)(?:\\\\)*'", r'".*?(?<!\\)(?:\\\\)*"']
AREAS = ["foo", "foo 'bar' baz", """foo 'b\\'a"r' baz""", "'a' 'b'", '"a*b*" * "*c', "x\n'y'\nz"]
SPECS = ["/foo/bar/voing", "/bar/voing", "/", "/~b/a/b", "|a|b", "/a/b/c/d", "/a/", "//x", "/~q/x/", "ab", "", ":~u x:^a:b"]


def cases():
    os.environ["TZ"] = "UTC"
    time.tzset()
    for text in TEXTS:
        for keep in (True, False):
            yield "escape_control_characters %r %s" % (text, keep), lambda: strutils.escape_control_characters(text, keep)
        yield "clean_hanging_newline %r" % text, lambda: strutils.clean_hanging_newline(text)
        yield "escaped_str_to_bytes %r" % text, lambda: strutils.escaped_str_to_bytes(text)
        yield "always_bytes %r" % text, lambda: strutils.always_bytes(text, "utf-8", "surrogateescape")
        yield "always_bytes ascii %r" % text, lambda: strutils.always_bytes(text, "ascii", "replace")
    for text in ("\\xzz", "a\\", "\\400", b"x", None, 5):
        yield "escaped_str_to_bytes %r" % (text,), lambda: strutils.escaped_str_to_bytes(text)
    for data in BYTES:
        name = "%r" % data[:20]
        for keep in (True, False):
            for quotes in (True, False):
                yield (
                    "bytes_to_escaped_str %s %s %s" % (name, keep, quotes),
                    lambda: strutils.bytes_to_escaped_str(data, keep, quotes),
                )
        yield "is_mostly_bin " + name, lambda: strutils.is_mostly_bin(data)
        yield "is_xml " + name, lambda: strutils.is_xml(data)
        yield "hexdump " + name, lambda: list(strutils.hexdump(data))
        yield "always_str " + name, lambda: strutils.always_str(data, "latin-1")
        yield "always_str strict " + name, lambda: strutils.always_str(data)
    yield "is_mostly_bin b'\\xc3\\xa9' * 100", lambda: strutils.is_mostly_bin(b"\xc3\xa9" * 100)
    yield "is_xml b'\\r<'", lambda: strutils.is_xml(b"\r<")
    for wrong in (5, bytearray(b"x"), None):
        yield "always_bytes %r" % wrong, lambda: strutils.always_bytes(wrong)
        yield "always_str %r" % wrong, lambda: strutils.always_str(wrong)
        yield "bytes_to_escaped_str %r" % wrong, lambda: strutils.bytes_to_escaped_str(wrong)
        yield "escape_control_characters %r" % wrong, lambda: strutils.escape_control_characters(wrong)
    for text in AREAS:
        yield "split_special_areas %r" % text, lambda: strutils.split_special_areas(text, QUOTED)
        yield "escape_special_areas %r" % text, lambda: strutils.escape_special_areas(text, QUOTED, "*ab")
        yield (
            "unescape_special_areas %r" % text,
            lambda: strutils.unescape_special_areas(strutils.escape_special_areas(text, QUOTED, "*ab")),
        )
    for name in ("SINGLELINE_CONTENT", "MULTILINE_CONTENT", "MULTILINE_CONTENT_LINE_CONTINUATION", "NO_ESCAPE"):
        yield name, lambda: getattr(strutils, name)

    for n in NUMBERS:
        yield "pretty_size %r" % n, lambda: human.pretty_size(n)
    for s in SECONDS:
        yield "pretty_duration %r" % s, lambda: human.pretty_duration(s)
    for s in SIZES:
        yield "parse_size %r" % s, lambda: human.parse_size(s)
    for a in ADDRESSES:
        yield "format_address %r" % (a,), lambda: human.format_address(a)
    for t in (0, 0.5, 0.123456, 1700000000, 1700000000.999, 1700000000.9996):
        yield "format_timestamp %r" % t, lambda: human.format_timestamp(t)
        yield "format_timestamp_with_milli %r" % t, lambda: human.format_timestamp_with_milli(t)
    yield "SIZE_UNITS", lambda: human.SIZE_UNITS

    for value, typeinfo in TYPED:
        yield "check_option_type %.20r %r" % (value, typeinfo), lambda: typecheck.check_option_type("name", value, typeinfo)
    for typeinfo in TYPES:
        yield "typespec_to_str %r" % typeinfo, lambda: typecheck.typespec_to_str(typeinfo)
    if sys.version_info >= (3, 9):
        yield "typespec_to_str abc", lambda: typecheck.typespec_to_str(Sequence[str])
        yield "check_option_type abc", lambda: typecheck.check_option_type("name", ["x"], Sequence[str])
    if sys.version_info >= (3, 10):
        yield "typespec_to_str int | None", lambda: typecheck.typespec_to_str(int | None)
        yield "check_option_type int | None", lambda: typecheck.check_option_type("name", "x", int | None)

    for iterable, behind, ahead in WINDOWS:
        yield (
            "window %r %r %r" % (iterable, behind, ahead),
            lambda: list(sliding_window.window(iter(iterable), behind, ahead)),
        )
    for byte in (0, 1, 5, 255):
        for offset in (0, 2, 7, 8):
            yield "getbit %d %d" % (byte, offset), lambda: bits.getbit(byte, offset)
            for value in (True, False):
                yield "setbit %d %d %s" % (byte, offset, value), lambda: bits.setbit(byte, offset, value)
    for option in SPECS:
        yield "parse_spec %r" % option, lambda: parsed(spec.parse_spec(option))
    for name in ":default: :red_circle: :heart: :+1: :x: :grapes: :dog: :mag: :warning: :star: a Z 7".split():
        yield "emoji " + name, lambda: emoji.emoji[name]


def parsed(result):
    return (result[0].pattern,) + result[1:]


if __name__ == "__main__":
    main(cases)
