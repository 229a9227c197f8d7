package jsonl

import (
	"encoding/json"
	"errors"
	"fmt"

	"flowkit/flowfile"
)

// parseFlow reads one line.
func parseFlow(line []byte) (*flowfile.Flow, error) {
	p := &parser{}
	h := flowfile.Head{}
	typed := false
	var kept *flowfile.Kept
	h.Extra = p.object(line, flowKeys, func(key string, v json.RawMessage) {
		switch key {
		case "type":
			typed = true
			var ok bool
			if h.Kind, ok = flowfile.ParseKind(p.str(v)); !ok {
				p.fail(fmt.Errorf("%s is no type of a flow", v))
			}
		case "id":
			h.ID = p.str(v)
		case "created":
			h.Created = p.time(v)
		case "request":
			h.Request = p.request(v)
		case "response":
			h.Response = p.response(v)
		case "websocket":
			h.WebSocket = p.websocket(v)
		case "messages":
			h.Messages = p.messages(v)
		case "dns_request":
			h.DNSRequest = p.dns(v)
		case "dns_response":
			h.DNSResponse = p.dns(v)
		case "error":
			h.Error = p.error(v)
		case "client":
			h.Client = p.conn(v)
		case "server":
			h.Server = p.conn(v)
		case "marked":
			h.Marked = p.str(v)
		case "comment":
			h.Comment = p.str(v)
		case "replay":
			h.Replay = p.str(v)
		case "intercepted":
			h.Intercepted = p.bool(v)
		case "incomplete":
			h.Incomplete = p.bool(v)
		case "metadata":
			m, ok := p.mapping(v, 0).(flowfile.Map)
			if !ok {
				p.fail(errors.New("an object is wanted"))
			}
			h.Metadata = m
		case "origin":
			kept = p.kept(v)
		}
	})
	if p.err == nil && !typed {
		return nil, errors.New(`no flow: the key "type" is missing`)
	}
	if p.err != nil {
		return nil, p.err
	}
	h.Origin = flowfile.KeptOrigin("jsonl", kept)
	return flowfile.New(h), nil
}

func (p *parser) request(raw json.RawMessage) *flowfile.Request {
	h := flowfile.RequestHead{}
	h.Extra = p.object(raw, messageKeys, func(key string, v json.RawMessage) {
		switch key {
		case "method":
			h.Method = p.str(v)
		case "scheme":
			h.Scheme = p.str(v)
		case "host":
			h.Host = p.str(v)
		case "port":
			h.Port = int(p.int(v))
		case "authority":
			h.Authority = p.str(v)
		case "path":
			h.Path = p.str(v)
		default:
			p.message(&h.MessageHead, key, v)
		}
	})
	return flowfile.NewRequest(h)
}

func (p *parser) response(raw json.RawMessage) *flowfile.Response {
	h := flowfile.ResponseHead{}
	h.Extra = p.object(raw, messageKeys, func(key string, v json.RawMessage) {
		switch key {
		case "status":
			h.Status = int(p.int(v))
		case "reason":
			h.Reason = p.str(v)
		default:
			p.message(&h.MessageHead, key, v)
		}
	})
	return flowfile.NewResponse(h)
}

func (p *parser) message(h *flowfile.MessageHead, key string, v json.RawMessage) {
	switch key {
	case "http_version":
		h.Version = p.str(v)
	case "headers":
		h.Headers = p.fields(v)
	case "trailers":
		t := flowfile.NewHeaders(p.fields(v))
		h.Trailers = &t
	case "body":
		h.Body = p.body(v)
	case "start":
		h.Start = p.time(v)
	case "end":
		h.End = p.time(v)
	}
}

func (p *parser) websocket(raw json.RawMessage) *flowfile.WebSocket {
	w := &flowfile.WebSocket{}
	w.Extra = p.object(raw, websocketKeys, func(key string, v json.RawMessage) {
		switch key {
		case "closed_by_client":
			b := p.bool(v)
			w.ClosedByClient = &b
		case "close_code":
			w.CloseCode = int(p.int(v))
		case "close_reason":
			w.CloseReason = p.str(v)
		case "end":
			w.End = p.time(v)
		}
	})
	return w
}

func (p *parser) messages(raw json.RawMessage) flowfile.MessageSource {
	items, err := elements(raw)
	p.fail(err)
	log := &flowfile.MessageLog{}
	for _, x := range items {
		m := flowfile.Msg{}
		m.Extra = p.object(x, msgKeys, func(key string, v json.RawMessage) {
			switch key {
			case "from_client":
				m.FromClient = p.bool(v)
			case "opcode":
				m.Opcode = int(p.int(v))
			case "time":
				m.Time = p.time(v)
			case "dropped":
				m.Dropped = p.bool(v)
			case "injected":
				m.Injected = p.bool(v)
			case "body":
				m.Body = p.body(v)
			}
		})
		log.Append(m)
	}
	return log
}

func (p *parser) error(raw json.RawMessage) *flowfile.Error {
	e := &flowfile.Error{}
	e.Extra = p.object(raw, errorKeys, func(key string, v json.RawMessage) {
		switch key {
		case "msg":
			e.Msg = p.str(v)
		case "time":
			e.Time = p.time(v)
		}
	})
	return e
}

