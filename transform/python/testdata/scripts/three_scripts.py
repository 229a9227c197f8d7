# flowkit: with _after.py header_add.py
"""Three scripts and their order."""


def response(flow):
    flow.response.headers["order"] = "1"
    flow.response.headers.add("newheader", "before")
