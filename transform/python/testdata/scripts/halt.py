# flowkit: with _after.py
"""AddonHalt ends the event for the addons behind."""
from _show import name

from mitmproxy import exceptions


class Halting:
    def request(self, flow):
        if int(name(flow)[1:]) % 5 == 0 and flow.response:
            flow.comment = "halted"
            raise exceptions.AddonHalt()

    def tcp_message(self, flow):
        raise exceptions.AddonHalt("with a message")


class Behind:
    def request(self, flow):
        flow.request.headers["X-Behind"] = "1"

    def tcp_message(self, flow):
        print("never")


addons = [Halting(), Behind()]
