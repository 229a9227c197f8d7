"""Values of the wrong type, set where nothing checks before the flow is saved."""
from _show import name

EDITS = r'''
flow.comment = 5
flow.marked = True
flow.request.port = "80"
flow.request.data.content = "text"
flow.request.headers = {"a": "b"}
flow.metadata["x"] = {1, 2}
flow.metadata["x"] = object()
flow.metadata = None
flow.request = None
flow.response = "a response"
flow.error = "an error"
flow.comment = "\udcff"
flow.metadata["\udcff"] = 1
flow.request.timestamp_start = "now"
flow.is_replay = 5
flow.response.status_code = "200"
flow.client_conn = None
flow.client_conn.peername = "192.0.2.1"
flow.id = 5
flow.metadata[5] = "int key"
flow.metadata["b"] = b"bytes"
flow.intercepted = "yes"
flow.request.headers.fields = ((b"a", 5),)
flow.timestamp_created = None
'''.strip().split("\n")


def response(flow):
    n = int(name(flow)[1:])
    if n % 4 == 0 and n // 4 < len(EDITS):
        print(name(flow), ascii(EDITS[n // 4]))
        exec(EDITS[n // 4])
