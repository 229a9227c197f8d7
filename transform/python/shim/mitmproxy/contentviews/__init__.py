"""Views of the contents of messages.

Scripts register their own by `add`: objects or classes of `Contentview` (mitmproxy 12), or objects of `View`
(before). `prettify_message` and `get_message_content_view` show a message in the one way or the other.
"""
from __future__ import annotations

from collections import namedtuple

from mitmproxy.contentviews import _utils, base
from mitmproxy.contentviews._api import Contentview, InteractiveContentview, Metadata, SyntaxHighlight
from mitmproxy.contentviews._compat import LegacyContentview, ModernView
from mitmproxy.contentviews._registry import ContentviewRegistry
from mitmproxy.contentviews._utils import make_metadata
from mitmproxy.contentviews.base import KEY_MAX, TViewResult, View, format_dict, format_pairs, format_text
from mitmproxy.utils.signals import SyncSignal

views = []
"""The views as mitmproxy up to 11 has them."""

registry = ContentviewRegistry()
"""The views as mitmproxy from 12 on has them."""

on_add = SyncSignal(lambda view: None)
on_remove = SyncSignal(lambda view: None)


def add(view):
    """Registers a view. An old one (View) may not have the name of another."""
    if isinstance(view, type):
        view = view()
    if isinstance(view, View):
        if any(v.name == view.name for v in views):
            raise ValueError("Duplicate view: " + view.name)
        registry.register(LegacyContentview(view))
    else:
        registry.register(view)
        view = ModernView(view)
        views[:] = [v for v in views if v.name.lower() != view.name.lower()]
    views.append(view)
    on_add.send(view)


def remove(view):
    """Undoes `add`."""
    views.remove(view)
    registry.unregister(view.name)
    on_remove.send(view)


def get(name):
    """The view of a name in any case, None if there is none."""
    for view in views:
        if view.name.lower() == name.lower():
            return view
    return None


def safe_to_print(lines, encoding="utf8"):
    """Lines as text without control characters."""
    from mitmproxy.utils import strutils

    for line in lines:
        yield [
            (style, strutils.escape_control_characters(strutils.always_str(text, encoding, "replace")))
            for style, text in line
        ]


def get_message_content_view(viewname, message, flow):
    """(description, lines, error or None) of a message; `viewname` may be "auto"."""
    content, encoding = _utils.get_data(message)
    if content is None:
        return "", iter([[("error", "content missing")]]), None
    metadata = make_metadata(message, flow)
    description, lines, error = get_content_view(
        get(viewname) or get("auto"),
        content,
        content_type=metadata.content_type,
        flow=flow,
        http_message=metadata.http_message,
    )
    return ("%s %s" % (encoding, description) if encoding else description), lines, error


def get_tcp_content_view(viewname, data, flow):
    return get_content_view(get(viewname) or get("auto"), data, flow=flow)


def get_content_view(viewmode, data, *, content_type=None, flow=None, http_message=None):
    """(description, lines, error or None) of data. What `viewmode` cannot show is shown raw."""
    metadata = {"content_type": content_type, "flow": flow, "http_message": http_message}
    error = None
    try:
        result = viewmode(data, **metadata)
    except Exception:
        import traceback

        result = None
        error = "%s content viewer failed: \n%s" % (viewmode.name, traceback.format_exc())
    if result is None:
        result = "Couldn't parse: falling back to Raw", get("raw")(data, **metadata)[1]
    description, lines = result
    return description, safe_to_print(lines), error


ContentviewResult = namedtuple("ContentviewResult", "text syntax_highlight view_name description")


def prettify_message(message, flow, view_name="auto", registry=registry):
    """A ContentviewResult of a message."""
    data, encoding = _utils.get_data(message)
    if data is None:
        return ContentviewResult("Content is missing.", "error", None, encoding)
    metadata = make_metadata(message, flow)
    view = registry.get_view(data, metadata, view_name)
    try:
        return ContentviewResult(view.prettify(data, metadata), view.syntax_highlight, view.name, encoding)
    except Exception as e:
        if view_name != "auto":
            text = "Couldn't parse as %s:\n%s" % (view.name, e)
            return ContentviewResult(text, "error", view.name, encoding)
        text = registry["raw"].prettify(data, metadata)
        description = ("%s [failed to parse as %s]" % (encoding, view.name)).lstrip()
        return ContentviewResult(text, "none", registry["raw"].name, description)


def reencode_message(prettified, message, flow, view_name):
    """The data of an edited text of prettify_message."""
    return registry[view_name].reencode(prettified, make_metadata(message, flow))


def _register():
    from mitmproxy.contentviews import (
        auto,
        css,
        graphql,
        hex,
        image,
        javascript,
        json,
        msgpack,
        multipart,
        protobuf,
        query,
        raw,
        urlencoded,
        xml_html,
    )

    for view in (
        auto.ViewAuto(),
        raw.ViewRaw(),
        hex.ViewHex(),
        graphql.ViewGraphQL(),
        json.ViewJSON(),
        xml_html.ViewXmlHtml(),
        javascript.ViewJavaScript(),
        css.ViewCSS(),
        urlencoded.ViewURLEncoded(),
        multipart.ViewMultipart(),
        image.ViewImage(),
        query.ViewQuery(),
        protobuf.ViewProtobuf(),
        msgpack.ViewMsgPack(),
    ):
        views.append(view)
        if hasattr(view, "prettify"):
            registry.register(LegacyContentview(view))
    registry.register(hex.HexDumpContentview)
    registry.register(hex.HexStreamContentview)


_register()
json_view = registry["json"]

__all__ = [
    "Contentview",
    "InteractiveContentview",
    "SyntaxHighlight",
    "add",
    "Metadata",
]
