"""A part of the program."""
raise ImportError("libmproxy.dump needs a live proxy; flowkit replays saved flows")
