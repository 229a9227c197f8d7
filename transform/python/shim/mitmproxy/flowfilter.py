"""The filter language.

    filter = infix { infix }                    side by side is "and", weakest of all
    infix  = and { "|" and }
    and    = not { "&" not }
    not    = "!" not | atom
    atom   = "(" infix ")" | "~" name | "~c" number | "~" name word | word
    word   = bare | '"' ... '"' | "'" ... "'"

A word alone is ~u. A bare word goes up to white space or one of ( ) ~ ' ", so & | ! are
ordinary characters within it. Behind the name of an operator there must be white space or
the end: "(~q)" is an error, "(~q )" is not. Regexes are Python's, search anywhere and ignore
case, unless MITMPROXY_CASE_SENSITIVE_FILTERS=1 is in the environment when they are parsed.
"""
from __future__ import annotations

import copy
import os
import re
import sys

from mitmproxy.http import HTTPFlow

WHITESPACE = " \t\n\r"

_bare_word = re.compile(r"[^()~'\" \t\n\r]+").match
_digits = re.compile(r"[0-9]+").match
_quoted = re.compile(
    r'"((?:[^"\n\r\\]|\\.)*)"' r"|'((?:[^'\n\r\\]|\\.)*)'"
).match
_name = re.compile(r"~([a-z]+)(?![!-~])").match
_space = re.compile(r"[ \t\n\r]*").match
_escape = re.compile(r"\\(.)")

_escapes = {"t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def _is(f, kind):
    return getattr(f, "type", None) == kind


def _ignore_case():
    return os.environ.get("MITMPROXY_CASE_SENSITIVE_FILTERS") != "1"


class TFilter:
    """The type of filters, for annotations: called with a flow, they return a bool."""

    pattern: str

    def __call__(self, f):
        raise NotImplementedError


class _Token(TFilter):
    def dump(self, indent=0, fp=None):
        print("\t" * indent + type(self).__name__ + self._dumped(), file=fp or sys.stdout)
        for kid in self._kids():
            kid.dump(indent + 1, fp)

    def _dumped(self):
        return ""

    def _kids(self):
        return ()


class _Action(_Token):
    """An operator: `code` is its name behind the ~, `text` what it says in words."""

    code: str
    help: str
    text: str

    def __str__(self):
        return self.text


class FAll(_Action):
    code = "all"
    help = "Match all flows"
    text = "all flows"

    def __call__(self, f):
        return True


class FErr(_Action):
    code = "e"
    help = "Match error"
    text = "has error"

    def __call__(self, f):
        return f.error is not None


class FMarked(_Action):
    code = "marked"
    help = "Match marked flows"
    text = "is marked"

    def __call__(self, f):
        return bool(f.marked)


class FHTTP(_Action):
    code = "http"
    help = "Match HTTP flows"
    text = "is an HTTP Flow"

    def __call__(self, f):
        return isinstance(f, HTTPFlow)


class FWebSocket(_Action):
    code = "websocket"
    help = "Match WebSocket flows"
    text = "is a Websocket Flow"

    def __call__(self, f):
        return isinstance(f, HTTPFlow) and f.websocket is not None


class FTCP(_Action):
    code = "tcp"
    help = "Match TCP flows"
    text = "is a TCP Flow"

    def __call__(self, f):
        return _is(f, "tcp")


class FUDP(_Action):
    code = "udp"
    help = "Match UDP flows"
    text = "is a UDP Flow"

    def __call__(self, f):
        return _is(f, "udp")


class FDNS(_Action):
    code = "dns"
    help = "Match DNS flows"
    text = "is a DNS Flow"

    def __call__(self, f):
        return _is(f, "dns")


class FReq(_Action):
    code = "q"
    help = "Match request with no response"
    text = "has no response"

    def __call__(self, f):
        return (isinstance(f, HTTPFlow) or _is(f, "dns")) and f.response is None


class FResp(_Action):
    code = "s"
    help = "Match response"
    text = "has response"

    def __call__(self, f):
        return (isinstance(f, HTTPFlow) or _is(f, "dns")) and f.response is not None


class FReplay(_Action):
    code = "replay"
    help = "Match replayed flows"
    text = "flow has been replayed"

    def __call__(self, f):
        return f.is_replay is not None


class FReplayClient(_Action):
    code = "replayq"
    help = "Match replayed client request"
    text = "request has been replayed"

    def __call__(self, f):
        return f.is_replay == "request"


class FReplayServer(_Action):
    code = "replays"
    help = "Match replayed server response"
    text = "response has been replayed"

    def __call__(self, f):
        return f.is_replay == "response"


def _content_type_matches(search, message):
    for name, value in message.headers.fields:
        if name.lower() == b"content-type" and search(value):
            return True
    return False


class FAsset(_Action):
    code = "a"
    help = "Match asset in response: CSS, JavaScript, images, fonts."
    text = "is asset"

    ASSET_TYPES = [
        re.compile(t)
        for t in (
            b"text/javascript",
            b"application/x-javascript",
            b"application/javascript",
            b"text/css",
            b"image/.*",
            b"font/.*",
            b"application/font.*",
        )
    ]

    def __init__(self):
        pattern = b"|".join(t.pattern for t in self.ASSET_TYPES)
        self._search = re.compile(pattern, re.IGNORECASE if _ignore_case() else 0).search

    def __call__(self, f):
        return (
            isinstance(f, HTTPFlow)
            and f.response is not None
            and _content_type_matches(self._search, f.response)
        )


class _Rex(_Action):
    """An operator with a regex, over bytes unless `is_binary` is False."""

    flags = 0
    is_binary = True

    def __init__(self, expr):
        self.expr = expr
        flags = self.flags
        if _ignore_case():
            flags |= re.IGNORECASE
        try:
            self.re = re.compile(expr.encode() if self.is_binary else expr, flags)
        except Exception:
            raise ValueError("Cannot compile expression.") from None
        self._search = self.re.search

    def _dumped(self):
        return self.expr

    def __str__(self):
        flags = self.re.flags
        letters = "".join(
            letter
            for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL))
            if flags & flag
        )
        return "%s matches /%s/%s" % (self.text, self.expr, letters)


