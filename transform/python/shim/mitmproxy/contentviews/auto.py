from mitmproxy import contentviews
from mitmproxy.contentviews import base


class ViewAuto(base.View):
    """Whatever view is the fittest."""

    name = "Auto"

    def __call__(self, data, **metadata):
        # Of equals the last by name wins.
        view = max(contentviews.views, key=lambda v: (v.render_priority(data, **metadata), v.name))
        if not data and view.render_priority(data, **metadata) <= 0:
            return "No content", []
        return view(data, **metadata)

    def render_priority(self, data, **metadata):
        return -1
