# Async hooks of connections, and of heads.
import asyncio

from _log import log


async def client_connected(client):
    await asyncio.sleep(0.01)
    log("client_connected")


async def http_connect(flow):
    await asyncio.sleep(0.01)
    log("http_connect")
    flow.request.host = "127.0.0.1"


async def requestheaders(flow):
    await asyncio.sleep(0.01)
    log("requestheaders")
    flow.request.headers["X-A"] = "1"


async def request(flow):
    log("request")


async def server_connect(data):
    log("server_connect begins", data.server.address)
    await asyncio.sleep(0.01)
    log("server_connect")


async def server_connected(data):
    await asyncio.sleep(0.01)
    log("server_connected")


async def responseheaders(flow):
    await asyncio.sleep(0.01)
    log("responseheaders")
    flow.response.stream = lambda data: data.upper()


async def response(flow):
    await asyncio.sleep(0.01)
    log("response")


async def client_disconnected(client):
    await asyncio.sleep(0.01)
    log("client_disconnected")
