"""A part of the program, as up to 2.x."""
raise ImportError("mitmproxy.main needs a live proxy; flowkit replays saved flows")
