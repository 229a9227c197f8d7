from mitmproxy.contentviews import base


class ViewRaw(base.View):
    """Bytes as text."""

    name = "Raw"

    def __call__(self, data, **metadata):
        from mitmproxy.utils import strutils

        return "Raw", base.format_text(strutils.bytes_to_escaped_str(data, True))

    def prettify(self, data, metadata):
        return data.decode("utf-8", "backslashreplace")

    def render_priority(self, data, **metadata):
        return 0.1 * bool(data)
