"""mitmproxy's own commands that do something to saved flows."""
import os

from _show import attempt, name, show

from mitmproxy import ctx


def call(*args):
    return attempt(ctx.master.commands.call, *args)


def running():
    print(call("flow.set.options"), call("flow.encode.options"), call("export.formats"), call("readfile.reading"), call("replay.client.count"), call("replay.server.count"))
    print(call("set", "showhost", "true"), ctx.options.showhost, call("set", "showhost", "toggle"), ctx.options.showhost, call("set", "nosuch", "x"), call("options.reset.one", "showhost"))
    print(attempt(ctx.master.commands.execute, "set showhost"), ctx.options.showhost)


def request(flow):
    n = int(name(flow)[1:])
    if n % 8 == 0:
        print(name(flow), call("flow.mark", [flow], ":grapes:"), call("flow.mark.toggle", [flow]))
    elif n % 8 == 1:
        print(name(flow), call("flow.comment", [flow], "a comment"), call("flow.mark.toggle", [flow]))
    elif n % 8 == 2 and flow.response:
        for attr, value in [("host", "set.example"), ("status_code", "250"), ("path", "/set?x"), ("method", "PUT"), ("url", "https://url.example/u"), ("reason", "Set"), ("status_code", "x"), ("nosuch", "x"), ("url", "bad")]:
            print(name(flow), attr, call("flow.set", [flow], attr, value))
    elif n % 8 == 3:
        print(name(flow), call("flow.decode", [flow], "response"), call("flow.encode", [flow], "request", "deflate"), call("flow.encode", [flow], "request", "nosuch"))
    elif n % 8 == 4:
        print(name(flow), call("flow.encode.toggle", [flow], "request"), call("flow.encode.toggle", [flow], "request"))
    elif n % 8 == 5:
        flow.backup()
        flow.request.path = "/lost"
        print(name(flow), call("flow.revert", [flow]), flow.request.path, call("flow.kill", [flow]), call("flow.resume", [flow]))
    elif n % 8 == 6:
        print(name(flow), call("cut", [flow], ["request.method", "request.host", "response.status_code", "request.header[host]", "client_conn.peername", "nosuch"]))
        print(name(flow), call("cut", [flow], ["request.raw_content", "response.content", "server_conn.address.port", "error.msg"]))


def response(flow):
    if flow.request.path in ("/form", "/index.html", "/gzip"):
        for fmt in ("curl", "httpie", "raw_request", "raw_response", "raw", "nosuch"):
            path = "%s-%s.txt" % (name(flow)[1:], fmt)
            print(fmt, call("export", fmt, flow), call("export.file", fmt, flow, path), os.path.exists(path))
        print(call("save.file", [flow], "saved-%s.mitm" % name(flow)[1:]), call("save.file", [flow], "+saved-all.mitm"), call("cut.save", [flow], ["request.url"], "cut-%s.txt" % name(flow)[1:]))
