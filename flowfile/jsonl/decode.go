package jsonl

import (
	"math"
	"strconv"
	"time"

	"flowkit/flowfile"
)

// flow reads the object of a line.
func (p *parser) flow() *flowfile.Flow {
	h := flowfile.Head{}
	var log *flowfile.MessageLog
	var kept *flowfile.Kept
	typed := false
	p.object(func(key string) {
		switch key {
		case "type":
			kind, ok := flowfile.ParseKind(p.str())
			if !ok {
				p.fail("unknown type of flow")
			}
			h.Kind, typed = kind, true
		case "id":
			h.ID = p.bytes()
		case "created":
			h.Created = p.time()
		case "url", "start":
			p.skip()
		case "client":
			h.Client = p.conn()
		case "server":
			h.Server = p.conn()
		case "request":
			h.Request = p.request()
		case "response":
			h.Response = p.response()
		case "dns_request":
			h.DNSRequest = p.dns()
		case "dns_response":
			h.DNSResponse = p.dns()
		case "websocket":
			h.WebSocket = p.webSocket()
		case "messages":
			log = p.messages()
		case "error":
			h.Error = p.flowError()
		case "incomplete":
			h.Incomplete = p.boolean()
		case "intercepted":
			h.Intercepted = p.boolean()
		case "replay":
			h.Replay = p.bytes()
		case "marked":
			h.Marked = p.bytes()
		case "comment":
			h.Comment = p.bytes()
		case "metadata":
			h.Metadata = p.metadata()
		case "origin":
			kept = p.kept()
		default:
			h.Extra = p.extraField(h.Extra, key)
		}
	})
	p.end()
	if !typed && p.err == nil {
		p.fail("no type, so it is no flow")
	}
	if p.err != nil {
		return nil
	}
	if log != nil {
		h.Messages = log
	}
	h.Origin = flowfile.KeptOrigin("jsonl", kept)
	return flowfile.New(h)
}

// time reads a time: RFC 3339, or seconds since 1970 as a number.
func (p *parser) time() flowfile.Time {
	switch c := p.peek(); {
	case c == 'n':
		p.null()
		return 0
	case c != '"':
		s, _ := p.number()
		f, _ := strconv.ParseFloat(s, 64)
		return flowfile.TimeFromSeconds(f)
	}
	s := p.str()
	if p.err != nil || s == "" {
		return 0
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		p.fail("%q is no time of RFC 3339", s)
		return 0
	}
	if t.Before(time.Unix(0, math.MinInt64)) || t.After(time.Unix(0, math.MaxInt64)) {
		p.fail("the time %q is out of range", s)
		return 0
	}
	return flowfile.TimeOf(t)
}

func (p *parser) number32() int {
	n := p.integer()
	if int64(int(n)) != n {
		p.fail("%d is out of range", n)
	}
	return int(n)
}

func (p *parser) metadata() flowfile.Map {
	if p.null() {
		return nil
	}
	m, ok := p.value().(flowfile.Map)
	if !ok && p.err == nil {
		p.fail("metadata is no map")
	}
	return m
}

// head reads the keys that requests and responses have in common, and tells whether key
// is one.
func (p *parser) head(h *flowfile.MessageHead, key string) bool {
	switch key {
	case "http_version":
		h.Version = p.bytes()
	case "headers":
		h.Headers = p.fields()
	case "trailers":
		if !p.null() {
			t := flowfile.NewHeaders(p.fields())
			h.Trailers = &t
		}
	case "timestamp_start":
		h.Start = p.time()
	case "timestamp_end":
		h.End = p.time()
	case "body":
		h.Body = p.body()
	case "content":
		p.skip()
	default:
		return false
	}
	return true
}

func (p *parser) request() *flowfile.Request {
	if p.null() {
		return nil
	}
	h := flowfile.RequestHead{Port: -1, Path: "/"}
	h.Version = "HTTP/1.1"
	p.object(func(key string) {
		switch key {
		case "method":
			h.Method = p.bytes()
		case "scheme":
			h.Scheme = p.bytes()
		case "host":
			h.Host = p.bytes()
		case "port":
			h.Port = p.number32()
		case "authority":
			h.Authority = p.bytes()
		case "path":
			h.Path = p.bytes()
		default:
			if !p.head(&h.MessageHead, key) {
				h.Extra = p.extraField(h.Extra, key)
			}
		}
	})
	if h.Port == -1 {
		h.Port = flowfile.DefaultPort(h.Scheme)
	}
	return flowfile.NewRequest(h)
}

