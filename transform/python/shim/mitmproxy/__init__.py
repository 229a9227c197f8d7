"""mitmproxy's scripting API over flowkit's saved flows.

Not mitmproxy itself: flowkit puts this package in its place so that addons run without it.
"""