class FHead(_Rex):
    code = "h"
    help = "Header"
    text = "header"
    flags = re.MULTILINE

    def __call__(self, f):
        if not isinstance(f, HTTPFlow):
            return False
        if f.request and self._search(bytes(f.request.headers)):
            return True
        return bool(f.response and self._search(bytes(f.response.headers)))


class FHeadRequest(_Rex):
    code = "hq"
    help = "Request header"
    text = "req. header"
    flags = re.MULTILINE

    def __call__(self, f):
        return (
            isinstance(f, HTTPFlow)
            and f.request is not None
            and self._search(bytes(f.request.headers)) is not None
        )


class FHeadResponse(_Rex):
    code = "hs"
    help = "Response header"
    text = "resp. header"
    flags = re.MULTILINE

    def __call__(self, f):
        return (
            isinstance(f, HTTPFlow)
            and f.response is not None
            and self._search(bytes(f.response.headers)) is not None
        )


class FContentType(_Rex):
    code = "t"
    help = "Content-type header"
    text = "content type"

    def __call__(self, f):
        if not isinstance(f, HTTPFlow):
            return False
        if f.request and _content_type_matches(self._search, f.request):
            return True
        return f.response is not None and _content_type_matches(self._search, f.response)


class FContentTypeRequest(_Rex):
    code = "tq"
    help = "Request Content-Type header"
    text = "req. content type"

    def __call__(self, f):
        return (
            isinstance(f, HTTPFlow)
            and f.request is not None
            and _content_type_matches(self._search, f.request)
        )


class FContentTypeResponse(_Rex):
    code = "ts"
    help = "Response Content-Type header"
    text = "resp. content type"

    def __call__(self, f):
        return (
            isinstance(f, HTTPFlow)
            and f.response is not None
            and _content_type_matches(self._search, f.response)
        )


class FBod(_Rex):
    """A body without its content-encoding, a message, or a DNS message as text."""

    code = "b"
    help = "Body"
    text = "body"
    flags = re.DOTALL

    from_client = True
    from_server = True

    def __call__(self, f):
        if isinstance(f, HTTPFlow):
            if self.from_client and self._in_body(f.request):
                return True
            if self.from_server and self._in_body(f.response):
                return True
            return f.websocket is not None and self._in_messages(f.websocket.messages)
        if _is(f, "tcp") or _is(f, "udp"):
            return self._in_messages(f.messages)
        if _is(f, "dns"):
            return bool(
                self.from_client and f.request and self._search(str(f.request).encode())
                or self.from_server and f.response and self._search(str(f.response).encode())
            )
        return False

    def _in_body(self, message):
        return bool(
            message
            and message.raw_content
            and self._search(message.get_content(strict=False))
        )

    def _in_messages(self, messages):
        search = self._search
        for m in messages:
            if (self.from_client if m.from_client else self.from_server) and search(m.content):
                return True
        return False


