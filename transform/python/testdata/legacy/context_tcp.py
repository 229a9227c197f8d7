# 0.16
def tcp_message(ctx, tcp_msg):
    if tcp_msg.sender == tcp_msg.server_conn:
        assert tcp_msg.receiver == tcp_msg.client_conn
        tcp_msg.message = tcp_msg.message.replace("foo", "bar")
