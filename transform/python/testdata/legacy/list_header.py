# 0.8: nothing but a list says what headers are.
def response(context, flow):
    flow.response.headers["X-Seen"] = ["one", "two"]
