package python

import (
	"slices"

	"flowkit/flowfile"
	"flowkit/flowfile/mitm"
)

// Places in the records of requests and responses; see PROTOCOL.md.
const (
	requestHost = iota
	requestPort
	requestMethod
	requestScheme
	requestAuthority
	requestPath
	requestVersion
	requestHeaders
	requestOff
	requestLen
	requestStart
	requestEnd
	requestTrailers
	requestFields
)

const (
	responseStatus = iota
	responseReason
	responseVersion
	responseHeaders
	responseOff
	responseLen
	responseStart
	responseEnd
	responseTrailers
	responseFields
)

// newestVersion is the format version of states that scripts see of flows that do not come
// from a dump.
const newestVersion = 21

// version returns the format version of f's record.
func version(f *flowfile.Flow) int {
	switch o := f.Origin().(type) {
	case nil:
	case *mitm.Record:
		return o.Version()
	default:
		if k := o.Kept(f); k != nil && k.Format == mitm.Format {
			return k.Version
		}
	}
	return newestVersion
}

// sides tells which messages of HTTP flows are sent along; the others are fetched when a
// script touches one.
type sides struct{ request, response bool }

// record writes the record of f. Bodies that lie in file are referred to, all others are to
// be fetched.
func (m *marshal) record(f *flowfile.Flow, file string, sides sides) error {
	m.tuple(7)
	m.integer(int64(f.Kind()))
	m.text(f.ID())
	m.time(f.Created())
	switch f.Kind() {
	case flowfile.HTTP:
		if sides.request || f.Request() == nil {
			m.request(f.Request(), file)
		} else {
			m.boolean(true)
		}
		if sides.response || f.Response() == nil {
			m.response(f.Response(), file)
		} else {
			m.boolean(true)
		}
	case flowfile.DNS:
		m.dnsBlob(f.DNSRequest())
		m.dnsBlob(f.DNSResponse())
	default:
		m.none()
		m.none()
	}
	if err := m.cold(f); err != nil {
		return err
	}
	m.integer(int64(version(f)))
	return nil
}

func (m *marshal) request(r *flowfile.Request, file string) {
	if r == nil {
		m.none()
		return
	}
	start := m.blob()
	m.tuple(requestFields)
	m.text(r.Host())
	m.integer(int64(r.Port()))
	m.bytes(r.Method())
	m.bytes(r.Scheme())
	m.bytes(r.Authority())
	m.bytes(r.Path())
	m.message(&r.Message, file)
	m.end(start)
}

func (m *marshal) response(r *flowfile.Response, file string) {
	if r == nil {
		m.none()
		return
	}
	start := m.blob()
	m.tuple(responseFields)
	m.integer(int64(r.Status()))
	m.bytes(r.Reason())
	m.message(&r.Message, file)
	m.end(start)
}

func (m *marshal) message(x *flowfile.Message, file string) {
	m.bytes(x.Version())
	m.headers(x.Headers())
	b := x.Body()
	off := int64(-1)
	if file != "" {
		if e, ok := b.Extent(); ok && e.File == file {
			off = e.Offset
		}
	}
	m.integer(off)
	if b.State() == flowfile.BodyAbsent {
		m.none()
	} else {
		m.integer(b.Size())
	}
	m.time(x.Start())
	m.time(x.End())
	if x.Trailers() == nil {
		m.none()
	} else {
		m.headers(x.Trailers())
	}
}

func (m *marshal) headers(h *flowfile.Headers) {
	fields := h.Fields()
	m.tuple(len(fields))
	for i := range fields {
		m.tuple(2)
		m.bytes(fields[i].Name)
		m.bytes(fields[i].Value)
	}
}

// cold writes what few flows have.
func (m *marshal) cold(f *flowfile.Flow) error {
	w := f.WebSocket()
	if f.Error() == nil && !f.Intercepted() && f.Replay() == "" && f.Marked() == "" && f.Comment() == "" &&
		len(f.Metadata()) == 0 && w == nil {
		m.none()
		return nil
	}
	start := m.blob()
	m.tuple(7)
	if e := f.Error(); e == nil {
		m.none()
	} else {
		m.tuple(2)
		m.text(e.Msg)
		m.time(e.Time)
	}
	m.boolean(f.Intercepted())
	m.textOrNone(f.Replay())
	m.text(f.Marked())
	m.text(f.Comment())
	// A dump has dictionaries in the reverse of the order in which they were made, and
	// mitmproxy's scripts see them so.
	meta := f.Metadata()
	if fromDump(f) {
		meta, _ = reversed(meta).(flowfile.Map)
	}
	if err := m.value(meta); err != nil {
		return err
	}
	if w == nil {
		m.none()
	} else {
		m.websocket(w)
	}
	m.end(start)
	return nil
}

func fromDump(f *flowfile.Flow) bool {
	_, ok := f.Origin().(*mitm.Record)
	return ok
}

