"""A part of the program."""
raise ImportError("libmproxy.cmdline needs a live proxy; flowkit replays saved flows")
