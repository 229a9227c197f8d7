package har

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/jsonw"
)

// entry writes one flow.
func (w *Writer) entry(f *flowfile.Flow) {
	t := timing(f, &w.conns)
	if k := w.kept(f); k != nil {
		w.keptEntry(f, k, t)
		return
	}
	w.freshEntry(f, t)
}

// freshEntry writes a flow from the model alone.
func (w *Writer) freshEntry(f *flowfile.Flow, t timings) {
	j := w.j
	j.Object()
	w.text("pageref", w.pages.own(f.Start()))
	w.text("startedDateTime", stamp(f.Start()))
	j.Key("time")
	j.Decimal(t.total())
	j.Key("request")
	w.request(f)
	j.Key("response")
	w.response(f)
	j.Key("cache")
	j.Object()
	j.EndObject()
	j.Key("timings")
	t.write(j)
	w.connection(f)
	w.optional("comment", f.Comment())
	w.optional("_id", f.ID())
	w.optional("_marked", f.Marked())
	w.webSocket(f)
	j.EndObject()
}

// connection writes what is known of the server's connection.
func (w *Writer) connection(f *flowfile.Flow) {
	c := f.Server()
	if c != nil {
		for _, a := range []*flowfile.Addr{c.Peer, c.Address} {
			if a == nil {
				continue
			}
			if ip, err := netip.ParseAddr(strings.Trim(a.Host, "[]")); err == nil {
				w.text("serverIPAddress", ip.WithZone("").String())
				break
			}
		}
		for _, a := range []*flowfile.Addr{c.Peer, c.Address} {
			if a != nil && a.Port > 0 {
				w.text("connection", strconv.Itoa(a.Port))
				break
			}
		}
		w.optional("_connectionId", c.ID)
	}
	if c == nil || !c.TLS {
		c = f.Client()
	}
	if c == nil || !c.TLS {
		return
	}
	w.j.Key("_tls")
	w.j.Object()
	w.optional("version", c.TLSVersion)
	w.optional("cipher", c.Cipher)
	w.optional("sni", c.SNI)
	w.optional("alpn", c.ALPN)
	w.j.EndObject()
}

func (w *Writer) request(f *flowfile.Flow) {
	j := w.j
	r := f.Request()
	if r == nil {
		// Nothing may be missing.
		r = flowfile.NewRequest(flowfile.RequestHead{})
	}
	method, uri, original := "GET", "http://"+noHost+"/", "about:blank"
	if f.Request() != nil {
		method = r.Method()
		uri, original = requestURI(r)
	}
	j.Object()
	w.text("method", method)
	w.text("url", uri)
	w.optional("_url", original)
	w.text("httpVersion", httpVersion(r.Version()))
	j.Key("cookies")
	w.requestCookies(r.Headers())
	w.headers("headers", sendable(r.Headers()))
	j.Key("queryString")
	w.query(r.Path())
	size := w.requestBody(f, &r.Message)
	if t := r.Trailers(); t != nil {
		w.headers("_trailers", t)
	}
	w.int("headersSize", headSize(len(r.Method())+len(target(r))+len(r.Version())+2, r.Headers()))
	w.int("bodySize", size)
	j.EndObject()
}

// target is what the request line says behind the method.
func target(r *flowfile.Request) string {
	switch {
	case r.Authority() == "" || !strings.HasPrefix(r.Version(), "HTTP/1"):
		return r.Path()
	case r.Method() == "CONNECT":
		return r.Authority()
	}
	return r.Scheme() + "://" + r.Authority() + r.Path()
}

// headSize is the size of a head: line, headers and the empty line.
func headSize(line int, h *flowfile.Headers) int64 { return int64(line) + 2 + int64(h.Size()) + 2 }

func (w *Writer) response(f *flowfile.Flow) {
	j := w.j
	r := f.Response()
	reason := ""
	if f.Error() != nil {
		reason = f.Error().Msg
		if reason == "" {
			reason = "unknown error"
		}
	}
	j.Object()
	if r == nil {
		w.int("status", 0)
		w.text("statusText", "")
		w.text("httpVersion", "")
		j.Key("cookies")
		j.Raw("[]")
		j.Key("headers")
		j.Raw("[]")
		j.Key("content")
		j.Object()
		w.int("size", 0)
		w.text("mimeType", "x-unknown")
		j.EndObject()
		w.text("redirectURL", "")
		w.int("headersSize", -1)
		w.int("bodySize", -1)
		if reason == "" {
			reason = "no response was recorded"
		}
		w.text("_error", reason)
		j.EndObject()
		return
	}
	w.int("status", int64(r.Status()))
	w.text("statusText", r.Reason())
	w.text("httpVersion", httpVersion(r.Version()))
	j.Key("cookies")
	w.responseCookies(r.Headers())
	w.headers("headers", r.Headers())
	j.Key("content")
	size := w.responseBody(f, &r.Message)
	if t := r.Trailers(); t != nil {
		w.headers("_trailers", t)
	}
	head := headSize(len(r.Version())+len(strconv.Itoa(r.Status()))+len(r.Reason())+2, r.Headers())
	w.text("redirectURL", r.Headers().Get("Location"))
	w.int("headersSize", head)
	w.int("bodySize", size)
	if size >= 0 {
		w.int("_transferSize", head+size)
	}
	w.optional("_error", reason)
	j.EndObject()
}

