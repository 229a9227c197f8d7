package starlark

import (
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"flowkit/flowfile"
	"flowkit/transform/starlark/lib"
)

// connValue shows a connection. Connections cannot be changed by Starlark scripts.
func connValue(c *flowfile.Conn, client bool) starlark.Value {
	if c == nil {
		return starlark.None
	}
	d := starlark.StringDict{
		"id":                  starlark.String(c.ID),
		"peername":            addrValue(c.Peer),
		"sockname":            addrValue(c.Sock),
		"transport_protocol":  starlark.String(c.Transport),
		"tls":                 starlark.Bool(c.TLS),
		"tls_established":     starlark.Bool(c.TLSSetup.Known()),
		"tls_version":         optional(c.TLSVersion),
		"cipher":              optional(c.Cipher),
		"sni":                 optional(c.SNI),
		"alpn":                starlark.None,
		"error":               optional(c.Error),
		"timestamp_start":     seconds(c.Start),
		"timestamp_end":       seconds(c.End),
		"timestamp_tls_setup": seconds(c.TLSSetup),
	}
	if c.ALPN != "" {
		d["alpn"] = lib.Bytes(c.ALPN)
	}
	name := starlark.String("Server")
	if client {
		name = "Client"
		d["proxy_mode"] = starlark.String(c.ProxyMode)
		d["address"] = d["peername"]
	} else {
		d["address"] = addrValue(c.Address)
		d["ip_address"] = d["peername"]
		d["timestamp_tcp_setup"] = seconds(c.TCPSetup)
	}
	return starlarkstruct.FromStringDict(name, d)
}

func addrValue(a *flowfile.Addr) starlark.Value {
	if a == nil {
		return starlark.None
	}
	return starlark.Tuple{starlark.String(a.Host), starlark.MakeInt(a.Port)}
}

// dnsValue shows a DNS message, which cannot be changed by Starlark scripts.
func dnsValue(m *flowfile.DNSMessage) starlark.Value {
	if m == nil {
		return starlark.None
	}
	var questions []starlark.Value
	for _, q := range m.Questions {
		questions = append(questions, starlarkstruct.FromStringDict(starlark.String("Question"), starlark.StringDict{
			"name": starlark.String(q.Name), "type": starlark.MakeInt64(q.Type), "class_": starlark.MakeInt64(q.Class),
		}))
	}
	records := func(rs []flowfile.DNSRecord) starlark.Value {
		var l []starlark.Value
		for _, r := range rs {
			l = append(l, starlarkstruct.FromStringDict(starlark.String("ResourceRecord"), starlark.StringDict{
				"name": starlark.String(r.Name), "type": starlark.MakeInt64(r.Type), "class_": starlark.MakeInt64(r.Class),
				"ttl": starlark.MakeInt64(r.TTL), "data": lib.Bytes(r.Data),
			}))
		}
		return frozen(starlark.NewList(l))
	}
	return starlarkstruct.FromStringDict(starlark.String("DNSMessage"), starlark.StringDict{
		"id":                   starlark.MakeInt64(m.ID),
		"query":                starlark.Bool(m.Query),
		"op_code":              starlark.MakeInt64(m.OpCode),
		"authoritative_answer": starlark.Bool(m.AuthoritativeAnswer),
		"truncation":           starlark.Bool(m.Truncation),
		"recursion_desired":    starlark.Bool(m.RecursionDesired),
		"recursion_available":  starlark.Bool(m.RecursionAvailable),
		"response_code":        starlark.MakeInt64(m.ResponseCode),
		"questions":            frozen(starlark.NewList(questions)),
		"answers":              records(m.Answers),
		"authorities":          records(m.Authorities),
		"additionals":          records(m.Additionals),
		"timestamp":            seconds(m.Time),
	})
}

func frozen(l *starlark.List) starlark.Value {
	l.Freeze()
	return l
}
