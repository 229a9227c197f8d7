"""update follows every event of a flow."""
from _show import name

last = None


def note(event):
    def hook(flow):
        global last
        last = event, flow
    return hook


request, response, websocket_message, tcp_message, dns_response, error = [
    note(e) for e in ("request", "response", "websocket_message", "tcp_message", "dns_response", "error")]
count = 0


def update(flows):
    global count
    count += 1
    if last and last[1] is flows[0]:
        flows[0].metadata["updates"] = flows[0].metadata.get("updates", 0) + 1
        flows[0].metadata["last"] = last[0]


def done():
    print(count)
