"""Whether names of hosts and numbers of ports are possible."""

_WORD = bytes.maketrans(b"-_", b"aa")


def is_valid_host(host):
    """Whether host, text or bytes, is a name of DNS (underscores are allowed) or an address."""
    if isinstance(host, str):
        if not host.isascii():
            try:
                host = host.encode("idna")
            except ValueError:
                return False
        elif not _could_be_encoded(host):
            return False
        else:
            host = host.encode("ascii")
    if not _could_be_decoded(host) or len(host) > 255:
        return False
    name = host[:-1] if host[-1:] == b"." else host
    for label in name.split(b"."):
        if not (0 < len(label) < 64 and label.translate(_WORD).isalnum()):
            break
    else:
        return True
    return _is_ipv6(host)


def _could_be_encoded(host):
    """Whether IDNA takes ASCII text: each label must have 1 to 63 characters."""
    labels = host.split(".")
    if not labels[-1]:
        del labels[-1]
    return all([0 < len(label) < 64 for label in labels])


def _could_be_decoded(host):
    """Whether IDNA takes bytes."""
    if host.isascii() and b"xn--" not in host.lower():
        return True
    try:
        host.decode("idna")
    except ValueError:
        return False
    return True


def _is_ipv6(host):
    # One of IPv4 has labels that names of DNS may have.
    if b":" not in host:
        return False
    import ipaddress

    try:
        ipaddress.ip_address(host.decode("idna"))
    except ValueError:
        return False
    return True


def is_valid_port(port):
    """Whether port is the number of a port; 0 is one."""
    return 0 <= port <= 65535
