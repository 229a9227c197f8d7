"""What the proxy tells layers."""
from mitmproxy.utils._live import live_class, needs_proxy

Event = live_class(__name__, "Event")
ConnectionEvent = live_class(__name__, "ConnectionEvent", Event)
CommandCompleted = live_class(__name__, "CommandCompleted", Event)

globals().update(needs_proxy(__name__, "Start MessageInjected", Event))
globals().update(needs_proxy(__name__, "ConnectionClosed DataReceived", ConnectionEvent))
globals().update(
    needs_proxy(
        __name__,
        "GetSocketCompleted HookCompleted OpenConnectionCompleted Wakeup",
        CommandCompleted,
    )
)
