"""mitmproxy.contentviews."""
import gzip

from _oracle import main

from mitmproxy import contentviews, http
from mitmproxy.contentviews import base
from mitmproxy.test import tflow, tutils

FORM = (
    b'--AaB03x\r\nContent-Disposition: form-data; name="submit-name"\r\n\r\nLarry\r\n'
    b'--AaB03x\r\nContent-Disposition: form-data; name="file"; filename=x\r\n\r\n\x00\xff\r\n'
    b'--AaB03x\r\nContent-Disposition: form-data; name="file"\r\n\r\n2\r\n--AaB03x--\r\n'
)
FORM_TYPE = "multipart/form-data; boundary=AaB03x"

DEVIATIONS = {
    "auto form": "mitmproxy 8 does not tell the view the boundary, so that it falls back to Raw",
    "multipart form form": "mitmproxy 8 does not tell the view the boundary, so that it falls back to Raw",
    "nosuch form": "mitmproxy 8 does not tell the view the boundary, so that it falls back to Raw",
}


def message(body, content_type=None, encoding=None, request=False, **kwargs):
    headers = []
    if content_type:
        headers.append((b"content-type", content_type.encode()))
    if encoding:
        headers.append((b"content-encoding", encoding.encode()))
    make = tutils.treq if request else tutils.tresp
    return make(content=body, headers=http.Headers(headers), **kwargs)


MESSAGES = {
    "text": message(b"foo\nbar\r\nbaz"),
    "empty": message(b""),
    "missing": message(None),
    "json": message(b'{"a":[1,2,{"b":null}],"c":"\xc3\xa9","n":[-1,2.5,1e3],"t":true,"e":[],"o":{}}', "application/json"),
    "json text": message(b'{"u": "\\u00e9\\ud83d\\ude00\\n\\"x\\"", "1": "2"}', "application/vnd.api+json; charset=utf-8"),
    "json list": message(b'["a","1","true",true,NaN,[[]]]', "application/json-rpc"),
    "json number": message(b" 12 "),
    "json bom": message(b"\xef\xbb\xbf{}", "application/json"),
    "json broken": message(b'{"a"', "application/json"),
    "json latin": message(b'{"a":"\xe9"}', "application/json"),
    "control": message(b"a\x00\x1b[0m\xff\tb\nc'\"\\"),
    "binary": message(bytes(range(256))),
    "ff": message(b"\xff" * 30),
    "form data": message(b"a=b&c=d+e%20f&g&a=2&%C3%A9=%E2%82%AC&=x&k=", "application/x-www-form-urlencoded"),
    "form latin": message(b"\xff=\xfe", "application/x-www-form-urlencoded"),
    "form": message(FORM, FORM_TYPE),
    "no form": message(b"x", FORM_TYPE),
    "query": message(b"", request=True, path=b"/?a=b&longer=d&a=e&%20=%3D"),
    "query body": message(b"body", request=True, path=b"/?a=b"),
    "no query": message(b"", request=True),
    "gzip": message(gzip.compress(b"foo"), encoding="gzip"),
    "bad gzip": message(b"bad", encoding="gzip"),
    "unknown encoding": message(b"x", encoding="unknown"),
    "identity": message(b"x", encoding="identity"),
    "html": message(b"<html><head><title>t</title></head><body><p>Some <b>bold</b> text<br>x</p></body></html>", "text/html"),
    "svg": message(b"<svg></svg>", "image/svg+xml"),
    "xml type": message(b"<a/>", "application/xml"),
    "latin": message(b"foo\xe9", "text/html; charset=latin-1"),
    "plain": message(b"foo", "text/plain; charset=utf-8"),
    "strange type": message(b"foo", "nonsense"),
}
VIEWS = ["auto", "raw", "Hex", "json", "URL-encoded", "query", "xml/html", "multipart form", "nosuch"]

PAIRS = [
    [],
    [("a", "b")],
    [("a", "b"), ("longer", ""), ("c", "d")],
    [("a" * 31, "b"), ("c" * 30, "d"), ("e" * 29, "f")],
    [(b"x", b"\xff"), (b"yy", b"")],
    [("é", "ü"), (b"x", "y")],
]

XML = {
    "empty": b"",
    "text": b"foo",
    "open": b"<HTML><p>x",
    "doctype": b"<!doctype html><p>x</p>",
    "quotes": b"<?xml version='1.0'?><a b='<' c=\"/\"><c/>t</a>",
    "unfinished": b"<p",
    "nothing": b"<>",
    "nested": b"<a><b></b></a>",
    "mixed": b"<a>x<b>y</b>z</a>",
    "space": b"<a>\n\n  <b/>\n</a>",
    "before": b"a<b>c",
    "closing": b"</a>",
    "wrong": b"<a></b></a>",
    "void": b"<br><img src=x>y",
    "inner": b"<svg><html></html></svg>",
    "comment": b"<a>\n<!--\n  one\n    two\nthree\n-->\n</a>",
    "cdata": b"<a>\n<![CDATA[\n    x\n  <b></c>\n]]>\n</a>",
    "list": b"<ul><li>1<li>2</ul>",
    "siblings": b"<a>very</a> <b>long</b>",
    "utf8": "<a>é</a>ß".encode(),
    "page": b'<!DOCTYPE html><html lang="en"><head><title>title</title></head><body><h1>Hello</h1><!-- page --></body></html>',
    "inline": b'<html>\n<head><title>T</title></head>\n<body>\n<p><i class="f"></i>Some <b>inline</b>, some not!</p>\n<i/>\n</body>\n</html>',
    "many": b"<p>a" * 14,
}


