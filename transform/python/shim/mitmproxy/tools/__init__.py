"""The programs of mitmproxy.

Scripts that can also be run on their own import them; using one raises NeedsProxy.
"""
