"""mitmproxy.addons: those that change requests, and the parsers of their options."""
import os
import tempfile
from unittest import mock

from _oracle import main

from mitmproxy import io
from mitmproxy.addons import anticache, anticomp, cut, disable_h2c, mapremote, modifybody, modifyheaders, proxyauth, save, stickyauth, stickycookie, upstream_auth
from mitmproxy.test import taddons, tflow, tutils

DEVIATIONS = {
    "modifybody backslash": "a replacement is literal since mitmproxy 12.2.2",
}

SPECS = [
    "/foo/bar/voing", "/foo/bar/vo/ing/", "/bar/voing", "/", "", "/[/two", "/~b/a/b", "/a/@/nonexistent", "/a/b/@/nonexistent", "/a\\x41/b\\n",
    "/a/b\\", "/\\/b", "/é/ü", ":foo:bar:", "|http://a|b", "/+/c", "/(/x", "/~q/[/x", "//", "///", "/a//", "x",
]
DOMAINS = [
    ("www.google.com", ".google.com"), ("google.com", ".google.com"), ("google.com", "google.com"), ("x.google.com", "google.com"),
    ("google.com", "x.google.com"), ("agoogle.com", "google.com"), ("agoogle.com", ".google.com"), ("1.2.3.4", "1.2.3.4"),
    ("WWW.Google.com", ".google.COM"), ("google.com", ""), ("a.b.c", ".c"),
]
CUTS = (
    "request.method request.scheme request.host request.http_version request.port request.path request.url request.text request.content "
    "request.raw_content request.timestamp_start request.timestamp_end request.header[header] request.header[nope] request.nope "
    "request.header[foo response.status_code response.reason response.text response.content response.raw_content "
    "response.header[header-response] response.timestamp_start response.timestamp_end client_conn.peername client_conn.peername.port "
    "client_conn.peername.host client_conn.tls_version client_conn.sni client_conn.tls_established server_conn.address "
    "server_conn.address.port server_conn.address.host server_conn.peername.host server_conn.sni comment marked type nope nope.nope error "
    "is_replay _x request._x request.data._x"
).split()


def modify(option, is_regex):
    spec = modifyheaders.parse_modify_spec(option, is_regex)
    return spec.matches.pattern, spec.subject, spec.replacement_str, spec.read_replacement()


def remote(option):
    spec = mapremote.parse_map_remote_spec(option)
    return spec.matches.pattern, spec.subject, spec.replacement


def request(**headers):
    f = tflow.tflow()
    for name, value in headers.items():
        f.request.headers[name.replace("_", "-")] = value
    return f


def fields(f):
    return f.request.headers.fields, f.response and f.response.headers.fields


def cases():
    for option in SPECS:
        for is_regex in (True, False):
            yield "parse_modify_spec %r %s" % (option, is_regex), lambda: modify(option, is_regex)
        yield "parse_map_remote_spec %r" % option, lambda: remote(option)
    for s in ("basic dTpw", "basic dTpwOnE=", "basic foo", "basic dQ==", "bogus", "digest dTpw", "Basic dTpw\n", "basic \xff", "basic /zpw"):
        yield "parse_http_basic_auth %r" % s, lambda: proxyauth.parse_http_basic_auth(s)
    yield "mkauth", lambda: (proxyauth.mkauth("u", "p"), proxyauth.mkauth("\xfc" * 50, "p:q", "digest"))
    for s in ("a:b", "a", "", "\xfc:b", ":x", "x:"):
        yield "parse_upstream_auth %r" % s, lambda: upstream_auth.parse_upstream_auth(s)
    for a, b in DOMAINS:
        yield "domain_match %r %r" % (a, b), lambda: stickycookie.domain_match(a, b)
    f = tflow.tflow(resp=True)
    for spec in CUTS:
        yield "cut %s" % spec, lambda: cut.extract(spec, f)
        yield "cut str %s" % spec, lambda: cut.extract_str(spec, f)
    yield "cut without response", lambda: cut.extract("response.status_code", tflow.tflow())
    for case in (simple, cookies, authorization, headers, bodies, remotes, saving):
        yield from case()


