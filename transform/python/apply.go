package python

import (
	"fmt"

	"flowkit/flowfile"
)

// apply takes what scripts changed over into flows; see PROTOCOL.md, "Diffs". Strings lie
// in the frame, which stays as long as a flow needs it.
type apply struct {
	worker *worker
	raw    []byte
}

// Fields of a flow in a diff.
const (
	flowID = iota
	flowCreated
	flowError
	flowIntercepted
	flowReplay
	flowMarked
	flowComment
	flowMetadata
	flowWebSocket
	flowMessages
	flowClient
	flowServer
	flowDNSRequest
	flowDNSResponse
)

func (a *apply) diff(flows []*flowfile.Flow, t tuple) error {
	d := fieldsOf{t: t}
	index, dropped := int(d.int()), d.bool()
	request, response, ops := d.value(), d.value(), d.tuple()
	if d.err != nil || index < 0 || index >= len(flows) {
		return fmt.Errorf("diff: %w", errMarshal)
	}
	f := flows[index]
	if dropped {
		f.Drop()
		return nil
	}
	for _, err := range []error{a.request(f, request), a.response(f, response), a.flow(f, ops)} {
		if err != nil {
			return fmt.Errorf("diff of flow %s: %w", f.ID(), err)
		}
	}
	return nil
}

// body returns the body that an op is about.
func (a *apply) body(v any) (flowfile.Body, error) {
	if v == nil {
		return flowfile.Body{}, nil
	}
	b, err := a.bytes(v)
	if err != nil {
		return flowfile.Body{}, err
	}
	return a.worker.keep(b)
}

func (a *apply) bytes(v any) ([]byte, error) {
	f := fieldsOf{t: listOf(v)}
	off, n := f.int(), f.int()
	if f.err != nil || off < 0 || n < 0 || off+n > int64(len(a.raw)) {
		return nil, fmt.Errorf("body: %w", errMarshal)
	}
	return a.raw[off : off+n : off+n], nil
}

// keep returns a body of b: a large one goes to the spool, others stay in the frame.
func (w *worker) keep(b []byte) (flowfile.Body, error) {
	s := w.session.specs[0].Spool
	if s == nil || len(b) <= inArena {
		return flowfile.BytesBody(b), nil
	}
	c, err := s.Add(b)
	if err != nil {
		return flowfile.Body{}, err
	}
	return flowfile.ContentBody(c), nil
}

func (a *apply) request(f *flowfile.Flow, v any) error {
	t := listOf(v)
	switch {
	case v == nil:
		return nil
	case v == false:
		f.SetRequest(nil)
		return nil
	case len(t) > 0 && t[0] == true:
		x := fieldsOf{t: t[1:]}
		h := flowfile.RequestHead{Host: x.text(), Port: int(x.int()), Method: x.bytes(), Scheme: x.bytes(), Authority: x.bytes(), Path: x.bytes()}
		if err := a.message(&x, &h.MessageHead); err != nil {
			return err
		}
		f.SetRequest(flowfile.NewRequest(h))
		return nil
	}
	r := f.Request()
	if r == nil {
		return fmt.Errorf("request: %w", errMarshal)
	}
	for i := 0; i+1 < len(t); i += 2 {
		x := fieldsOf{t: t[i : i+2]}
		switch n := x.int(); n {
		case requestHost:
			r.SetHost(x.text())
		case requestPort:
			r.SetPort(int(x.int()))
		case requestMethod:
			r.SetMethod(x.bytes())
		case requestScheme:
			r.SetScheme(x.bytes())
		case requestAuthority:
			r.SetAuthority(x.bytes())
		case requestPath:
			r.SetPath(x.bytes())
		default:
			if err := a.op(&r.Message, int(n)-requestVersion, &x); err != nil {
				return err
			}
		}
		if x.err != nil {
			return x.err
		}
	}
	return nil
}

