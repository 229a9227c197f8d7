"""Every property of a request, read."""
from _show import get, name


def request(flow):
    r = flow.request
    for line in get(r, """method scheme authority host host_header port path url pretty_host pretty_url first_line_format
            http_version is_http10 is_http11 is_http2 timestamp_start timestamp_end stream headers trailers raw_content"""):
        print(name(flow), line)
    print(name(flow), ascii(repr(r)), ascii(str(r)))
    print(name(flow), ascii(repr(r.data)) if len(r.raw_content or b"") < 1000 else "", r == r.copy(), r != flow.response)
    print(name(flow), *get(r.data, "http_version headers trailers timestamp_start timestamp_end host port method scheme authority path"))