class FBodRequest(FBod):
    code = "bq"
    help = "Request body"
    text = "body request"
    from_server = False


class FBodResponse(FBod):
    code = "bs"
    help = "Response body"
    text = "body response"
    from_client = False


class FMethod(_Rex):
    code = "m"
    help = "Method"
    text = "method"
    flags = re.IGNORECASE

    def __call__(self, f):
        return (
            isinstance(f, HTTPFlow)
            and f.request is not None
            and self._search(f.request._method) is not None
        )


class FDomain(_Rex):
    code = "d"
    help = "Domain"
    text = "domain"
    flags = re.IGNORECASE
    is_binary = False

    def __call__(self, f):
        if not isinstance(f, HTTPFlow) or f.request is None:
            return False
        return bool(self._search(f.request.host) or self._search(f.request.pretty_host))


class FUrl(_Rex):
    code = "u"
    help = "URL"
    text = "url"
    is_binary = False

    def __call__(self, f):
        if isinstance(f, HTTPFlow):
            return f.request is not None and self._search(f.request.pretty_url) is not None
        if not _is(f, "dns") or not f.request or not f.request.questions:
            return False
        return self._search(f.request.questions[0].name) is not None


class FSrc(_Rex):
    code = "src"
    help = "Match source address"
    text = "source address"
    is_binary = False

    def __call__(self, f):
        peer = f.client_conn and f.client_conn.peername
        return bool(peer and self._search("%s:%s" % (peer[0], peer[1])))


class FDst(_Rex):
    code = "dst"
    help = "Match destination address"
    text = "destination address"
    is_binary = False

    def __call__(self, f):
        address = f.server_conn and f.server_conn.address
        return bool(address and self._search("%s:%s" % (address[0], address[1])))


class FMeta(_Rex):
    code = "meta"
    help = "Flow metadata"
    text = "flow metadata"
    flags = re.MULTILINE
    is_binary = False

    def __call__(self, f):
        lines = "\n".join(["%s: %s" % entry for entry in f.metadata.items()])
        return self._search(lines) is not None


class FMarker(_Rex):
    code = "marker"
    help = "Match marked flows with specified marker"
    text = "marker"
    is_binary = False

    def __call__(self, f):
        return self._search(f.marked) is not None


class FComment(_Rex):
    code = "comment"
    help = "Flow comment"
    text = "comment"
    flags = re.MULTILINE
    is_binary = False

    def __call__(self, f):
        return self._search(f.comment) is not None


class _Int(_Action):
    def __init__(self, num):
        self.num = int(num)


class FCode(_Int):
    code = "c"
    help = "HTTP response code"

    def __call__(self, f):
        return (
            isinstance(f, HTTPFlow)
            and f.response is not None
            and f.response.status_code == self.num
        )

    def __str__(self):
        return "response code is %d" % self.num


class _List(_Token):
    word: str

    def __init__(self, lst):
        self.lst = lst

    def _kids(self):
        return self.lst

    def __str__(self):
        return (" %s " % self.word).join(_bracketed(kid) for kid in self.lst)


class FAnd(_List):
    word = "and"

    def __call__(self, f):
        for kid in self.lst:
            if not kid(f):
                return False
        return True


class FOr(_List):
    word = "or"

    def __call__(self, f):
        for kid in self.lst:
            if kid(f):
                return True
        return False


class FNot(_Token):
    def __init__(self, itm):
        self.itm = itm

    def __call__(self, f):
        return not self.itm(f)

    def _kids(self):
        return (self.itm,)

    def __str__(self):
        return "not " + _bracketed(self.itm)


def _bracketed(kid):
    return "(%s)" % kid if isinstance(kid, _List) else str(kid)


