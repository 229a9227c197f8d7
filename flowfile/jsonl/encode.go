package jsonl

import (
	"flowkit/flowfile"
)

// flow writes the object of a line, its keys always in the same order.
func (w *Writer) flow(f *flowfile.Flow) {
	j := w.j
	j.Object()
	j.Key("type")
	j.String(f.Kind().String())
	w.str("id", f.ID())
	if r := f.Request(); r != nil {
		j.Key("url")
		j.String(r.PrettyURL())
	}
	w.time("start", f.Start())
	w.time("created", f.Created())
	w.conn("client", f.Client(), f)
	w.conn("server", f.Server(), f)
	if r := f.Request(); r != nil {
		j.Key("request")
		j.Object()
		w.bytes("method", r.Method())
		w.bytes("scheme", r.Scheme())
		w.bytes("host", r.Host())
		w.number("port", int64(r.Port()))
		w.str("authority", r.Authority())
		w.bytes("path", r.Path())
		w.message(f, "request body", &r.Message)
	}
	if r := f.Response(); r != nil {
		j.Key("response")
		j.Object()
		w.number("status", int64(r.Status()))
		w.bytes("reason", r.Reason())
		w.message(f, "response body", &r.Message)
	}
	w.dns("dns_request", f.DNSRequest())
	w.dns("dns_response", f.DNSResponse())
	w.webSocket(f.WebSocket())
	ok := w.messages(f)
	if e := f.Error(); e != nil {
		j.Key("error")
		j.Object()
		w.bytes("msg", e.Msg)
		w.time("timestamp", e.Time)
		writeExtra(j, e.Extra, errorKeys)
		j.EndObject()
	}
	w.bool("incomplete", f.Incomplete() || !ok)
	w.bool("intercepted", f.Intercepted())
	w.str("replay", f.Replay())
	w.str("marked", f.Marked())
	w.str("comment", f.Comment())
	if m := f.Metadata(); len(m) > 0 {
		j.Key("metadata")
		writeMap(j, m)
	}
	w.origin(f)
	writeExtra(j, f.Extra(), flowKeys)
	j.EndObject()
}

// message writes what requests and responses have in common, and the end of the object.
func (w *Writer) message(f *flowfile.Flow, what string, m *flowfile.Message) {
	w.bytes("http_version", m.Version())
	w.fields("headers", m.Headers())
	if t := m.Trailers(); t != nil {
		w.fields("trailers", t)
	}
	w.time("timestamp_start", m.Start())
	w.time("timestamp_end", m.End())
	w.j.Key("body")
	w.body(f, what, m.Body())
	if w.o.Decoded {
		w.content(m)
	}
	writeExtra(w.j, m.Extra(), messageKeys)
	w.j.EndObject()
}

func (w *Writer) fields(key string, h *flowfile.Headers) {
	w.j.Key(key)
	w.j.Array()
	for _, f := range h.Fields() {
		w.j.Array()
		writeBytes(w.j, f.Name)
		writeBytes(w.j, f.Value)
		w.j.EndArray()
	}
	w.j.EndArray()
}

func (w *Writer) conn(key string, c *flowfile.Conn, f *flowfile.Flow) {
	if c == nil {
		return
	}
	j := w.j
	j.Key(key)
	j.Object()
	w.str("id", c.ID)
	w.str("transport", c.Transport)
	w.addr("peer", c.Peer)
	w.addr("sock", c.Sock)
	w.addr("address", c.Address)
	if c.Via != nil {
		j.Key("via")
		j.Object()
		w.bytes("scheme", c.Via.Scheme)
		w.addr("address", &c.Via.Addr)
		j.EndObject()
	}
	w.time("timestamp_start", c.Start)
	w.time("timestamp_tcp_setup", c.TCPSetup)
	w.time("timestamp_tls_setup", c.TLSSetup)
	w.time("timestamp_end", c.End)
	w.bool("tls", c.TLS)
	w.str("tls_version", c.TLSVersion)
	w.str("cipher", c.Cipher)
	w.strings("ciphers", c.Ciphers)
	w.str("sni", c.SNI)
	w.str("alpn", c.ALPN)
	w.strings("alpn_offers", c.ALPNOffers)
	if len(c.Certificates) > 0 {
		j.Key("certificates")
		j.Array()
		for _, b := range c.Certificates {
			w.body(f, "certificate", b)
		}
		j.EndArray()
	}
	if c.MitmCert.State() != flowfile.BodyAbsent {
		j.Key("mitm_cert")
		w.body(f, "certificate", c.MitmCert)
	}
	w.str("proxy_mode", c.ProxyMode)
	w.str("error", c.Error)
	w.int("state", int64(c.State))
	writeExtra(j, c.Extra, connKeys)
	j.EndObject()
}

