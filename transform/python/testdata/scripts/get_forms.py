"""Forms, read."""
from _show import attempt, name, show


def request(flow):
    r = flow.request
    for which in ("urlencoded_form", "multipart_form"):
        print(name(flow), which, attempt(lambda: getattr(r, which).fields), attempt(lambda: list(getattr(r, which).items(multi=True))),
              attempt(lambda: len(getattr(r, which))), attempt(lambda: getattr(r, which)["name"]), attempt(lambda: getattr(r, which)[b"user"]),
              attempt(lambda: getattr(r, which).get_all("a")), attempt(lambda: ascii(repr(getattr(r, which)))), attempt(lambda: bool(getattr(r, which))))
        if getattr(r, which):
            print(name(flow), "form", which, show(dict(getattr(r, which))))
