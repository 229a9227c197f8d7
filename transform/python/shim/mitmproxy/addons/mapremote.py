import re
from collections import namedtuple

from mitmproxy import ctx
from mitmproxy.addons import _options
from mitmproxy.utils.spec import parse_spec

MapRemoteSpec = namedtuple("MapRemoteSpec", "matches subject replacement")


def parse_map_remote_spec(option):
    """The MapRemoteSpec of |filter|url|replacement or |url|replacement. A wrong one raises ValueError."""
    spec = MapRemoteSpec(*parse_spec(option))
    try:
        re.compile(spec.subject)
    except re.error as e:
        raise ValueError("Invalid regular expression %r (%s)" % (spec.subject, e)) from e
    return spec


class MapRemote:
    """Rewrites the URLs of live flows by `map_remote`."""

    def __init__(self):
        self.replacements = []

    def load(self, loader):
        loader.add_option("map_remote", _options.Sequence, [], "Rewrite URLs, as |filter|url|replacement.")

    def configure(self, updated):
        if "map_remote" in updated:
            self.replacements = _options.parse_all("map_remote", ctx.options.map_remote, parse_map_remote_spec)

    def request(self, flow):
        if not _options.is_open(flow):
            return
        for spec in self.replacements:
            if spec.matches(flow):
                url = flow.request.pretty_url
                new_url = re.sub(spec.subject, spec.replacement, url)
                if url != new_url:
                    flow.request.url = new_url