def simple():
    def run(addon, f, **options):
        with taddons.context(addon) as context:
            context.configure(addon, **options)
            addon.request(f)
        return fields(f)

    for on in (False, True):
        yield "anticache %s" % on, lambda: run(anticache.AntiCache(), request(if_modified_since="x", if_none_match="y", a="b"), anticache=on)
        yield "anticomp %s" % on, lambda: run(anticomp.AntiComp(), request(accept_encoding="gzip, br"), anticomp=on)
        yield "anticomp without %s" % on, lambda: run(anticomp.AntiComp(), request(), anticomp=on)
    yield "disable_h2c", lambda: run(disable_h2c.DisableH2C(), request(upgrade="h2c", connection="foo", http2_settings="bar", a="b"))
    yield "disable_h2c other", lambda: run(disable_h2c.DisableH2C(), request(upgrade="websocket", connection="upgrade"))


def cookies():
    def jar(host, *set_cookies, flt=".*", asked=None, path="/path"):
        addon = stickycookie.StickyCookie()
        with taddons.context(addon) as context:
            context.configure(addon, stickycookie=flt)
            f = tflow.tflow(req=tutils.treq(host=host, port=80), resp=True)
            for c in set_cookies:
                f.response.headers["set-cookie"] = c
                addon.response(f)
            g = tflow.tflow(req=tutils.treq(host=asked or host, port=80, path=path.encode()))
            addon.request(g)
            return dict(addon.jar), g.request.headers.fields, g.metadata

    weird = "SSID=mooo; domain=.google.com, FOO=bar; Domain=.google.com; Path=/; Expires=Wed, 13-Jan-2200 22:23:01 GMT; Secure; "
    yield "stickycookie", lambda: jar("www.google.com", "SSID=mooo")
    yield "stickycookie two", lambda: jar("www.google.com", "a=1; Path=/", "b=2; Path=/", "a=3")
    yield "stickycookie weird", lambda: jar("www.google.com", weird)
    yield "stickycookie other domain", lambda: jar("host", weird)
    yield "stickycookie keys", lambda: jar("www.google.com", "foo/bar=hello", "foo:bar=world", "foo@bar=fizz")
    yield "stickycookie expired", lambda: jar("www.google.com", "a=1; Path=/", "a=; Expires=Thu, 01-Jan-1970 00:00:00 GMT; Path=/")
    yield "stickycookie path", lambda: jar("www.google.com", "a=1; Path=/other")
    yield "stickycookie subpath", lambda: jar("www.google.com", "a=1; Path=/pa")
    yield "stickycookie subdomain", lambda: jar("www.google.com", "a=1; Domain=.google.com", asked="x.google.com")
    yield "stickycookie filter", lambda: jar("www.google.com", "a=1", flt="nowhere")
    yield "stickycookie off", lambda: jar("www.google.com", "a=1", flt=None)
    yield "stickycookie wrong", lambda: jar("www.google.com", "a=1", flt="~b")


def authorization():
    def run(flt, *flows):
        addon = stickyauth.StickyAuth()
        with taddons.context(addon) as context:
            context.configure(addon, stickyauth=flt)
            for f in flows:
                addon.request(f)
        return addon.hosts, [f.request.headers.get("authorization") for f in flows]

    for flt in (".*", None, "nowhere", "~~"):
        yield "stickyauth %s" % flt, lambda: run(flt, request(), request(authorization="foo"), request(), request(authorization="bar"), request())


def headers():
    def run(*options, resp=False, live=True):
        addon = modifyheaders.ModifyHeaders()
        with taddons.context(addon) as context:
            context.configure(addon, modify_headers=list(options))
            f = tflow.tflow(resp=resp, live=live)
            f.request.headers["one"] = "xxx"
            if resp:
                f.response.headers["one"] = "xxx"
                addon.response(f)
            else:
                addon.request(f)
            return fields(f)

    yield "modifyheaders", lambda: run("/~q/one/two", "/~s/one/three")
    yield "modifyheaders response", lambda: run("/~q/one/two", "/~s/one/three", resp=True)
    yield "modifyheaders twice", lambda: run("/~q/one/two", "/~q/one/three")
    yield "modifyheaders remove", lambda: run("/one/")
    yield "modifyheaders own filter", lambda: run("/~hq ^one:.+xxx/one/yyy", "/~hq ^one:.+yyy/one/zzz")
    yield "modifyheaders saved", lambda: run("/one/two", live=False)
    yield "modifyheaders wrong", lambda: run("/")
    yield "modifyheaders file", lambda: run("/one/@/nonexistent")


