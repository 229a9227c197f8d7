package jsonl

import (
	"encoding/base64"
	"errors"
	"io"
	"unicode/utf8"
	"unsafe"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

// Writer writes JSON lines. It implements flowfile.Sink.
type Writer struct {
	e encoder
	o Options
}

var _ flowfile.Sink = (*Writer)(nil)

// NewWriter returns a writer to w.
func NewWriter(w io.Writer, o Options) *Writer { return &Writer{e: encoder{w: w}, o: o} }

// Write writes a line for each flow of b.
func (w *Writer) Write(b *flowfile.Batch) error {
	for _, f := range b.Flows {
		if f.Dropped() {
			continue
		}
		if err := w.flow(f); err != nil {
			return err
		}
		if w.e.err != nil {
			return w.e.err
		}
	}
	return nil
}

// Flush writes what is held back.
func (w *Writer) Flush() error {
	w.e.flush()
	return w.e.err
}

// Close is Flush: JSON lines have no end.
func (w *Writer) Close() error { return w.Flush() }

func (w *Writer) flow(f *flowfile.Flow) error {
	e := &w.e
	e.sep = false
	e.open('{')
	e.key("type")
	e.str(f.Kind().String())
	e.optStr("id", f.ID())
	e.optTime("created", f.Created())
	e.optTime("start", f.Start())
	if r := f.Request(); r != nil {
		e.optStr("url", text(r.PrettyURL()))
		e.key("request")
		if err := w.request(r); err != nil {
			return err
		}
	}
	if r := f.Response(); r != nil {
		e.key("response")
		if err := w.response(r); err != nil {
			return err
		}
	}
	w.websocket(f.WebSocket())
	w.dns("dns_request", f.DNSRequest())
	w.dns("dns_response", f.DNSResponse())
	if err := w.messages(f); err != nil {
		return err
	}
	if x := f.Error(); x != nil {
		e.key("error")
		e.open('{')
		e.key("msg")
		e.str(x.Msg)
		e.optTime("time", x.Time)
		e.extra(x.Extra, errorKeys)
		e.close('}')
	}
	e.optStr("marked", f.Marked())
	e.optStr("comment", f.Comment())
	e.optStr("replay", f.Replay())
	e.optBool("intercepted", f.Intercepted())
	e.optBool("incomplete", f.Incomplete())
	if m := f.Metadata(); len(m) > 0 {
		e.key("metadata")
		e.mapping(m)
	}
	if err := w.conn("client", f.Client()); err != nil {
		return err
	}
	if err := w.conn("server", f.Server()); err != nil {
		return err
	}
	w.origin(f)
	e.extra(f.Extra(), flowKeys)
	e.close('}')
	e.buf = append(e.buf, '\n')
	return nil
}

// text makes a derived string readable; what it is derived from is written without loss.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

func (w *Writer) request(r *flowfile.Request) error {
	e := &w.e
	e.open('{')
	e.key("method")
	e.str(r.Method())
	e.optStr("scheme", r.Scheme())
	e.optStr("host", r.Host())
	e.optInt("port", int64(r.Port()))
	e.optStr("authority", r.Authority())
	e.key("path")
	e.str(r.Path())
	if err := w.message(&r.Message); err != nil {
		return err
	}
	e.close('}')
	return nil
}

func (w *Writer) response(r *flowfile.Response) error {
	e := &w.e
	e.open('{')
	e.key("status")
	e.int(int64(r.Status()))
	e.optStr("reason", r.Reason())
	if err := w.message(&r.Message); err != nil {
		return err
	}
	e.close('}')
	return nil
}

func (w *Writer) message(m *flowfile.Message) error {
	e := &w.e
	e.optStr("http_version", m.Version())
	e.key("headers")
	w.fields(m.Headers())
	e.key("body")
	if err := w.body(m.Body()); err != nil {
		return err
	}
	if w.o.Decoded {
		w.content(m)
	}
	if t := m.Trailers(); t != nil {
		e.key("trailers")
		w.fields(t)
	}
	e.optTime("start", m.Start())
	e.optTime("end", m.End())
	e.extra(m.Extra(), messageKeys)
	return nil
}

func (w *Writer) fields(h *flowfile.Headers) {
	w.e.open('[')
	for _, f := range h.Fields() {
		w.e.open('[')
		w.e.str(f.Name)
		w.e.str(f.Value)
		w.e.close(']')
	}
	w.e.close(']')
}

// inMemory is up to where a body is written from memory.
const inMemory = 1 << 20

// body writes null, {"text": …} or {"base64": …}.
func (w *Writer) body(b flowfile.Body) error {
	e := &w.e
	if b.State() == flowfile.BodyAbsent {
		e.raw("null")
		return nil
	}
	e.open('{')
	cut, total := b.State() == flowfile.BodyTruncated, b.Total()
	var err error
	if n := b.Size(); n >= 0 && n <= inMemory {
		var data []byte
		if data, err = b.Bytes(-1); err == nil || len(data) > 0 {
			s := unsafe.String(unsafe.SliceData(data), len(data))
			if utf8.ValidString(s) {
				e.key("text")
				e.str(s)
			} else {
				e.key("base64")
				e.base64(s)
			}
		}
	} else {
		err = w.stream(b)
	}
	if err != nil {
		if w.o.OnDamage == nil {
			return err
		}
		var d *flowfile.Damage
		if !errors.As(err, &d) {
			d = &flowfile.Damage{Offset: -1, Length: -1, Err: err}
		}
		w.o.OnDamage(d)
		cut = true
	}
	e.optBool("truncated", cut)
	if cut && total >= 0 {
		e.key("total")
		e.int(total)
	}
	e.close('}')
	return nil
}

// stream writes a large body as base64, piece by piece.
func (w *Writer) stream(b flowfile.Body) error {
	r, err := b.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	e := &w.e
	e.key("base64")
	e.comma()
	e.buf = append(e.buf, '"')
	piece := make([]byte, 3*64<<10)
	for err == nil {
		var n int
		n, err = io.ReadFull(r, piece)
		e.buf = base64.StdEncoding.AppendEncode(e.buf, piece[:n])
		if len(e.buf) > flushAt {
			e.flush()
		}
	}
	e.buf = append(e.buf, '"')
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}

// content adds the decoded body for jq and people.
func (w *Writer) content(m *flowfile.Message) {
	if m.Body().State() == flowfile.BodyAbsent {
		return
	}
	s, err := coding.Text(m, 64<<20)
	if err != nil || !utf8.ValidString(s) {
		return
	}
	e := &w.e
	e.key("content")
	if compact, ok := compactJSON(s); ok {
		e.raw(`{"json":` + compact + `}`)
		return
	}
	e.open('{')
	e.key("text")
	e.str(s)
	e.close('}')
}

func (w *Writer) websocket(ws *flowfile.WebSocket) {
	if ws == nil {
		return
	}
	e := &w.e
	e.key("websocket")
	e.open('{')
	if ws.ClosedByClient != nil {
		e.key("closed_by_client")
		e.bool(*ws.ClosedByClient)
	}
	e.optInt("close_code", int64(ws.CloseCode))
	e.optStr("close_reason", ws.CloseReason)
	e.optTime("end", ws.End)
	e.extra(ws.Extra, websocketKeys)
	e.close('}')
}

func (w *Writer) messages(f *flowfile.Flow) error {
	if f.Messages().Len() == 0 {
		return nil
	}
	e := &w.e
	e.key("messages")
	e.open('[')
	for m, err := range f.Messages().All() {
		if err != nil {
			return err
		}
		e.open('{')
		e.key("from_client")
		e.bool(m.FromClient)
		e.optInt("opcode", int64(m.Opcode))
		e.optTime("time", m.Time)
		e.optBool("dropped", m.Dropped)
		e.optBool("injected", m.Injected)
		e.key("body")
		if err := w.body(m.Body); err != nil {
			return err
		}
		e.extra(m.Extra, msgKeys)
		e.close('}')
	}
	e.close(']')
	return nil
}

func (w *Writer) dns(key string, m *flowfile.DNSMessage) {
	if m == nil {
		return
	}
	e := &w.e
	e.key(key)
	e.open('{')
	e.key("id")
	e.int(m.ID)
	e.optBool("query", m.Query)
	e.optInt("op_code", m.OpCode)
	e.optBool("authoritative_answer", m.AuthoritativeAnswer)
	e.optBool("truncation", m.Truncation)
	e.optBool("recursion_desired", m.RecursionDesired)
	e.optBool("recursion_available", m.RecursionAvailable)
	e.optInt("reserved", m.Reserved)
	e.optInt("response_code", m.ResponseCode)
	if len(m.Questions) > 0 {
		e.key("questions")
		e.open('[')
		for _, q := range m.Questions {
			e.open('{')
			e.key("name")
			e.str(q.Name)
			e.key("type")
			e.int(q.Type)
			e.key("class")
			e.int(q.Class)
			e.close('}')
		}
		e.close(']')
	}
	w.records("answers", m.Answers)
	w.records("authorities", m.Authorities)
	w.records("additionals", m.Additionals)
	e.optTime("time", m.Time)
	e.extra(m.Extra, dnsKeys)
	e.close('}')
}

func (w *Writer) records(key string, rs []flowfile.DNSRecord) {
	if len(rs) == 0 {
		return
	}
	e := &w.e
	e.key(key)
	e.open('[')
	for _, r := range rs {
		e.open('{')
		e.key("name")
		e.str(r.Name)
		e.key("type")
		e.int(r.Type)
		e.key("class")
		e.int(r.Class)
		e.key("ttl")
		e.int(r.TTL)
		e.key("data") // wire bytes, always in base64
		e.base64(r.Data)
		e.close('}')
	}
	e.close(']')
}

func (w *Writer) conn(key string, c *flowfile.Conn) error {
	if c == nil {
		return nil
	}
	e := &w.e
	e.key(key)
	e.open('{')
	e.optStr("id", c.ID)
	e.optStr("transport", c.Transport)
	w.addr("peer", c.Peer)
	w.addr("sock", c.Sock)
	w.addr("address", c.Address)
	if c.Via != nil {
		e.key("via")
		e.open('{')
		e.key("scheme")
		e.str(c.Via.Scheme)
		w.addr("address", &c.Via.Addr)
		e.close('}')
	}
	e.optTime("start", c.Start)
	e.optTime("tcp_setup", c.TCPSetup)
	e.optTime("tls_setup", c.TLSSetup)
	e.optTime("end", c.End)
	e.optBool("tls", c.TLS)
	e.optStr("tls_version", c.TLSVersion)
	e.optStr("cipher", c.Cipher)
	w.strs("ciphers", c.Ciphers)
	e.optStr("sni", c.SNI)
	e.optStr("alpn", c.ALPN)
	w.strs("alpn_offers", c.ALPNOffers)
	if len(c.Certificates) > 0 {
		e.key("certificates")
		e.open('[')
		for _, b := range c.Certificates {
			if err := w.body(b); err != nil {
				return err
			}
		}
		e.close(']')
	}
	if c.MitmCert.State() != flowfile.BodyAbsent {
		e.key("mitmcert")
		if err := w.body(c.MitmCert); err != nil {
			return err
		}
	}
	e.optStr("proxy_mode", c.ProxyMode)
	e.optStr("error", c.Error)
	e.optInt("state", int64(c.State))
	e.extra(c.Extra, connKeys)
	e.close('}')
	return nil
}

func (w *Writer) addr(key string, a *flowfile.Addr) {
	if a == nil {
		return
	}
	e := &w.e
	e.key(key)
	e.open('[')
	e.str(a.Host)
	e.int(int64(a.Port))
	for _, x := range a.Extra {
		e.int(x)
	}
	e.close(']')
}

func (w *Writer) strs(key string, ss []string) {
	if len(ss) == 0 {
		return
	}
	w.e.key(key)
	w.e.open('[')
	for _, s := range ss {
		w.e.str(s)
	}
	w.e.close(']')
}

func (w *Writer) origin(f *flowfile.Flow) {
	if f.Origin() == nil {
		return
	}
	k := f.Origin().Kept(f)
	if k == nil {
		return
	}
	e := &w.e
	e.key("origin")
	e.open('{')
	e.optStr("format", k.Format)
	e.optInt("version", int64(k.Version))
	if k.Head != "" {
		e.key("head")
		e.base64(k.Head)
		if len(k.Holes) > 0 {
			e.key("holes")
			e.open('[')
			for _, h := range k.Holes {
				e.int(int64(h.Pos))
				e.int(int64(h.Part))
			}
			e.close(']')
		}
		e.optInt("changed", int64(k.Changed))
	}
	e.extra(k.Extra, originKeys)
	e.close('}')
}
