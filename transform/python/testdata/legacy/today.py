# Of today, with words of old in it.
import logging
from mitmproxy import ctx, http


def start():
    return "a function of the script's own"


def log(message, level):
    logging.log(level, message)


class Addon:
    def load(self, loader):
        loader.add_option("today", str, "", "An option.")

    def configure(self, updated):
        start()

    def request(self, flow: http.HTTPFlow):
        flow.response = http.Response.make(200, b"")


addons = [Addon()]
