"""The usual script: replace in bodies."""


def request(flow):
    if flow.request.content:
        flow.request.content = flow.request.content.replace(b"cat", b"dog")


def response(flow):
    flow.response.content = flow.response.content.replace(b"cat", b"dog")
