# 3.0 to 5.x: what the documentation has annotated.
import typing

import mitmproxy.addonmanager
import mitmproxy.connections
import mitmproxy.http
import mitmproxy.log
import mitmproxy.proxy.protocol
import mitmproxy.tcp
import mitmproxy.websocket

seen = []


class Events:
    def load(self, entry: mitmproxy.addonmanager.Loader):
        seen.append("load")

    def configure(self, updated: typing.Set[str]):
        seen.append("configure")

    def running(self):
        seen.append("running")

    def clientconnect(self, layer: mitmproxy.proxy.protocol.Layer):
        seen.append("clientconnect")

    def serverconnect(self, conn: mitmproxy.connections.ServerConnection):
        seen.append("serverconnect")

    def log(self, entry: mitmproxy.log.LogEntry):
        seen.append("log " + entry.msg)

    def request(self, flow: mitmproxy.http.HTTPFlow):
        seen.append("request")

    def tcp_error(self, flow: mitmproxy.tcp.TCPFlow):
        seen.append("tcp_error")

    def tcp_end(self, flow: mitmproxy.tcp.TCPFlow):
        seen.append("tcp_end")

    def websocket_handshake(self, flow: mitmproxy.http.HTTPFlow):
        seen.append("websocket_handshake")

    def websocket_start(self, flow: mitmproxy.websocket.WebSocketFlow):
        seen.append("websocket_start %d" % len(flow.messages))

    def websocket_error(self, flow: mitmproxy.websocket.WebSocketFlow):
        seen.append("websocket_error")

    def websocket_end(self, flow: mitmproxy.websocket.WebSocketFlow):
        seen.append("websocket_end")

    def done(self):
        seen.append("done")


addons = [Events()]
