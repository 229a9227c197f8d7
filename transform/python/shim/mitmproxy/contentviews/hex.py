from mitmproxy.contentviews import base
from mitmproxy.contentviews._api import Contentview
from mitmproxy.utils import strutils


class ViewHex(base.View):
    name = "Hex"

    @staticmethod
    def _format(data):
        for offset, codes, characters in strutils.hexdump(data):
            yield [("offset", offset + " "), ("text", codes + "   "), ("text", characters)]

    def __call__(self, data, **metadata):
        return "Hex", self._format(data)

    def render_priority(self, data, **metadata):
        return 0.2 * strutils.is_mostly_bin(data)


class HexDumpContentview(Contentview):
    """Offsets, codes and characters."""

    name = "Hex Dump"

    def prettify(self, data, metadata):
        return "\n".join("%s  %s  %s" % line for line in strutils.hexdump(data))

    def render_priority(self, data, metadata):
        return 0.2 * strutils.is_mostly_bin(data)


class HexStreamContentview(Contentview):
    """Codes in a row."""

    name = "Hex Stream"

    def prettify(self, data, metadata):
        return data.hex()
