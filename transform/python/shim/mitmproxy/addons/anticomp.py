from mitmproxy import ctx


class AntiComp:
    """Has requests ask for uncompressed data, if `anticomp` is on."""

    def load(self, loader):
        loader.add_option("anticomp", bool, False, "Ask servers for uncompressed data.")

    def request(self, flow):
        if ctx.options.anticomp:
            flow.request.anticomp()
