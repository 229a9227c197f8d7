package wire

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/mp"
)

// Encoder encodes records. The zero value is ready; it is reused from record to record.
type Encoder struct {
	out   mp.Writer // the record
	body  mp.Writer // entries of the outermost map
	sub   mp.Writer // entries of a map in it
	err   error
	heads [2][]entry // of Late
	check mp.Reader  // of unknown fields
}

// ErrLimit means that a record is beyond what a reader accepts.
var ErrLimit = errors.New("beyond a limit of the format")

// Err returns the error of the last record, an ErrLimit, or nil.
func (e *Encoder) Err() error { return e.err }

// limit notes an error if n is more than most.
func (e *Encoder) limit(n, most int, what string) {
	if n > most && e.err == nil {
		e.err = fmt.Errorf("%d %s, %w: %d", n, what, ErrLimit, most)
	}
}

// object writes a map whose number of entries is known only at its end.
type object struct {
	e *Encoder
	w *mp.Writer
	n int
}

func (o *object) key(k string) *mp.Writer {
	o.n++
	o.w.Str(k)
	return o.w
}

func (o *object) str(k, v string) {
	if v != "" {
		o.key(k).Str(v)
	}
}

func (o *object) bool(k string, v bool) {
	if v {
		o.key(k).Bool(true)
	}
}

func (o *object) int(k string, v int64) {
	if v != 0 {
		o.key(k).Int(v)
	}
}

// time writes t as nanoseconds behind base.
func (o *object) time(k string, t, base flowfile.Time) {
	if t != 0 {
		o.key(k).Int(int64(t - base))
	}
}

func (o *object) strs(k string, v []string) {
	if len(v) == 0 {
		return
	}
	o.e.limit(len(v), maxList, k)
	w := o.key(k)
	w.ArrayLen(len(v))
	for _, s := range v {
		w.Str(s)
	}
}

func (o *object) extra(x flowfile.Extra) {
	o.e.limit(len(x), maxExtra, "unknown fields")
	for _, f := range x {
		o.e.check.Reset([]byte(f.Value))
		o.e.check.Skip()
		if err := o.e.check.Err(); (err != nil || o.e.check.Len() > 0) && o.e.err == nil {
			o.e.err = fmt.Errorf("field %q is not one value, %w: %v", f.Key, ErrLimit, err)
		}
		o.key(f.Key).Raw([]byte(f.Value))
	}
}

// close writes the map into dst.
func (o *object) close(dst *mp.Writer) {
	dst.MapLen(o.n)
	dst.Raw(o.w.Bytes())
}

// begin starts the outermost map of a record.
func (e *Encoder) begin(typ string) object {
	e.out.Reset()
	e.body.Reset()
	e.err = nil
	o := object{e: e, w: &e.body}
	o.key("type").Str(typ)
	return o
}

// nested starts a map in the outermost one; the last must be closed.
func (e *Encoder) nested() object {
	e.sub.Reset()
	return object{e: e, w: &e.sub}
}

func (e *Encoder) end(o *object) []byte {
	o.close(&e.out)
	return e.out.Bytes()
}

// Flow returns the head of f, valid until the next call. open says that msg, part and
// end records follow.
func (e *Encoder) Flow(f *flowfile.Flow, open bool) []byte { return e.FlowAt(f, open, Base(f)) }

// Base returns what the times in the head of f are relative to.
func Base(f *flowfile.Flow) flowfile.Time {
	if t := f.Created(); t != 0 {
		return t
	}
	return f.Start()
}

// FlowAt is Flow with times relative to base, which is not 0 unless nothing of f has a time:
// what f is now, to be compared with its head (End).
func (e *Encoder) FlowAt(f *flowfile.Flow, open bool, base flowfile.Time) []byte {
	o := e.begin(f.Kind().String())
	id(&o, "id", f.ID())
	o.int("ts", int64(base))
	switch t := f.Created(); {
	case t == base:
	case t == 0:
		o.key("created").Nil()
	default:
		o.key("created").Int(int64(t))
	}
	o.bool("open", open)
	o.bool("incomplete", f.Incomplete() && !open)
	if r := f.Request(); r != nil {
		e.request(o.key("req"), r, base)
	}
	if r := f.Response(); r != nil {
		e.response(o.key("resp"), r, base)
	}
	if ws := f.WebSocket(); ws != nil {
		e.websocket(o.key("ws"), ws, base)
	}
	if m := f.DNSRequest(); m != nil {
		e.dns(o.key("q"), m, base)
	}
	if m := f.DNSResponse(); m != nil {
		e.dns(o.key("a"), m, base)
	}
	e.common(&o, f, base)
	o.extra(f.Extra())
	return e.end(&o)
}

