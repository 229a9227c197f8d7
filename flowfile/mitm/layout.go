package mitm

import (
	"errors"
	"slices"

	"flowkit/flowfile"
)

// errCannotHold is returned for a flow that the version has no form for.
var errCannotHold = errors.New("the format version cannot hold this flow")

// The keys of a flow in mitmproxy's order of creation.
var (
	commonKeys = []string{
		"id", "error", "client_conn", "server_conn", "intercepted", "is_replay", "marked", "metadata", "comment",
		"timestamp_created",
	}
	httpKeys    = []string{"request", "response", "websocket"}
	dnsKeys     = []string{"request", "response"}
	messageKeys = []string{"messages"}

	http17    = slices.Concat(commonKeys, httpKeys, []string{"version", "type", "backup"})
	dns17     = slices.Concat(commonKeys, dnsKeys, []string{"version", "type", "backup"})
	message17 = slices.Concat(commonKeys, messageKeys, []string{"version", "type", "backup"})
	http19    = slices.Concat([]string{"version", "type"}, commonKeys, []string{"backup"}, httpKeys)
	dns19     = slices.Concat([]string{"version", "type"}, commonKeys, []string{"backup"}, dnsKeys)
	message19 = slices.Concat([]string{"version", "type"}, commonKeys, []string{"backup"}, messageKeys)
)

// flowKeys returns the keys of a flow.
func flowKeys(version int, kind flowfile.Kind) []string {
	switch {
	case kind == flowfile.HTTP && version >= 19:
		return http19
	case kind == flowfile.HTTP:
		return http17
	case kind == flowfile.DNS && version >= 19:
		return dns19
	case kind == flowfile.DNS:
		return dns17
	case version >= 19:
		return message19
	}
	return message17
}

// flow writes f as mitmproxy writes it in e.version. Of r, the record of f if it has
// one, the backup is taken, and connections that are equal in form.
func (e *encoder) flow(f *flowfile.Flow, r *Record) error {
	return e.flowFrom(f, r, func(string) bool { return false })
}

// flowFrom is flow, in which original may write the value of a key.
func (e *encoder) flowFrom(f *flowfile.Flow, r *Record, original func(key string) bool) error {
	if f.Kind() == flowfile.UDP && e.version < 18 ||
		f.Kind() == flowfile.HTTP && f.Request() == nil ||
		f.Kind() == flowfile.DNS && f.DNSRequest() == nil {
		return errCannotHold
	}
	e.lost.Extra += int64(len(f.Extra()))
	mark := e.begin('}')
	for _, key := range flowKeys(e.version, f.Kind()) {
		if key == "backup" && e.version < 19 && (r == nil || r.backup.n == 0) {
			continue // is not null but missing
		}
		if !original(key) {
			e.field(key, f, r)
		}
		e.key(key)
	}
	e.end(mark)
	return e.err
}

// connOf writes a connection of f; of a record as it is if that is in form.
func (e *encoder) connOf(c *flowfile.Conn, entry *connEntry, server bool) {
	if entry.is(c, e.version) {
		e.original(entry.raw)
		return
	}
	e.nullALPN = e.converting && entry != nil && entry.parse().conn == c && entry.nullALPN
	e.conn(c, server)
	e.nullALPN = false
}

// is tells whether the connection of the entry is c and its bytes are those that the
// model writer would give in version.
func (c *connEntry) is(conn *flowfile.Conn, version int) bool {
	return c != nil && c.parse().conn == conn && c.version == version && c.plain()
}

// original writes a dictionary of which the payload is at hand.
func (e *encoder) original(payload string) {
	if len(payload) < 512 {
		e.element(payload, '}')
		return
	}
	mark := e.begin('}')
	e.piece(piece{n: int64(len(payload)), part: notBody, data: unalias(payload)})
	e.end(mark)
}

// backup writes the state before a user's edits, which is a record itself. Only a
// record has one.
func (e *encoder) backup(r *Record) {
	if r == nil || r.backup.n == 0 {
		e.null()
		return
	}
	if r.version == e.version {
		e.original(alias(r.bytes()[r.backup.at : r.backup.at+r.backup.n]))
		return
	}
	f, err := r.backupFlow()
	if err != nil {
		e.lost.Fields++
		e.null()
		return
	}
	before := *e
	if err := e.flow(f, nil); err != nil {
		e.pos, e.apart, e.pieces, e.err = len(e.buf)-(len(before.buf)-before.pos), before.apart, before.pieces, nil
		e.lost.Fields++
		e.null()
	}
}

// field writes the value of a key of the top level.
func (e *encoder) field(key string, f *flowfile.Flow, r *Record) {
	switch key {
	case "version":
		e.integer(int64(e.version))
	case "type":
		e.text(f.Kind().String())
	case "id":
		e.text(f.ID())
	case "error":
		e.failure(f)
	case "client_conn":
		if r == nil {
			e.conn(f.Client(), false)
			return
		}
		e.connOf(f.Client(), r.client, false)
	case "server_conn":
		if r == nil {
			e.conn(f.Server(), true)
			return
		}
		e.connOf(f.Server(), r.server, true)
	case "intercepted":
		e.boolean(f.Intercepted())
	case "is_replay":
		e.textOrNull(f.Replay())
	case "marked":
		e.text(f.Marked())
	case "metadata":
		e.dictionary(f.Metadata(), 0)
	case "comment":
		e.text(f.Comment())
	case "timestamp_created":
		t := f.Created()
		if t == 0 {
			t = f.Start()
		}
		e.timeOrZero(t)
	case "backup":
		e.backup(r)
	default:
		e.special(key, f)
	}
}

