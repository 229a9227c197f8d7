from mitmproxy import ctx, flowfilter
from mitmproxy.addons import _options
from mitmproxy.net.http import cookies


def ckey(attrs, f):
    """(domain, port, path) for which a cookie of the response of `f` is meant."""
    domain = attrs["domain"] if "domain" in attrs else f.request.host
    path = attrs["path"] if "path" in attrs else "/"
    return domain, f.request.port, path


def domain_match(a, b):
    """Whether the host `a` is within the domain `b` of a cookie."""
    a, b = a.lower(), b.lower()
    if b.startswith("."):
        return a.endswith(b) or a == b[1:]
    return a == b


class StickyCookie:
    """Puts the cookies that responses set into later requests."""

    def __init__(self):
        self.jar = {}
        self.flt = None

    def load(self, loader):
        loader.add_option("stickycookie", _options.OptionalStr, None, "Repeat the cookies of matching requests.")

    def configure(self, updated):
        if "stickycookie" in updated:
            self.flt = _options.parse_filter(ctx.options.stickycookie)

    def response(self, flow):
        if not self.flt:
            return
        for name, (value, attrs) in flow.response.cookies.items(multi=True):
            key = ckey(attrs, flow)
            if not domain_match(flow.request.host, key[0]):
                continue
            if not cookies.is_expired(attrs):
                self.jar.setdefault(key, {})[name] = value
            elif key in self.jar:
                self.jar[key].pop(name, None)
                if not self.jar[key]:
                    del self.jar[key]

    def request(self, flow):
        if not self.flt or not flowfilter.match(self.flt, flow):
            return
        found = []
        for (domain, port, path), jar in self.jar.items():
            if (
                domain_match(flow.request.host, domain)
                and flow.request.port == port
                and flow.request.path.startswith(path)
            ):
                found.extend(jar.items())
        if found:
            flow.metadata["stickycookie"] = True
            flow.request.headers["cookie"] = cookies.format_cookie_header(found)