func (w *Writer) addr(key string, a *flowfile.Addr) {
	if a == nil {
		return
	}
	w.j.Key(key)
	w.j.Object()
	w.bytes("host", a.Host)
	w.number("port", int64(a.Port))
	if len(a.Extra) > 0 {
		w.j.Key("extra")
		w.j.Array()
		for _, n := range a.Extra {
			w.j.Int(n)
		}
		w.j.EndArray()
	}
	w.j.EndObject()
}

func (w *Writer) webSocket(s *flowfile.WebSocket) {
	if s == nil {
		return
	}
	w.j.Key("websocket")
	w.j.Object()
	if s.ClosedByClient != nil {
		w.j.Key("closed_by_client")
		w.j.Bool(*s.ClosedByClient)
	}
	w.int("close_code", int64(s.CloseCode))
	w.str("close_reason", s.CloseReason)
	w.time("timestamp_end", s.End)
	writeExtra(w.j, s.Extra, webSocketKeys)
	w.j.EndObject()
}

// messages writes the messages of f and tells whether all could be read.
func (w *Writer) messages(f *flowfile.Flow) bool {
	if f.Messages().Len() == 0 {
		return true
	}
	w.j.Key("messages")
	w.j.Array()
	defer w.j.EndArray()
	for m, err := range f.Messages().All() {
		if err != nil {
			w.lost(f, "messages", err)
			return false
		}
		w.j.Object()
		w.j.Key("from_client")
		w.j.Bool(m.FromClient)
		w.int("opcode", int64(m.Opcode))
		w.time("timestamp", m.Time)
		w.bool("dropped", m.Dropped)
		w.bool("injected", m.Injected)
		w.j.Key("body")
		w.body(f, "message", m.Body)
		writeExtra(w.j, m.Extra, msgKeys)
		w.j.EndObject()
	}
	return true
}

func (w *Writer) dns(key string, m *flowfile.DNSMessage) {
	if m == nil {
		return
	}
	j := w.j
	j.Key(key)
	j.Object()
	w.number("id", m.ID)
	w.bool("query", m.Query)
	w.int("op_code", m.OpCode)
	w.bool("authoritative_answer", m.AuthoritativeAnswer)
	w.bool("truncation", m.Truncation)
	w.bool("recursion_desired", m.RecursionDesired)
	w.bool("recursion_available", m.RecursionAvailable)
	w.int("reserved", m.Reserved)
	w.int("response_code", m.ResponseCode)
	w.time("timestamp", m.Time)
	if len(m.Questions) > 0 {
		j.Key("questions")
		j.Array()
		for _, q := range m.Questions {
			j.Object()
			w.bytes("name", q.Name)
			w.number("type", q.Type)
			w.number("class", q.Class)
			j.EndObject()
		}
		j.EndArray()
	}
	w.records("answers", m.Answers)
	w.records("authorities", m.Authorities)
	w.records("additionals", m.Additionals)
	writeExtra(j, m.Extra, dnsKeys)
	j.EndObject()
}

func (w *Writer) records(key string, rs []flowfile.DNSRecord) {
	if len(rs) == 0 {
		return
	}
	w.j.Key(key)
	w.j.Array()
	for _, r := range rs {
		w.j.Object()
		w.bytes("name", r.Name)
		w.number("type", r.Type)
		w.number("class", r.Class)
		w.number("ttl", r.TTL)
		w.j.Key("data")
		writeEscape(w.j, escBytes, r.Data)
		w.j.EndObject()
	}
	w.j.EndArray()
}

// origin writes what must be kept of a record of another format.
func (w *Writer) origin(f *flowfile.Flow) {
	if f.Origin() == nil {
		return
	}
	k := f.Origin().Kept(f)
	if k == nil {
		return
	}
	j := w.j
	j.Key("origin")
	j.Object()
	w.bytes("format", k.Format)
	w.number("version", int64(k.Version))
	if k.Head != "" {
		j.Key("head")
		j.Base64(k.Head)
	}
	if len(k.Holes) > 0 {
		j.Key("holes")
		j.Array()
		for _, h := range k.Holes {
			j.Array()
			j.Int(int64(h.Pos))
			j.Int(int64(h.Part))
			j.EndArray()
		}
		j.EndArray()
	}
	w.int("changed", int64(k.Changed))
	writeExtra(j, k.Extra, originKeys)
	j.EndObject()
}
