"""JSON bodies loaded, changed and written again."""
import json

from _show import name


def response(flow):
    if "json" in flow.response.headers.get("content-type", ""):
        data = flow.response.json()
        data["added"] = [1.0, None, "caf\u00e9"]
        flow.response.text = json.dumps(data, sort_keys=True)
        print(name(flow), flow.response.get_text())


def request(flow):
    if flow.request.headers.get("content-type") == "application/json":
        data = json.loads(flow.request.content)
        del data["id"]
        flow.request.content = json.dumps(data, ensure_ascii=False).encode()
