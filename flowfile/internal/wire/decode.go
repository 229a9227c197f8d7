package wire

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unsafe"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/mp"
)

// Decoder decodes records. The zero value is ready; it is reused from record to record.
// What it returns aliases the record.
type Decoder struct {
	r     mp.Reader
	n     int  // entries left in the outermost map
	late  bool // the record came behind its flow's head
	timed bool // a time relative to "ts" was read
	left  int  // values that metadata may still have
}

// Parts is what a flow's record does not hold.
type Parts struct {
	Request, Response flowfile.Body
	Client, Server    *flowfile.Conn
}

// Begin opens a record and returns its type.
func (d *Decoder) Begin(record []byte) (string, error) {
	d.r.Reset(record)
	d.late, d.timed, d.left = false, false, maxValues
	d.n = d.r.MapLen()
	if d.n > 0 && d.r.Str() == "type" {
		d.n--
		typ := d.r.Str()
		return typ, d.r.Err()
	}
	if err := d.r.Err(); err != nil {
		return "", err
	}
	return "", errors.New(`a record must begin with the key "type"`)
}

// each calls f with every further key of the record.
func (d *Decoder) each(f func(key string)) error {
	for ; d.n > 0 && d.r.Err() == nil; d.n-- {
		f(d.r.Str())
	}
	if err := d.r.Err(); err != nil {
		return err
	}
	if n := d.r.Len(); n != 0 {
		return fmt.Errorf("%d bytes behind the record", n)
	}
	return nil
}

// bundle is a flow with its messages in one allocation.
type bundle struct {
	flow flowfile.Flow
	req  flowfile.Request
	resp flowfile.Response
}

// Growing is a decoded head. Finish makes it a flow; until then Update adds what end
// records say.
type Growing struct {
	Head flowfile.Head
	Open bool
	Cut  [2]int64 // see End.Truncated
	base flowfile.Time
	mem  *bundle
	kept *flowfile.Kept
}

// Flow decodes the head of a flow behind Begin, which returned kind's name.
func (d *Decoder) Flow(kind flowfile.Kind, p Parts) (Growing, error) {
	g := Growing{mem: new(bundle)}
	g.Head.Kind = kind
	g.Head.Client, g.Head.Server = p.Client, p.Server
	g.Head.Created = unset
	err := d.update(&g, p)
	if g.Head.Created == unset {
		g.Head.Created = g.base
	}
	return g, err
}

const unset = flowfile.Time(math.MinInt64)

// FlowID reads the key "flow" that must come next in msg, part, late and end records.
func (d *Decoder) FlowID() (string, error) {
	if d.n > 0 && d.r.Str() == "flow" {
		d.n--
		d.late = true
		id := d.id()
		return id, d.r.Err()
	}
	if err := d.r.Err(); err != nil {
		return "", err
	}
	return "", errors.New(`the key "flow" must follow "type"`)
}

// Update decodes a late or end record behind FlowID: its keys replace what g has; after an error
// g is as before. Times are relative to the "ts" of the head.
func (d *Decoder) Update(g *Growing, p Parts) error {
	before, mem := *g, *g.mem
	err := d.update(g, p)
	if err != nil {
		*g, *g.mem = before, mem
	}
	return err
}

func (d *Decoder) update(g *Growing, p Parts) error {
	h, r := &g.Head, &d.r
	return d.each(func(key string) {
		if d.late && (key == "id" || key == "ts" || key == "open") { // the head's alone
			r.Skip()
			return
		}
		switch key {
		case "id":
			h.ID = d.id()
		case "ts":
			if d.timed {
				r.Fail(errors.New(`"ts" must come before the times that are relative to it`))
			}
			g.base = flowfile.Time(r.Int())
		case "created":
			if r.IsNil() {
				h.Created = 0
			} else {
				h.Created = flowfile.Time(r.Int())
			}
		case "open":
			g.Open = r.Bool()
		case "incomplete":
			h.Incomplete = r.Bool()
		case "req":
			h.Request = d.request(g, p.Request)
		case "resp":
			h.Response = d.response(g, p.Response)
		case "ws":
			h.WebSocket = d.websocket(g.base)
		case "q":
			h.DNSRequest = d.dns(g.base)
		case "a":
			h.DNSResponse = d.dns(g.base)
		case "error":
			h.Error = d.error(g.base)
		case "intercepted":
			h.Intercepted = r.Bool()
		case "replay":
			h.Replay = r.Str()
		case "mark":
			h.Marked = r.Str()
		case "comment":
			h.Comment = r.Str()
		case "meta":
			if r.IsNil() {
				h.Metadata = nil
				break
			}
			m, ok := d.value(0).(flowfile.Map)
			if !ok && r.Err() == nil {
				r.Fail(errors.New("meta is not a map"))
			}
			h.Metadata = m
		case "src":
			g.kept = d.kept()
		case "msgs":
			r.Int()
		case "cut_req":
			g.Cut[0] = r.Int()
		case "cut_resp":
			g.Cut[1] = r.Int()
		default:
			if d.late {
				h.Extra = slices.DeleteFunc(slices.Clone(h.Extra), func(x flowfile.ExtraField) bool { return x.Key == key })
			}
			h.Extra = d.extra(h.Extra, key)
		}
	})
}

