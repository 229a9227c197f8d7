from mitmproxy import ctx, flowfilter
from mitmproxy.addons import _options


class StickyAuth:
    """Puts the credentials that were once seen for a host into later requests to it."""

    def __init__(self):
        self.flt = None
        self.hosts = {}

    def load(self, loader):
        loader.add_option("stickyauth", _options.OptionalStr, None, "Repeat the credentials of matching requests.")

    def configure(self, updated):
        if "stickyauth" in updated:
            self.flt = _options.parse_filter(ctx.options.stickyauth)

    def request(self, flow):
        if not self.flt:
            return
        host, headers = flow.request.host, flow.request.headers
        if "authorization" in headers:
            self.hosts[host] = headers["authorization"]
        elif host in self.hosts and flowfilter.match(self.flt, flow):
            headers["authorization"] = self.hosts[host]
