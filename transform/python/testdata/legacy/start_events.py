# 0.18 to 2.x: every hook that there was.
import mitmproxy

seen = []


def start():
    mitmproxy.ctx.log("started")
    seen.append("start")


def configure(options, updated):
    seen.append("configure %s" % (options is mitmproxy.ctx.options and "certs" in updated))


def log(entry):
    seen.append("log %s %s" % (entry.level, entry.msg))


def tick():
    raise AssertionError("there is nothing to wait for")


def clientconnect(root_layer):
    seen.append("clientconnect %s" % root_layer.client_conn.address.host)


def serverconnect(server_conn):
    seen.append("serverconnect %s" % server_conn.address.address[0])


def requestheaders(flow):
    seen.append("requestheaders")


def request(flow):
    seen.append("request %s" % flow.request.is_replay)


def response(flow):
    seen.append("response")
    flow.response.is_replay = True


def error(flow):
    seen.append("error")


def tcp_start(flow):
    seen.append("tcp_start")


def tcp_message(flow):
    seen.append("tcp_message %d" % len(flow.messages))


def tcp_error(flow):
    seen.append("tcp_error")


def tcp_end(flow):
    seen.append("tcp_end")


def websocket_handshake(flow):
    seen.append("websocket_handshake")


def websocket_error(flow):
    seen.append("websocket_error")


def websocket_end(flow):
    seen.append("websocket_end %s" % flow.close_code)


def load(what):
    raise AssertionError("this came with 3.0")


del load


def done():
    seen.append("done")
