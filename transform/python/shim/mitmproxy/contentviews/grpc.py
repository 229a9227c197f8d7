"""The names by which scripts configure the view of gRPC; the view itself shows nothing but raw bytes."""
from __future__ import annotations

from enum import Enum

from mitmproxy.contentviews import base


class _Settings:
    """Keeps what it is made with: positional arguments by the names in `_names`."""

    _names = ()

    def __init__(self, *args, **kwargs):
        self.__dict__.update(zip(self._names, args))
        self.__dict__.update(kwargs)


class ProtoParser:
    class DecodedTypes(Enum):
        int32 = 0
        int64 = 1
        uint32 = 2
        uint64 = 3
        sint32 = 4
        sint64 = 5
        bool = 6
        enum = 7
        fixed32 = 8
        sfixed32 = 9
        float = 10
        fixed64 = 11
        sfixed64 = 12
        double = 13
        string = 14
        bytes = 15
        message = 16
        packed_repeated_field = 17
        unknown = 18

    class ParserOptions(_Settings):
        _names = ("include_wiretype", "exclude_message_headers")

    class ParserFieldDefinition(_Settings):
        _names = ("tag", "tag_prefixes", "intended_decoding", "name", "as_packed")

    class ParserRule(_Settings):
        _names = ("field_definitions", "name", "filter")

    class ParserRuleRequest(ParserRule):
        pass

    class ParserRuleResponse(ParserRule):
        pass


class ViewConfig(_Settings):
    _names = ("parser_options", "parser_rules")


class ViewGrpcProtobuf(base.View):
    name = "gRPC/Protocol Buffer"

    def __init__(self, config=None):
        self.config = config or ViewConfig()

    def __call__(self, data, *, content_type=None, flow=None, http_message=None, **unknown_metadata):
        return "gRPC", base.format_text(repr(data))
