class DisableH2C:
    """Removes upgrades to HTTP/2 without TLS from requests."""

    def request(self, f):
        headers = f.request.headers
        if headers.get("upgrade", "") == "h2c":
            for name in ("upgrade", "connection", "http2-settings"):
                headers.pop(name, None)
        knows = f.request.method == "PRI" and f.request.path == "*" and f.request.is_http2
        if knows and f.killable:
            f.kill()
