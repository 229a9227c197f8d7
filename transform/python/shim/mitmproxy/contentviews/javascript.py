"""JavaScript with a line break behind each brace and each semicolon, indented."""
from __future__ import annotations

import re

from mitmproxy.contentviews import base

CONTENT_TYPES = ("application/javascript", "application/x-javascript", "text/javascript")
MARKS = "{};"
DEPTH_MAX = 32
"""Deeper blocks are not indented further."""

_opening = re.compile(r"""[{};'"`/]|for\(""")
_bodies = {
    "'": re.compile(r"[^'\\\n]*(?:\\.[^'\\\n]*)*", re.DOTALL),
    '"': re.compile(r'[^"\\\n]*(?:\\.[^"\\\n]*)*', re.DOTALL),
    "`": re.compile(r"[^`\\]*(?:\\.[^`\\]*)*", re.DOTALL),
    "/": re.compile(r"[^/\\\n]*(?:\\.[^/\\\n]*)*"),
    "for(": re.compile(r"[^)\n]*"),
}
"""What is between an opening and its end, which is missing if something else follows."""
_operator = re.compile(r"[^\w\s)]")
"""What is not a value, so that a slash behind it does not divide."""
_after_regex = re.compile(r"[gimsuy]*(?=\s*(?:[\n),.;]|\Z))")


class _Scanner:
    """Splits a text into the MARKS, what stays as it is (comments, strings, templates, regular expressions, the heads
    of for loops) and code between them.
    """

    def __init__(self, text):
        self.text = text
        self.hopeless = {}  # up to where an opening has no end, so that many of them do not each look for one

    def tokens(self):
        """(kind, piece)s; a kind is a mark, "code", "fixed", or "//" for a comment up to the end of the line."""
        text = self.text
        code = i = 0  # code that is no token yet starts at code
        while True:
            found = _opening.search(text, i)
            if found is None:
                break
            i, opening = found.start(), found.group()
            if text.startswith("{};", i):  # a value rather than a block
                i += 2
                continue
            kind, start, end = (opening, i, i + 1) if opening in MARKS else self.fixed(opening, i)
            if not end:
                i += 1
                continue
            if code < start:
                yield "code", text[code:start]
            yield kind, text[start:end]
            code = i = end
        if code < len(text):
            yield "code", text[code:]

    def fixed(self, opening, i):
        """(kind, start, end) of what stays as it is at i; the end is 0 if nothing does."""
        if opening != "/":
            return "fixed", i, self.end(opening, i)
        text = self.text
        if text.startswith("//", i):
            line_end = text.find("\n", i)
            return "//", i, i + len(text[i : line_end if line_end >= 0 else None].rstrip())
        space = i
        while space and text[space - 1].isspace():
            space -= 1
        regex = self.end("/", i) if space and _operator.match(text, space - 1) else 0
        comment = self.end("/*", i) if text.startswith("/*", i) else 0
        # Empty lines before a regular expression stay; also those before what looks like one, a comment in one line.
        line_break = text.find("\n", space, i) if regex else -1
        return "fixed", i if line_break < 0 else line_break, comment or regex

    def end(self, opening, i):
        """Behind what the opening at i opens, 0 if that does not end."""
        if i < self.hopeless.get(opening, 0):
            return 0
        start = i + len(opening)
        if opening == "/*":
            end = self.text.find("*/", start)
            if end >= 0:
                return end + 2
            end = len(self.text)
        else:
            end = _bodies[opening].match(self.text, start).end()
            if self.text.startswith(")" if opening == "for(" else opening, end):
                if opening != "/":
                    return end + 1
                flags = _after_regex.match(self.text, end + 1)
                if flags:
                    return flags.end()
        self.hopeless[opening] = end
        return 0


ENDS_LINE = ("{", "}", ";", "};")
"""The kinds of tokens behind which text starts a new line."""
OWN_LINE = {"{": ("//",) + ENDS_LINE, "}": ("{", "}", "};"), ";": ("//", "{", ";", "};")}
"""The kinds of tokens behind which a mark starts a new line; a closing brace starts one anyway."""


class _Writer:
    def __init__(self, indent):
        self.indent = indent
        self.depth = 0
        self.pieces = []
        self.last = "code"  # the kind of the token before, "};" for a semicolon behind a brace
        self.space = ""  # white space in front of the next token, if that is no mark

    def indented(self, text):
        return text.replace("\n", "\n" + self.indent * max(min(self.depth, DEPTH_MAX), 0))

    def new_line(self):
        if self.last == "{":
            self.depth += 1
        self.pieces.append(self.indented("\n"))

    def mark(self, mark):
        self.space = ""
        if self.last in OWN_LINE[mark]:
            self.new_line()
        if mark == "}":
            self.depth -= 1
            self.pieces.append(self.indented("\n"))
        elif mark == "{" and self.last in ("code", "fixed", "{"):
            self.pieces.append(" ")
        self.pieces.append(mark)
        self.last = "};" if self.last + mark == "};" else mark

    def text(self, kind, piece):
        starts_line = self.last in ENDS_LINE
        visible = piece
        if kind == "code":
            if starts_line:
                piece = piece.lstrip()
            visible = piece.rstrip()
        if not visible:
            self.space += piece
            return
        if starts_line:
            self.new_line()
        self.pieces.append(self.indented(self.space))
        self.pieces.append(self.indented(visible) if kind == "code" else visible)
        self.space = piece[len(visible) :]
        self.last = kind

    def result(self):
        rest = self.indented(self.space)
        if self.last in ENDS_LINE:
            rest = "\n"
        elif self.space.endswith("\n"):
            rest = self.indented(self.space[:-1]) + "\n"
        return "".join(self.pieces) + rest


def beautify(data, indent="  "):
    """The text of a script with a line break behind each brace and each semicolon."""
    writer = _Writer(indent)
    for kind, piece in _Scanner(data).tokens():
        if kind in OWN_LINE:
            writer.mark(kind)
        else:
            writer.text(kind, piece)
    return writer.result()


class ViewJavaScript(base.View):
    name = "JavaScript"
    syntax_highlight = "javascript"

    def __call__(self, data, **metadata):
        return "JavaScript", base.format_text(beautify(data.decode("utf-8", "replace")))

    def prettify(self, data, metadata):
        text = None
        if metadata.http_message is not None:
            text = metadata.http_message.get_text(strict=False)
        return beautify(data.decode("utf-8", "backslashreplace") if text is None else text)

    def render_priority(self, data, *, content_type=None, **metadata):
        return float(bool(data) and content_type in CONTENT_TYPES)
