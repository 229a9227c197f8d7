import re
from collections import namedtuple
from pathlib import Path

from mitmproxy import ctx
from mitmproxy.addons import _options
from mitmproxy.utils import strutils
from mitmproxy.utils.spec import parse_spec


class ModifySpec(namedtuple("ModifySpec", "matches subject replacement_str")):
    __slots__ = ()

    def read_replacement(self):
        """The replacement, of the file it names behind @. A file that cannot be read raises OSError."""
        if self.replacement_str.startswith("@"):
            return Path(self.replacement_str[1:]).expanduser().read_bytes()
        # parse_modify_spec has tried it.
        return strutils.escaped_str_to_bytes(self.replacement_str)


def parse_modify_spec(option, subject_is_regex):
    """The ModifySpec of /filter/subject/replacement or /subject/replacement. A wrong one raises ValueError."""
    matches, subject, replacement = parse_spec(option)
    spec = ModifySpec(matches, strutils.escaped_str_to_bytes(subject), replacement)
    if subject_is_regex:
        try:
            re.compile(spec.subject)
        except re.error as e:
            raise ValueError("Invalid regular expression %r (%s)" % (spec.subject, e)) from e
    try:
        spec.read_replacement()
    except OSError as e:
        raise ValueError("Invalid file path: %s (%s)" % (replacement[1:], e)) from e
    return spec


def replacement_of(spec):
    """The replacement; None if its file cannot be read, with a warning."""
    try:
        return spec.read_replacement()
    except OSError as e:
        _options.logger.warning("Could not read replacement file: %s", e)
        return None


class ModifyHeaders:
    """Sets and removes headers of live flows by `modify_headers`."""

    def __init__(self):
        self.replacements = []

    def load(self, loader):
        loader.add_option("modify_headers", _options.Sequence, [], "Set headers, as /filter/name/value.")

    def configure(self, updated):
        if "modify_headers" in updated:
            self.replacements = _options.parse_all(
                "modify_headers", ctx.options.modify_headers, lambda spec: parse_modify_spec(spec, False)
            )

    def requestheaders(self, flow):
        if _options.is_open(flow):
            self.run(flow, flow.request.headers)

    def responseheaders(self, flow):
        if flow.live and not flow.error:
            self.run(flow, flow.response.headers)

    # Up to mitmproxy 10; a second run changes nothing.
    request = requestheaders
    response = responseheaders

    def run(self, flow, hdrs):
        # The filters see the flow as it was, and several values for a name are all set.
        matching = [spec for spec in self.replacements if spec.matches(flow)]
        for spec in matching:
            hdrs.pop(spec.subject, None)
        for spec in matching:
            value = replacement_of(spec)
            if value:
                hdrs.add(spec.subject, value)
