"""Every property of a response, read."""
from _show import get, name


def response(flow):
    r = flow.response
    for line in get(r, """status_code reason http_version is_http10 is_http11 is_http2 timestamp_start timestamp_end stream
            headers trailers raw_content content text cookies"""):
        print(name(flow), line)
    print(name(flow), ascii(repr(r)), ascii(str(r)))
    print(name(flow), *get(r.data, "http_version headers content trailers timestamp_start timestamp_end status_code reason"))
    print(name(flow), bool(r), isinstance(r.headers, type(flow.request.headers)), type(r).__name__, type(r.data).__name__)
