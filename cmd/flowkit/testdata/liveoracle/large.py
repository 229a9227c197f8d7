# Bodies of more than a hook gets with it.
import hashlib

from _log import log

kept = []


def described(message):
    return len(message.raw_content), hashlib.sha1(message.content).hexdigest()


def request(flow):
    log("request", flow.request.path, described(flow.request))
    if flow.request.path == "/edit":
        flow.request.content = flow.request.content[::-1]


def response(flow):
    log("response", flow.request.path, described(flow.response), described(flow.request))
    kept.append(flow)
    if flow.request.path == "/edit/large":
        flow.response.content = flow.response.content.replace(b"9a", b"+")


def client_disconnected(client):
    for flow in kept:
        log("kept", flow.request.path, described(flow.request)[0], described(flow.response)[0])