// common writes what flows of all kinds have.
func (e *Encoder) common(o *object, f *flowfile.Flow, base flowfile.Time) {
	if err := f.Error(); err != nil {
		n := e.nested()
		n.str("msg", err.Msg)
		n.time("at", err.Time, base)
		n.extra(err.Extra)
		n.close(o.key("error"))
	}
	o.bool("intercepted", f.Intercepted())
	o.str("replay", f.Replay())
	o.str("mark", f.Marked())
	o.str("comment", f.Comment())
	if m := f.Metadata(); len(m) > 0 {
		left := maxValues
		e.value(o.key("meta"), m, 0, &left)
	}
	if org := f.Origin(); org != nil {
		if k := org.Kept(f); k != nil {
			e.kept(o.key("src"), k)
		}
	}
}

func (e *Encoder) kept(w *mp.Writer, k *flowfile.Kept) {
	n := e.nested()
	n.str("format", k.Format)
	n.int("version", int64(k.Version))
	if k.Head != "" {
		n.key("head").BinString(k.Head)
		if len(k.Holes) > 0 {
			e.limit(len(k.Holes), maxList, "holes")
			w := n.key("holes")
			w.ArrayLen(2 * len(k.Holes))
			for _, h := range k.Holes {
				w.Int(int64(h.Pos))
				w.Int(int64(h.Part))
			}
		}
		n.int("changed", int64(k.Changed))
	}
	n.extra(k.Extra)
	n.close(w)
}

func (e *Encoder) request(w *mp.Writer, r *flowfile.Request, base flowfile.Time) {
	n := e.nested()
	n.key("method").Str(r.Method())
	n.str("scheme", r.Scheme())
	n.str("host", r.Host())
	n.int("port", int64(r.Port()))
	n.str("authority", r.Authority())
	n.key("path").Str(r.Path())
	e.message(&n, &r.Message, base)
	n.close(w)
}

func (e *Encoder) response(w *mp.Writer, r *flowfile.Response, base flowfile.Time) {
	n := e.nested()
	n.key("status").Int(int64(r.Status()))
	n.str("reason", r.Reason())
	e.message(&n, &r.Message, base)
	n.close(w)
}

func (e *Encoder) message(n *object, m *flowfile.Message, base flowfile.Time) {
	n.str("ver", m.Version())
	e.fields(n.key("headers"), m.Headers().Fields())
	if t := m.Trailers(); t != nil {
		e.fields(n.key("trailers"), t.Fields())
	}
	n.time("start", m.Start(), base)
	n.time("end", m.End(), base)
	n.extra(m.Extra())
}

func (e *Encoder) fields(w *mp.Writer, fs []flowfile.Field) {
	e.limit(len(fs), maxHeaders, "headers")
	w.ArrayLen(2 * len(fs))
	for i := range fs {
		w.Str(fs[i].Name)
		w.Str(fs[i].Value)
	}
}

func (e *Encoder) websocket(w *mp.Writer, ws *flowfile.WebSocket, base flowfile.Time) {
	n := e.nested()
	if ws.ClosedByClient != nil {
		n.key("by_client").Bool(*ws.ClosedByClient)
	}
	n.int("code", int64(ws.CloseCode))
	n.str("reason", ws.CloseReason)
	n.time("end", ws.End, base)
	n.extra(ws.Extra)
	n.close(w)
}

func (e *Encoder) dns(w *mp.Writer, m *flowfile.DNSMessage, base flowfile.Time) {
	n := e.nested()
	n.int("id", m.ID)
	n.bool("query", m.Query)
	n.int("op", m.OpCode)
	n.bool("aa", m.AuthoritativeAnswer)
	n.bool("tc", m.Truncation)
	n.bool("rd", m.RecursionDesired)
	n.bool("ra", m.RecursionAvailable)
	n.int("z", m.Reserved)
	n.int("rcode", m.ResponseCode)
	n.time("at", m.Time, base)
	if len(m.Questions) > 0 {
		e.limit(len(m.Questions), maxList, "questions")
		w := n.key("questions")
		w.ArrayLen(3 * len(m.Questions))
		for _, q := range m.Questions {
			w.Str(q.Name)
			w.Int(q.Type)
			w.Int(q.Class)
		}
	}
	records(&n, "answers", m.Answers)
	records(&n, "authorities", m.Authorities)
	records(&n, "additionals", m.Additionals)
	n.extra(m.Extra)
	n.close(w)
}

