"""A script that writes flows into a file and reads them back in the next hook."""
import io as stdio

from _show import changes, name

from mitmproxy import io


def request(flow):
    f = stdio.BytesIO()
    io.FlowWriter(f).add(flow)
    f.seek(0)
    again, = io.FlowReader(f).stream()
    print(name(flow), again.id == flow.id, again == flow, *changes(flow.get_state(), again.get_state()))
    again.request.headers["X-Again"] = "1"
    if int(name(flow)[1:]) % 6 == 0:
        flow.request = again.request
    if int(name(flow)[1:]) % 6 == 1 and again.response:
        flow.response = again.response
        flow.response.headers["X-Again"] = "2"
    if int(name(flow)[1:]) % 6 == 2:
        flow.set_state(again.get_state())
