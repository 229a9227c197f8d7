"""The views of mitmproxy.contentviews that take a format apart: CSS, GraphQL, MessagePack, Protocol Buffers, images."""
import struct
import zlib

from _oracle import main

from mitmproxy import contentviews
from mitmproxy.contentviews import css

EMPTY = "mitmproxy opens a brace for an empty message and does not close it"
NESTED = "mitmproxy does not indent the blocks in a block, and ends them with empty lines"
COLON = "mitmproxy sets every colon, comma and semicolon of a value apart"
DEVIATIONS = {
    "protobuf empty inside": EMPTY,
    "protobuf empty in nested": EMPTY,
    "protobuf large": "mitmproxy reads 8 bytes of a number",
    "css media": NESTED,
    "css keyframes": NESTED,
    "css nested2": NESTED,
    "css var": NESTED,
    "css url": COLON + ", so that an address with data breaks",
    "css filter": COLON,
    "css attr": "mitmproxy puts spaces behind the commas in a string",
    "css multi comment": "mitmproxy loses the indentation in a comment",
    "css escape": "mitmproxy takes an escaped brace for a brace",
    "css only open": "mitmproxy formats no rule that is not closed",
    "css only close": "mitmproxy puts an empty line before a brace that closes nothing",
}

CSS = {
    "empty": "",
    "space": "  \n ",
    "text": "foo",
    "rule": "a{b:c}",
    "two": "a{b:c;d:e}f{g:h}",
    "last semi": "a{b:c;}",
    "spaces": " a  b > c {  b :  c d ;  }",
    "sel list": "a,b,c{d:e}",
    "sel list sp": "a , b,\nc{d:e}",
    "value comma": "a{b:c,d, e}",
    "comment": "/* x */a{b:c}",
    "comment in": "a{/* x */b:c;/* y */}",
    "comment mid": "a{b:/* x */c}",
    "comment after": "a{b:c}/* x */",
    "comment semi": "a{b:c;/*x;y{}*/d:e}",
    "multi comment": "/* x\n  y\n */a{b:c}",
    "string": "a{b:'x;y{z}'}",
    "dstring": "a::before{content:\"\\\"};\"}",
    "url": "a{b:url(data:image/png;base64,abc=)}",
    "url2": "a{b:url(x.png) no-repeat}",
    "media": "@media (max-width:1px){a{b:c}d{e:f}}",
    "import": "@import url('x');a{b:c}",
    "charset": "@charset \"utf-8\";a{b:c}",
    "fontface": "@font-face{font-family:x;src:url(a),url(b)}",
    "pseudo": "a:hover,b:not(.c):after{d:e}",
    "attr": "a[b=c],a[b='d,e']{f:g}",
    "important": "a{b:c!important}",
    "comb": "a>b+c~d e{f:g}",
    "comb sp": "a > b + c ~ d{f:g}",
    "func": "a{b:rgba(1,2,3,.4)}",
    "calc": "a{b:calc(1px + 2px)}",
    "filter": "a{filter:progid:DXImageTransform.Microsoft.gradient(startColorstr='#1',endColorstr='#2')}",
    "newlines": "a\n{\n  b: c;\n\n\n  d: e\n}\n\n\nf{}",
    "empty rule": "a{}",
    "empty rules": "a{}b{}",
    "only open": "a{b:c",
    "only close": "}a{b:c}",
    "semis": "a{b:c;;d:e;}",
    "crlf": "a{\r\nb:c\r\n}",
    "tab": "a{\tb:c\t}",
    "keyframes": "@keyframes x{from{a:b}50%{c:d}to{e:f}}",
    "unfinished str": "a{b:'c}d{e:f}",
    "unfinished com": "a{b:c}/* x",
    "nonascii": "a{b:'é'}",
    "two sel desc": "a b{c:d}",
    "semi outside": "a;b",
    "cdo": "<!-- a{b:c} -->",
    "escape": "a\\{b{c:d}",
    "nested2": "@supports (a:b){@media c{d{e:f}}}",
    "var": "a{--x:{b:c};d:var(--x)}",
    "vendor": "a{b:-webkit-x(c, d)}",
    "slash": "a{font:1px/2px x}",
    "two lines decl": "a{b:c\n d}",
    "sel nl": "a\nb{c:d}",
    "double sp val": "a{b:c  d}",
    "url sp": "a{b: url( 'x y' ) }",
    "comment sel": "a/*x*/b{c:d}",
    "comment line": "a{b:c}\n/* x */\nd{e:f}",
    "string nl": "a{b:'x\ny'}",
}

