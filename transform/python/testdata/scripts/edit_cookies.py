"""Cookies of requests and responses changed."""
from _show import attempt, name

from mitmproxy.net.http import cookies

REQUEST = r'''
c["session"] = "changed"
c["new"] = "a b;c"
c.add("session", "third")
del c["theme"]
c.clear()
c.set_all("session", ["1", "2"])
m.cookies = [("k", "v"), ("quoted", 'a"b')]
m.cookies = {"d": "1"}
m.cookies = []
c["\u00e9"] = "\u732b"
c.pop("session")
m.cookies = m.cookies
c.insert(0, "first", "x")
'''.strip().split("\n")
RESPONSE = r'''
c["session"] = ("changed", cookies.CookieAttrs([("path", "/x"), ("HttpOnly", None)]))
c["new"] = ("v", cookies.CookieAttrs())
c["session"][1]["path"] = "/not/written"
c["session"] = (c["session"][0] + "!", c["session"][1])
del c["theme"]
c.clear()
m.cookies = [("k", ("v", cookies.CookieAttrs([("Secure", None)])))]
m.cookies = m.cookies
c["bad"] = "no tuple"
c["plain"] = ("x", [("a", "b")])
c.add("two", ("2", cookies.CookieAttrs(m.cookies["two"][1].fields)))
m.refresh(1600000000)
m.refresh()
'''.strip().split("\n")


def edit(m, code):
    exec(code, {"m": m, "c": m.cookies, "cookies": cookies})
    return [f for f in m.headers.fields if b"cookie" in f[0].lower()], list(m.cookies.items(multi=True))


def request(flow, count=[0]):
    for code in REQUEST if "cookie" in flow.request.headers else ():
        print(name(flow), ascii(code), attempt(edit, flow.request.copy(), code))
    code = REQUEST[count[0] % len(REQUEST)]
    count[0] += 1
    print(name(flow), ascii(code), attempt(edit, flow.request, code))


def response(flow, count=[0]):
    # Without an argument, refresh goes by the clock.
    codes = [code for code in RESPONSE if code != "m.refresh()"]
    for code in codes if "set-cookie" in flow.response.headers else ():
        print(name(flow), ascii(code), attempt(edit, flow.response.copy(), code))
    code = codes[count[0] % len(codes)]
    count[0] += 1
    print(name(flow), ascii(code), attempt(edit, flow.response, code))
