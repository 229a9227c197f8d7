"""Typed netstrings: what is written, what is read, what is refused."""
import enum
import io
import random

from _oracle import main
from mitmproxy.io import tnetstring

DEVIATIONS = {
    "loads b'+1:a,'": "a length has digits only",
    "loads b' 1:a,'": "a length has digits only",
    "loads b'1 :a,'": "a length has digits only",
    "loads b'-1:a,'": "a length has digits only",
    "loads b'1_0:aaaaaaaaaa,'": "a length has digits only",
}


class Float(float):
    pass


class Int(int):
    pass


class Text(str):
    pass


class Bytes(bytes):
    pass


class Number(enum.IntEnum):
    ONE = 1


VALUES = (
    None, True, False, 0, 1, -5, 10**30, -(10**300), 1.5, 0.1, 1e16, 1e-7, -0.0, 1e308, 5e-324, float("inf"),
    float("-inf"), float("nan"), 1700000000.123456, b"", b"a", b"a" * 1000, bytes(range(256)), "", "ü", "\U0001f600",
    "a\0b", [], (), {}, [1, [2, []]], (1, b"x", ("y",)), {"a": 1, b"b": {"c": None}, "d": [1, {"e": 2}]}, {1: 2},
    {None: 1}, {(1, 2): 3}, {True: 1, 2.5: 2}, object, {1, 2}, bytearray(b"x"), 1j, "\ud800", {"a": {1}},
    Float(1.5), Int(5), Text("x"), Bytes(b"x"),
)  # fmt: skip

TEXTS = (
    b"", b"1", b"1:", b"1:a", b"1:a,", b"1:a,x", b"a:a,", b":a,", b"0:~", b"1:a~", b"4:true!", b"5:false!",
    b"4:trux!", b"0:!", b"4:True!", b"3:abc#", b"0:#", b"1:5#", b"2:-5#", b"2:+5#", b"3: 5 #", b"3:1_0#", b"4:0x10#",
    b"3:1.5#", b"3:1.5^", b"1:5^", b"3:abc^", b"0:^", b"3:inf^", b"3:nan^", b"3:1e5^", b"2:\xff\xff;", b"2:\xc3\xbc;",
    b"3:1:a]", b"4:1:a,]", b"5:1:a,x]", b"8:1:a,1:b,]", b"4:1:a,}", b"8:1:a,1:b,}", b"8:1:5#1:b,}", b"7:0:}1:b,}",
    b"7:0:]1:b,}", b"1:a?", b"01:a,", b"001:a,", b"+1:a,", b" 1:a,", b"1 :a,", b"-1:a,", b"1_0:aaaaaaaaaa,",
    b"999999999999:a,", b"9999999999999:a,", b"1000000000000:pwned!,", b"5:ab,", b"0:]", b"0:}", b"1:\n,\n",
    b"12:0:~0:~0:~0:~}", b"3:0:~}", b"9:1:a,0:]1:}",
)  # fmt: skip


def cases():
    for value in VALUES:
        yield "dumps %s %r" % (type(value).__name__, value), lambda value=value: tnetstring.dumps(value)
    yield "dumps enum", lambda: tnetstring.dumps(Number.ONE)[-1:]
    for text in TEXTS:
        yield "loads %r" % text, lambda text=text: kind_of(tnetstring.loads, text)
        yield "load %r" % text, lambda text=text: kind_of(load, text)
        if "loads %r" % text not in DEVIATIONS:
            yield "pop %r" % text, lambda text=text: kind_of(pop, text)
    yield "absurd", absurd
    yield "parse", lambda: [tnetstring.parse(ord(c), b"1") for c in ",;#^"]
    r = random.Random(7)
    for i in range(60):
        value = some(r, 0)
        yield "random %d" % i, lambda value=value: both(value)
    whole = tnetstring.dumps({"a": [1, 2.5, None, True, {"b": b"xyz", "c": ["d"]}], "e": "f"})
    for i in range(400):
        damaged = damage(r, whole)
        yield "damaged %d" % i, lambda damaged=damaged: kind_of(load, damaged) if digits(damaged) else None


def digits(text):
    """Whether no length of a damaged text is of the sloppy kind, which is a deviation."""
    return not any([c in text for c in (b" ", b"+", b"-", b"_", b"\t", b"\n", b"\r", b"\x0b", b"\x0c")])


def kind_of(call, text):
    """Returns the result, or what kind of error there is; for the file it may also be an IndexError."""
    try:
        return call(text)
    except (ValueError, IndexError) as e:
        return "refused" if type(e) in (ValueError, IndexError) else type(e).__name__


def load(text):
    f = io.BytesIO(text + b"OK" if text else b"")
    return tnetstring.load(f), f.read()


def pop(text):
    value, rest = tnetstring.pop(text)
    return value, bytes(rest)


def absurd():
    f = io.BytesIO(b"1000000000000:pwned!,")
    try:
        tnetstring.load(f)
    except ValueError:
        return f.read(1)


def some(r, depth):
    what = int(r.random() * (12 if depth < 4 else 8))
    n = int(r.random() * 6)
    if what < 8:
        return (None, True, False, r.getrandbits(70) - (1 << 69), r.random() * 10.0 ** (n * 5), r.random(), "ü" * n, b"b" * n)[what]
    if what < 10:
        return [some(r, depth + 1) for _ in range(n)]
    return {"k%d" % i: some(r, depth + 1) for i in range(n)}


def both(value):
    data = tnetstring.dumps(value)
    return data, tnetstring.loads(data) == value


def damage(r, data):
    data = bytearray(data)
    for _ in range(1 + int(r.random() * 3)):
        at = int(r.random() * len(data))
        what = int(r.random() * 3)
        if what == 0:
            data[at] = r.getrandbits(8)
        elif what == 1:
            del data[at]
        else:
            data.insert(at, b"0123456789:,;#^!~]}"[int(r.random() * 19)])
    return bytes(data)


if __name__ == "__main__":
    main(cases)
