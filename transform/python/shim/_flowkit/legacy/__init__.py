"""Scripts of mitmproxy 0.8 to 6.x.

What a script sees depends on its era:

    modern  what mitmproxy 7 and later run; nothing of this package touches it
    0.18    0.18 to 6.x: the objects of today, with the methods they had then besides
    0.17    0.14 to 0.17: hooks with a context; views of the objects (views.py), whose
            content is as on the wire, and whose forms and queries are ODicts
    0.13    0.8 to 0.13: likewise, and headers are an ODict of lists

A loader asks `_flowkit.era.wanted(source)` first, and if so calls install() before the script
runs, and era() and adapt() when it has.
"""

_installed = False


def install():
    """Give the modules and classes of today the names they had before 7.0."""
    global _installed
    if not _installed:
        _installed = True
        from . import extras

        extras.install()


def era(module, source=None):
    """Return the era of a script's module; source is read from its file if it is not given."""
    from . import signs

    return signs.era(module, _source(module) if source is None else source)


def adapt(module, era, argv, ordered=False, source=None):
    """Return the addon that a script of an era is, with the hooks of today.

    The script's start() is run, so what it raises is the script's. Its events have the order
    of its era, unless ordered says that they come in one that somebody has chosen.
    """
    from . import adapters

    install()
    return adapters.adapt(module, era, argv, ordered, _source(module) if source is None else source)


def python2_hint(error):
    """Return what of Python 2 a SyntaxError is about, None if it is not."""
    from . import python2

    return python2.hint(error)


def _source(module):
    try:
        with open(module.__file__, "rb") as f:
            return f.read().decode("utf-8", "replace")
    except (AttributeError, OSError, TypeError):
        return ""
