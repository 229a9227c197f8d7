"""The smallest script: a header."""


def response(flow):
    flow.response.headers["newheader"] = "foo"