func records(n *object, k string, rs []flowfile.DNSRecord) {
	if len(rs) == 0 {
		return
	}
	n.e.limit(len(rs), maxList, k)
	w := n.key(k)
	w.ArrayLen(5 * len(rs))
	for _, r := range rs {
		w.Str(r.Name)
		w.Int(r.Type)
		w.Int(r.Class)
		w.Int(r.TTL)
		w.BinString(r.Data)
	}
}

// Conn returns the conn record of c, valid until the next call. Its certificates are
// parts PartMitmCert and PartCert and above.
func (e *Encoder) Conn(c *flowfile.Conn) []byte {
	o := e.begin(TypeConn)
	o.str("id", c.ID)
	o.str("transport", c.Transport)
	addr(&o, "peer", c.Peer)
	addr(&o, "sock", c.Sock)
	addr(&o, "addr", c.Address)
	if c.Via != nil {
		w := o.key("via")
		w.ArrayLen(3 + len(c.Via.Addr.Extra))
		w.Str(c.Via.Scheme)
		addrValues(&o, w, &c.Via.Addr)
	}
	o.int("start", int64(c.Start))
	o.time("tcp", c.TCPSetup, c.Start)
	o.time("tls_at", c.TLSSetup, c.Start)
	o.time("end", c.End, c.Start)
	o.bool("tls", c.TLS)
	o.str("tls_ver", c.TLSVersion)
	o.str("cipher", c.Cipher)
	o.strs("ciphers", c.Ciphers)
	o.str("sni", c.SNI)
	o.str("alpn", c.ALPN)
	o.strs("alpn_offers", c.ALPNOffers)
	e.limit(len(c.Certificates), maxCerts, "certificates")
	o.int("certs", int64(len(c.Certificates)))
	o.str("mode", c.ProxyMode)
	o.str("error", c.Error)
	o.int("state", int64(c.State))
	o.extra(c.Extra)
	return e.end(&o)
}

func addr(o *object, k string, a *flowfile.Addr) {
	if a == nil {
		return
	}
	w := o.key(k)
	w.ArrayLen(2 + len(a.Extra))
	addrValues(o, w, a)
}

func addrValues(o *object, w *mp.Writer, a *flowfile.Addr) {
	o.e.limit(len(a.Extra), maxAddr, "numbers in an address")
	w.Str(a.Host)
	w.Int(int64(a.Port))
	for _, x := range a.Extra {
		w.Int(x)
	}
}

// Msg returns the record of message n of a flow, valid until the next call.
func (e *Encoder) Msg(flow string, n int, m *flowfile.Msg) []byte {
	o := e.begin(TypeMsg)
	id(&o, "flow", flow)
	o.int("n", int64(n))
	o.int("ts", int64(m.Time))
	o.bool("client", m.FromClient)
	o.int("op", int64(m.Opcode))
	o.bool("dropped", m.Dropped)
	o.bool("injected", m.Injected)
	o.extra(m.Extra)
	return e.end(&o)
}

// Part returns the record of a chunk of a body, valid until the next call.
func (e *Encoder) Part(flow string, part int, off int64, last bool) []byte {
	o := e.begin(TypePart)
	id(&o, "flow", flow)
	o.int("part", int64(part))
	o.int("off", off)
	o.bool("last", last)
	return e.end(&o)
}

// End is what an end record says besides the flow's id.
type End struct {
	// Before is the head as far as it was written, After is what Encoder.FlowAt says now, both
	// open: what differs goes into the record. Nil: nothing does.
	Before, After []byte

	Messages   int      // how many msg records the flow had
	Incomplete bool     // the flow itself had not ended
	Truncated  [2]int64 // a body's length on the wire where its parts are not all: -1 unknown, 0 whole
}

// End returns the end record of an open flow, valid until the next call.
func (e *Encoder) End(flow string, x End) []byte {
	o := e.begin(TypeEnd)
	id(&o, "flow", flow)
	e.changes(&o, x.Before, x.After)
	o.int("msgs", int64(x.Messages))
	o.bool("incomplete", x.Incomplete)
	o.int("cut_req", x.Truncated[0])
	o.int("cut_resp", x.Truncated[1])
	return e.end(&o)
}

