"""flowfilter: every operator on every flow, at every event."""
from _show import attempt, name

from mitmproxy import flowfilter

LINES = r'''
~a
~all
~b cat
~bq cat
~bs "cat sat"
~b \xe9
~c 200
~c 404
~comment comment
~comment Two
~d shop
~d ^SHOP\.example$
~d inner
~dns
~dst 198.51
~dst :443
~dst shop
~e
~h x-dup
~hs nginx
~http
~m get
~m ^(PUT|POST)$
~marked
~marker grapes
~marker X
~meta deep
~meta two
~q
~replay
~replayq
~replays
~s
~src 192.0.2.1
~src 2001
~t json
~tq form
~ts "text/(html|css)"
~tcp
~u /ws
~u example/.*\?
~u "^https://"
~websocket
shop
gzip
/index\.html$
! ~q
!~s
!(~m POST | ~tcp)
~q ~m POST
~m POST & ~t form
~m POST | ~tcp | ~dns
! (~m POST | ~tcp) & ! ~dns
~q & ! ~marked | ~e
((~s))
~c 200 ~t css
"quoted text"
'single'
~u 'a b'
~b dog|cat
~d "shop" & ~u "a=1"
~bs (?i)CAT
~h ""
~hq "^$"
'''.strip().splitlines()
FILTERS = [flowfilter.parse(s) for s in LINES if not attempt(flowfilter.parse, s).startswith("ValueError")]


CASE = [flowfilter.parse(s) for s in ('~h "host: shop"', "~hq ^accept", "~hs ^SERVER")]


def bits(flow):
    return "".join("1" if f(flow) else "." for f in FILTERS)


def note(event):
    def hook(flow):
        print(name(flow), event, bits(flow))
    return hook


requestheaders, response, tcp_start, tcp_end, tcp_error, dns_request, dns_response, websocket_message, error = [
    note(e) for e in "requestheaders response tcp_start tcp_end tcp_error dns_request dns_response websocket_message error".split()]


def request(flow):
    print(name(flow), "case of headers", [f(flow) for f in CASE])
    flow.marked = ":grapes:" if flowfilter.match("~u index", flow) else flow.marked
    if flowfilter.match(FILTERS[2], flow):
        flow.comment = "has a cat"


def load(loader):
    for s in ("", "~", "~nosuch", "~c x", "~c 200 |", "(", "~u (", "~b [", "& ~q", "! ", "~d", "~u", "~m", "a b c", "~c 2 00", "~q)", "'open", "~hq *", "~s~q", "~c200", "not ~q", "~replayqx", "~u a~b"):
        print(ascii(s), attempt(lambda: type(flowfilter.parse(s)).__name__), attempt(lambda: flowfilter.parse(s).pattern if hasattr(flowfilter.parse(s), "pattern") else "no pattern"))
    print([s for s in LINES if attempt(flowfilter.parse, s).startswith("ValueError")])
    print([f.pattern for f in FILTERS[:5]], hasattr(flowfilter, "match_all"))
