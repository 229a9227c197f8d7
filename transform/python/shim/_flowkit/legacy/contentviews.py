"""Views of bodies, as scripts of up to 2.x made them."""


class View:
    """A view: called with a body, it returns a title and lines.

    Scripts derive from it; flowkit shows no bodies.
    """

    name = None
    prompt = ()
    content_types = []

    def __call__(self, data, **metadata):
        raise NotImplementedError()


def format_dict(d):
    """Yield a line, as a list of (style, text), for each item."""
    width = max([len(str(k)) for k in d] or [0])
    for key, value in d.items():
        yield [("header", (str(key) + ":").ljust(width + 2)), ("text", value)]


def format_text(text):
    """Yield a line, as a list of (style, text), for each line."""
    for line in text.splitlines():
        yield [("text", line)]
