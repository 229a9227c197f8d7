# mitmdump: skip logging through the standard library came with version 9
"""logging as in mitmproxy 9 and later."""
import logging

from mitmproxy import ctx
from mitmproxy.log import ALERT

logger = logging.getLogger(__name__)


def running():
    logger.debug("debug")
    logger.info("info of %s", "a logger")
    logger.log(ALERT, "alert")
    logging.warning("the root logger warns")
    logging.getLogger("some.library").error("a library's error")
    print(logging.getLevelName(ALERT), logging.INFO < ALERT < logging.WARNING)


def response(flow):
    if flow.request.path == "/old":
        logging.info("in a hook")
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("with a traceback")
        ctx.log.info("the old way")
