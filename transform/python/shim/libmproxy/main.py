"""A part of the program."""
raise ImportError("libmproxy.main needs a live proxy; flowkit replays saved flows")
