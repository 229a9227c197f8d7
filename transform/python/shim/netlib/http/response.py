"""A part of netlib.http, which has all of it."""
from netlib.http import Headers, Message, Request, Response, decoded  # noqa: F401
