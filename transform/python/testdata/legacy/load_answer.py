# 5.x and 6.x
from mitmproxy import ctx, http


def request(flow: http.HTTPFlow) -> None:
    if flow.request.pretty_url.startswith("http://answer.example"):
        flow.response = http.HTTPResponse.make(200, b"Hello", {"Content-Type": "text/html"})
        assert isinstance(flow.response, http.HTTPResponse) and isinstance(flow.request, http.HTTPRequest)
    elif flow.request.host == "killed.example":
        flow.kill()
    if flow.server_conn.connected():
        ctx.log.info(str(flow.server_conn.ip_address[0]))
