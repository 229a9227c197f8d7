"""XML and HTML with a tag a line, indented."""
from __future__ import annotations

import re
import textwrap

from mitmproxy.contentviews import base
from mitmproxy.utils import strutils

INDENT = 2
HTML_VOID_ELEMENTS = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "keygen", "link", "meta", "param", "source", "track",
    "wbr",
}  # fmt: skip
NO_INDENT_TAGS = {"xml", "doctype", "html"}

_token = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<(?:'[^']*'|\"[^\"]*\"|[^'\">])*>|<[^<]*|[^<]+", re.S)
_name = re.compile(r"[a-zA-Z0-9._:\-]+")


class Token:
    def __init__(self, data):
        self.data = data

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, self.data)


class Text(Token):
    @property
    def text(self):
        return self.data.strip()


class Tag(Token):
    @property
    def tag(self):
        found = _name.search(self.data)
        return found.group().lower() if found else "<empty>"

    @property
    def is_comment(self):
        return self.data.startswith("<!--")

    @property
    def is_cdata(self):
        return self.data.startswith("<![CDATA[")

    @property
    def is_closing(self):
        return self.data.startswith("</")

    @property
    def is_self_closing(self):
        return self.is_comment or self.is_cdata or self.data.endswith("/>") or self.tag in HTML_VOID_ELEMENTS

    @property
    def is_opening(self):
        return not self.is_closing and not self.is_self_closing


def tokenize(data):
    for found in _token.finditer(data):
        text = found.group()
        yield Tag(text) if text.startswith("<") else Text(text)


def format_xml(tokens):
    """Text of the tokens, with a short element on one line."""
    tokens = [t for t in tokens if isinstance(t, Tag) or t.text]
    lines, open_tags = [], []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if isinstance(token, Tag) and token.is_closing:
            _close(open_tags, token.tag)
        n = _inline(tokens, i)
        text = "".join(t.data if isinstance(t, Tag) else t.text for t in tokens[i : i + n])
        depth = sum(tag not in NO_INDENT_TAGS for tag in open_tags)
        lines.append(_indent(text, " " * (INDENT * depth)))
        if n == 1 and isinstance(token, Tag) and token.is_opening:
            if not token.data.startswith(("<?", "<!")):
                open_tags.append(token.tag)
        i += n
    return "".join(line + "\n" for line in lines)


def _inline(tokens, i):
    """How many tokens from i on make a line: an element without elements in it, or one."""
    for n in (2, 3):
        group = tokens[i : i + n]
        first, last = group[0], group[-1]
        if (
            len(group) == n
            and isinstance(first, Tag)
            and first.is_opening
            and isinstance(last, Tag)
            and last.is_closing
            and last.tag == first.tag
            and all(isinstance(t, Text) for t in group[1:-1])
        ):
            return n
    return 1


def _close(open_tags, tag):
    if tag in open_tags:
        while open_tags.pop() != tag:
            pass


def _indent(text, prefix):
    # The lines of a comment keep their places to each other; the first is less indented as it is.
    first, _, rest = text.partition("\n")
    if not rest:
        return prefix + first
    return prefix + first + "\n" + textwrap.indent(textwrap.dedent(rest), prefix)


class ViewXmlHtml(base.View):
    name = "XML/HTML"
    syntax_highlight = "xml"

    def __call__(self, data, **metadata):
        text = data.decode("utf-8")
        kind = "HTML" if "html" in text[: 2**16].lower() else "XML"
        return kind, base.format_text(format_xml(tokenize(text)))

    def prettify(self, data, metadata):
        text = None
        if metadata.http_message is not None:
            text = metadata.http_message.get_text(strict=False)
        return format_xml(tokenize(data.decode("utf-8", "backslashreplace") if text is None else text))

    def render_priority(self, data, *, content_type=None, **metadata):
        if not data:
            return 0
        if content_type in ("text/xml", "text/html"):
            return 1
        return 0.4 if strutils.is_xml(data) else 0
