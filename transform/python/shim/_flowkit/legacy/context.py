"""The context that hooks got up to 0.17, and what it and ctx.master share."""

_warned = set()


def warn_once(name):
    """Log that something needs a live proxy and does nothing, once for each name."""
    if name not in _warned:
        _warned.add(name)
        from mitmproxy import ctx

        ctx.log.warn("%s does nothing: it needs a live proxy, flowkit replays saved flows" % name)


class Apps:
    """A registry of WSGI apps, which nobody will ask."""

    def __init__(self):
        self.apps = {}

    def add(self, app, domain, port):
        """Keep an app for requests to domain and port, of which there will be none."""
        self.apps[(domain, port)] = app
        warn_once("serving a WSGI app")

    def get(self, request):
        return None


class ScriptContext:
    """One for each script, and its to keep things on."""

    def __init__(self, master=None):
        self._master = master

    def log(self, message, level="info"):
        """Log a message; level is "error", "info" or "debug"."""
        from mitmproxy import ctx

        ctx.log(message, level)

    def kill_flow(self, flow):
        """Mark the flow as killed."""
        flow.kill()

    def duplicate_flow(self, flow):
        """Return a copy of the flow. It does not become part of the output."""
        return flow.copy()

    def replay_request(self, flow, *args, **kwargs):
        warn_once("replay_request")

    @property
    def app_registry(self):
        apps = self.__dict__.get("_apps")
        if apps is None:
            apps = self.__dict__["_apps"] = Apps()
        return apps

    def add_contentview(self, view):
        from mitmproxy import contentviews

        contentviews.add(view)

    def remove_contentview(self, view):
        from mitmproxy import contentviews

        contentviews.remove(view)
