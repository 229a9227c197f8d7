from mitmproxy import ctx


class AntiCache:
    """Removes from requests what lets a server answer that nothing changed, if `anticache` is on."""

    def load(self, loader):
        loader.add_option("anticache", bool, False, "Remove what lets a server answer 304.")

    def request(self, flow):
        if ctx.options.anticache:
            flow.request.anticache()