func (a *apply) response(f *flowfile.Flow, v any) error {
	t := listOf(v)
	switch {
	case v == nil:
		return nil
	case v == false:
		f.SetResponse(nil)
		return nil
	case len(t) > 0 && t[0] == true:
		x := fieldsOf{t: t[1:]}
		h := flowfile.ResponseHead{Status: int(x.int()), Reason: x.bytes()}
		if err := a.message(&x, &h.MessageHead); err != nil {
			return err
		}
		f.SetResponse(flowfile.NewResponse(h))
		return nil
	}
	r := f.Response()
	if r == nil {
		return fmt.Errorf("response: %w", errMarshal)
	}
	for i := 0; i+1 < len(t); i += 2 {
		x := fieldsOf{t: t[i : i+2]}
		switch n := x.int(); n {
		case responseStatus:
			r.SetStatus(int(x.int()))
		case responseReason:
			r.SetReason(x.bytes())
		default:
			if err := a.op(&r.Message, int(n)-responseVersion, &x); err != nil {
				return err
			}
		}
		if x.err != nil {
			return x.err
		}
	}
	return nil
}

// message reads what new requests and responses have in common.
func (a *apply) message(x *fieldsOf, h *flowfile.MessageHead) error {
	h.Version, h.Headers = x.bytes(), x.headers()
	body := x.value()
	x.value() // len
	h.Start, h.End = x.time(), x.time()
	if t := x.value(); t != nil {
		y := fieldsOf{t: tuple{t}}
		trailers := flowfile.NewHeaders(y.headers())
		h.Trailers, x.err = &trailers, y.err
	}
	if x.err != nil {
		return x.err
	}
	var err error
	h.Body, err = a.body(body)
	return err
}

// op changes a field that requests and responses have in common, counted from their version.
func (a *apply) op(m *flowfile.Message, n int, x *fieldsOf) error {
	switch n + requestVersion {
	case requestVersion:
		m.SetVersion(x.bytes())
	case requestHeaders:
		x.splice(m.Headers())
	case requestOff:
		b, err := a.body(x.value())
		if err != nil {
			return err
		}
		m.SetBody(b)
	case requestStart:
		m.SetStart(x.time())
	case requestEnd:
		m.SetEnd(x.time())
	case requestTrailers:
		if len(x.t) > 1 && x.t[1] == nil {
			m.SetTrailers(nil)
			return nil
		}
		trailers := flowfile.NewHeaders(x.headers())
		m.SetTrailers(&trailers)
	default:
		return fmt.Errorf("field %d: %w", n, errMarshal)
	}
	return nil
}

func (a *apply) flow(f *flowfile.Flow, ops tuple) error {
	for i := 0; i+1 < len(ops); i += 2 {
		x := fieldsOf{t: ops[i : i+2]}
		if err := a.flowField(f, int(x.int()), &x); err != nil {
			return err
		}
		if x.err != nil {
			return x.err
		}
	}
	return nil
}

func (a *apply) flowField(f *flowfile.Flow, n int, x *fieldsOf) error {
	switch n {
	case flowID:
		f.SetID(x.text())
	case flowCreated:
		f.SetCreated(x.time())
	case flowError:
		f.SetError(errorOf(x))
	case flowIntercepted:
		f.SetIntercepted(x.bool())
	case flowReplay:
		f.SetReplay(x.textOrEmpty())
	case flowMarked:
		f.SetMarked(x.textOrEmpty())
	case flowComment:
		f.SetComment(x.textOrEmpty())
	case flowMetadata:
		v := x.value()
		m, ok := plain(v).(flowfile.Map)
		if !ok && v != nil {
			x.wrong("a dictionary", v)
		}
		f.SetMetadata(m)
	case flowWebSocket:
		if f.SetWebSocket(webSocketOf(f, x)); f.WebSocket() == nil {
			f.Messages().Replace(&flowfile.MessageLog{})
		}
	case flowMessages:
		return a.messages(f, x.list())
	case flowClient:
		c, err := connOf(f.Client(), x.tuple(), false)
		f.SetClient(c)
		return err
	case flowServer:
		c, err := connOf(f.Server(), x.tuple(), true)
		f.SetServer(c)
		return err
	case flowDNSRequest:
		m, err := dnsOf(x.value())
		f.SetDNSRequest(m)
		return err
	case flowDNSResponse:
		m, err := dnsOf(x.value())
		f.SetDNSResponse(m)
		return err
	default:
		return fmt.Errorf("field %d: %w", n, errMarshal)
	}
	return nil
}

