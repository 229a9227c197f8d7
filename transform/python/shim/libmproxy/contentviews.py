"""Views of bodies."""
from mitmproxy.contentviews import *  # noqa: F401,F403
from _flowkit.legacy.contentviews import View, format_dict, format_text  # noqa: F401