// reversed returns a value of metadata with every dictionary in reverse order.
func reversed(v any) any {
	switch v := v.(type) {
	case flowfile.Map:
		out := make(flowfile.Map, 0, len(v))
		for _, e := range slices.Backward(v) {
			out = append(out, flowfile.MapEntry{Key: e.Key, Value: reversed(e.Value)})
		}
		return out
	case flowfile.List:
		out := make(flowfile.List, len(v))
		for i := range v {
			out[i] = reversed(v[i])
		}
		return out
	}
	return v
}

func (m *marshal) websocket(w *flowfile.WebSocket) {
	m.tuple(4)
	if w.ClosedByClient == nil {
		m.none()
	} else {
		m.boolean(*w.ClosedByClient)
	}
	if w.CloseCode == 0 {
		m.none()
	} else {
		m.integer(int64(w.CloseCode))
	}
	// A conversation that was not closed has no reason, which differs from an empty one.
	if w.CloseReason == "" && w.ClosedByClient == nil && w.CloseCode == 0 {
		m.none()
	} else {
		m.text(w.CloseReason)
	}
	m.time(w.End)
}

func (m *marshal) dnsBlob(d *flowfile.DNSMessage) {
	if d == nil {
		m.none()
		return
	}
	start := m.blob()
	m.tuple(14)
	m.integer(d.ID)
	m.boolean(d.Query)
	m.integer(d.OpCode)
	m.boolean(d.AuthoritativeAnswer)
	m.boolean(d.Truncation)
	m.boolean(d.RecursionDesired)
	m.boolean(d.RecursionAvailable)
	m.integer(d.Reserved)
	m.integer(d.ResponseCode)
	m.tuple(len(d.Questions))
	for _, q := range d.Questions {
		m.tuple(3)
		m.text(q.Name)
		m.integer(q.Type)
		m.integer(q.Class)
	}
	for _, records := range [][]flowfile.DNSRecord{d.Answers, d.Authorities, d.Additionals} {
		m.tuple(len(records))
		for _, r := range records {
			m.tuple(5)
			m.text(r.Name)
			m.integer(r.Type)
			m.integer(r.Class)
			m.integer(r.TTL)
			m.bytes(r.Data)
		}
	}
	m.time(d.Time)
	m.end(start)
}

// Places in the record of a connection.
const (
	connID = iota
	connTransport
	connPeer
	connSock
	connAddress
	connVia
	connStart
	connTCPSetup
	connTLSSetup
	connEnd
	connTLS
	connTLSVersion
	connCipher
	connCiphers
	connSNI
	connALPN
	connALPNOffers
	connCertificates
	connMitmCert
	connProxyMode
	connError
	connState
	connFields
)

// maxCertificate bounds one certificate of a connection.
const maxCertificate = 1 << 20

func (m *marshal) conn(c *flowfile.Conn) error {
	start := m.blob()
	m.tuple(connFields)
	m.text(c.ID)
	transport := c.Transport
	if transport == "" {
		transport = "tcp" // before there was UDP
	}
	m.text(transport)
	m.address(c.Peer)
	m.address(c.Sock)
	m.address(c.Address)
	if c.Via == nil {
		m.none()
	} else {
		m.tuple(2)
		m.text(c.Via.Scheme)
		m.address(&c.Via.Addr)
	}
	for _, t := range [...]flowfile.Time{c.Start, c.TCPSetup, c.TLSSetup, c.End} {
		m.time(t)
	}
	m.boolean(c.TLS)
	m.textOrNone(c.TLSVersion)
	m.textOrNone(c.Cipher)
	m.tuple(len(c.Ciphers))
	for _, s := range c.Ciphers {
		m.text(s)
	}
	m.textOrNone(c.SNI)
	m.bytesOrNone(c.ALPN, c.ALPN != "")
	m.tuple(len(c.ALPNOffers))
	for _, s := range c.ALPNOffers {
		m.bytes(s)
	}
	m.tuple(len(c.Certificates))
	for _, b := range c.Certificates {
		pem, err := b.Bytes(maxCertificate)
		if err != nil {
			return err
		}
		m.bytes(alias(pem))
	}
	if c.MitmCert.State() == flowfile.BodyAbsent {
		m.none()
	} else {
		pem, err := c.MitmCert.Bytes(maxCertificate)
		if err != nil {
			return err
		}
		m.bytes(alias(pem))
	}
	m.text(c.ProxyMode)
	m.textOrNone(c.Error)
	m.integer(int64(c.State))
	m.end(start)
	return nil
}

func (m *marshal) address(a *flowfile.Addr) {
	if a == nil {
		m.none()
		return
	}
	m.tuple(2 + len(a.Extra))
	m.text(a.Host)
	m.integer(int64(a.Port))
	for _, n := range a.Extra {
		m.integer(n)
	}
}
