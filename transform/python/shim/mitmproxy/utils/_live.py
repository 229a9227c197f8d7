"""Names of what only a live proxy has: scripts may import them and not use them."""
from __future__ import annotations

from _flowkit.errors import NeedsProxy


def needs_proxy(module, names, base=object):
    """{name: class} of the names in a text: classes to annotate by and derive from that cannot be made."""
    return {name: live_class(module, name, base) for name in names.split()}


def live_class(module, name, base=object):
    full = "%s.%s" % (module, name)

    def __init__(self, *args, **kwargs):
        raise NeedsProxy(full)

    members = {
        "__module__": module,
        "__qualname__": name,
        "__doc__": "Needs a live proxy.",
        "__init__": __init__,
        # Some are generic: Layer[x] in an annotation.
        "__class_getitem__": classmethod(lambda cls, item: cls),
    }
    return type(name, (base,), members)


def live_function(module, name):
    """A function that raises NeedsProxy when it is called."""
    full = "%s.%s" % (module, name)

    def function(*args, **kwargs):
        raise NeedsProxy(full)

    function.__name__ = function.__qualname__ = name
    function.__module__ = module
    return function


def live_module(module):
    """The ImportError of a module that has nothing to import."""
    return ImportError("%s needs a live proxy; flowkit replays saved flows" % module, name=module)
