# 5.x
import re


def websocket_message(flow):
    message = flow.messages[-1]
    assert message is not None and flow.handshake_flow.request.host
    if isinstance(message.content, str):
        message.content = re.sub(r"^Hello", "HAPPY", message.content)
        if "FOOBAR" in message.content:
            message.kill()
            assert message.killed
