"""addons.anticache, anticomp, stickycookie and stickyauth, called by a script."""
from _show import attempt, name

from mitmproxy.addons import anticache, anticomp, stickyauth, stickycookie
from mitmproxy.test import taddons, tflow


class Chain:
    def __init__(self):
        self.sticky = stickycookie.StickyCookie()
        self.auth = stickyauth.StickyAuth()

    def response(self, flow):
        if "set-cookie" in flow.response.headers:
            self.sticky.flt = lambda f: True
            self.sticky.response(flow)
            print(name(flow), sorted((k, sorted(v.items())) for k, v in self.sticky.jar.items()))

    def request(self, flow):
        self.auth.flt = lambda f: True
        self.auth.request(flow)
        if flow.request.path == "/":
            self.sticky.request(flow)


addons = [Chain()]


def running():
    for host, port, path, domain in (("a.example", 80, "/", "example"), ("x", 80, "/p", None)):
        print(attempt(stickycookie.domain_match, host, domain or host))
    print(attempt(stickycookie.ckey, {"path": "/p"}, tflow.tflow()), attempt(lambda: stickycookie.domain_match("foo.example", ".example")))
    print(anticache.AntiCache.__name__, anticomp.AntiComp.__name__, taddons.context.__name__)
