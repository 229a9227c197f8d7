"""Every field of a request, set; each flow gets another one of the edits."""
from _show import attempt, name

from mitmproxy import http

EDITS = r"""
method = "post"; method = b"PATCH"; method = "m\u00e4h"; scheme = "https"; scheme = b"http"; scheme = "UPPER"
host = "new.example"; host = "b\u00fccher.example"; host = b"bytes.example"; host = "2001:db8::5"; host = "192.0.2.99"
port = 8081; port = 443; port = 0; port = "80"; port = None
path = "/new?a=b"; path = b"/bytes/\xff"; path = "/caf\u00e9"; path = ""; path = None
authority = "auth.example:81"; authority = b"auth"; authority = ""; authority = "b\u00fccher.example"
http_version = "HTTP/2.0"; http_version = "HTTP/1.0"; http_version = b"HTTP/1.1"; http_version = "HTTP/9"
host_header = "hosthead.example"; host_header = "h:99"; host_header = None; host_header = b"bytes"
url = "https://url.example/p/q?x=1#f"; url = "http://url.example:8088"; url = "http://[2001:db8::1]:99/v6"; url = b"https://bytes.example/"
url = "no url"; url = "ftp://ftp.example/"; url = "https://user:pw@host.example/x"; url = "http://h\u00f6st.example/\u00fc"
timestamp_start = 5.5; timestamp_start = 5; timestamp_end = None; timestamp_end = 1e10; timestamp_start = None
headers = http.Headers(host="kw.example", x_y="z"); headers = http.Headers([(b"a", b"1"), (b"A", b"2")]); headers = http.Headers()
trailers = http.Headers(x_t="1"); trailers = None; stream = True
raw_content = b"raw"; content = b"content"; text = "t\u00e9xt"; raw_content = None; content = None; text = None; content = b""; text = ""
data.path = b"/data"; data.host = "data.example"; data.method = b"DATA"; data.content = b"data content"; data.http_version = b"HTTP/1.0"
first_line_format = "absolute"; pretty_host = "x"; pretty_url = "http://pretty.example/"; is_http2 = True; nosuch = 1
method = 5; host = 5; scheme = None; http_version = None; authority = None; headers = {"a": "b"}; content = "str"; text = b"bytes"; raw_content = "str"
""".replace("\n", ";").split(";")
EDITS = [e.strip() for e in EDITS if e.strip()]
# What mitmproxy cannot save after.
DEADLY = ("headers = {", "raw_content = \"", "port = \"", "url = \"no")


def edit(r, code):
    exec("r." + code, {"r": r, "http": http})
    return [r.method, r.host, r.port, r.path, r.authority, r.scheme, r.http_version, r.headers.fields, r.host_header]


def requestheaders(flow):
    """All edits, each of a copy."""
    if int(name(flow)[1:]) % 11 == 1:
        for code in EDITS:
            print(name(flow), ascii(code), attempt(edit, flow.request.copy(), code))


def request(flow, count=[0]):
    code = EDITS[count[0] % len(EDITS)]
    count[0] += 1
    if not code.startswith(DEADLY):
        print(name(flow), ascii(code), attempt(edit, flow.request, code))