// Finish returns the flow.
func (g *Growing) Finish() *flowfile.Flow {
	f := &g.mem.flow
	g.Head.Origin = flowfile.KeptOrigin("flow", g.kept)
	f.Init(g.Head)
	return f
}

func (d *Decoder) extra(e flowfile.Extra, key string) flowfile.Extra {
	if len(e) >= maxExtra {
		d.r.Fail(fmt.Errorf("more than %d unknown keys", maxExtra))
		return e
	}
	raw := d.r.Raw()
	return append(e, flowfile.ExtraField{Key: key, Value: unsafe.String(unsafe.SliceData(raw), len(raw))})
}

func (d *Decoder) id() string {
	switch d.r.Kind() {
	case mp.KindBin:
		s := d.r.Str()
		if len(s) == 16 {
			return formatUUID(s)
		}
		return s
	case mp.KindArray:
		if d.r.ArrayLen() != 1 && d.r.Err() == nil {
			d.r.Fail(errors.New("an id is no list"))
		}
		return d.r.Str()
	}
	return d.r.Str()
}

func (d *Decoder) time(base flowfile.Time) flowfile.Time {
	d.timed = true
	return base + flowfile.Time(d.r.Int())
}

// A nil in place of a map means that there is none.

func (d *Decoder) request(g *Growing, body flowfile.Body) *flowfile.Request {
	if d.r.IsNil() {
		return nil
	}
	var h flowfile.RequestHead
	h.Body = body
	r := &d.r
	for n := r.MapLen(); n > 0 && r.Err() == nil; n-- {
		switch key := r.Str(); key {
		case "method":
			h.Method = r.Str()
		case "scheme":
			h.Scheme = r.Str()
		case "host":
			h.Host = r.Str()
		case "port":
			h.Port = int(r.Int())
		case "authority":
			h.Authority = r.Str()
		case "path":
			h.Path = r.Str()
		default:
			d.message(&h.MessageHead, key, g.base)
		}
	}
	g.mem.req.Init(h)
	return &g.mem.req
}

func (d *Decoder) response(g *Growing, body flowfile.Body) *flowfile.Response {
	if d.r.IsNil() {
		return nil
	}
	var h flowfile.ResponseHead
	h.Body = body
	r := &d.r
	for n := r.MapLen(); n > 0 && r.Err() == nil; n-- {
		switch key := r.Str(); key {
		case "status":
			h.Status = int(r.Int())
		case "reason":
			h.Reason = r.Str()
		default:
			d.message(&h.MessageHead, key, g.base)
		}
	}
	g.mem.resp.Init(h)
	return &g.mem.resp
}

func (d *Decoder) message(h *flowfile.MessageHead, key string, base flowfile.Time) {
	switch key {
	case "ver":
		h.Version = d.r.Str()
	case "headers":
		h.Headers = d.fields()
	case "trailers":
		h.Trailers = nil
		if !d.r.IsNil() {
			t := flowfile.NewHeaders(d.fields())
			h.Trailers = &t
		}
	case "start":
		h.Start = d.time(base)
	case "end":
		h.End = d.time(base)
	default:
		h.Extra = d.extra(h.Extra, key)
	}
}

// list reads the length of a flat array of groups of size values.
func (d *Decoder) list(size, limit int, what string) int {
	n := d.r.ArrayLen()
	if n > 0 && (n%size != 0 || n/size > limit) {
		d.r.Fail(fmt.Errorf("%d values in %s", n, what))
		return 0
	}
	return max(n, 0) / size
}

func (d *Decoder) fields() []flowfile.Field {
	n := d.list(2, maxHeaders, "headers")
	if n == 0 {
		return nil
	}
	fs := make([]flowfile.Field, n)
	for i := range fs {
		fs[i].Name = d.r.Str()
		fs[i].Value = d.r.Str()
	}
	return fs
}

func (d *Decoder) strs() []string {
	n := d.list(1, maxList, "a list")
	if n == 0 {
		return nil
	}
	s := make([]string, n)
	for i := range s {
		s[i] = d.r.Str()
	}
	return s
}

