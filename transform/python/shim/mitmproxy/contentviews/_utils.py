"""What messages there are to see, and how lists of pairs look."""
from __future__ import annotations

from mitmproxy.contentviews._api import Metadata


def content_type_of(http_message):
    """type/subtype of the content-type header, None without one."""
    from mitmproxy.net.http.headers import parse_content_type

    header = http_message.headers.get("content-type")
    parsed = parse_content_type(header) if header else None
    return "%s/%s" % parsed[:2] if parsed else None


def make_metadata(message, flow):
    """The metadata of a message of a flow."""
    metadata = Metadata(flow=flow)
    if hasattr(message, "headers"):
        metadata.http_message = message
        metadata.content_type = content_type_of(message)
    elif hasattr(message, "questions"):
        metadata.dns_message = message
    elif flow.type == "tcp":
        metadata.tcp_message = message
    elif flow.type == "udp":
        metadata.udp_message = message
    else:
        metadata.websocket_message = message
    return metadata


def get_data(message):
    """(content, what was done to its encoding); the content is None if it is missing."""
    if not hasattr(message, "raw_content"):
        return message.content, ""
    try:
        content = message.content
    except ValueError:
        return message.get_content(strict=False), "[cannot decode]"
    if content == message.raw_content:
        return content, ""
    return content, "[decoded %s]" % message.headers.get("content-encoding")


def yaml_dumps(d):
    """A mapping as YAML; "" for an empty one."""
    from mitmproxy import _yaml

    return _yaml.dump(d) if d else ""


def yaml_loads(value):
    from mitmproxy import _yaml

    return _yaml.load(value)


def merge_repeated_keys(items):
    """A dict of pairs in which what occurs more than once has a list of its values."""
    merged = {}
    for key, value in items:
        merged.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in merged.items()}


def byte_pairs_to_str_pairs(pairs):
    for key, value in pairs:
        yield key.decode("utf-8", "backslashreplace"), value.decode("utf-8", "backslashreplace")