// Late returns a late record: what differs between before and after, as in End, and whether
// anything does. The record is valid until the next call.
func (e *Encoder) Late(flow string, before, after []byte) (record []byte, differs bool) {
	o := e.begin(TypeLate)
	id(&o, "flow", flow)
	n := e.changes(&o, before, after)
	return e.end(&o), n > 0
}

// entry is an entry of a record's map as it is encoded.
type entry struct {
	key   string
	value []byte
}

// changes writes the entries of after that before does not have, and takes back those that
// only before has. It returns how many there were.
func (e *Encoder) changes(o *object, before, after []byte) int {
	if after == nil {
		return 0
	}
	old, now := e.entries(0, before), e.entries(1, after)
	n := o.n
	for _, x := range now {
		if i := find(old, x.key); !fixed(x.key) && (i < 0 || !bytes.Equal(old[i].value, x.value)) {
			o.key(x.key).Raw(x.value)
		}
	}
	for _, x := range old {
		if fixed(x.key) || find(now, x.key) >= 0 {
			continue
		}
		switch x.key {
		case "created": // it is what ts says
			if i := find(old, "ts"); i >= 0 {
				o.key(x.key).Raw(old[i].value)
			} else {
				o.key(x.key).Int(0)
			}
		case "intercepted", "incomplete":
			o.key(x.key).Bool(false)
		case "replay", "mark", "comment":
			o.key(x.key).Str("")
		default:
			o.key(x.key).Nil()
		}
	}
	clear(e.heads[0])
	clear(e.heads[1])
	return o.n - n
}

// fixed tells whether a key is that of the head alone.
func fixed(key string) bool { return key == "type" || key == "id" || key == "ts" || key == "open" }

func (e *Encoder) entries(which int, record []byte) []entry {
	es, r := e.heads[which][:0], &e.check
	r.Reset(record)
	for n := r.MapLen(); n > 0 && r.Err() == nil; n-- {
		key := r.Str()
		es = append(es, entry{key, r.Raw()})
	}
	if err := r.Err(); err != nil {
		panic("wire: internal error: a head that cannot be read: " + err.Error())
	}
	e.heads[which] = es
	return es
}

func find(es []entry, key string) int {
	for i := range es {
		if es[i].key == key {
			return i
		}
	}
	return -1
}

// Meta returns the record that begins a session, valid until the next call.
func (e *Encoder) Meta(creator string) []byte {
	o := e.begin(TypeMeta)
	o.key("schema").Int(1)
	o.str("creator", creator)
	return e.end(&o)
}

// id writes a UUID in the canonical form as 16 bytes, anything else as it is.
func id(o *object, k, s string) {
	var b [16]byte
	if parseUUID(s, &b) {
		o.key(k).Bin(b[:])
		return
	}
	if len(s) == 16 && !utf8.ValidString(s) { // bin of 16 is a UUID, so this goes in an array
		w := o.key(k)
		w.ArrayLen(1)
		w.BinString(s)
		return
	}
	o.key(k).Str(s)
}

// value writes metadata of which left values more are allowed.
func (e *Encoder) value(w *mp.Writer, v any, depth int, left *int) {
	*left--
	e.limit(depth, maxDepth, "levels of metadata")
	e.limit(-*left, 0, "values in metadata too many")
	if e.err != nil {
		w.Nil()
		return
	}
	switch v := v.(type) {
	case nil:
		w.Nil()
	case bool:
		w.Bool(v)
	case int64:
		w.Int(v)
	case float64:
		w.Float(v)
	case string:
		w.Str(v)
	case flowfile.Bytes:
		w.BinString(string(v))
	case flowfile.BigInt: // no such type in msgpack: a map of one, which no text key can be
		w.MapLen(1)
		w.Nil()
		w.Str(string(v))
	case flowfile.List:
		w.ArrayLen(len(v))
		for _, x := range v {
			e.value(w, x, depth+1, left)
		}
	case flowfile.Map:
		w.MapLen(len(v))
		for _, x := range v {
			w.Str(x.Key)
			e.value(w, x.Value, depth+1, left)
		}
	default:
		panic("wire: internal error: metadata of a type that the model does not have")
	}
}
