"""Forms changed and made."""
from _show import attempt, body, name

EDITS = r'''
r.urlencoded_form["mitmproxy"] = "rocks"
r.urlencoded_form["name"] = "changed \u00fc"
r.urlencoded_form = [("a", "1"), ("a", "2"), ("\u00e9", "")]
r.urlencoded_form = {"d": "x y"}
r.urlencoded_form = []
r.urlencoded_form.add("name", "third")
del r.urlencoded_form["name"]
r.urlencoded_form.clear()
r.urlencoded_form = r.urlencoded_form
r.urlencoded_form["x"] = 5
'''.strip().split("\n")
MULTI = r'''
r.multipart_form[b"user"] = b"changed"
r.multipart_form.add(b"more", b"\xff")
del r.multipart_form[b"file"]
r.multipart_form = r.multipart_form
r.multipart_form.set_all(b"user", [b"a", b"b"])
r.multipart_form["str"] = "x"
'''.strip().split("\n")


def edit(r, code):
    exec(code, {"r": r})
    return body(r), r.urlencoded_form.fields


def request(flow, count=[0]):
    kind = flow.request.headers.get("content-type", "").lower()
    codes = MULTI if kind.startswith("multipart") and "boundary" in kind else EDITS
    for code in codes if "form" in kind else codes[:3]:
        print(name(flow), ascii(code), attempt(edit, flow.request.copy(), code))
    if "form" in kind:
        code = codes[count[0] % len(codes)]
        count[0] += 1
        print(name(flow), "kept", ascii(code), attempt(edit, flow.request, code))
