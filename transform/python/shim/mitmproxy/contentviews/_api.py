"""Contentviews from mitmproxy 12 on: prettify gives a text."""
from __future__ import annotations

from abc import ABC, abstractmethod

SyntaxHighlight = str
"""The syntax of a pretty text: css, javascript, xml, yaml, none or error."""


class Metadata:
    """What is known of the data that a view gets."""

    def __init__(
        self,
        flow=None,
        content_type=None,
        http_message=None,
        tcp_message=None,
        udp_message=None,
        websocket_message=None,
        dns_message=None,
        protobuf_definitions=None,
        original_data=None,
    ):
        self.flow = flow
        self.content_type = content_type
        self.http_message = http_message
        self.tcp_message = tcp_message
        self.udp_message = udp_message
        self.websocket_message = websocket_message
        self.dns_message = dns_message
        self.protobuf_definitions = protobuf_definitions
        self.original_data = original_data

    def __repr__(self):
        return "Metadata(%s)" % ", ".join("%s=%r" % field for field in self.__dict__.items())

    def __eq__(self, other):
        return isinstance(other, Metadata) and self.__dict__ == other.__dict__


class Contentview(ABC):
    """A view of data. Its name is that of the class, without Contentview at the end."""

    @property
    def name(self):
        name = type(self).__name__
        return name[: -len("Contentview")] if name.endswith("Contentview") else name

    @property
    def syntax_highlight(self):
        return "none"

    @abstractmethod
    def prettify(self, data, metadata):
        """The text of data. What cannot be seen so raises an exception."""

    def render_priority(self, data, metadata):
        """How fit the view is: the highest wins. Those of mitmproxy are between 0 and 1."""
        return 0

    def __lt__(self, other):
        return self.name < other.name


class InteractiveContentview(Contentview):
    """A view whose text can be edited."""

    @abstractmethod
    def reencode(self, prettified, metadata):
        """The data of an edited text."""
