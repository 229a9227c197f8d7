"""A second script."""


def request(flow):
    flow.request.headers["X-After"] = "1"


def response(flow):
    flow.response.headers["X-After"] = flow.comment or "none"


def tcp_message(flow):
    flow.comment = "after"
    print("after", len(flow.messages))


def running():
    print("after: running")


def done():
    print("after: done")
