# Comments, and then fails.
def response(flow):
    flow.comment = "before"
    flow.no_such_attribute
