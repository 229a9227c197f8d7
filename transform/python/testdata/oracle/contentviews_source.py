"""The views of mitmproxy.contentviews that take a format apart: CSS, JavaScript, GraphQL, MessagePack, Protocol Buffers, images."""
import struct
import zlib

from _oracle import main

from mitmproxy import contentviews
from mitmproxy.contentviews import css

EMPTY = "mitmproxy opens a brace for an empty message and does not close it"
NESTED = "mitmproxy does not indent the blocks in a block, and ends them with empty lines"
COLON = "mitmproxy sets every colon, comma and semicolon of a value apart"
LINE_COMMENT = "mitmproxy takes what is below a // comment into it, if that is a brace or a semicolon"
ONE_LINE_COMMENT = "mitmproxy takes a comment for a regular expression that ends at a slash in it"
EMPTY_STATEMENT = "mitmproxy does not indent a block that starts with a semicolon, and what follows it too little"
ESCAPED_SLASH = "mitmproxy ends a regular expression at a slash behind a backslash, if that can be"
LINE_BREAKS = "mitmproxy makes two lines of CR LF in comments and templates, and indents what is behind the other line breaks"
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
    "javascript line comment brace": LINE_COMMENT,
    "javascript line comment semi": LINE_COMMENT,
    "javascript comment slash": ONE_LINE_COMMENT,
    "javascript empty statement": EMPTY_STATEMENT,
    "javascript semi first": EMPTY_STATEMENT,
    "javascript regex escape": ESCAPED_SLASH,
    "javascript regex escape quote": ESCAPED_SLASH,
    "javascript regex only escape": ESCAPED_SLASH,
    "javascript comment regex": "mitmproxy sees no regular expression below a // comment with a space at its end",
    "javascript crlf comment": LINE_BREAKS,
    "javascript crlf template": LINE_BREAKS,
    "javascript cr": LINE_BREAKS,
    "javascript separator": LINE_BREAKS,
    "javascript backslashes": "mitmproxy has a string go on in the next line behind two backslashes",
    "javascript deep": "what is in more than 32 blocks is not indented further",
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

