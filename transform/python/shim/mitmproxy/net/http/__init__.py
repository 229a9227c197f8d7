"""The parts of HTTP: cookies, forms, URLs. The messages themselves are in mitmproxy.http."""

_MODULES = ("cookies", "headers", "http1", "multipart", "status_codes", "url", "user_agents", "validate")


def __getattr__(name):
    """Imports a module that a script asks for by way of its package."""
    if name in _MODULES:
        from importlib import import_module

        return import_module("%s.%s" % (__name__, name))
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
