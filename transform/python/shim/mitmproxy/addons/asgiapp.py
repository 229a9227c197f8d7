"""Web applications that a live proxy serves. They may be made; saved flows never reach them."""


class ASGIApp:
    def __init__(self, asgi_app, host, port):
        self.asgi_app = asgi_app
        self.host = host
        self.port = port

    @property
    def name(self):
        return "asgiapp:%s:%s" % (self.host, self.port)

    def should_serve(self, flow):
        return bool(
            flow.live
            and (flow.request.pretty_host, flow.request.port) == (self.host, self.port)
            and not flow.error
            and not flow.response
        )

    def request(self, flow):
        if self.should_serve(flow):
            from _flowkit.errors import NeedsProxy

            raise NeedsProxy("mitmproxy.addons.asgiapp")


class WSGIApp(ASGIApp):
    def __init__(self, wsgi_app, host, port):
        super().__init__(wsgi_app, host, port)