func (p *parser) response() *flowfile.Response {
	if p.null() {
		return nil
	}
	h := flowfile.ResponseHead{}
	h.Version = "HTTP/1.1"
	p.object(func(key string) {
		switch key {
		case "status":
			h.Status = p.number32()
		case "reason":
			h.Reason = p.bytes()
		default:
			if !p.head(&h.MessageHead, key) {
				h.Extra = p.extraField(h.Extra, key)
			}
		}
	})
	return flowfile.NewResponse(h)
}

// fields reads [[name, value], …].
func (p *parser) fields() []flowfile.Field {
	fields := []flowfile.Field{}
	p.array(func() {
		p.begin('[')
		f := flowfile.Field{Name: p.bytes()}
		p.expect(',')
		f.Value = p.bytes()
		p.next(']', 1)
		fields = append(fields, f)
	})
	return fields
}

// body reads null, a string, or {"text": …} or {"base64": …} with "truncated" and "total".
func (p *parser) body() flowfile.Body {
	if p.null() {
		return flowfile.Body{}
	}
	if p.peek() == '"' {
		return p.bodyText(false)
	}
	body, there := flowfile.Body{}, false
	truncated, total := false, int64(-1)
	p.object(func(key string) {
		switch key {
		case "text", "base64":
			body, there = p.bodyText(key == "base64"), true
		case "truncated":
			truncated = p.boolean()
		case "total":
			total = p.integer()
		default:
			p.fail("unknown key %q of a body", key)
		}
	})
	if !there && p.err == nil {
		p.fail("body without text and base64")
	}
	if truncated {
		body = body.Truncate(total)
	}
	return body
}

func (p *parser) bodyText(isBase64 bool) flowfile.Body {
	b := p.rawString()
	if l := p.long.find(b); l != nil {
		c, err := l.content(isBase64)
		if err != nil {
			p.failWith(err)
		}
		return flowfile.ContentBody(c)
	}
	if !isBase64 {
		return flowfile.StringBody(view(b))
	}
	return flowfile.StringBody(p.decoded(b))
}

func (p *parser) conn() *flowfile.Conn {
	if p.null() {
		return nil
	}
	c := &flowfile.Conn{}
	p.object(func(key string) {
		switch key {
		case "id":
			c.ID = p.bytes()
		case "transport":
			c.Transport = p.bytes()
		case "peer":
			c.Peer = p.addr()
		case "sock":
			c.Sock = p.addr()
		case "address":
			c.Address = p.addr()
		case "via":
			c.Via = p.via()
		case "timestamp_start":
			c.Start = p.time()
		case "timestamp_tcp_setup":
			c.TCPSetup = p.time()
		case "timestamp_tls_setup":
			c.TLSSetup = p.time()
		case "timestamp_end":
			c.End = p.time()
		case "tls":
			c.TLS = p.boolean()
		case "tls_version":
			c.TLSVersion = p.bytes()
		case "cipher":
			c.Cipher = p.bytes()
		case "ciphers":
			c.Ciphers = p.strings()
		case "sni":
			c.SNI = p.bytes()
		case "alpn":
			c.ALPN = p.bytes()
		case "alpn_offers":
			c.ALPNOffers = p.strings()
		case "certificates":
			p.array(func() { c.Certificates = append(c.Certificates, p.body()) })
		case "mitm_cert":
			c.MitmCert = p.body()
		case "proxy_mode":
			c.ProxyMode = p.bytes()
		case "error":
			c.Error = p.bytes()
		case "state":
			c.State = p.number32()
		default:
			c.Extra = p.extraField(c.Extra, key)
		}
	})
	return c
}

func (p *parser) strings() []string {
	l := []string{}
	p.array(func() { l = append(l, p.bytes()) })
	return l
}

// addr reads {"host": …, "port": …}, with "extra".
func (p *parser) addr() *flowfile.Addr {
	if p.null() {
		return nil
	}
	a := &flowfile.Addr{}
	p.object(func(key string) {
		switch key {
		case "host":
			a.Host = p.bytes()
		case "port":
			a.Port = p.number32()
		case "extra":
			p.array(func() { a.Extra = append(a.Extra, p.integer()) })
		default:
			p.fail("unknown key %q of an address", key)
		}
	})
	return a
}

func (p *parser) via() *flowfile.Via {
	if p.null() {
		return nil
	}
	v := &flowfile.Via{}
	p.object(func(key string) {
		switch key {
		case "scheme":
			v.Scheme = p.bytes()
		case "address":
			if a := p.addr(); a != nil {
				v.Addr = *a
			}
		default:
			p.fail("unknown key %q of a via", key)
		}
	})
	return v
}

