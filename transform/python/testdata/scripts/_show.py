"""What the scripts of the suite share: results as lines that are equal when all is equal."""
import hashlib
import os

LIMIT = int(os.environ.get("FLOWKIT_SHOW") or 300)


def show(value):
    """A value on one line of ASCII; long ones by length and hash."""
    text = ascii(value)
    if len(text) > LIMIT:
        return "%s... %d %s" % (text[:60], len(text), hashlib.sha1(text.encode()).hexdigest()[:12])
    return text


def attempt(call, *args, **kwargs):
    """The result of a call, or the exception."""
    try:
        return show(call(*args, **kwargs))
    except Exception as e:
        return "%s: %s" % (type(e).__name__, ascii(str(e)))


def get(obj, names):
    """Attributes of an object, an attribute that raises included."""
    return ["%s=%s" % (name, attempt(getattr, obj, name)) for name in names.split()]


def name(flow):
    """The number of a flow in the dump."""
    return "#%d" % (int(flow.id.replace("-", ""), 16) & 0xFFFF)


def lines(flow, *items):
    """Prints a line for each item, with the flow's name."""
    for item in items:
        print(name(flow), item)


def body(message):
    """The body and the headers of a message, without what depends on a compressor."""
    if not message.headers.get("content-encoding"):
        return message.headers.fields, message.raw_content
    return [f for f in message.headers.fields if f[0].lower() != b"content-length"], attempt(lambda: message.content)


def changes(before, after, path=""):
    """The leaves in which two states differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for k in list(before) + [k for k in after if k not in before]:
            yield from changes(before.get(k), after.get(k), "%s.%s" % (path, k))
    elif before != after or type(before) is not type(after):
        yield "%s: %s -> %s" % (path, show(before), show(after))
