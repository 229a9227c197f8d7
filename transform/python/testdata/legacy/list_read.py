# 0.11: all that a script could ask of a flow.
from libmproxy.protocol.http import decoded


def start(context, argv):
    context.seen = []


def response(context, flow):
    request, response = flow.request, flow.response
    context.seen.append({
        "version": ".".join(str(v) for v in request.httpversion) + "/" + ".".join(str(v) for v in response.httpversion),
        "code": response.code,
        "msg": response.msg,
        "first": response.headers.get_first("Content-Type", "none"),
        "none": response.headers.get("nothing", (None,))[0],
        "any": response.headers.in_any("content-type", "HTML", True),
        "headers": [(k.lower(), v) for k, v in response.headers if k.lower() != "date"],
        "query": [(k, v) for k, v in request.get_query()],
        "path": request.get_path_components(),
        "cookies": request.get_cookies(),
        "set": response.get_cookies(),
        "raw": len(response.content),
        "plain": len(response.get_decoded_content()),
        "url": request.url,
        "form": request.form_in,
        "host": request.pretty_host(hostheader=False),
    })
    with decoded(response):
        assert "content-encoding" not in response.headers
        if response.content.startswith("\x7f"):
            response.content = "never"
    flow.seen_by = "list_read"


def done(context):
    import list_read_sink

    list_read_sink.seen.extend(context.seen)
