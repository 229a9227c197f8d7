"""Every field of a response, set; each flow gets another one of the edits."""
from _show import attempt, body, name

from mitmproxy import http

EDITS = r"""
status_code = 404; status_code = 99; status_code = 1000; reason = "New reason"; reason = ""; reason = "Gr\u00fc\u00dfe"; reason = b"bytes"; reason = "\u732b"
http_version = "HTTP/1.0"; http_version = b"HTTP/2.0"; headers = http.Headers(server="x", set_cookie="a=b"); headers = http.Headers()
headers = http.Headers([(b"B", b"\xff"), (b"b", b"2")]); trailers = http.Headers([(b"T", b"1"), (b"t", b"2")]); trailers = None
timestamp_start = 1; timestamp_start = 2.25; timestamp_end = None; timestamp_end = 1e-3; stream = lambda data: data
raw_content = b"raw"; raw_content = None; content = b"bytes"; content = b""; content = None; text = "t\u00e9xt"; text = "\u732b"; text = None; text = ""
data.status_code = 206; data.reason = b"Data"; data.content = b"data"; data.headers = http.Headers(d="1"); data.timestamp_end = 7.0; data.trailers = None
status_code = "200"; status_code = None; reason = None; reason = 5; content = "str"; text = b"bytes"; is_http11 = 1; cookies = 5
""".replace("\n", ";").split(";")
EDITS = [e.strip() for e in EDITS if e.strip()]
DEADLY = ('status_code = "', "status_code = None", "reason = 5", "reason = None")


def edit(r, code):
    exec("r." + code, {"r": r, "http": http})
    return [r.status_code, r.reason, r.http_version, body(r), r.trailers, r.timestamp_start, r.timestamp_end]


def responseheaders(flow):
    if int(name(flow)[1:]) % 11 == 1:
        for code in EDITS:
            print(name(flow), ascii(code), attempt(edit, flow.response.copy(), code))


def response(flow, count=[0]):
    code = EDITS[count[0] % len(EDITS)]
    count[0] += 1
    if not code.startswith(DEADLY):
        print(name(flow), ascii(code), attempt(edit, flow.response, code))
