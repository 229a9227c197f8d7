// Package flowtest builds flows for tests and compares them.
package flowtest

import (
	"crypto/sha256"
	"fmt"

	"flowkit/flowfile"
)

// Tree returns all that is in a flow as plain values, so that two flows can be compared
// by one generic walk: bodies become their state, length and hash. An error that reading
// the flow meets becomes part of the tree.
func Tree(f *flowfile.Flow) map[string]any {
	t := map[string]any{
		"id": f.ID(), "kind": f.Kind().String(), "created": f.Created(), "intercepted": f.Intercepted(),
		"replay": f.Replay(), "marked": f.Marked(), "comment": f.Comment(), "incomplete": f.Incomplete(),
		"metadata": norm(f.Metadata()), "extra": extras(f.Extra()), "client": conn(f.Client()), "server": conn(f.Server()),
	}
	if e := f.Error(); e != nil {
		t["error"] = map[string]any{"msg": e.Msg, "time": e.Time, "extra": extras(e.Extra)}
	}
	if r := f.Request(); r != nil {
		m := message(&r.Message)
		m["method"], m["scheme"], m["host"], m["port"] = r.Method(), r.Scheme(), r.Host(), r.Port()
		m["authority"], m["path"] = r.Authority(), r.Path()
		t["request"] = m
	}
	if r := f.Response(); r != nil {
		m := message(&r.Message)
		m["status"], m["reason"] = r.Status(), r.Reason()
		t["response"] = m
	}
	if w := f.WebSocket(); w != nil {
		m := map[string]any{"code": w.CloseCode, "reason": w.CloseReason, "end": w.End, "extra": extras(w.Extra)}
		if w.ClosedByClient != nil {
			m["by_client"] = *w.ClosedByClient
		}
		t["websocket"] = m
	}
	t["dns_request"], t["dns_response"] = dns(f.DNSRequest()), dns(f.DNSResponse())
	t["messages"] = messages(f)
	return t
}

func extras(e flowfile.Extra) []any {
	out := []any{}
	for _, x := range e {
		out = append(out, x.Key, x.Value)
	}
	return out
}

func norm(m flowfile.Map) any {
	if len(m) == 0 {
		return nil
	}
	return fmt.Sprintf("%#v", m)
}

// Body returns state, total, length and hash of a body, or the error of reading it.
func Body(b flowfile.Body) any {
	if b.State() == flowfile.BodyAbsent {
		return "absent"
	}
	data, err := b.Bytes(-1)
	if err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprintf("state=%d total=%d len=%d sha256=%x", b.State(), b.Total(), len(data), sha256.Sum256(data))
}

func message(m *flowfile.Message) map[string]any {
	t := map[string]any{
		"version": m.Version(), "headers": fields(m.Headers()), "body": Body(m.Body()),
		"start": m.Start(), "end": m.End(), "extra": extras(m.Extra()),
	}
	if m.Trailers() != nil {
		t["trailers"] = fields(m.Trailers())
	}
	return t
}

func fields(h *flowfile.Headers) []any {
	out := []any{}
	for _, f := range h.Fields() {
		out = append(out, f.Name, f.Value)
	}
	return out
}

func addr(a *flowfile.Addr) any {
	if a == nil {
		return nil
	}
	return fmt.Sprintf("%q %d %v", a.Host, a.Port, a.Extra)
}

func conn(c *flowfile.Conn) any {
	if c == nil {
		return nil
	}
	t := map[string]any{
		"id": c.ID, "transport": c.Transport, "peer": addr(c.Peer), "sock": addr(c.Sock), "address": addr(c.Address),
		"start": c.Start, "tcp": c.TCPSetup, "tls_setup": c.TLSSetup, "end": c.End, "tls": c.TLS, "version": c.TLSVersion,
		"cipher": c.Cipher, "ciphers": fmt.Sprintf("%q", c.Ciphers), "sni": c.SNI, "alpn": c.ALPN,
		"offers": fmt.Sprintf("%q", c.ALPNOffers), "mitmcert": Body(c.MitmCert), "mode": c.ProxyMode,
		"error": c.Error, "state": c.State, "extra": extras(c.Extra),
	}
	certs := []any{}
	for _, b := range c.Certificates {
		certs = append(certs, Body(b))
	}
	t["certificates"] = certs
	if c.Via != nil {
		t["via"] = c.Via.Scheme + " " + c.Via.Addr.String()
	}
	return t
}

func dns(m *flowfile.DNSMessage) any {
	if m == nil {
		return nil
	}
	c := *m
	c.Extra = nil
	return map[string]any{"fields": fmt.Sprintf("%+v", c), "extra": extras(m.Extra)}
}

func messages(f *flowfile.Flow) []any {
	out := []any{}
	for m, err := range f.Messages().All() {
		if err != nil {
			out = append(out, "error: "+err.Error())
			continue
		}
		out = append(out, map[string]any{
			"client": m.FromClient, "opcode": m.Opcode, "time": m.Time, "dropped": m.Dropped,
			"injected": m.Injected, "body": Body(m.Body), "extra": extras(m.Extra),
		})
	}
	return out
}
