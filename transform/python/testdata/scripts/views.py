"""contentviews: what each view makes of bodies; a view of the script's own."""
from _show import attempt, name, show

from mitmproxy import contentviews
from mitmproxy.contentviews import base


class Backwards(contentviews.View):
    name = "backwards"

    def __call__(self, data, *, content_type=None, flow=None, http_message=None, **unknown):
        return "backwards", contentviews.format_text(data[::-1])

    def render_priority(self, data, *, content_type=None, **unknown):
        return 3.5 if content_type == "text/plain" else -1


view = Backwards()


def load(loader):
    contentviews.add(view)
    print(contentviews.get("Backwards") is view, attempt(lambda: contentviews.get("nosuch")), attempt(contentviews.add, view))
    print(list(contentviews.format_dict({"a": "b", "long": b"c"})), list(base.format_pairs([("k", "v"), (b"k2", b"v2")])), list(contentviews.format_text("a\nb\n")), [v.name for v in contentviews.views])


def done():
    contentviews.remove(view)
    print(contentviews.get("backwards"))


def response(flow):
    for view_name in ("auto", "raw", "hex", "json", "urlencoded", "query", "backwards", "nosuch") if len(flow.response.raw_content or b"") < 3000 and "image" not in flow.response.headers.get("content-type", "") else ("raw",):
        print(name(flow), view_name, attempt(lambda: [x if isinstance(x, str) else [list(line) for line in x] for x in contentviews.get_message_content_view(view_name, flow.response, flow)]))


def request(flow):
    for view_name in ("urlencoded", "multipart form", "query", "json", "auto"):
        print(name(flow), view_name, attempt(lambda: [x if isinstance(x, str) else [list(line) for line in x] for x in contentviews.get_message_content_view(view_name, flow.request, flow)]))


def tcp_message(flow):
    if len(flow.messages) == 1:
        print(name(flow), attempt(lambda: [x if isinstance(x, str) else [list(line) for line in x] for x in contentviews.get_tcp_content_view("hex", flow.messages[-1].content, flow)]))
