"""DNS messages changed and made."""
from ipaddress import IPv4Address, IPv6Address

from _show import attempt, name, show

from mitmproxy import dns
from mitmproxy import flow as mflow

EDITS = r'''
r.answers[0].ipv4_address = IPv4Address("203.0.113.77")
r.answers[0].ipv6_address = IPv6Address("2001:db8::77")
r.answers[0].domain_name = "changed.example"
r.answers[0].text = "text \u00e9"
r.answers[0].ttl = 5; r.answers[-1].name = "other.example"
r.answers.append(dns.ResourceRecord.A("x.example", IPv4Address("192.0.2.1"), ttl=7))
r.answers = []
r.questions[0].name = "q.example"; r.questions[0].type = dns.types.AAAA
r.response_code = dns.response_codes.SERVFAIL
r.id = 65535; r.recursion_desired = False; r.authoritative_answer = True
r.truncation = True; r.reserved = 3; r.op_code = dns.op_codes.STATUS
r.authorities = r.answers; r.additionals.append(dns.ResourceRecord("", 41, 1232, 0, b""))
r.timestamp = 2.5
r.answers[0].data = b"\x01\x02"
'''.strip().split("\n")


def dns_request(flow):
    n = int(name(flow)[1:])
    if flow.response is None and n % 2 == 0:
        flow.response = flow.request.fail(dns.response_codes.REFUSED)
        flow.response.timestamp = 1600000000.5
    elif flow.response is None:
        flow.response = flow.request.succeed([
            dns.ResourceRecord.A(flow.request.questions[0].name, IPv4Address("192.0.2.5")),
            dns.ResourceRecord.AAAA("x.example", IPv6Address("::1"), ttl=9), dns.ResourceRecord.CNAME("a.example", "b.example"),
            dns.ResourceRecord.PTR("c.example", "d.example"), dns.ResourceRecord.TXT("e.example", "te\u00e4xt")])
        flow.response.timestamp = 1600000000.5
    print(name(flow), attempt(flow.request.fail, 0), attempt(lambda: flow.request.succeed([]).get_state() if flow.response is None else "has one"))
    if n % 3 == 0:
        flow.request.questions.append(dns.Question("second.example", dns.types.TXT, dns.classes.IN))
        flow.request.query = True


def dns_response(flow):
    for i, code in enumerate(EDITS):
        c = flow.response.copy()
        c.id = flow.response.id  # copies get a random one
        print(name(flow), i, attempt(exec, code, dict(globals(), r=c)), show(c.answers), attempt(lambda: c.packed))
    code = EDITS[int(name(flow)[1:]) % len(EDITS)]
    print(name(flow), "kept", attempt(exec, code, dict(globals(), r=flow.response)))


def dns_error(flow):
    flow.response = None
