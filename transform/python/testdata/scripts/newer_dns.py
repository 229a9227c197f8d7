# mitmdump: skip DNSMessage and the JSON of messages came with versions 11 and 12
"""DNS as in mitmproxy 12."""
from _show import attempt, name

from mitmproxy import dns
from mitmproxy.net.dns import https_records, types


def load(loader):
    m = dns.DNSMessage(id=5, query=True, op_code=0, authoritative_answer=False, truncation=False, recursion_desired=True, recursion_available=False, reserved=0,
                       response_code=0, questions=[dns.Question("a.example", types.HTTPS, 1)], answers=[], authorities=[], additionals=[], timestamp=1.5)
    print(m.question, m.packed, m.content, m.to_json())
    r = m.succeed([dns.ResourceRecord.HTTPS("a.example", https_records.HTTPSRecord(1, "", {https_records.HTTPSRecordKey.ALPN if hasattr(https_records, "HTTPSRecordKey") else 1: b"\x02h2"}))])
    r.timestamp = 2.5
    print(r.packed, r.to_json())
    print(attempt(lambda: dns.DNSMessage.from_json({k: v for k, v in r.to_json().items()}).packed == r.packed))
    a = r.answers[0]
    print(attempt(lambda: a.https_alpn), attempt(lambda: a.https_ech))
    a.https_alpn = [b"h3", b"h2"]
    print(a.data, a.https_alpn, dns.response_codes.to_str(3), types.to_str(65))


def dns_request(flow):
    print(name(flow), flow.request.question, attempt(lambda: flow.request.question.name))


def dns_response(flow):
    for a in flow.response.answers:
        if a.type == types.HTTPS:
            print(name(flow), a.https_alpn, str(a))
            a.https_alpn = None
        if a.type == types.A:
            a.ttl = 1