func (d *Decoder) error(base flowfile.Time) *flowfile.Error {
	if d.r.IsNil() {
		return nil
	}
	e, r := new(flowfile.Error), &d.r
	for n := r.MapLen(); n > 0 && r.Err() == nil; n-- {
		switch key := r.Str(); key {
		case "msg":
			e.Msg = r.Str()
		case "at":
			e.Time = d.time(base)
		default:
			e.Extra = d.extra(e.Extra, key)
		}
	}
	return e
}

func (d *Decoder) websocket(base flowfile.Time) *flowfile.WebSocket {
	if d.r.IsNil() {
		return nil
	}
	w, r := new(flowfile.WebSocket), &d.r
	for n := r.MapLen(); n > 0 && r.Err() == nil; n-- {
		switch key := r.Str(); key {
		case "by_client":
			b := r.Bool()
			w.ClosedByClient = &b
		case "code":
			w.CloseCode = int(r.Int())
		case "reason":
			w.CloseReason = r.Str()
		case "end":
			w.End = d.time(base)
		default:
			w.Extra = d.extra(w.Extra, key)
		}
	}
	return w
}

func (d *Decoder) dns(base flowfile.Time) *flowfile.DNSMessage {
	if d.r.IsNil() {
		return nil
	}
	m, r := new(flowfile.DNSMessage), &d.r
	for n := r.MapLen(); n > 0 && r.Err() == nil; n-- {
		switch key := r.Str(); key {
		case "id":
			m.ID = r.Int()
		case "query":
			m.Query = r.Bool()
		case "op":
			m.OpCode = r.Int()
		case "aa":
			m.AuthoritativeAnswer = r.Bool()
		case "tc":
			m.Truncation = r.Bool()
		case "rd":
			m.RecursionDesired = r.Bool()
		case "ra":
			m.RecursionAvailable = r.Bool()
		case "z":
			m.Reserved = r.Int()
		case "rcode":
			m.ResponseCode = r.Int()
		case "at":
			m.Time = d.time(base)
		case "questions":
			m.Questions = make([]flowfile.DNSQuestion, d.list(3, maxList, "questions"))
			for i := range m.Questions {
				m.Questions[i] = flowfile.DNSQuestion{Name: r.Str(), Type: r.Int(), Class: r.Int()}
			}
		case "answers":
			m.Answers = d.records()
		case "authorities":
			m.Authorities = d.records()
		case "additionals":
			m.Additionals = d.records()
		default:
			m.Extra = d.extra(m.Extra, key)
		}
	}
	return m
}

func (d *Decoder) records() []flowfile.DNSRecord {
	rs, r := make([]flowfile.DNSRecord, d.list(5, maxList, "records")), &d.r
	for i := range rs {
		rs[i] = flowfile.DNSRecord{Name: r.Str(), Type: r.Int(), Class: r.Int(), TTL: r.Int(), Data: r.Str()}
	}
	return rs
}

func (d *Decoder) kept() *flowfile.Kept {
	if d.r.IsNil() {
		return nil
	}
	k, r := new(flowfile.Kept), &d.r
	for n := r.MapLen(); n > 0 && r.Err() == nil; n-- {
		switch key := r.Str(); key {
		case "format":
			k.Format = r.Str()
		case "version":
			k.Version = int(r.Int())
		case "head":
			k.Head = r.Str()
		case "holes":
			k.Holes = make([]flowfile.Hole, d.list(2, maxList, "holes"))
			for i := range k.Holes {
				k.Holes[i] = flowfile.Hole{Pos: int(r.Int()), Part: int(r.Int())}
			}
		case "changed":
			k.Changed = flowfile.Parts(r.Int())
		default:
			k.Extra = d.extra(k.Extra, key)
		}
	}
	last := 0
	for _, h := range k.Holes {
		if h.Pos < last || h.Pos > len(k.Head) {
			r.Fail(errors.New("a hole outside of the head"))
		}
		last = h.Pos
	}
	return k
}