GRAPHQL = {
    "query": b'{"query":"query P {\\n  a\\n}","variables":{"b":1}}',
    "batch": b'[{"query":"query P {\\n  a\\n}"},{"query":"x","o":null}]',
    "short": b'{"query":"a"}',
    "other": b'{"a":1}',
    "list": b"[1]",
    "text": b'"x"',
    "broken": b"{",
    "number": b"1",
}

MSGPACK = {
    "map": b"\x82\xa7compact\xc3\xa6schema\x00",
    "numbers": b"\x9d\x7f\xe0\xff\xcc\xff\xcd\xff\xfe\xce\xff\xff\xff\xff\xcf" + b"\xff" * 8 + b"\xd0\x80\xd1\x80\x00\xd2\x80\x00\x00\x00\xd3\x80"
    + b"\x00" * 7 + b"\xca?\xc0\x00\x00\xcb?\xf8" + b"\0" * 6 + b"\xc0",
    "strings": b"\x94\xa0\xd9\x01a\xda\x00\x02bc\xdb\x00\x00\x00\x01d",
    "bytes": b"\x93\xc4\x01\xff\xc5\x00\x01a\xc6\x00\x00\x00\x00",
    "nested": b"\x81\xa1a\x92\x81\xa1b\x90\x80",
    "array16": b"\xdc\x00\x02\x01\x02",
    "array32": b"\xdd\x00\x00\x00\x01\xc2",
    "map16": b"\xde\x00\x01\xa1a\x01",
    "map32": b"\xdf\x00\x00\x00\x01\xc4\x01a\x01",
    "int key": b"\x81\x01\x02",
    "ext": b"\x93\xd4\x05a\xc7\x03\x01abc\xd8\x02" + b"x" * 16,
    "time": b"\x93\xd6\xff\x00\x00\x00\x01\xd7\xff\x00\x00\x00\x04\x00\x00\x00\x02\xc7\x0c\xff\x00\x00\x00\x01" + b"\xff" * 8,
    "bad text": b"\xa1\xff",
    "short": b"\x92\x01",
    "long": b"\x01\x02",
    "empty": b"",
    "never": b"\xc1",
    "scalar": b"\xa3foo",
}


def field(number, kind, data):
    return bytes([number << 3 | kind]) + data


PROTOBUF = {
    "varint": field(1, 0, b"\x96\x01"),
    "text": field(2, 2, b"\x07testing"),
    "nested": field(3, 2, b"\x03" + field(1, 0, b"\x96\x01")),
    "fixed": field(1, 1, b"\1" + b"\0" * 7) + field(2, 5, b"\2\0\0\0"),
    "two": field(1, 0, b"\x01") + field(1, 0, b"\x02") + field(2, 2, b"\x03abc"),
    "deep": field(1, 2, b"\x04" + field(2, 2, b"\x02" + field(3, 0, b"\x01"))) + field(4, 0, b"\x05"),
    "deep end": field(1, 2, b"\x04" + field(2, 2, b"\x02" + field(3, 0, b"\x01"))),
    "empty inside": field(1, 2, b"\x00") + field(2, 0, b"\x01"),
    "empty in nested": field(1, 2, b"\x02" + field(2, 2, b"\x00")) + field(2, 0, b"\x01"),
    "large": field(1, 0, b"\xff" * 9 + b"\x01"),
    "short": field(1, 2, b"\x05ab"),
    "binary": field(1, 2, b"\x02\xff\xfe"),
    "wire type": b"\x0f\x01",
    "nothing": b"",
    "many": b"".join(field(n, 2, b"\x02hi") for n in range(1, 16)),
}


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PNG_HEAD = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 174, 174, 8, 6, 0, 0, 0))
PNG_END = chunk(b"IDAT", zlib.compress(b"x")) + chunk(b"IEND", b"")
GIF_HEAD = b"GIF89a" + struct.pack("<HHBBB", 245, 245, 0x80, 7, 0) + b"\0" * 6
GIF_IMAGE = b"\x2c" + struct.pack("<HHHHB", 0, 0, 245, 245, 0) + b"\x02\x02L\x01\x00"
JFIF = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\2\0\0\x60\0\x60\0\0"


def segment(marker, body):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


SOF = segment(0xC0, struct.pack(">BHHB", 8, 100, 300, 1) + b"\1\x11\0")
SCAN = segment(0xDA, b"\1\1\0\0\x3f\0") + b"data\xff\xd9"


