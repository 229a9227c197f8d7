"""Versions and records of TLS. Contexts to speak it need a live proxy."""
from __future__ import annotations

import enum

from _flowkit.errors import NeedsProxy


class Version(enum.Enum):
    UNBOUNDED = 0
    SSL3 = 768
    TLS1 = 769
    TLS1_1 = 770
    TLS1_2 = 771
    TLS1_3 = 772


class Verify(enum.Enum):
    VERIFY_NONE = 0
    VERIFY_PEER = 1


class Method(enum.Enum):
    TLS_SERVER_METHOD = 8
    TLS_CLIENT_METHOD = 9
    DTLS_SERVER_METHOD = 10
    DTLS_CLIENT_METHOD = 11


DEFAULT_MIN_VERSION = Version.TLS1_2
DEFAULT_MAX_VERSION = Version.UNBOUNDED

log_master_secret = None


def starts_like_tls_record(d):
    """Whether data begins like a TLS handshake record."""
    return len(d) > 2 and d[0] == 0x16 and d[1] == 0x03 and d[2] <= 0x03


def starts_like_dtls_record(d):
    """Whether data begins like a DTLS handshake record."""
    return len(d) > 2 and d[0] == 0x16 and d[1] == 0xFE and d[2] in (0xFD, 0xFE)


is_tls_record_magic = starts_like_tls_record


def make_master_secret_logger(filename):
    if filename:
        raise NeedsProxy("net.tls.MasterSecretLogger")
    return None


def create_proxy_server_context(**kwargs):
    raise NeedsProxy("net.tls.create_proxy_server_context")


def create_client_proxy_context(**kwargs):
    raise NeedsProxy("net.tls.create_client_proxy_context")
