# Edits the query: takes out, changes and adds, and comments on what there was.
def request(flow):
    q = flow.request.query
    q.pop("gone")
    flow.comment = " ".join(["%s=%s" % (k, v) for k, v in q.items()])
    q["b"] = "2 &"
    q["new"] = "1"