// Conn decodes a conn record behind Begin. cert returns the content of a part, absent if
// it is not there.
func (d *Decoder) Conn(cert func(part int) flowfile.Body) (*flowfile.Conn, error) {
	c, r := new(flowfile.Conn), &d.r
	certs := 0
	err := d.each(func(key string) {
		switch key {
		case "id":
			c.ID = r.Str()
		case "transport":
			c.Transport = r.Str()
		case "peer":
			c.Peer = d.addr()
		case "sock":
			c.Sock = d.addr()
		case "addr":
			c.Address = d.addr()
		case "via":
			c.Via = d.via()
		case "start":
			c.Start = flowfile.Time(r.Int())
		case "tcp":
			c.TCPSetup = d.time(c.Start)
		case "tls_at":
			c.TLSSetup = d.time(c.Start)
		case "end":
			c.End = d.time(c.Start)
		case "tls":
			c.TLS = r.Bool()
		case "tls_ver":
			c.TLSVersion = r.Str()
		case "cipher":
			c.Cipher = r.Str()
		case "ciphers":
			c.Ciphers = d.strs()
		case "sni":
			c.SNI = r.Str()
		case "alpn":
			c.ALPN = r.Str()
		case "alpn_offers":
			c.ALPNOffers = d.strs()
		case "certs":
			certs = int(r.Int())
			if certs < 0 || certs > maxCerts {
				r.Fail(fmt.Errorf("%d certificates", certs))
			}
		case "mode":
			c.ProxyMode = r.Str()
		case "error":
			c.Error = r.Str()
		case "state":
			c.State = int(r.Int())
		default:
			c.Extra = d.extra(c.Extra, key)
		}
	})
	if err != nil {
		return nil, err
	}
	c.MitmCert = cert(PartMitmCert)
	for i := range certs {
		c.Certificates = append(c.Certificates, cert(PartCert+i))
	}
	return c, nil
}

func (d *Decoder) addr() *flowfile.Addr {
	if d.r.IsNil() {
		return nil
	}
	a := new(flowfile.Addr)
	d.addrValues(a, d.r.ArrayLen())
	return a
}

// addrValues reads the n values of an address: host, port, and what Python adds.
func (d *Decoder) addrValues(a *flowfile.Addr, n int) {
	if n < 2 || n > 2+maxAddr {
		d.r.Fail(fmt.Errorf("%d values in an address", n))
		return
	}
	a.Host, a.Port = d.r.Str(), int(d.r.Int())
	for range n - 2 {
		a.Extra = append(a.Extra, d.r.Int())
	}
}

func (d *Decoder) via() *flowfile.Via {
	if d.r.IsNil() {
		return nil
	}
	v := new(flowfile.Via)
	n := d.r.ArrayLen()
	if n > 0 {
		v.Scheme = d.r.Str()
	}
	d.addrValues(&v.Addr, n-1)
	return v
}

// Msg decodes a msg record behind FlowID.
func (d *Decoder) Msg() (m flowfile.Msg, n int, err error) {
	r := &d.r
	err = d.each(func(key string) {
		switch key {
		case "n":
			n = int(r.Int())
		case "ts":
			m.Time = flowfile.Time(r.Int())
		case "client":
			m.FromClient = r.Bool()
		case "op":
			m.Opcode = int(r.Int())
		case "dropped":
			m.Dropped = r.Bool()
		case "injected":
			m.Injected = r.Bool()
		default:
			m.Extra = d.extra(m.Extra, key)
		}
	})
	return m, n, err
}

// Part is a decoded part record.
type Part struct {
	Part int
	Off  int64
	Last bool
}

// Part decodes a part record behind FlowID.
func (d *Decoder) Part() (p Part, err error) {
	err = d.each(func(key string) {
		switch key {
		case "part":
			p.Part = int(d.r.Int())
		case "off":
			p.Off = d.r.Int()
		case "last":
			p.Last = d.r.Bool()
		default:
			d.r.Skip()
		}
	})
	return p, err
}

func (d *Decoder) value(depth int) any {
	r := &d.r
	d.left--
	switch {
	case depth > maxDepth:
		r.Fail(errors.New("metadata nested too deeply"))
		return nil
	case d.left < 0:
		r.Fail(fmt.Errorf("more than %d values in metadata", maxValues))
		return nil
	}
	switch r.Kind() {
	case mp.KindNil:
		r.IsNil()
		return nil
	case mp.KindBool:
		return r.Bool()
	case mp.KindInt:
		return r.Int()
	case mp.KindFloat:
		return r.Float()
	case mp.KindStr:
		return r.Str()
	case mp.KindBin:
		return flowfile.Bytes(r.Str())
	case mp.KindArray:
		n := r.ArrayLen()
		l := flowfile.List{}
		for ; n > 0 && r.Err() == nil; n-- {
			l = append(l, d.value(depth+1))
		}
		return l
	case mp.KindMap:
		n := r.MapLen()
		if n == 1 && r.IsNil() {
			return d.bigInt()
		}
		m := flowfile.Map{}
		for ; n > 0 && r.Err() == nil; n-- {
			k := r.Str()
			m = append(m, flowfile.MapEntry{Key: k, Value: d.value(depth + 1)})
		}
		return m
	}
	r.Fail(errors.New("metadata of an unknown type"))
	return nil
}

// bigInt reads the digits of a whole number. Writers of text formats put them out as they
// are.
func (d *Decoder) bigInt() any {
	s := d.r.Str()
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		d.r.Fail(errors.New("a number that is not of digits"))
		return nil
	}
	return flowfile.BigInt(s)
}
