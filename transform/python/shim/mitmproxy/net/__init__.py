"""What knows of networks and their protocols."""

_MODULES = ("check", "dns", "encoding", "http", "server_spec", "tls")


def __getattr__(name):
    """Imports a module that a script asks for by way of its package."""
    if name in _MODULES:
        from importlib import import_module

        return import_module("%s.%s" % (__name__, name))
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