def plain(result):
    description, lines, error = result
    return description, list(lines), bool(error)


def call(view, data, **metadata):
    result = view(data, **metadata)
    return result and (result[0], list(result[1]))


def cases():
    flow = tflow.tflow(resp=True)
    for view in VIEWS:
        for name, m in MESSAGES.items():
            if m.raw_content is not None or view == "auto":
                yield view + " " + name, lambda: plain(contentviews.get_message_content_view(view, m, flow))
    for name, data in XML.items():
        yield "xml/html " + name, lambda: call(contentviews.get("XML/HTML"), data)
    yield "multipart", lambda: call(contentviews.get("multipart form"), FORM, content_type=FORM_TYPE)
    yield "multipart without type", lambda: call(contentviews.get("multipart form"), FORM)
    for i, pairs in enumerate(PAIRS):
        yield "format_pairs %d" % i, lambda: list(base.format_pairs(pairs))
        yield "format_dict %d" % i, lambda: list(contentviews.format_dict(dict(pairs)))
    for text in ("", "a", "a\nb\r\nc\x0bd\n", b"", b"a\nb\r\n\xff"):
        yield "format_text %r" % text, lambda: list(contentviews.format_text(text))
    yield "safe_to_print", lambda: list(contentviews.safe_to_print([[("text", b"a\x00\xff\n")], [("x", "b\x1b[0m\t\n")]]))
    yield "safe_to_print latin", lambda: list(contentviews.safe_to_print(iter([[("text", b"\xe9")]]), "latin-1"))
    for name in VIEWS:
        yield "get " + name, lambda: getattr(contentviews.get(name), "name", None)
        yield "class " + name, lambda: type(contentviews.get(name)).__name__
    for view in VIEWS[:-1]:
        for data in (b"", b"x", b"{}", b"\xff" * 30, b" <x"):
            for t in (None, "application/json", "application/x+json", "text/json", "text/html", "text/xml", "foo/xml", "image/svg+xml",
                      "application/x-www-form-urlencoded", "multipart/form-data", "application/json-rpc", "APPLICATION/JSON"):
                yield "priority %s %r %s" % (view, data, t), lambda: contentviews.get(view).render_priority(data, content_type=t)
    tcp, ws = tflow.ttcpflow(), tflow.twebsocketflow()
    for i, m in enumerate(tcp.messages):
        yield "tcp %d" % i, lambda: plain(contentviews.get_message_content_view("auto", m, tcp))
    for i, m in enumerate(ws.websocket.messages):
        yield "websocket %d" % i, lambda: plain(contentviews.get_message_content_view("auto", m, ws))
    yield "get_tcp_content_view", lambda: plain(contentviews.get_tcp_content_view("hex", b"abc\x00", tcp))
    yield "get_content_view", lambda: plain(contentviews.get_content_view(contentviews.get("auto"), b"{}", content_type="application/json"))
    yield from custom(flow)


class SwapCase(contentviews.View):
    name = "SwapCase"
    content_types = ["text/plain"]

    def __call__(self, data, **metadata):
        return "case-swapped text", contentviews.format_text(data.swapcase())

    def render_priority(self, data, *, content_type=None, **unknown):
        return 99 if content_type == "text/swap" else 0


class Failing(SwapCase):
    name = "failing"

    def __call__(self, data, **metadata):
        raise ValueError("oops")


class Silent(SwapCase):
    name = "silent"

    def __call__(self, data, **metadata):
        return None


class Nameless(contentviews.View):
    def __call__(self, data, **metadata):
        return "x", []


def is_abstract(cls):
    try:
        cls()
    except TypeError:
        return True
    return False


def custom(flow):
    swap = SwapCase()
    yield "add", lambda: contentviews.add(swap)
    yield "add again", lambda: contentviews.add(SwapCase())
    yield "added", lambda: contentviews.get("swapcase") is swap
    yield "added is seen", lambda: plain(contentviews.get_message_content_view("swapcase", message(b"aBc"), flow))
    yield "added is fittest", lambda: plain(contentviews.get_message_content_view("auto", message(b"aBc", "text/swap; a=b"), flow))
    yield "add failing", lambda: contentviews.add(Failing())
    yield "failing", lambda: plain(contentviews.get_message_content_view("failing", message(b"aBc"), flow))
    yield "add silent", lambda: contentviews.add(Silent())
    yield "silent", lambda: plain(contentviews.get_message_content_view("silent", message(b"aBc"), flow))
    yield "remove", lambda: contentviews.remove(swap)
    yield "removed", lambda: contentviews.get("swapcase")
    yield "remove again", lambda: contentviews.remove(swap)
    yield "default priority", lambda: Nameless().render_priority(b"")
    yield "nameless", lambda: contentviews.add(Nameless())
    yield "abstract", lambda: is_abstract(contentviews.View)


if __name__ == "__main__":
    main(cases)
