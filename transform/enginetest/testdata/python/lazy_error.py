# Makes up an error.
from mitmproxy.flow import Error


def response(flow):
    flow.error = Error("made up")

def error(flow):
    flow.comment = "error: " + flow.error.msg
