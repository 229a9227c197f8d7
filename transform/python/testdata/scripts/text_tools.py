"""utils: strutils, human, data, bits, sliding_window, typecheck, emoji."""
from _show import attempt

from mitmproxy.utils import bits, emoji, human, sliding_window, strutils, typecheck

STRINGS = ["", "plain", "caf\u00e9 \u732b", "tab\tnl\ncr\r\0\x1b[31m\x7f\x85\ufeff", "\\x41\\n\\'\"", "\udcff", "'\"'"]
BYTES = [b"", b"plain", "caf\u00e9".encode(), b"\xff\xfe\x00", b"tab\t nl\n cr\r \\ ' \"", bytes(range(256)), b"  <?xml version='1.0'?>", b"<html", b"%PDF", b"a" * 40 + b"\0" * 20]


def load(loader):
    for s in STRINGS:
        print(ascii(s), attempt(strutils.always_bytes, s), attempt(strutils.always_bytes, s, "ascii", "replace"), attempt(strutils.always_str, s), attempt(strutils.escape_control_characters, s), attempt(strutils.escape_control_characters, s, False), attempt(strutils.escaped_str_to_bytes, s), attempt(strutils.clean_hanging_newline, s))
        print("  ", attempt(strutils.split_special_areas, s, ["'[^']*'"]), attempt(strutils.escape_special_areas, s, ["'[^']*'"], "\n\t"), attempt(lambda: strutils.unescape_special_areas(strutils.escape_special_areas(s, ["'[^']*'"], "\n\t"))))
    for b in BYTES:
        print(ascii(b), attempt(strutils.bytes_to_escaped_str, b), attempt(strutils.bytes_to_escaped_str, b, True), attempt(strutils.bytes_to_escaped_str, b, escape_single_quotes=True), attempt(strutils.always_str, b), attempt(strutils.always_str, b, "latin-1"), strutils.is_mostly_bin(b), attempt(strutils.is_xml, b), attempt(lambda: list(strutils.hexdump(b))), attempt(lambda: strutils.escaped_str_to_bytes(strutils.bytes_to_escaped_str(b)) == b))
    print(attempt(strutils.always_bytes, None), attempt(strutils.always_str, None), attempt(strutils.always_bytes, 5), attempt(strutils.always_str, 5), attempt(strutils.bytes_to_escaped_str, "str"), attempt(strutils.escaped_str_to_bytes, b"bytes"), attempt(strutils.is_mostly_bin, "s"))
    for n in (0, 1, 999, 1000, 1023, 1024, 1025, 10239, 10240, 10500, 1048575, 1048576, 123456789, 2 ** 40, 2 ** 60, -1, 1.5):
        print(n, attempt(human.pretty_size, n), attempt(human.pretty_duration, n), attempt(human.pretty_duration, n / 1000))
    for s in ("", "5", "5k", "5M", "1g", "2T", "x", "1kb", "-1", None, 5, "1.5m", "7B", "3b"):
        print(s, attempt(human.parse_size, s))
    print(human.format_timestamp(1600000000.5), human.format_timestamp_with_milli(1600000000.123456), attempt(human.pretty_duration, None))
    for a in (("127.0.0.1", 80), ("::1", 80, 0, 0), ("::ffff:127.0.0.1", 80), ("host.example", 443), None, ("2001:db8::1", 1), ("", 0)):
        print(a, attempt(human.format_address, a))
    print(list(sliding_window.window("abcde", 2, 1)), list(sliding_window.window([], 1, 1)), [bits.getbit(0b1010, i) for i in range(4)], [bits.setbit(1, i, v) for i in range(3) for v in (0, 1)], len(emoji.emoji) > 500, emoji.emoji.get(":grapes:"))
    import typing
    from collections.abc import Sequence
    for value, spec in ((1, int), ("1", int), (None, typing.Optional[int]), (["a"], Sequence[str]), ([1], Sequence[str]), ("a", Sequence[str]), (True, int), (1, bool), ((1, "a"), typing.Any)):
        print(value, attempt(typecheck.check_option_type, "opt", value, spec), attempt(typecheck.typespec_to_str, spec))


def response(flow):
    body = flow.response.get_content(strict=False)
    if body and len(body) < 2000:
        print(strutils.bytes_to_escaped_str(body), strutils.is_mostly_bin(body), human.pretty_size(len(body)), strutils.is_xml(body))
