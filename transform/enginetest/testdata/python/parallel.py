# Changes headers, query and content, and drops one in seven, by what each flow is alone.
def request(flow):
    if flow.request.path.startswith("/6?"):
        flow.drop()
    flow.request.query["twice"] = str(2 * int(flow.request.query["n"]))

def response(flow):
    flow.response.headers["x-length"] = str(len(flow.response.content))
    flow.response.content = flow.response.content.replace(b"1", b"one")
    flow.comment = flow.request.url
