# 0.15 to 0.17: every hook that there was.
from mitmproxy.script import concurrent

seen = []


def start(context, argv):
    context.argv = argv
    seen.append("start %s" % argv[1:])


def clientconnect(context, root_layer):
    seen.append("clientconnect %s" % root_layer.client_conn.address.host)


def serverconnect(context, server_conn):
    seen.append("serverconnect %s:%d" % (server_conn.address.host, server_conn.address.port))


@concurrent
def request(context, flow):
    seen.append("request")


def responseheaders(context, flow):
    seen.append("responseheaders")


def response(context, flow):
    seen.append("response %s" % flow.response.status_code)


def error(context, flow):
    seen.append("error %s" % flow.error)


def serverdisconnect(context, server_conn):
    seen.append("serverdisconnect")


def clientdisconnect(context, root_layer):
    seen.append("clientdisconnect")


def done(context):
    seen.append("done %d" % len(context.argv))


def running():
    raise AssertionError("there was no such hook")
