"""The options that exist before any addon declares one."""
from mitmproxy import optmanager

CONF_DIR = "~/.mitmproxy"
CONF_BASENAME = "mitmproxy"
LISTEN_PORT = 8080
CONTENT_VIEW_LINES_CUTOFF = 512
KEY_SIZE = 2048

# The types, see optmanager._LAZY_TYPES.
_STR = "optional str"
_SEQ = "sequence of str"

_STOCK = (
    ("add_upstream_certs_to_client_chain", bool, False, "Send the upstream server's certificates to clients, too."),
    ("allow_hosts", _SEQ, (), "Intercept the hosts that match these expressions and no others."),
    ("cert_passphrase", _STR, None, "Passphrase of the private keys in `certs`."),
    ("certs", _SEQ, (), "Certificates to use, as [domain=]path."),
    ("ciphers_client", _STR, None, "Ciphers for connections of clients, in OpenSSL's syntax."),
    ("ciphers_server", _STR, None, "Ciphers for connections to servers, in OpenSSL's syntax."),
    ("client_certs", _STR, None, "File or directory of client certificates."),
    ("confdir", str, CONF_DIR, "Directory of the configuration."),
    ("content_view_lines_cutoff", int, CONTENT_VIEW_LINES_CUTOFF, "Lines of a body that are shown."),
    ("http2", bool, True, "Speak HTTP/2."),
    ("http2_ping_keepalive", int, 58, "Seconds between PING frames on idle HTTP/2 connections, 0 for none."),
    ("ignore_hosts", _SEQ, (), "Pass on the hosts that match these expressions untouched."),
    ("key_size", int, KEY_SIZE, "Size of the keys of certificates."),
    ("listen_host", str, "", "Address that the proxy binds to."),
    ("listen_port", int, LISTEN_PORT, "Port that the proxy binds to."),
    ("mode", str, "regular", "Mode of the proxy."),
    ("rawtcp", bool, True, "Pass on TCP that is no known protocol."),
    ("server", bool, True, "Start a proxy server."),
    ("showhost", bool, False, "Show URLs with the name in the Host header."),
    ("ssl_insecure", bool, False, "Do not verify certificates of servers."),
    ("ssl_verify_upstream_trusted_ca", _STR, None, "File of a CA certificate to trust."),
    ("ssl_verify_upstream_trusted_confdir", _STR, None, "Directory of CA certificates to trust."),
    ("tcp_hosts", _SEQ, (), "Take what the hosts that match these expressions say for TCP."),
    ("upstream_cert", bool, True, "Ask the server for its certificate."),
    ("websocket", bool, True, "Speak WebSocket."),
)  # fmt: skip

_TLS_VERSIONS = ("UNBOUNDED", "SSL3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3")
_LEVELS = ("error", "warn", "info", "alert", "debug")

