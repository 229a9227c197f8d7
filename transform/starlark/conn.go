package starlark

import (
	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/transform/starlark/lib"
)

// record is an object that scripts can only read: a connection, a DNS message and its
// parts. What it shows is immutable, so it outlives the call.
type record struct {
	object
	typ   string
	names []string // of the attributes, sorted
	get   func(name string) starlark.Value
}

var _ starlark.HasSetField = (*record)(nil)

func (r *record) String() string        { return "<" + r.typ + ">" }
func (r *record) Type() string          { return r.typ }
func (r *record) Hash() (uint32, error) { return unhashable(r.typ) }
func (r *record) AttrNames() []string   { return r.names }

func (r *record) Attr(name string) (starlark.Value, error) { return r.get(name), nil }

func (r *record) SetField(name string, _ starlark.Value) error { return readOnly(r, name) }

var (
	clientAttrs = []string{
		"address", "alpn", "alpn_offers", "cipher", "cipher_list", "error", "id", "peername", "proxy_mode", "sni",
		"sockname", "timestamp_end", "timestamp_start", "timestamp_tls_setup", "tls", "tls_established",
		"tls_version", "transport_protocol",
	}
	serverAttrs = []string{
		"address", "alpn", "alpn_offers", "cipher", "cipher_list", "error", "id", "ip_address", "peername", "sni",
		"sockname", "timestamp_end", "timestamp_start", "timestamp_tcp_setup", "timestamp_tls_setup", "tls",
		"tls_established", "tls_version", "transport_protocol", "via",
	}
)

// connValue shows a connection.
func connValue(c *flowfile.Conn, client bool) starlark.Value {
	if c == nil {
		return starlark.None
	}
	r := &record{typ: "Server", names: serverAttrs}
	if client {
		r.typ, r.names = "Client", clientAttrs
	}
	r.get = func(name string) starlark.Value {
		if v := sideAttr(c, client, name); v != nil {
			return v
		}
		return connAttr(c, name)
	}
	return r
}

// sideAttr returns what the two sides have of their own.
func sideAttr(c *flowfile.Conn, client bool, name string) starlark.Value {
	switch {
	case client && name == "address", !client && name == "ip_address":
		return addrValue(c.Peer)
	case client && name == "proxy_mode":
		return starlark.String(c.ProxyMode)
	case client:
		return nil
	}
	switch name {
	case "address":
		return addrValue(c.Address)
	case "timestamp_tcp_setup":
		return seconds(c.TCPSetup)
	case "via":
		if c.Via == nil {
			return starlark.None
		}
		return starlark.Tuple{starlark.String(c.Via.Scheme), addrValue(&c.Via.Addr)}
	}
	return nil
}

func connAttr(c *flowfile.Conn, name string) starlark.Value {
	switch name {
	case "id":
		return starlark.String(c.ID)
	case "peername":
		return addrValue(c.Peer)
	case "sockname":
		return addrValue(c.Sock)
	case "transport_protocol":
		return starlark.String(c.Transport)
	case "tls":
		return starlark.Bool(c.TLS)
	case "tls_established":
		return starlark.Bool(c.TLSSetup.Known())
	case "tls_version":
		return optional(c.TLSVersion)
	case "cipher":
		return optional(c.Cipher)
	case "cipher_list":
		return list(c.Ciphers, func(s string) starlark.Value { return starlark.String(s) })
	case "sni":
		return optional(c.SNI)
	case "alpn":
		if c.ALPN == "" {
			return starlark.None
		}
		return lib.Bytes(c.ALPN)
	case "alpn_offers":
		return list(c.ALPNOffers, func(s string) starlark.Value { return lib.Bytes(s) })
	case "error":
		return optional(c.Error)
	case "timestamp_start":
		return seconds(c.Start)
	case "timestamp_end":
		return seconds(c.End)
	case "timestamp_tls_setup":
		return seconds(c.TLSSetup)
	}
	return nil
}

func addrValue(a *flowfile.Addr) starlark.Value {
	if a == nil {
		return starlark.None
	}
	return starlark.Tuple{starlark.String(a.Host), starlark.MakeInt(a.Port)}
}

// list returns a frozen list.
func list[T any](all []T, value func(T) starlark.Value) starlark.Value {
	l := make([]starlark.Value, len(all))
	for i, x := range all {
		l[i] = value(x)
	}
	return frozen(starlark.NewList(l))
}

var dnsAttrs = []string{
	"additionals", "answers", "authorities", "authoritative_answer", "id", "op_code", "query", "questions",
	"recursion_available", "recursion_desired", "reserved", "response_code", "timestamp", "truncation",
}

// dnsValue shows a DNS message.
func dnsValue(m *flowfile.DNSMessage) starlark.Value {
	if m == nil {
		return starlark.None
	}
	return &record{typ: "DNSMessage", names: dnsAttrs, get: func(name string) starlark.Value { return dnsAttr(m, name) }}
}

func dnsAttr(m *flowfile.DNSMessage, name string) starlark.Value {
	switch name {
	case "id":
		return starlark.MakeInt64(m.ID)
	case "query":
		return starlark.Bool(m.Query)
	case "op_code":
		return starlark.MakeInt64(m.OpCode)
	case "authoritative_answer":
		return starlark.Bool(m.AuthoritativeAnswer)
	case "truncation":
		return starlark.Bool(m.Truncation)
	case "recursion_desired":
		return starlark.Bool(m.RecursionDesired)
	case "recursion_available":
		return starlark.Bool(m.RecursionAvailable)
	case "reserved":
		return starlark.MakeInt64(m.Reserved)
	case "response_code":
		return starlark.MakeInt64(m.ResponseCode)
	case "questions":
		return list(m.Questions, questionValue)
	case "answers":
		return list(m.Answers, resourceValue)
	case "authorities":
		return list(m.Authorities, resourceValue)
	case "additionals":
		return list(m.Additionals, resourceValue)
	case "timestamp":
		return seconds(m.Time)
	}
	return nil
}

func questionValue(q flowfile.DNSQuestion) starlark.Value {
	return &record{typ: "Question", names: []string{"class_", "name", "type"}, get: func(name string) starlark.Value {
		return nameAttr(name, q.Name, q.Type, q.Class)
	}}
}

func resourceValue(r flowfile.DNSRecord) starlark.Value {
	return &record{
		typ: "ResourceRecord", names: []string{"class_", "data", "name", "ttl", "type"},
		get: func(name string) starlark.Value {
			switch name {
			case "ttl":
				return starlark.MakeInt64(r.TTL)
			case "data":
				return lib.Bytes(r.Data)
			}
			return nameAttr(name, r.Name, r.Type, r.Class)
		},
	}
}

func nameAttr(attr, name string, typ, class int64) starlark.Value {
	switch attr {
	case "name":
		return starlark.String(name)
	case "type":
		return starlark.MakeInt64(typ)
	case "class_":
		return starlark.MakeInt64(class)
	}
	return nil
}