def bodies():
    def run(*options, resp=False, live=True, content=b"foo\nbar foo"):
        addon = modifybody.ModifyBody()
        with taddons.context(addon) as context:
            context.configure(addon, modify_body=list(options))
            f = tflow.tflow(resp=resp, live=live)
            (f.response or f.request).content = content
            (addon.response if resp else addon.request)(f)
            return f.request.content, f.response and f.response.content

    yield "modifybody", lambda: run("/~q/foo/bar", "/~s/foo/baz")
    yield "modifybody response", lambda: run("/~q/foo/bar", "/~s/foo/baz", resp=True)
    yield "modifybody order", lambda: run("/foo/bar", "/bar/baz", "/foo/no")
    yield "modifybody dot", lambda: run("/foo.bar/x")
    yield "modifybody escapes", lambda: run("/foo/bar\\x00\\n")
    yield "modifybody backslash", lambda: run("/(fo)o/\\\\1")
    yield "modifybody saved", lambda: run("/foo/bar", live=False)
    yield "modifybody wrong", lambda: run("/")
    yield "modifybody regex", lambda: run("/[/x")


def remotes():
    def run(*options, url="https://example.org/images/test.jpg", live=True):
        addon = mapremote.MapRemote()
        with taddons.context(addon) as context:
            context.configure(addon, map_remote=list(options))
            f = tflow.tflow(live=live)
            f.request.url = url
            addon.request(f)
            return f.request.url

    yield "mapremote", lambda: run(":example.org/images/:mitmproxy.org/img/")
    yield "mapremote group", lambda: run("|//([a-z]+).org|//\\1.net")
    yield "mapremote filter", lambda: run("|~m POST|example|other")
    yield "mapremote saved", lambda: run("|example|other", live=False)
    yield "mapremote wrong", lambda: run("|+|x")


def saving():
    def run(*steps, flt=None):
        addon = save.Save()
        with tempfile.TemporaryDirectory() as folder, taddons.context(addon) as context:
            path = os.path.join(folder, "sub", "out")
            context.configure(addon, save_stream_file=path, save_stream_filter=flt)
            for hook, f in steps:
                getattr(addon, hook)(f)
            addon.done()
            with open(path, "rb") as out:
                return [(f.type, f.comment) for f in io.FlowReader(out).stream()]

    def named(f, name):
        f.comment = name
        return f

    whole, ws = named(tflow.tflow(resp=True), "whole"), named(tflow.twebsocketflow(), "ws")
    unanswered, tcp, dns = named(tflow.tflow(), "unanswered"), named(tflow.ttcpflow(), "tcp"), named(tflow.tdnsflow(), "dns")
    yield "save", lambda: run(("request", unanswered), ("request", whole), ("response", whole))
    yield "save twice", lambda: run(("request", whole), ("response", whole), ("error", whole))
    yield "save ws", lambda: run(("request", ws), ("response", ws), ("error", ws), ("websocket_end", ws))
    yield "save tcp", lambda: run(("tcp_start", tcp), ("tcp_end", tcp), ("tcp_error", tcp))
    yield "save dns", lambda: run(("dns_request", dns), ("dns_response", dns))
    yield "save filter", lambda: run(("request", whole), ("response", whole), ("tcp_end", tcp), flt="~tcp")
    yield "save wrong filter", lambda: run(flt="~~")

    def command(append):
        with tempfile.TemporaryDirectory() as folder, taddons.context():
            path = os.path.join(folder, "out")
            with mock.patch("mitmproxy.ctx.log", create=True):
                save.Save().save([whole], path)
                save.Save().save([tcp, dns], "+" + path if append else path)
            with open(path, "rb") as out:
                return [(f.type, f.comment) for f in io.FlowReader(out).stream()]

    yield "save.file", lambda: command(False)
    yield "save.file append", lambda: command(True)


if __name__ == "__main__":
    main(cases)