JAVASCRIPT = {
    "empty": "",
    "space": "  \n ",
    "name": "foo",
    "statements": "a;b;c",
    "var": "var a = 1; var b = 2;",
    "lines": "\n\na;\n\n\nb\n\nc\n",
    "line end space": "a  \n b\t\n",
    "semis": "a;;b;",
    "semi space": "a  ;  b\n;\n\nc",
    "crlf": "a;\r\nb {\r\n\tc,\r\n  d\r\n}\r\n",
    "function": "function f(a,b){return a+b}",
    "functions": "function f(a, b) {\n    return a + b;\n}\n\nfunction g() { f(1, 2); }\n",
    "function value": "a=function(){b};c",
    "call": "(function(){a;b})();",
    "argument": "f(function(){a;b;},1)",
    "arrow": "a.map(x=>{return x*2}).filter(x=>x>1)",
    "iife bang": "!function(a,b){a.c=b()}(this,function(){return 1});",
    "if else": "if(a){b}else if(c){d;}else{e}f",
    "no braces": "if(a)b;else c;while(d)e;",
    "do": "do{a}while(b);c",
    "switch": "switch(a){case 1:b;break;default:{c}}",
    "try": "try{a}catch(e){b}finally{c}",
    "class": "class A extends B{constructor(){super();this.x=1}get y(){return this.x}static z(){}}",
    "label": "a:for(;;){break a}",
    "module": "import {a,b} from 'c';export default{d:1};export{e};",
    "async": "async function f(){for await(const a of b()){await c(a)}}",
    "destructuring": "var {a,b:{c}}=d,[e,...f]=g;",
    "object": "x = {a: 1, b: {c: 2}};",
    "object lines": "a = {\n  b: 1,\n  'c': 2,\n\n  d: {\n    e: [\n      1\n    ]\n  }\n};",
    "object argument": "f({a:1},[2]);",
    "objects": "a=[{b:1},{c:2}];",
    "array": "a=[1,2,3];b=[[1],['x;y']]",
    "array lines": "a = [\n  1,\n  2\n];",
    "braces": "a{b{c{d}}}",
    "braces semi": "{a{b};c;{d};}",
    "braces follow": "{a},b;{c}\n.d;{e}:f;{g}]",
    "brace space": "a  {  b  }  c\n{\nd\n}\ne",
    "empty block": "a(){}b",
    "empty blocks": "a{{}}{ }",
    "empty value": "a={};b={} ;c={ };d={\n};",
    "empty values": "{a={};}b={};}{};",
    "only open": "{a;{b",
    "open lines": "{a\n\n\n",
    "open space": "{a \n ",
    "only close": "}a}{b}",
    "close semi": "};};a",
    "for": "for(var i=0;i<10;i++){a(i);}",
    "for two": "for(a;b;c)for(d;e;f)g;h",
    "for space": "for (var i = 0; i < 10; i++) { a(i); }",
    "for call": "for(a;b(c);d){e}",
    "for call first": "for(f(a;b);c;d){e}",
    "for lines": "for(a;\nb;c){d}",
    "for object": "for(var a={b:1};c;d){e}",
    "for string": "for(a=';';b;c)d;e",
    "for in": "for(a in b){c;d}",
    "for ever": "for(;;)a;",
    "for open": "{for(a;b",
    "for name": "xfor(a;b)c;x.for(d;e)f",
    "string": "a='b;c{d}';e=\"f;{g}\";",
    "string escape": "a='it\\'s;';b=\"\\\"{;\";c='\\\\';d",
    "string quotes": "a='b\";c\"';d=\"e';f'\";g=`h';i\"`;",
    "string comment": "a='http://b;c';d=\"/*e;*/\";f",
    "string goes on": "{a='b\\\n  c;d';e}",
    "strings": "a='b;'+'c{'+\"d}\";",
    "unfinished string": "a='b;c\nd;'e';",
    "apostrophes": "don't;a;won't;b;",
    "backslashes": "'\\\\\n;'a'",
    "line comment": "//a;b{c}\nd;e",
    "line comments": "//a\n//b;c\n\n  // d\ne",
    "line comment after": "a; // b;c\n d;e",
    "line comment in": "{ // a;b\n c; }",
    "line comment last": "{a//b\n}c//d;",
    "line comment block": "{a} // b\nc",
    "line comment quote": "// don't;\na;// won't;\nb;",
    "line comment space": "{// a  \n}",
    "line comment brace": "if (a) // b\n{ c }",
    "line comment semi": "a // b\n;c",
    "line comment url": "see http://a/;b\nc;",
    "comment": "/*a;b{c}*/d;e",
    "comments": "/*a;*/ /*b;*/c;/**/d;",
    "comment lines": "{\n  a;\n  /* b;\n   * {c}\n   */\n  d;\n}",
    "comment doc": "/**\n * a;\n * @param {b} c\n */\nfunction d(c){}",
    "comment own line": "a;\n\n  /* b */\nc\n  /* d */\ne,\n  /* f */\n  g",
    "comment own line in": "{\n  /* a */\n  b;\n  /* c */\n}",
    "comment in": "f(/*a;b*/c, d/*e;*/);",
    "comment block": "{a}/*b*/{/*c*/}",
    "comment quote": "/* don't; */a;b;/*'*/",
    "comment mixed": "/* // */a;b;// /*\nc;d",
    "comment slash": "a=/*b/;c*/d;e",
    "comment slash word": "{a;/* b/c; d */e}",
    "unfinished comment": "/*a;b",
    "html comment": "<!--a;b\nc;d\n-->e;",
    "hashbang": "#!/a/b\nc;d",
    "template": "a=`b;${c}{d}`;e",
    "template lines": "{a=`\n  b;\n    {c}\n`;d}",
    "template escape": "a=`b\\`;c`;d",
    "template nested": "a=`b${`c;d`}e`;f",
    "template quote": "a=`it's;`;b='`;';c",
    "unfinished template": "a=`b;c",
    "regex": "a=/b;c{1,2}/;d",
    "regex flags": "a=/b;c/gim;d=/e;/g.test(f);h",
    "regex argument": "a.split(/;/).b(/{/g,'c').replace(/'/g,'\"');d;",
    "regex operators": "a=[b,/;/,c&&/;/,!/;/.d];e:/;/;{/;/.f}",
    "regex space": "a = /b;c/ ;d(  /e;f/  )",
    "regex line": "a =\n\n  /b;c/;\n  /d;e/.f();",
    "regex class": "a=/[;{}'\"]/;b;c",
    "regex class slash": "a=/[/;]/;b",
    "regex escape": "a=/b\\/;c/;d",
    "regex escape quote": "a=/^\\/.'/;b;'c'",
    "regex escape word": "a=/b\\/c;d/;e",
    "regex only escape": "a={b:/c;\\/",
    "regex return": "return /a;b/;c",
    "regex brackets": "[/a;/];{b:/c;/}",
    "regex first": "/a;b/;c",
    "comment regex": "a//* \n/}/",
    "division": "a=b/c;d=e/f;g=(h)/i;j=k[0] /l;m/2",
    "not ascii": "a='é;';é={ß:'日本'};",
    "escape": "a\\;b\\{c\\}d",
    "tabs": "{\n\ta;\n\tb,\n\t\tc\n}",
    "crlf comment": "{/* a\r\n * b */c}",
    "crlf template": "{a=`b\r\nc`}",
    "cr": "{a\rb;\rc}",
    "separator": "{a=`b\u2028c`}",
    "empty statement": "while(a){;}b",
    "semi first": "{\n  ;[a].b()\n  c\n}\nd",
    "minified": "!function(t,e){\"object\"==typeof exports?module.exports=e():t.a=e()}(this,function(){\"use strict\";var t={},n=[];"
    "function r(t){for(var e=0,i=t.length;e<i;e++)if(t[e]){n.push({k:t[e],v:/[;{]+/g.test(t[e])?\"{\":'}'});break}else continue;return n}"
    "return t.b=r,t.c=function(){return r([1,2,3]).map(function(t){return t.k})},t});",
    "jsonp": "cb({\"a\":[{\"b\":1},{\"c\":\"d;e\"}]});",
    "deep": "{" * 40 + "a" + "}" * 40,
    "deepest": "{" * 32 + "a" + "}" * 32,
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
    for name, text in JAVASCRIPT.items():
        yield "javascript " + name, lambda: call("javascript", text.encode())
    yield "javascript bytes", lambda: call("javascript", b"a;\xff{\xe2\x82")
    yield "css bytes", lambda: [list(lines) for lines in css.ViewCSS()(b"a{b:\xff}")[1]]
    yield "css indent", lambda: css.beautify("a{b:c}", "\t")
    yield "css class", lambda: css.ViewCSS.name
    for data in (b"", b"x"):
        for t in (None, "text/css", "text/CSS", "text/plain", "application/css"):
            yield "css priority %r %s" % (data, t), lambda: css.ViewCSS().render_priority(data, content_type=t)
    for kind in ("graphql", "msgpack", "protocol buffer", "image", "javascript"):
        yield "class " + kind, lambda: (type(contentviews.get(kind)).__name__, contentviews.get(kind).name)
        for data in (b"", b"x", b'{"query":"a\\nb"}', b'[{"query":"a"}]', b"[1]"):
            for t in (None, "text/css", "application/javascript", "text/javascript", "application/x-javascript", "application/json", "image/png",
                      "image/svg+xml", "application/msgpack", "application/x-msgpack", "application/x-protobuf", "application/x-protobuffer"):
                yield "priority %s %r %s" % (kind, data, t), lambda: contentviews.get(kind).render_priority(data, content_type=t)


if __name__ == "__main__":
    main(cases)