func (p *parser) webSocket() *flowfile.WebSocket {
	if p.null() {
		return nil
	}
	w := &flowfile.WebSocket{}
	p.object(func(key string) {
		switch key {
		case "closed_by_client":
			if !p.null() {
				b := p.boolean()
				w.ClosedByClient = &b
			}
		case "close_code":
			w.CloseCode = p.number32()
		case "close_reason":
			w.CloseReason = p.bytes()
		case "timestamp_end":
			w.End = p.time()
		default:
			w.Extra = p.extraField(w.Extra, key)
		}
	})
	return w
}

func (p *parser) messages() *flowfile.MessageLog {
	if p.null() {
		return nil
	}
	log := &flowfile.MessageLog{}
	p.array(func() {
		m := flowfile.Msg{}
		p.object(func(key string) {
			switch key {
			case "from_client":
				m.FromClient = p.boolean()
			case "opcode":
				m.Opcode = p.number32()
			case "timestamp":
				m.Time = p.time()
			case "dropped":
				m.Dropped = p.boolean()
			case "injected":
				m.Injected = p.boolean()
			case "body":
				m.Body = p.body()
			default:
				m.Extra = p.extraField(m.Extra, key)
			}
		})
		log.Append(m)
	})
	return log
}

func (p *parser) flowError() *flowfile.Error {
	if p.null() {
		return nil
	}
	e := &flowfile.Error{}
	p.object(func(key string) {
		switch key {
		case "msg":
			e.Msg = p.bytes()
		case "timestamp":
			e.Time = p.time()
		default:
			e.Extra = p.extraField(e.Extra, key)
		}
	})
	return e
}

func (p *parser) dns() *flowfile.DNSMessage {
	if p.null() {
		return nil
	}
	m := &flowfile.DNSMessage{}
	p.object(func(key string) {
		switch key {
		case "id":
			m.ID = p.integer()
		case "query":
			m.Query = p.boolean()
		case "op_code":
			m.OpCode = p.integer()
		case "authoritative_answer":
			m.AuthoritativeAnswer = p.boolean()
		case "truncation":
			m.Truncation = p.boolean()
		case "recursion_desired":
			m.RecursionDesired = p.boolean()
		case "recursion_available":
			m.RecursionAvailable = p.boolean()
		case "reserved":
			m.Reserved = p.integer()
		case "response_code":
			m.ResponseCode = p.integer()
		case "questions":
			p.array(func() {
				r := p.record()
				m.Questions = append(m.Questions, flowfile.DNSQuestion{Name: r.Name, Type: r.Type, Class: r.Class})
			})
		case "answers":
			m.Answers = p.records()
		case "authorities":
			m.Authorities = p.records()
		case "additionals":
			m.Additionals = p.records()
		case "timestamp":
			m.Time = p.time()
		default:
			m.Extra = p.extraField(m.Extra, key)
		}
	})
	return m
}

func (p *parser) records() (rs []flowfile.DNSRecord) {
	p.array(func() { rs = append(rs, p.record()) })
	return rs
}

func (p *parser) record() (r flowfile.DNSRecord) {
	p.object(func(key string) {
		switch key {
		case "name":
			r.Name = p.bytes()
		case "type":
			r.Type = p.integer()
		case "class":
			r.Class = p.integer()
		case "ttl":
			r.TTL = p.integer()
		case "data":
			r.Data = p.bytes()
		default:
			p.fail("unknown key %q of a DNS record", key)
		}
	})
	return r
}

// kept reads what remains of a record of another format.
func (p *parser) kept() *flowfile.Kept {
	if p.null() {
		return nil
	}
	k := &flowfile.Kept{}
	p.object(func(key string) {
		switch key {
		case "format":
			k.Format = p.bytes()
		case "version":
			k.Version = p.number32()
		case "head":
			k.Head = p.base64()
		case "holes":
			p.array(func() {
				p.begin('[')
				h := flowfile.Hole{Pos: p.number32()}
				p.expect(',')
				h.Part = p.number32()
				p.next(']', 1)
				if (h.Pos < 0 || h.Part < 0) && p.err == nil {
					p.fail("negative place of a hole")
				}
				k.Holes = append(k.Holes, h)
			})
		case "changed":
			k.Changed = flowfile.Parts(p.integer())
		default:
			k.Extra = p.extraField(k.Extra, key)
		}
	})
	for _, h := range k.Holes {
		if h.Pos > len(k.Head) && p.err == nil {
			p.fail("hole behind the end of the head")
		}
	}
	return k
}
