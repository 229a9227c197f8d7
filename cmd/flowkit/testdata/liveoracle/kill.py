# Flows that are killed, in each of their hooks.
from _log import log


def at(hook):
    def call(flow):
        log(hook, flow.request.path, flow.error and flow.error.msg)
        if flow.request.path == "/" + hook:
            log("killable", flow.killable)
            flow.kill()
            log("killed", flow.error.msg, flow.killable)

    return call


requestheaders = at("requestheaders")
request = at("request")
responseheaders = at("responseheaders")
response = at("response")
error = at("error")
