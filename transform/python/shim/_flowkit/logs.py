"""Python's logging as a source of flowkit's log; imported when a script imports logging."""
import logging

from mitmproxy.log import level_of
from mitmproxy.log import record as remember


class _Handler(logging.Handler):
    def __init__(self, bridge):
        super().__init__()
        self.bridge = bridge

    def emit(self, record):
        try:
            text = record.getMessage()
            if record.exc_info:
                text += "\n" + logging.Formatter().formatException(record.exc_info)
            remember(level_of(record.levelno), text)
            self.bridge.log(level_of(record.levelno), record.name, text)
        except Exception:
            self.handleError(record)


def install(bridge):
    """Makes the root logger's messages frames, down to the level that is shown."""
    logging.addLevelName(21, "ALERT")
    root = logging.getLogger()
    root.addHandler(_Handler(bridge))
    root.setLevel({4: logging.DEBUG, 3: logging.INFO, 1: logging.WARNING}.get(bridge.level, logging.ERROR))