filter_unary = [
    FAsset,
    FErr,
    FHTTP,
    FMarked,
    FReplay,
    FReplayClient,
    FReplayServer,
    FReq,
    FResp,
    FTCP,
    FUDP,
    FDNS,
    FWebSocket,
    FAll,
]
filter_rex = [
    FBod,
    FBodRequest,
    FBodResponse,
    FContentType,
    FContentTypeRequest,
    FContentTypeResponse,
    FDomain,
    FDst,
    FHead,
    FHeadRequest,
    FHeadResponse,
    FMethod,
    FSrc,
    FUrl,
    FMeta,
    FMarker,
    FComment,
]
filter_int = [FCode]

_operators = {c.code: c for c in filter_unary + filter_rex + filter_int}

help = sorted(
    [("~" + c.code, c.help) for c in filter_unary]
    + [("~%s regex" % c.code, c.help) for c in filter_rex]
    + [("~%s int" % c.code, c.help) for c in filter_int]
) + [
    ("!", "unary not"),
    ("&", "and"),
    ("|", "or"),
    ("(...)", "grouping"),
]


class _Parser:
    """Parses with backtracking: each method returns None if it finds nothing at its place.

    Only the end of the expression makes it necessary: "a &" is a, and the word "&".
    """

    def __init__(self, s):
        self.s = s
        self.pos = 0

    def parse(self):
        kids = []
        while True:
            self._skip_space()
            if kids and self.pos == len(self.s):
                return kids[0] if len(kids) == 1 else FAnd(kids)
            kid = self._or()
            if kid is None:
                return None
            kids.append(kid)

    def _skip_space(self):
        self.pos = _space(self.s, self.pos).end()

    def _sign(self, sign):
        self._skip_space()
        if not self.s.startswith(sign, self.pos):
            return False
        self.pos += 1
        return True

    def _or(self):
        return self._list("|", self._and, FOr)

    def _and(self):
        return self._list("&", self._not, FAnd)

    def _list(self, sign, operand, cls):
        kid = operand()
        if kid is None:
            return None
        kids = [kid]
        while True:
            before = self.pos
            kid = operand() if self._sign(sign) else None
            if kid is None:
                self.pos = before
                return kids[0] if len(kids) == 1 else cls(kids)
            kids.append(kid)

    def _not(self):
        before = self.pos
        kid = self._not() if self._sign("!") else None
        if kid is not None:
            return FNot(kid)
        self.pos = before
        return self._atom()

    def _atom(self):
        if self._sign("("):
            kid = self._or()
            return kid if kid is not None and self._sign(")") else None
        found = _name(self.s, self.pos)
        if found is None:
            return self._regex(FUrl)
        cls = _operators.get(found.group(1))
        if cls is None:
            return None
        self.pos = found.end()
        if issubclass(cls, _Rex):
            return self._regex(cls)
        if issubclass(cls, _Int):
            return self._number(cls)
        return cls()

    def _number(self, cls):
        self._skip_space()
        found = _digits(self.s, self.pos)
        if found is None:
            return None
        self.pos = found.end()
        return cls(found.group())

    def _regex(self, cls):
        self._skip_space()
        found = _bare_word(self.s, self.pos)
        if found is not None:
            self.pos = found.end()
            return cls(found.group())
        found = _quoted(self.s, self.pos)
        if found is None:
            return None
        self.pos = found.end()
        return cls(_escape.sub(_unescape, found.group(found.lastindex)))


def _unescape(found):
    c = found.group(1)
    return _escapes.get(c, c)


_cache: dict = {}
_CACHE_SIZE = 512


def _compiled(s):
    """The filter of an expression, shared by all who ask for the same one."""
    key = (s, _ignore_case())
    flt = _cache.get(key)
    if flt is None:
        flt = _compile(s)
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        _cache[key] = flt
    return flt


def _compile(s):
    if not s:
        raise ValueError("Empty filter expression")
    try:
        # Tabs become blanks even within quotes: mitmproxy's parser does so.
        flt = _Parser(s.expandtabs()).parse()
    except (ValueError, RecursionError):
        flt = None
    if flt is None:
        raise ValueError("Invalid filter expression: %r" % s)
    flt.pattern = s
    return flt


def parse(s):
    """The filter that an expression means. An invalid one raises ValueError."""
    return copy.copy(_compiled(s))


def match(flt, flow):
    """Whether a filter, or a filter expression, matches a flow. None matches all.

    An invalid expression raises ValueError.
    """
    if isinstance(flt, str):
        flt = _compiled(flt)
    if flt:
        return flt(flow)
    return True


match_all = parse("~all")
