"""TCP flows and their messages, as they become visible."""
from _show import get, name, show


def line(event):
    def hook(flow):
        print(event, name(flow), len(flow.messages), show(flow.error), *[ascii(repr(m)) for m in flow.messages[-1:]])
        for m in flow.messages[-1:]:
            print(name(flow), *get(m, "from_client content timestamp"), m.get_state(), type(m).__name__)
    return hook


tcp_start, tcp_message, tcp_end, tcp_error = [line(e) for e in ("tcp_start", "tcp_message", "tcp_end", "tcp_error")]