# What mitmdump's own addons declare, including those of later versions.
_ADDONS = (
    ("anticache", bool, False, "Remove what lets a server answer 304."),
    ("anticomp", bool, False, "Ask servers for uncompressed data."),
    ("block_global", bool, True, "Block connections from public addresses."),
    ("block_list", _SEQ, (), "Block requests, as /filter/status."),
    ("block_private", bool, False, "Block connections from private addresses."),
    ("body_size_limit", _STR, None, "Largest body, in bytes, with k, m or g."),
    ("client_replay", _SEQ, (), "Replay the requests of these files."),
    ("client_replay_concurrency", int, 1, "Requests to replay at a time, -1 for no limit."),
    ("command_history", bool, True, "Keep the command history."),
    ("connect_addr", _STR, None, "Local address of connections to servers."),
    ("connection_strategy", str, "eager", "When to connect to the server.", ("eager", "lazy")),
    ("dns_listen_host", str, "", "Address that the DNS server binds to."),
    ("dns_listen_port", int, 53, "Port that the DNS server binds to."),
    ("dns_mode", str, "regular", "Mode of the DNS server."),
    ("dns_name_servers", _SEQ, (), "Name servers to ask."),
    ("dns_server", bool, False, "Start a DNS server."),
    ("dns_use_hosts_file", bool, True, "Look names up in the hosts file."),
    ("dumper_default_contentview", str, "auto", "How bodies are shown."),
    ("dumper_filter", _STR, None, "Show the flows that match."),
    ("export_preserve_original_ip", bool, False, "Have exported commands connect to the very address."),
    ("flow_detail", int, 1, "How much of a flow is shown, 0 to 4."),
    ("hardump", str, "", "Save the flows as HAR at the end."),
    ("http3", bool, True, "Speak QUIC and HTTP/3."),
    ("http_connect_send_host_header", bool, True, "Send a Host header with CONNECT."),
    ("keep_host_header", bool, False, "Keep the Host header in reverse mode."),
    ("keepserving", bool, False, "Go on after a file was read."),
    ("map_local", _SEQ, (), "Answer from files, as |filter|url|path."),
    ("map_remote", _SEQ, (), "Rewrite URLs, as |filter|url|replacement."),
    ("modify_body", _SEQ, (), "Rewrite bodies, as /filter/expression/replacement."),
    ("modify_headers", _SEQ, (), "Set headers, as /filter/name/value."),
    ("normalize_outbound_headers", bool, True, "Write header names of HTTP/2 in lower case."),
    ("onboarding", bool, True, "Serve the onboarding page."),
    ("onboarding_host", str, "mitm.it", "Host of the onboarding page."),
    ("onboarding_port", int, 80, "Port of the onboarding page."),
    ("proxy_debug", bool, False, "Log what the proxy's core does."),
    ("proxyauth", _STR, None, "Ask clients for a password."),
    ("readfile_filter", _STR, None, "Read the flows that match."),
    ("request_client_cert", bool, False, "Ask clients for a certificate."),
    ("rfile", _STR, None, "File to read flows from."),
    ("save_stream_file", _STR, None, "File to write flows to."),
    ("save_stream_filter", _STR, None, "Write the flows that match."),
    ("scripts", _SEQ, (), "Scripts to run."),
    ("server_replay", _SEQ, (), "Answer from the flows of these files."),
    ("server_replay_extra", str, "forward", "What to do with requests without a saved answer.",
        ("forward", "kill", "204", "400", "404", "500")),
    ("server_replay_ignore_content", bool, False, "Ignore the body of requests."),
    ("server_replay_ignore_host", bool, False, "Ignore the host of requests."),
    ("server_replay_ignore_params", _SEQ, (), "Query parameters to ignore."),
    ("server_replay_ignore_payload_params", _SEQ, (), "Form parameters to ignore."),
    ("server_replay_ignore_port", bool, False, "Ignore the port of requests."),
    ("server_replay_kill_extra", bool, False, "Kill requests without a saved answer."),
    ("server_replay_nopop", bool, False, "Use a saved answer more than once."),
    ("server_replay_refresh", bool, True, "Bring dates and cookies of saved answers up to date."),
    ("server_replay_reuse", bool, False, "Use a saved answer more than once."),
    ("server_replay_use_headers", _SEQ, (), "Headers that have to be equal."),
    ("show_ignored_hosts", bool, False, "Show connections to ignored hosts."),
    ("stickyauth", _STR, None, "Repeat the credentials of the requests that match."),
    ("stickycookie", _STR, None, "Repeat the cookies of the requests that match."),
    ("store_streamed_bodies", bool, False, "Keep bodies that are streamed."),
    ("stream_large_bodies", _STR, None, "Stream bodies larger than this."),
    ("strip_ech", bool, True, "Remove ECH from HTTPS records."),
    ("termlog_verbosity", str, "info", "Level of the log.", _LEVELS),
    ("tls_version_client_max", str, "UNBOUNDED", "Highest TLS version for clients.", _TLS_VERSIONS),
    ("tls_version_client_min", str, "TLS1_2", "Lowest TLS version for clients.", _TLS_VERSIONS),
    ("tls_version_server_max", str, "UNBOUNDED", "Highest TLS version for servers.", _TLS_VERSIONS),
    ("tls_version_server_min", str, "TLS1_2", "Lowest TLS version for servers.", _TLS_VERSIONS),
    ("udp_hosts", _SEQ, (), "Take what the hosts that match these expressions say for UDP."),
    ("upstream_auth", _STR, None, "Credentials for the server, as user:password."),
    ("validate_inbound_headers", bool, True, "Reject malformed headers."),
)  # fmt: skip


class Options(optmanager.OptManager):
    """The stock options; arguments set some of them."""

    def __init__(self, **kwargs):
        super().__init__()
        _preset(self, _STOCK)
        self.update(**kwargs)


def offline(**kwargs):
    """The options that a script finds in mitmdump: the stock ones and those of its addons."""
    opts = Options()
    _preset(opts, _ADDONS)
    opts.update(**kwargs)
    return opts


def _preset(opts, table):
    """Declares many options at once: checked when they were written, announced to nobody."""
    known = opts._options
    make = optmanager._Option.__new__
    cls = optmanager._Option
    for name, typespec, default, help, *choices in table:
        option = known[name] = make(cls)
        if default == ():
            default = []
        option._preset(name, typespec, default, help, choices[0] if choices else None)
