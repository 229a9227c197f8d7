"""A part of the program."""
raise ImportError("libmproxy.web needs a live proxy; flowkit replays saved flows")
