"""The part of YAML that configuration files consist of.

Mappings and lists by indentation, flow lists and mappings on one line, plain and quoted texts,
block texts, comments. No anchors, tags, documents or complex keys.
"""
import re


class Error(Exception):
    """(number of the line, what is wrong)."""


_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?\Z")
_KEY = re.compile(
    r"""
    ( "(?:[^"\\]|\\.)*"
    | '(?:[^']|'')*'
    | (?: [^\s\[\]{}#,'"&*!|>%@`?:-] | [?:-](?=\S) ) (?: [^#] | (?<=\S)\# )*?
    )
    \s* : (?=\s|\Z)
    """,
    re.VERBOSE,
)
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_UNSAFE = re.compile(r"""[\s\[\]{}#,'"&*!|>%@`?:]|-(\s|\Z)|.*(: |:\Z| #|\s\Z)""", re.S)


def load(text):
    """The value of a document."""
    for char in text:
        if char < " " and char not in "\t\n\r":
            raise ValueError("not a text")
    return _Parser(text).document()


class _Parser:
    def __init__(self, text):
        self.lines = text.splitlines()
        self.at = 0

    def fail(self, problem):
        at = min(self.at, len(self.lines) - 1)
        raise Error(at + 1, "    %s\n%s" % (self.lines[at], problem))

    def peek(self):
        """The next line with contents: (indentation, text), None at the end."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            text = line.strip()
            if text and not text.startswith("#") and text != "---":
                indent = len(line) - len(line.lstrip(" "))
                if line[indent] == "\t":
                    self.fail("found character '\\t' that cannot start any token")
                return indent, text
            self.at += 1
        return None

    def document(self):
        line = self.peek()
        if line is None:
            return None
        value = self.block(line[0])
        if self.peek() is not None:
            self.fail("could not find expected ':'")
        return value

    def block(self, indent):
        text = self.peek()[1]
        if text == "-" or text.startswith("- "):
            return self.sequence(indent)
        if _KEY.match(text):
            return self.mapping(indent)
        self.at += 1
        return self.scalar(text, self.at - 1)

    def sequence(self, indent):
        found = []
        while True:
            line = self.peek()
            if line is None or line[0] != indent or line[1][:2] not in ("-", "- "):
                return found
            rest = line[1][1:].strip()
            if _KEY.match(rest):
                # A mapping that begins behind the dash goes on below its first key.
                inner = indent + len(line[1]) - len(rest)
                self.lines[self.at] = " " * inner + rest
                found.append(self.mapping(inner))
            else:
                self.at += 1
                found.append(self.value(rest, indent, indent + 1))

    def mapping(self, indent):
        found = {}
        while True:
            line = self.peek()
            if line is None or line[0] < indent:
                return found
            match = _KEY.match(line[1])
            if line[0] != indent or match is None:
                self.fail("could not find expected ':'")
            key = self.scalar(match.group(1), self.at)
            rest = line[1][match.end() :].strip()
            self.at += 1
            # A list may stand right below its key, not indented.
            found[key] = self.value(rest, indent, indent)

    def value(self, rest, indent, list_indent):
        if rest and not rest.startswith("#"):
            if rest[0] in "|>":
                return self.text(rest, indent)
            return self.scalar(rest, self.at - 1)
        line = self.peek()
        if line is None:
            return None
        dashed = line[1] == "-" or line[1].startswith("- ")
        if line[0] > indent or (dashed and line[0] == list_indent):
            return self.block(line[0])
        return None

    def text(self, head, indent):
        """A block text behind `|` or `>`."""
        lines = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
                break
            lines.append(line)
            self.at += 1
        margin = min([len(s) - len(s.lstrip(" ")) for s in lines if s.strip()] or [0])
        lines = [s[margin:] for s in lines]
        while lines and not lines[-1].strip():
            lines.pop()
        whole = ("\n" if head[0] == "|" else " ").join(lines)
        return whole if "-" in head else whole + "\n"

    def scalar(self, text, at):
        """The value of a text that has to be used up."""
        here, self.at = self.at, at
        value, end = self.item(text, 0, "")
        rest = text[end:].strip()
        if rest and not rest.startswith("#"):
            self.fail("unexpected %r" % rest)
        self.at = here
        return value

    def item(self, text, pos, stops):
        """A value that begins at `pos` and the place behind it."""
        while text[pos : pos + 1].isspace():
            pos += 1
        first = text[pos : pos + 1]
        if first in ("'", '"'):
            return self.quoted(text, pos)
        if first == "[":
            return self.flow(text, pos, "]", [])
        if first == "{":
            return self.flow(text, pos, "}", {})
        if first and first in "&*!|>%@`":
            self.fail("%r is not supported here" % first)
        end = pos
        while end < len(text) and text[end] not in stops:
            if text[end] == "#" and text[end - 1 : end].isspace():
                break
            if text[end] == ":" and (text[end + 1 : end + 2].isspace() or end + 1 == len(text)):
                if not stops:
                    self.fail("mapping values are not allowed here")
                break
            end += 1
        return _plain(text[pos:end].strip()), end

    def quoted(self, text, pos):
        quote = text[pos]
        end = pos + 1
        while True:
            end = text.find(quote, end)
            if end < 0:
                self.fail("found unexpected end of stream")
            if quote == "'" and text[end + 1 : end + 2] == "'":
                end += 2
                continue
            body = text[pos + 1 : end]
            if quote == '"' and (len(body) - len(body.rstrip("\\"))) % 2:
                end += 1
                continue
            break
        if quote == "'":
            return body.replace("''", "'"), end + 1
        return _unescape(body), end + 1

    def flow(self, text, pos, close, found):
        pos += 1
        while True:
            while text[pos : pos + 1].isspace() or text[pos : pos + 1] == ",":
                pos += 1
            if pos >= len(text):
                self.fail("expected ',' or '%s', but got '<stream end>'" % close)
            if text[pos] == close:
                return found, pos + 1
            begin = pos
            value, pos = self.item(text, pos, ",]}")
            if pos == begin:
                self.fail("unexpected %r" % text[pos])
            if close == "]":
                found.append(value)
            elif isinstance(value, (list, dict)):
                self.fail("a list or mapping cannot be a key here")
            else:
                found[value] = None
                if text[pos : pos + 1] == ":":
                    found[value], pos = self.item(text, pos + 1, ",]}")


def _plain(text):
    if text in _WORDS or text.lower() in ("true", "false", "null"):
        return _WORDS[text.lower()]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\",
    "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")


def _unescape(text):
    def one(match):
        code = match.group(1)
        if len(code) > 1:
            return chr(int(code[1:], 16))
        return _ESCAPES.get(code, code)

    return _ESCAPE.sub(one, text)


def dump(data):
    """A mapping as a document; its values are plain values, lists and mappings."""
    return "".join(_lines(data, "")) if data else "{}\n"


def _lines(data, margin):
    for key, value in data.items():
        head = "%s%s:" % (margin, _scalar(key))
        if isinstance(value, dict) and value:
            yield head + "\n"
            for line in _lines(value, margin + "  "):
                yield line
        elif isinstance(value, (list, tuple)) and value:
            yield head + "\n"
            for item in value:
                yield "%s- %s\n" % (margin, _scalar(item))
        else:
            yield (head + " " + _scalar(value)).rstrip(" ") + "\n"


def _scalar(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[%s]" % ", ".join(_scalar(v) for v in value)
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (_scalar(k), _scalar(v)) for k, v in value.items())
    if not isinstance(value, str):
        return str(value)
    if not value.isprintable() or "'" in value:
        import json

        return json.dumps(value, ensure_ascii=False)
    if _plain(value) != value or _UNSAFE.match(value):
        return "'%s'" % value
    return value