func (p *parser) dns(raw json.RawMessage) *flowfile.DNSMessage {
	m := &flowfile.DNSMessage{}
	m.Extra = p.object(raw, dnsKeys, func(key string, v json.RawMessage) {
		switch key {
		case "id":
			m.ID = p.int(v)
		case "query":
			m.Query = p.bool(v)
		case "op_code":
			m.OpCode = p.int(v)
		case "authoritative_answer":
			m.AuthoritativeAnswer = p.bool(v)
		case "truncation":
			m.Truncation = p.bool(v)
		case "recursion_desired":
			m.RecursionDesired = p.bool(v)
		case "recursion_available":
			m.RecursionAvailable = p.bool(v)
		case "reserved":
			m.Reserved = p.int(v)
		case "response_code":
			m.ResponseCode = p.int(v)
		case "questions":
			for _, r := range p.records(v) {
				m.Questions = append(m.Questions, flowfile.DNSQuestion{Name: r.Name, Type: r.Type, Class: r.Class})
			}
		case "answers":
			m.Answers = p.records(v)
		case "authorities":
			m.Authorities = p.records(v)
		case "additionals":
			m.Additionals = p.records(v)
		case "time":
			m.Time = p.time(v)
		}
	})
	return m
}

var recordKeys = set("name", "type", "class", "ttl", "data")

func (p *parser) records(raw json.RawMessage) []flowfile.DNSRecord {
	items, err := elements(raw)
	p.fail(err)
	var rs []flowfile.DNSRecord
	for _, x := range items {
		var r flowfile.DNSRecord
		unknown := p.object(x, recordKeys, func(key string, v json.RawMessage) {
			switch key {
			case "name":
				r.Name = p.str(v)
			case "type":
				r.Type = p.int(v)
			case "class":
				r.Class = p.int(v)
			case "ttl":
				r.TTL = p.int(v)
			case "data":
				r.Data = p.base64(v)
			}
		})
		if len(unknown) > 0 {
			p.fail(fmt.Errorf("a DNS record has no place for the key %q", unknown[0].Key))
		}
		rs = append(rs, r)
	}
	return rs
}

func (p *parser) conn(raw json.RawMessage) *flowfile.Conn {
	c := &flowfile.Conn{}
	c.Extra = p.object(raw, connKeys, func(key string, v json.RawMessage) {
		switch key {
		case "id":
			c.ID = p.str(v)
		case "transport":
			c.Transport = p.str(v)
		case "peer":
			c.Peer = p.addr(v)
		case "sock":
			c.Sock = p.addr(v)
		case "address":
			c.Address = p.addr(v)
		case "via":
			c.Via = p.via(v)
		case "start":
			c.Start = p.time(v)
		case "tcp_setup":
			c.TCPSetup = p.time(v)
		case "tls_setup":
			c.TLSSetup = p.time(v)
		case "end":
			c.End = p.time(v)
		case "tls":
			c.TLS = p.bool(v)
		case "tls_version":
			c.TLSVersion = p.str(v)
		case "cipher":
			c.Cipher = p.str(v)
		case "ciphers":
			c.Ciphers = p.strs(v)
		case "sni":
			c.SNI = p.str(v)
		case "alpn":
			c.ALPN = p.str(v)
		case "alpn_offers":
			c.ALPNOffers = p.strs(v)
		case "certificates":
			items, err := elements(v)
			p.fail(err)
			for _, x := range items {
				c.Certificates = append(c.Certificates, p.body(x))
			}
		case "mitmcert":
			c.MitmCert = p.body(v)
		case "proxy_mode":
			c.ProxyMode = p.str(v)
		case "error":
			c.Error = p.str(v)
		case "state":
			c.State = int(p.int(v))
		}
	})
	return c
}

func (p *parser) via(raw json.RawMessage) *flowfile.Via {
	via := &flowfile.Via{}
	p.object(raw, set("scheme", "address"), func(key string, v json.RawMessage) {
		if key == "scheme" {
			via.Scheme = p.str(v)
		} else if a := p.addr(v); a != nil {
			via.Addr = *a
		}
	})
	return via
}

func (p *parser) kept(raw json.RawMessage) *flowfile.Kept {
	k := &flowfile.Kept{}
	k.Extra = p.object(raw, originKeys, func(key string, v json.RawMessage) {
		switch key {
		case "format":
			k.Format = p.str(v)
		case "version":
			k.Version = int(p.int(v))
		case "head":
			k.Head = p.base64(v)
		case "holes":
			ns := p.ints(v)
			if len(ns)%2 != 0 {
				p.fail(errors.New("pairs are wanted"))
				return
			}
			for i := 0; i < len(ns); i += 2 {
				k.Holes = append(k.Holes, flowfile.Hole{Pos: int(ns[i]), Part: int(ns[i+1])})
			}
		case "changed":
			k.Changed = flowfile.Parts(p.int(v))
		}
	})
	last := 0
	for _, h := range k.Holes {
		if h.Pos < last || h.Pos > len(k.Head) {
			p.fail(errors.New("a hole outside of the head"))
			return nil
		}
		last = h.Pos
	}
	return k
}