// plain returns a value with lists where there are tuples.
func plain(v any) any {
	switch v := v.(type) {
	case tuple:
		return plain(flowfile.List(v))
	case flowfile.List:
		for i := range v {
			v[i] = plain(v[i])
		}
	case flowfile.Map:
		for i := range v {
			v[i].Value = plain(v[i].Value)
		}
	}
	return v
}

func errorOf(x *fieldsOf) *flowfile.Error {
	t := x.tuple()
	if t == nil {
		return nil
	}
	y := fieldsOf{t: t}
	e := &flowfile.Error{Msg: y.text(), Time: y.time()}
	x.err = y.err
	return e
}

func webSocketOf(f *flowfile.Flow, x *fieldsOf) *flowfile.WebSocket {
	t := x.tuple()
	if t == nil {
		return nil
	}
	w := new(flowfile.WebSocket)
	if old := f.WebSocket(); old != nil {
		w.Extra = old.Extra
	}
	y := fieldsOf{t: t}
	if v := y.value(); v != nil {
		b, ok := v.(bool)
		if !ok {
			y.wrong("a truth value", v)
		}
		w.ClosedByClient = &b
	}
	w.CloseCode, w.CloseReason, w.End = int(y.int()), y.textOrEmpty(), y.time()
	x.err = y.err
	return w
}

// messages puts a list together of old messages, by number, and changed and new ones.
func (a *apply) messages(f *flowfile.Flow, list []any) error {
	var old []flowfile.Msg
	for m, err := range f.Messages().All() {
		if err != nil {
			return err
		}
		old = append(old, m)
	}
	log := &flowfile.MessageLog{Spool: a.worker.session.specs[0].Spool}
	for _, v := range list {
		if n, ok := v.(int64); ok {
			if n < 0 || int(n) >= len(old) {
				return fmt.Errorf("message %d: %w", n, errMarshal)
			}
			log.Append(old[n])
			continue
		}
		m, err := a.newMessage(listOf(v), old)
		if err != nil {
			return err
		}
		log.Append(m)
	}
	f.Messages().Replace(log)
	return nil
}

func (a *apply) newMessage(t tuple, old []flowfile.Msg) (flowfile.Msg, error) {
	x := fieldsOf{t: t}
	m := flowfile.Msg{Opcode: int(x.int()), FromClient: x.bool()}
	content := x.value()
	m.Time, m.Dropped, m.Injected = x.time(), x.bool(), x.bool()
	if len(t) > 6 {
		n := x.int()
		if n < 0 || int(n) >= len(old) {
			return m, fmt.Errorf("message %d: %w", n, errMarshal)
		}
		m.Body, m.Extra = old[n].Body, old[n].Extra
		return m, x.err
	}
	if x.err != nil {
		return m, x.err
	}
	var err error
	m.Body, err = a.body(content)
	return m, err
}

