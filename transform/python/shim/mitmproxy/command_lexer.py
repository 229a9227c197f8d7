"""Taking command lines apart: words, quoted texts and the white space between them."""
import re

_SPACE = " \r\n\t"
_TOKEN = re.compile(r"""("[^"]*(?:"|\Z)|'[^']*(?:'|\Z))|[ \r\n\t]+|[^'" \r\n\t]+""")


class _Grammar:
    """What is left of the parser objects that this module has in mitmproxy."""

    def __init__(self, only_quoted):
        self._only_quoted = only_quoted

    def parse_string(self, text, parse_all=False):
        # The library that mitmproxy parses with does that to every text.
        text = text.expandtabs()
        if not self._only_quoted:
            return [match.group() for match in _TOKEN.finditer(text)]
        match = _TOKEN.match(text)
        if match is None or match.group(1) is None:
            raise ValueError("Expected a quoted text")
        if parse_all and text[match.end() :].strip():
            raise ValueError("Expected end of text")
        return [match.group()]

    def parseString(self, text, parseAll=False):
        return self.parse_string(text, parseAll)


PartialQuotedString = _Grammar(only_quoted=True)
expr = _Grammar(only_quoted=False)


def quote(val):
    """A text that is one argument of a command line."""
    if val and not any(c in val for c in "'\"" + _SPACE):
        return val
    if '"' not in val:
        return '"%s"' % val
    if "'" not in val:
        return "'%s'" % val
    # The types of arguments know this escape.
    return '"%s"' % val.replace('"', r"\x22")


def unquote(x):
    """The text in quotes, if it is in quotes."""
    if len(x) > 1 and x[0] in "'\"" and x[0] == x[-1]:
        return x[1:-1]
    return x
