"""CSS with a declaration a line, indented."""
from __future__ import annotations

from mitmproxy.contentviews import base

SPACE = " \t\r\n\f"
PUNCTUATION = "{};:,"
DEPTH_MAX = 32
"""Deeper blocks are not indented further."""


def _string_end(text, start):
    """Behind the string that a quote at start opens; behind the quote alone if the line ends before the string."""
    i = start + 1
    while i < len(text) and text[i] != "\n":
        if text[i] == text[start]:
            return i + 1
        i += 2 if text[i] == "\\" else 1
    return start + 1


def _end(text, mark, start):
    """Behind the next mark, or the end of the text."""
    found = text.find(mark, start)
    return len(text) if found < 0 else found + len(mark)


def _is_bare_url(text, i):
    """Whether an address without quotes opens at i."""
    return text[i : i + 4].lower() == "url(" and text[i + 4 : i + 64].lstrip(SPACE)[:1] not in ("'", '"')


def scan(text):
    """The tokens of text: a mark of PUNCTUATION, white space, or a piece that stays as it is."""
    start = i = 0  # a piece without a token of its own goes from start to i
    while i < len(text):
        c = text[i]
        if c == "\\":
            i += 2
            continue
        if c in PUNCTUATION:
            end = i + 1
        elif c in SPACE:
            end = i + 1
            while end < len(text) and text[end] in SPACE:
                end += 1
        elif c in "'\"":
            end = _string_end(text, i)
        elif text.startswith("/*", i):
            end = _end(text, "*/", i + 2)
        elif c in "uU" and _is_bare_url(text, i):
            end = _end(text, ")", i + 4)
        else:
            i += 1
            continue
        if start < i:
            yield text[start:i]
        yield text[i:end]
        start = i = end
    if start < len(text):
        yield text[start:]


class _Writer:
    def __init__(self, indent):
        self.indent = indent
        self.depth = 0
        self.lines = []
        self.blank = False  # whether a rule ended above

    def margin(self):
        return self.indent * min(self.depth, DEPTH_MAX)

    def add(self, line):
        if self.blank:
            self.lines.append("")
            self.blank = False
        self.lines.append(self.margin() + line)

    def open(self, selector):
        self.add((selector + " {").lstrip())
        self.depth += 1

    def close(self):
        self.depth = max(self.depth - 1, 0)
        self.blank = False
        self.add("}")
        self.blank = True

    def statement(self, tokens, is_declaration):
        """One line of tokens; more where they have line breaks."""
        is_declaration = is_declaration and not any(t.startswith("@") for t in tokens[:2])
        line = []
        after_mark = True  # white space is dropped at the start and behind "," and ":"
        for token in tokens:
            if token[0] in SPACE:
                if not after_mark:
                    line.append("\n" + self.margin() if "\n" in token else token)
                continue
            after_mark = token == "," or (token == ":" and is_declaration)
            if after_mark:
                if line and line[-1].isspace():
                    line.pop()
                is_declaration = is_declaration and token != ":"
                token += " "
            line.append(token)
        return "".join(line).rstrip(SPACE)


def beautify(data, indent="    "):
    """The text of a style sheet, with each declaration and each brace on its own line."""
    writer = _Writer(indent)
    tokens = []
    for token in scan(data):
        if token not in ("{", "}", ";"):
            tokens.append(token)
            continue
        line = writer.statement(tokens, token != "{" and writer.depth > 0)
        tokens = []
        if token == "{":
            writer.open(line)
        elif token == ";":
            writer.add(line + ";")
        else:
            if line:
                writer.add(line)
            writer.close()
    line = writer.statement(tokens, writer.depth > 0)
    if line:
        writer.add(line)
    return "\n".join(writer.lines) + "\n"


class ViewCSS(base.View):
    name = "CSS"
    syntax_highlight = "css"

    def __call__(self, data, **metadata):
        return "CSS", base.format_text(beautify(data.decode("utf-8", "surrogateescape")))

    def prettify(self, data, metadata):
        text = None
        if metadata.http_message is not None:
            text = metadata.http_message.get_text(strict=False)
        return beautify(data.decode("utf-8", "backslashreplace") if text is None else text)

    def render_priority(self, data, *, content_type=None, **metadata):
        return float(bool(data) and content_type == "text/css")
