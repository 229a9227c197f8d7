"""Query, cookies and path components, read."""
from _show import attempt, lines, name, show


def view(v):
    return [show(v.fields), len(v), ascii(repr(v)), show(list(v)), show(list(v.items())), show(list(v.items(multi=True))),
            show(list(v.keys(multi=True))), show(list(v.values())), attempt(lambda: v["a"]), attempt(lambda: v.get("nosuch", 3)),
            attempt(v.get_all, "a"), attempt(lambda: "a" in v), bool(v), type(v).__name__, type(v.copy()).__name__, v == v.copy()]


def request(flow):
    r = flow.request
    lines(flow, *view(r.query))
    lines(flow, *view(r.cookies))
    print(name(flow), "path", show(r.path_components), type(r.path_components).__name__)


def response(flow):
    cookies = flow.response.cookies
    if len(cookies):
        lines(flow, *view(cookies))
        for key, (value, attrs) in cookies.items(multi=True):
            print(name(flow), ascii(key), ascii(value), type(attrs).__name__, show(list(attrs.items(multi=True))), attempt(lambda: attrs["path"]),
                  attempt(lambda: attrs.get("EXPIRES")), "httponly" in attrs)
