"""text set with what the charset has and has not, on every flow."""
from _show import attempt, name


def response(flow):
    r = flow.response
    for add in ("!", "\u00e9", "\u20ac", "\u732b", "\udcff"):
        c = r.copy()
        try:
            c.text = c.get_text(strict=False) + add
        except Exception as e:
            print(name(flow), ascii(add), type(e).__name__, ascii(str(e)))
            continue
        print(name(flow), ascii(add), c.headers.get("content-type"), c.headers.get("content-length"), attempt(lambda: c.content[-8:]), attempt(lambda: c.text[-3:]))
    if r.raw_content and "content-encoding" not in r.headers:
        r.text = r.get_text(strict=False).replace("cat", "K\u00e4tzchen \u732b")
