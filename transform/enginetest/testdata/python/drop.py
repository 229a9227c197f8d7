# Drops the flows of /drop.
def request(flow):
    if flow.request.path == "/drop":
        flow.drop()

def response(flow):
    if flow.request.path == "/drop":
        raise RuntimeError("a dropped flow has no further events")
