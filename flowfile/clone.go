package flowfile

import "strings"

// cloner copies flows out of their buffers.
type cloner struct{}

func (c cloner) flow(f *Flow) *Flow {
	n := *f
	n.id, n.replay, n.marked, n.comment = str(f.id), str(f.replay), str(f.marked), str(f.comment)
	n.client, n.server, n.conns = c.conn(f.Client()), c.conn(f.Server()), nil
	if f.err != nil {
		n.err = &Error{Msg: str(f.err.Msg), Time: f.err.Time, Extra: extra(f.err.Extra)}
	}
	n.metadata, _ = c.value(f.metadata).(Map)
	n.extra = extra(f.extra)
	n.origin = nil
	n.changed = 0
	if f.request != nil {
		r := *f.request
		r.Message = c.message(&f.request.Message)
		r.method, r.scheme, r.host, r.authority, r.path = str(r.method), str(r.scheme), str(r.host), str(r.authority), str(r.path)
		n.request = &r
	}
	if f.response != nil {
		r := *f.response
		r.Message = c.message(&f.response.Message)
		r.reason = str(r.reason)
		n.response = &r
	}
	if f.websocket != nil {
		w := *f.websocket
		w.CloseReason, w.Extra = str(w.CloseReason), extra(w.Extra)
		n.websocket = &w
	}
	n.dnsRequest, n.dnsResponse = c.dns(f.dnsRequest), c.dns(f.dnsResponse)
	return &n
}

func (c cloner) message(m *Message) Message {
	n := *m
	n.version, n.headers, n.extra, n.body = str(m.version), m.headers.clone(), extra(m.extra), m.body.clone()
	n.changed, n.headers.changed = 0, false
	if m.trailers != nil {
		t := m.trailers.clone()
		t.changed = false
		n.trailers = &t
	}
	return n
}

func (c cloner) conn(o *Conn) *Conn {
	if o == nil {
		return nil
	}
	n := *o
	for _, p := range []*string{
		&n.ID, &n.Transport, &n.TLSVersion, &n.Cipher, &n.SNI, &n.ALPN,
		&n.ProxyMode, &n.Error,
	} {
		*p = str(*p)
	}
	n.Peer, n.Sock, n.Address = addr(o.Peer), addr(o.Sock), addr(o.Address)
	if o.Via != nil {
		n.Via = &Via{Scheme: str(o.Via.Scheme), Addr: *addr(&o.Via.Addr)}
	}
	n.Ciphers, n.ALPNOffers = strs(o.Ciphers), strs(o.ALPNOffers)
	n.MitmCert = o.MitmCert.clone()
	n.Certificates = append([]Body(nil), o.Certificates...)
	for i, b := range n.Certificates {
		n.Certificates[i] = b.clone()
	}
	n.Extra = extra(o.Extra)
	return &n
}

func (c cloner) dns(o *DNSMessage) *DNSMessage {
	if o == nil {
		return nil
	}
	n := *o
	n.Questions = append([]DNSQuestion(nil), o.Questions...)
	for i := range n.Questions {
		n.Questions[i].Name = str(n.Questions[i].Name)
	}
	for _, p := range []*[]DNSRecord{&n.Answers, &n.Authorities, &n.Additionals} {
		rs := append([]DNSRecord(nil), *p...)
		for i := range rs {
			rs[i].Name, rs[i].Data = str(rs[i].Name), str(rs[i].Data)
		}
		*p = rs
	}
	n.Extra = extra(o.Extra)
	return &n
}

func (c cloner) value(v any) any {
	switch v := v.(type) {
	case string:
		return str(v)
	case Bytes:
		return Bytes(str(string(v)))
	case List:
		n := make(List, len(v))
		for i := range v {
			n[i] = c.value(v[i])
		}
		return n
	case Map:
		if v == nil {
			return v
		}
		n := make(Map, len(v))
		for i := range v {
			n[i] = MapEntry{str(v[i].Key), c.value(v[i].Value)}
		}
		return n
	}
	return v
}

func str(s string) string { return strings.Clone(s) }

func strs(s []string) []string {
	if s == nil {
		return nil
	}
	n := make([]string, len(s))
	for i := range s {
		n[i] = str(s[i])
	}
	return n
}

func addr(a *Addr) *Addr {
	if a == nil {
		return nil
	}
	return &Addr{Host: str(a.Host), Port: a.Port, Extra: append([]int64(nil), a.Extra...)}
}

func extra(e Extra) Extra {
	if e == nil {
		return nil
	}
	n := make(Extra, len(e))
	for i := range e {
		n[i] = ExtraField{str(e[i].Key), str(e[i].Value)}
	}
	return n
}
