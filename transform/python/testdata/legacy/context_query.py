# 0.14 to 0.17: None where there is nothing, and no write through what was read.
def request(context, flow):
    query = flow.request.query
    if query is None:
        return
    query["a"] = ["changed"]
    flow.request.query = query
    if flow.request.urlencoded_form:
        form = flow.request.urlencoded_form
        form["x"] = ["y", "z"]
        flow.request.urlencoded_form = form
    flow.request.path_components = flow.request.path_components + ["more"]
    if flow.request.cookies:
        cookies = flow.request.cookies
        cookies["c"] = ["new"]
        flow.request.cookies = cookies