def exif(order, *fields):
    """The head of an Exif segment: fields are (tag, type, count, data)."""
    at = 8 + 2 + 12 * len(fields) + 4
    entries, data = b"", b""
    for tag, kind, count, value in fields:
        entries += struct.pack(order + "HHII", tag, kind, count, at + len(data))
        data += value
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, len(fields))
    return b"Exif\0\0" + head + entries + struct.pack(order + "I", 0) + data


TEXTS = ((0x10F, 2, 6, b"Canon\0"), (0x110, 2, 12, b"Model number"), (0x131, 2, 8, b"software"))
IMAGES = {
    "png": PNG_HEAD + PNG_END,
    "png chunks": PNG_HEAD + chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"pHYs", struct.pack(">IIB", 2835, 2834, 1))
    + chunk(b"tEXt", b"Author\0J\xf6rg") + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"packed"))
    + chunk(b"iTXt", "Title\0\0\0de\0Titel\0grün".encode()) + chunk(b"tEXt", b"Author\0again") + PNG_END,
    "png short": PNG_HEAD + PNG_END[:10],
    "png no head": b"\x89PNG\r\n\x1a\n" + PNG_END,
    "gif": GIF_HEAD + GIF_IMAGE + b";",
    "gif comment": GIF_HEAD + b"\x21\xfe\x05hello\x03foo\x00\x21\xf9\x04\0\0\0\0\0" + GIF_IMAGE + b";",
    "gif no table": b"GIF87a" + struct.pack("<HHBBB", 1, 2, 0, 0, 0) + GIF_IMAGE + b";",
    "gif application": GIF_HEAD + b"\x21\xff\x0bNETSCAPE2.0\x03\1\0\0\0" + GIF_IMAGE + b";",
    "jpeg": JFIF + SOF + SCAN,
    "jpeg comment": JFIF + segment(0xFE, b"a comment\xff") + segment(0xDB, b"\0" * 65) + SOF + SCAN,
    "jpeg exif": JFIF + segment(0xE1, exif("<", *TEXTS)) + SOF + SCAN,
    "jpeg exif big": b"\xff\xd8" + segment(0xE1, exif(">", *TEXTS)) + SOF + SCAN,
    "ico": b"\0\0\1\0\2\0" + struct.pack("<BBBBHHII", 48, 48, 0, 0, 1, 32, 4, 38) + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 24, 12, 42)
    + b"abcd" + b"\x89PNG\r\n\x1a\nabcd",
    "webp": b"RIFF\0\0\0\0WEBPVP8 ",
    "bmp": b"BM123456",
    "tiff": b"II*\0aaaaaaaa",
    "unknown": b"nothing of the kind",
    "pbm": b"P4\n1 1\nx",
}


def call(name, data):
    result = contentviews.get(name)(data)
    return result and (result[0], [[(style, text) for style, text in line] for line in result[1]])


def failing(name, data):
    """As call, for data that may be wrong: the exception's text is not compared."""
    try:
        return call(name, data)
    except Exception:
        return "fails"


def cases():
    for view, kind, all_ in (
        ("graphql", "graphql", GRAPHQL), ("msgpack", "msgpack", MSGPACK), ("protobuf", "protocol buffer", PROTOBUF), ("image", "image", IMAGES),
    ):
        for name, data in all_.items():
            yield "%s %s" % (view, name), lambda: failing(kind, data)
    for name, text in CSS.items():
        yield "css " + name, lambda: css.beautify(text)
        yield "css view " + name, lambda: isinstance(css.ViewCSS()(text.encode()), tuple)
    yield "css bytes", lambda: [list(lines) for lines in css.ViewCSS()(b"a{b:\xff}")[1]]
    yield "css indent", lambda: css.beautify("a{b:c}", "\t")
    yield "css class", lambda: css.ViewCSS.name
    for data in (b"", b"x"):
        for t in (None, "text/css", "text/CSS", "text/plain", "application/css"):
            yield "css priority %r %s" % (data, t), lambda: css.ViewCSS().render_priority(data, content_type=t)
    for kind in ("graphql", "msgpack", "protocol buffer", "image"):
        yield "class " + kind, lambda: (type(contentviews.get(kind)).__name__, contentviews.get(kind).name)
        for data in (b"", b"x", b'{"query":"a\\nb"}', b'[{"query":"a"}]', b"[1]"):
            for t in (None, "text/css", "application/javascript", "text/javascript", "application/x-javascript", "application/json", "image/png",
                      "image/svg+xml", "application/msgpack", "application/x-msgpack", "application/x-protobuf", "application/x-protobuffer"):
                yield "priority %s %r %s" % (kind, data, t), lambda: contentviews.get(kind).render_priority(data, content_type=t)


if __name__ == "__main__":
    main(cases)
