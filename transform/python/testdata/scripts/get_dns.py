"""DNS messages and their records."""
from _show import attempt, get, lines, name, show

from mitmproxy import dns


def message(flow, m):
    lines(flow, *get(m, """timestamp id query op_code authoritative_answer truncation recursion_desired recursion_available reserved
        response_code questions answers authorities additionals content size"""))
    print(name(flow), attempt(lambda: m.packed), ascii(str(m)), attempt(m.to_json), show(m.get_state()))
    for q in m.questions:
        print(name(flow), "question", *get(q, "name type class_"), ascii(str(q)), attempt(q.to_json))
    for a in m.answers + m.authorities + m.additionals:
        print(name(flow), "record", *get(a, "name type class_ ttl data text ipv4_address ipv6_address domain_name"), attempt(str, a), attempt(a.to_json))


def dns_request(flow):
    print(name(flow), "request", repr(flow)[:9])
    message(flow, flow.request)


def dns_response(flow):
    print(name(flow), "response")
    message(flow, flow.response)
    print(name(flow), attempt(lambda: dns.Message.unpack(flow.response.packed).get_state() == flow.response.get_state()))


def dns_error(flow):
    print(name(flow), "error", flow.error)
