"""What addons log, by `ctx.log` or with Python's logging.

Whoever runs the addons sets `sink`, a function of (level, logger, text) with a level of
`LogLevels`. Without one, entries go to Python's logging.
"""

LogLevels = ["error", "warn", "info", "alert", "debug"]
LogTierOrder = LogLevels

_TIERS = {"error": 0, "warn": 1, "info": 2, "alert": 2, "debug": 3}
_NUMBERS = {"error": 40, "warn": 30, "alert": 21, "info": 20, "debug": 10}
LOGGING_LEVELS_TO_LOGENTRY = {v: k for k, v in _NUMBERS.items()}

sink = None


class LogEntry:
    """One line of the log; `msg` is a str whatever was logged."""

    def __init__(self, msg, level):
        # Not the object: it may change before somebody reads the entry.
        self.msg = str(msg)
        self.level = level

    def __eq__(self, other):
        if isinstance(other, LogEntry):
            return self.__dict__ == other.__dict__
        return False

    __hash__ = None

    def __repr__(self):
        return "LogEntry(%s, %s)" % (self.msg, self.level)


class Log:
    """`ctx.log`."""

    def __init__(self, master):
        self.master = master

    def debug(self, txt):
        """Of use to who works on the addon."""
        self(txt, "debug")

    def info(self, txt):
        """Of use to the user."""
        self(txt, "info")

    def alert(self, txt):
        """Information that is to be seen, such as the result of a command."""
        self(txt, "alert")

    def warn(self, txt):
        """Something unexpected that needs no action."""
        self(txt, "warn")

    def error(self, txt):
        """A failure."""
        self(txt, "error")

    def __call__(self, text, level="info"):
        emit(level, "mitmproxy.ctx.log", text)


def emit(level, name, text):
    """Logs `text` for the logger `name`."""
    record(level, text)
    if sink is not None:
        sink(level, name, str(text))
        return
    import logging

    _name_alert(logging)
    logging.getLogger(name).log(_NUMBERS.get(level, 20), "%s", text)


def record(level, text):
    """Has the master of a test, made by taddons, remember an entry."""
    from mitmproxy import ctx

    master = ctx.__dict__.get("master")
    if hasattr(master, "record_log"):
        master.record_log(level, text)


def log_tier(level):
    """How important a level is, 0 for errors."""
    return _TIERS.get(level)


def level_of(number):
    """The level of ours that a number of Python's logging belongs to."""
    name = LOGGING_LEVELS_TO_LOGENTRY.get(number)
    if name is not None:
        return name
    for name in ("error", "warn", "info"):
        if number >= _NUMBERS[name]:
            return name
    return "debug"


def _name_alert(logging):
    logging.addLevelName(_NUMBERS["alert"], "ALERT")


def __getattr__(name):
    """ALERT and the handler classes come with logging, which most scripts do without."""
    if name == "ALERT":
        import logging

        _name_alert(logging)
        value = _NUMBERS["alert"]
    elif name == "AddLogHook":
        from mitmproxy.hooks import AddLogHook as value
    elif name in ("MitmLogHandler", "MitmFormatter"):
        globals().update(_handlers())
        return globals()[name]
    else:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    globals()[name] = value
    return value


def _handlers():
    import logging

    _name_alert(logging)

    class MitmFormatter(logging.Formatter):
        """Writes time and message, and the name of a flow's peer if the record has one."""

        default_time_format = "%H:%M:%S"
        default_msec_format = "%s.%03d"

        def __init__(self, colorize=False):
            super().__init__()
            self.colorize = colorize

        def format(self, record):
            text = "[%s]" % self.formatTime(record)
            client = getattr(record, "client", None)
            if client:
                text += "[%s:%s]" % tuple(client[:2])
            text += " " + record.getMessage()
            if record.exc_info:
                text += "\n" + self.formatException(record.exc_info)
            return text

    class MitmLogHandler(logging.Handler):
        """A handler that can be put on the root logger and taken off again."""

        def install(self):
            logging.getLogger().addHandler(self)

        def uninstall(self):
            logging.getLogger().removeHandler(self)

    return {"MitmFormatter": MitmFormatter, "MitmLogHandler": MitmLogHandler}
