# Never ends for /forever.
def response(flow):
    flow.comment = "before"
    while flow.request.path == "/forever":
        pass
    flow.comment = "done"
