"""Flows written with io.FlowWriter while they pass and at the end."""
from _show import name

from mitmproxy import flowfilter, io


class Writer:
    def __init__(self):
        self.all = open("all.mitm", "wb")
        self.w = io.FlowWriter(self.all)
        self.some = open("some.mitm", "wb")
        self.filtered = io.FilteredFlowWriter(self.some, flowfilter.parse("~t json | ~tcp"))
        self.kept = []
        self.changed = open("changed.mitm", "wb")

    def response(self, flow):
        self.w.add(flow)
        self.filtered.add(flow)
        if int(name(flow)[1:]) % 9 == 0:
            flow.response.headers["X-After"] = "written"
            flow.response.content = b"changed"
            io.FlowWriter(self.changed).add(flow)
        self.kept.append(flow)

    def tcp_message(self, flow):
        if len(flow.messages) == 3:
            self.filtered.add(flow)
            self.w.add(flow)

    def tcp_end(self, flow):
        self.kept.append(flow)

    tcp_error = dns_response = websocket_end = tcp_end

    def done(self):
        for f in (self.all, self.some, self.changed):
            f.close()
        with open("kept.mitm", "wb") as f:
            w = io.FlowWriter(f)
            for flow in self.kept[::7]:
                w.add(flow)
                c = flow.copy()
                c.id = "copy-of-" + name(flow)
                c.comment = "a copy"
                w.add(c)
        print(len(self.kept))


addons = [Writer()]
