"""HTTP, as in 0.14 to 0.18."""
from _flowkit.legacy.views import decoded  # noqa: F401
from mitmproxy.http import Headers, Message, Request, Response  # noqa: F401

CONTENT_MISSING = None


def __getattr__(name):
    if name in ("cookies", "headers", "http1", "multipart", "status_codes", "url", "user_agents", "request", "response", "message"):
        import importlib

        return importlib.import_module(__name__ + "." + name)
    if name == "parse_content_type":
        from mitmproxy.net.http.headers import parse_content_type

        return parse_content_type
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