// headers writes fields but those that are HTTP/2's own.
func (w *Writer) headers(key string, h *flowfile.Headers) {
	w.j.Key(key)
	w.j.Array()
	for _, f := range h.Fields() {
		if !strings.HasPrefix(f.Name, ":") {
			w.pair(f.Name, f.Value)
		}
	}
	w.j.EndArray()
}

// sendable returns h without fields that have no name: k6 rejects files with those.
func sendable(h *flowfile.Headers) *flowfile.Headers {
	fields := h.Fields()
	if !slices.ContainsFunc(fields, func(f flowfile.Field) bool { return f.Name == "" }) {
		return h
	}
	n := flowfile.NewHeaders(slices.DeleteFunc(slices.Clone(fields), func(f flowfile.Field) bool { return f.Name == "" }))
	return &n
}

func (w *Writer) pair(name, value string) {
	w.j.Object()
	w.text("name", name)
	w.text("value", value)
	w.j.EndObject()
}

// httpVersion is one of the spellings that all readers know.
func httpVersion(v string) string {
	switch strings.ToLower(v) {
	case "http/1.0", "http/0.9":
		return strings.ToUpper(v)
	case "http/2", "http/2.0", "h2", "h2c":
		return "HTTP/2"
	case "http/3", "http/3.0", "h3":
		return "HTTP/3"
	}
	return "HTTP/1.1"
}

// latin1 returns s, taken for Latin-1 if it is not UTF-8.
func latin1(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	b := make([]rune, len(s))
	for i := range len(s) {
		b[i] = rune(s[i])
	}
	return string(b)
}

// webSocket writes what Chrome and HTTP Toolkit read of a conversation.
func (w *Writer) webSocket(f *flowfile.Flow) {
	end := f.WebSocket()
	if end == nil && f.Messages().Len() == 0 {
		return
	}
	j := w.j
	w.text("_resourceType", "websocket")
	j.Key("_webSocketMessages")
	w.messages(f)
	if end == nil || end.CloseCode == 0 && end.End == 0 && end.ClosedByClient == nil {
		return
	}
	j.Key("_webSocketClose")
	j.Object()
	if end.CloseCode != 0 {
		w.int("code", int64(end.CloseCode))
	}
	w.text("reason", end.CloseReason)
	if end.End != 0 {
		j.Key("timestamp")
		j.Decimal(end.End.Seconds())
	}
	if end.ClosedByClient != nil {
		j.Key("_closedByClient")
		j.Bool(*end.ClosedByClient)
	}
	j.EndObject()
}

// messages writes the messages or, in a draft, true in their place.
func (w *Writer) messages(f *flowfile.Flow) {
	if w.draft != nil {
		w.j.Bool(true)
		return
	}
	w.j.Array()
	for m, err := range f.Messages().All() {
		if err != nil {
			w.lost(f, "WebSocket messages", err)
			break
		}
		w.message(f, m)
	}
	w.j.EndArray()
}

const opText, opBinary = 1, 2

func (w *Writer) message(f *flowfile.Flow, m flowfile.Msg) {
	j := w.j
	b := plainBody(m.Body)
	op := m.Opcode
	if op == 0 {
		op = opText
		if !b.isText {
			op = opBinary
		}
	}
	kind, at := "receive", m.Time
	if m.FromClient {
		kind = "send"
	}
	if at == 0 {
		at = f.Start()
	}
	j.Object()
	w.text("type", kind)
	j.Key("time")
	j.Decimal(at.Seconds())
	w.int("opcode", int64(op))
	j.Key("data")
	w.copyBody(f, "WebSocket message", b, op == opText)
	if op == opText && !b.isText {
		j.Key("_base64")
		w.copyBody(f, "WebSocket message", b, false)
	}
	if m.Dropped {
		j.Key("_dropped")
		j.Bool(true)
	}
	if m.Injected {
		j.Key("_injected")
		j.Bool(true)
	}
	w.note(m.Body, b)
	j.EndObject()
}

// write writes the timings in milliseconds.
func (t timings) write(j *jsonw.Writer) {
	j.Object()
	for _, p := range []struct {
		key string
		d   int64
	}{
		{"blocked", -1},
		{"dns", -1},
		{"connect", t.connect},
		{"ssl", t.ssl},
		{"send", t.send},
		{"wait", t.wait},
		{"receive", t.receive},
	} {
		j.Key(p.key)
		if p.d < 0 {
			j.Int(-1)
		} else {
			j.Decimal(float64(p.d) / 1e6)
		}
	}
	j.EndObject()
}
