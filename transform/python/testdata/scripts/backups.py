"""backup, modified and revert."""
from _show import name


def request(flow):
    n = int(name(flow)[1:])
    print(name(flow), flow.modified(), end=" ")
    flow.backup()
    print(flow.modified(), end=" ")
    flow.request.path = "/changed"
    flow.request.headers["x"] = "changed"
    flow.comment = "changed"
    print(flow.modified(), end=" ")
    flow.backup()
    if n % 3 == 0:
        flow.revert()
    elif n % 3 == 1:
        flow.revert()
        flow.revert()
        flow.backup(force=True)
        flow.request.method = "PUT"
    print(flow.modified(), flow.request.path, flow.comment, "backup" in flow.get_state())


def response(flow):
    if int(name(flow)[1:]) % 3 == 2:
        flow.response.status_code = 299
        flow.revert()
        print(name(flow), flow.response.status_code, flow.modified(), flow.request.path)
        flow.response.headers["X-After"] = "revert"
