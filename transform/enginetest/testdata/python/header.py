# Adds a header to every response.
def response(flow):
    flow.response.headers["newheader"] = "foo"
