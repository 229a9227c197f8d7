"""A part of the program."""
raise ImportError("libmproxy.console needs a live proxy; flowkit replays saved flows")
