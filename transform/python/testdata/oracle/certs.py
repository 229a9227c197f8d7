"""What is read from certificates, made with openssl: certs.pem, and those of the test flows."""
import os
import warnings

from _oracle import main
from mitmproxy import certs

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))

DEVIATIONS = {
    "multi.issuer": "8.1.1 turns the order of an attribute set around; later versions do not",
    "multi.subject": "8.1.1 turns the order of an attribute set around; later versions do not",
}

PROPERTIES = ("cn", "organization", "altnames", "issuer", "subject", "notbefore", "notafter", "serial", "keyinfo")


def pems(path):
    """Yields (name, PEM) of each certificate of a file."""
    name, lines, number = None, [], 0
    with open(path) as f:
        for line in f:
            if line.startswith("# "):
                name = line[2:].strip()
                continue
            lines.append(line)
            if "END CERTIFICATE" in line:
                yield name or "flow%d" % number, "".join(lines).encode()
                name, lines, number = None, [], number + 1


def cases():
    for path in ("certs.pem", os.path.join("..", "flows", "certs.pem")):
        path = os.path.join(HERE, path)
        if os.path.exists(path):
            for name, pem in pems(path):
                yield from of(name, pem)
    first = next(pems(os.path.join(HERE, "certs.pem")))[1]
    for i, bad in enumerate((b"", b"x", first[:200], first.replace(b"MI", b"AA", 1), b"-----BEGIN X-----\n-----END X-----\n")):
        yield "bad %d" % i, lambda bad=bad: refused(bad)
    yield "text before", lambda: certs.Cert.from_pem(b"hello\n" + first).serial
    yield "copy", lambda: certs.Cert.from_pem(first).copy() == certs.Cert.from_pem(first)


def refused(pem):
    try:
        certs.Cert.from_pem(pem)
    except ValueError:
        return "refused"
    return "read"


def of(name, pem):
    cert = certs.Cert.from_pem(pem)
    for prop in PROPERTIES:
        yield "%s.%s" % (name, prop), lambda prop=prop: getattr(cert, prop)
    yield name + ".fingerprint", lambda: cert.fingerprint().hex()
    yield name + ".repr", lambda: repr(cert)
    yield name + ".pem", lambda: (cert.to_pem() == pem, cert.get_state() == pem)
    yield name + ".state", lambda: (certs.Cert.from_state(pem) == cert, hash(certs.Cert.from_pem(pem)) == hash(cert))
    yield name + ".expired", lambda: type(cert.has_expired())


if __name__ == "__main__":
    main(cases)