// connOf returns a connection like old with the ops applied.
func connOf(old *flowfile.Conn, ops tuple, server bool) (*flowfile.Conn, error) {
	c := new(flowfile.Conn)
	if old != nil {
		*c = *old
	}
	for i := 0; i+1 < len(ops); i += 2 {
		x := fieldsOf{t: ops[i : i+2]}
		switch x.int() {
		case connID:
			c.ID = x.textOrEmpty()
		case connTransport:
			c.Transport = x.textOrEmpty()
		case connPeer:
			c.Peer = addrOf(&x)
		case connSock:
			c.Sock = addrOf(&x)
		case connAddress:
			c.Address = addrOf(&x)
		case connVia:
			c.Via = viaOf(&x)
		case connStart:
			c.Start = x.time()
		case connTCPSetup:
			c.TCPSetup = x.time()
		case connTLSSetup:
			c.TLSSetup = x.time()
		case connEnd:
			c.End = x.time()
		case connTLS:
			c.TLS = x.bool()
		case connTLSVersion:
			c.TLSVersion = x.textOrEmpty()
		case connCipher:
			c.Cipher = x.textOrEmpty()
		case connCiphers:
			c.Ciphers = textsOf(x.tuple())
		case connSNI:
			c.SNI = x.textOrEmpty()
		case connALPN:
			c.ALPN = x.bytes()
		case connALPNOffers:
			c.ALPNOffers = bytesList(&x)
		case connCertificates:
			c.Certificates = nil
			for _, pem := range bytesList(&x) {
				c.Certificates = append(c.Certificates, flowfile.StringBody(pem))
			}
		case connMitmCert:
			c.MitmCert = flowfile.Body{}
			if len(x.t) > 1 && x.t[1] != nil {
				c.MitmCert = flowfile.StringBody(x.bytes())
			}
		case connProxyMode:
			c.ProxyMode = x.textOrEmpty()
		case connError:
			c.Error = x.textOrEmpty()
		case connState:
			c.State = int(x.int())
		default:
			x.err = errMarshal
		}
		if x.err != nil {
			return c, fmt.Errorf("connection: %w", x.err)
		}
	}
	if server {
		c.ProxyMode, c.MitmCert = "", flowfile.Body{}
	} else {
		c.Address, c.Via = nil, nil
	}
	return c, nil
}

func addrOf(x *fieldsOf) *flowfile.Addr {
	t := x.tuple()
	if len(t) == 0 {
		return nil
	}
	y := fieldsOf{t: t}
	a := &flowfile.Addr{Host: y.text()}
	if len(t) > 1 {
		a.Port = int(y.int())
	}
	for y.pos < len(t) && y.err == nil {
		a.Extra = append(a.Extra, y.int())
	}
	if y.err != nil {
		x.err = y.err
	}
	return a
}

func viaOf(x *fieldsOf) *flowfile.Via {
	t := x.tuple()
	if len(t) == 0 {
		return nil
	}
	y := fieldsOf{t: t}
	v := &flowfile.Via{Scheme: y.text()}
	if a := addrOf(&y); a != nil {
		v.Addr = *a
	}
	if y.err != nil {
		x.err = y.err
	}
	return v
}

func bytesList(x *fieldsOf) []string {
	var all []string
	for _, v := range x.tuple() {
		b, ok := v.(flowfile.Bytes)
		if !ok {
			x.wrong("bytes", v)
		}
		all = append(all, string(b))
	}
	return all
}

func dnsOf(v any) (*flowfile.DNSMessage, error) {
	if v == nil {
		return nil, nil
	}
	x := fieldsOf{t: listOf(v)}
	m := &flowfile.DNSMessage{
		ID: x.int(), Query: x.bool(), OpCode: x.int(), AuthoritativeAnswer: x.bool(), Truncation: x.bool(),
		RecursionDesired: x.bool(), RecursionAvailable: x.bool(), Reserved: x.int(), ResponseCode: x.int(),
	}
	for _, v := range x.tuple() {
		y := fieldsOf{t: listOf(v)}
		m.Questions = append(m.Questions, flowfile.DNSQuestion{Name: y.text(), Type: y.int(), Class: y.int()})
		if y.err != nil {
			x.err = y.err
		}
	}
	for _, records := range []*[]flowfile.DNSRecord{&m.Answers, &m.Authorities, &m.Additionals} {
		for _, v := range x.tuple() {
			y := fieldsOf{t: listOf(v)}
			*records = append(*records, flowfile.DNSRecord{
				Name: y.text(), Type: y.int(), Class: y.int(), TTL: y.int(), Data: y.bytes(),
			})
			if y.err != nil {
				x.err = y.err
			}
		}
	}
	m.Time = x.time()
	if x.err != nil {
		return nil, fmt.Errorf("DNS message: %w", x.err)
	}
	return m, nil
}
