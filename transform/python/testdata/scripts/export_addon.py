"""addons.export: flows as commands of curl and httpie, and raw."""
from _show import attempt, name

from mitmproxy.addons import export


def each(flow):
    for make in ("curl_command", "httpie_command", "raw", "raw_request", "raw_response"):
        print(name(flow), make, attempt(getattr(export, make), flow))
    if flow.type == "http":
        print(name(flow), attempt(lambda: export.cleanup_request(flow).headers.fields), attempt(lambda: export.cleanup_response(flow).headers.fields))
        print(name(flow), attempt(lambda: export.raw(flow, separator=b"\n---\n")), flow.request.headers.fields)


request = tcp_end = dns_request = each


def running():
    e = export.Export()
    print(e.formats(), sorted(export.formats))