// special writes the value of a key that a kind of flow has besides.
func (e *encoder) special(key string, f *flowfile.Flow) {
	switch {
	case key == "messages":
		e.messages(f, false)
	case key == "websocket":
		e.websocket(f)
	case f.Kind() == flowfile.DNS && key == "request":
		e.dns(f.DNSRequest())
	case f.Kind() == flowfile.DNS:
		e.dns(f.DNSResponse())
	case key == "request":
		e.request(f.Request(), f.Created())
	default:
		e.response(f)
	}
}

func (e *encoder) failure(f *flowfile.Flow) {
	x := f.Error()
	if x == nil {
		e.null()
		return
	}
	e.lost.Extra += int64(len(x.Extra))
	mark := e.begin('}')
	e.text(x.Msg)
	e.key("msg")
	t := x.Time
	if t == 0 {
		t = f.Created()
	}
	e.timeOrZero(t)
	e.key("timestamp")
	e.end(mark)
}

// requestKeys and responseKeys are in the order of creation.
var (
	requestKeys = []string{
		"http_version", "headers", "content", "trailers", "timestamp_start", "timestamp_end",
		"host", "port", "method", "scheme", "authority", "path",
	}
	responseKeys = []string{
		"http_version", "headers", "content", "trailers", "timestamp_start", "timestamp_end",
		"status_code", "reason",
	}
)

func (e *encoder) request(r *flowfile.Request, created flowfile.Time) {
	if r == nil {
		e.null()
		return
	}
	e.lost.Extra += int64(len(r.Extra()))
	mark := e.begin('}')
	for _, k := range requestKeys {
		e.requestField(k, r, created)
		e.key(k)
	}
	e.end(mark)
}

func (e *encoder) requestField(key string, r *flowfile.Request, created flowfile.Time) {
	switch key {
	case "host":
		e.text(r.Host())
	case "port":
		e.integer(int64(r.Port()))
	case "method":
		e.bytesOf(r.Method())
	case "scheme":
		e.bytesOf(r.Scheme())
	case "authority":
		e.bytesOf(r.Authority())
	case "path":
		e.bytesOf(r.Path())
	default:
		e.messageField(key, &r.Message, flowfile.BodyRequest, created)
	}
}

func (e *encoder) response(f *flowfile.Flow) {
	r := f.Response()
	if r == nil {
		e.null()
		return
	}
	e.lost.Extra += int64(len(r.Extra()))
	started := responseStart(f)
	mark := e.begin('}')
	for _, k := range responseKeys {
		e.responseField(k, r, started)
		e.key(k)
	}
	e.end(mark)
}

// responseStart is what stands for an unknown start, which mitmproxy does not know.
func responseStart(f *flowfile.Flow) flowfile.Time {
	if q := f.Request(); q != nil && q.End() != 0 {
		return q.End()
	}
	return f.Start()
}

func (e *encoder) responseField(key string, r *flowfile.Response, started flowfile.Time) {
	switch key {
	case "status_code":
		e.integer(int64(r.Status()))
	case "reason":
		e.bytesOf(r.Reason())
	default:
		e.messageField(key, &r.Message, flowfile.BodyResponse, started)
	}
}

func (e *encoder) messageField(key string, m *flowfile.Message, part int, started flowfile.Time) {
	switch key {
	case "http_version":
		e.bytesOf(m.Version())
	case "headers":
		e.headers(m.Headers())
	case "trailers":
		if m.Trailers() == nil {
			e.null()
			return
		}
		e.headers(m.Trailers())
	case "content":
		e.body(m.Body(), part)
	case "timestamp_start":
		t := m.Start()
		if t == 0 {
			t = started
		}
		e.timeOrZero(t)
	case "timestamp_end":
		e.time(m.End())
	}
}

func (e *encoder) headers(h *flowfile.Headers) {
	mark := e.begin(']')
	for _, f := range slices.Backward(h.Fields()) {
		m := e.begin(']')
		e.bytesOf(f.Value)
		e.bytesOf(f.Name)
		e.end(m)
	}
	e.end(mark)
}

func (e *encoder) websocket(f *flowfile.Flow) {
	w := f.WebSocket()
	if w == nil && f.Messages().Len() == 0 {
		e.null()
		return
	}
	if w == nil {
		w = new(flowfile.WebSocket)
	}
	e.lost.Extra += int64(len(w.Extra))
	mark := e.begin('}')
	e.messages(f, true)
	e.key("messages")
	for _, k := range webSocketKeys {
		e.websocketField(k, w)
		e.key(k)
	}
	e.end(mark)
}

func (e *encoder) websocketField(key string, w *flowfile.WebSocket) {
	switch key {
	case "closed_by_client":
		if w.ClosedByClient == nil {
			e.null()
			return
		}
		e.boolean(*w.ClosedByClient)
	case "close_code":
		if w.CloseCode == 0 {
			e.null()
			return
		}
		e.integer(int64(w.CloseCode))
	case "close_reason":
		// A conversation that was not closed has none, which differs from an empty one.
		if w.CloseReason == "" && w.ClosedByClient == nil && w.CloseCode == 0 {
			e.null()
			return
		}
		e.text(w.CloseReason)
	case "timestamp_end":
		e.time(w.End)
	}
}
