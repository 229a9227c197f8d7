# 0.8 to 0.13: a header that is not there is an empty list.
def request(context, flow):
    if "application/x-www-form-urlencoded" in flow.request.headers["content-type"]:
        form = flow.request.get_form_urlencoded()
        form["added"] = ["by script"]
        del form["gone"]
        flow.request.set_form_urlencoded(form)
    query = flow.request.get_query()
    if query:
        query["n"] = ["1", "2"]
        flow.request.set_query(query)
