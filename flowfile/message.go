package flowfile

import "strings"

// Message is what requests and responses have in common.
type Message struct {
	version  string
	headers  Headers
	trailers *Headers
	body     Body
	start    Time
	end      Time
	changed  Parts
	extra    Extra
}

// MessageHead is the plain fields of a Message, for readers that build one.
type MessageHead struct {
	Version    string // "HTTP/1.1", "HTTP/2.0" …, as the source had it
	Headers    []Field
	Trailers   *Headers // nil: none
	Body       Body
	Start, End Time
	Extra      Extra
}

// NewMessage returns a message of h in which nothing is marked as changed.
func NewMessage(h MessageHead) Message {
	return Message{
		version: h.Version, headers: Headers{fields: h.Headers}, trailers: h.Trailers,
		body: h.Body, start: h.Start, end: h.End, extra: h.Extra,
	}
}

// Version returns the HTTP version as the source had it: "HTTP/1.1", "HTTP/2.0" …
func (m *Message) Version() string { return m.version }

// Headers returns the headers, which may be changed in place.
func (m *Message) Headers() *Headers { return &m.headers }

// Trailers returns the trailers, nil if there are none.
func (m *Message) Trailers() *Headers { return m.trailers }

// Body returns the body as it was on the wire.
func (m *Message) Body() Body { return m.body }

// Start returns when the first byte was seen.
func (m *Message) Start() Time { return m.start }

// End returns when the last byte was seen.
func (m *Message) End() Time { return m.end }

// Extra returns the fields of the record that flowkit does not know.
func (m *Message) Extra() Extra { return m.extra }

// SetVersion sets the HTTP version.
func (m *Message) SetVersion(s string) { m.version = s; m.changed |= PartVersion }

// SetTrailers puts h in place of the trailers; nil takes them away.
func (m *Message) SetTrailers(h *Headers) { m.trailers = h; m.changed |= PartTrailers }

// SetBody puts b in place of the body and leaves the headers alone.
func (m *Message) SetBody(b Body) { m.body = b; m.changed |= PartBody }

// InitBody sets the body without marking it as changed: for readers that learn of it
// behind the head.
func (m *Message) InitBody(b Body) { m.body = b }

// SetStart sets when the first byte was seen.
func (m *Message) SetStart(t Time) { m.start = t; m.changed |= PartStart }

// SetEnd sets when the last byte was seen.
func (m *Message) SetEnd(t Time) { m.end = t; m.changed |= PartEnd }

// Changed returns the parts that were changed.
func (m *Message) Changed() Parts {
	p := m.changed
	if m.headers.changed {
		p |= PartHeaders
	}
	if m.trailers != nil && m.trailers.changed {
		p |= PartTrailers
	}
	return p
}

// Request is an HTTP request.
type Request struct {
	Message
	method    string
	scheme    string
	host      string
	port      int
	authority string
	path      string
}

// RequestHead is the plain fields of a Request, for readers that build one.
type RequestHead struct {
	MessageHead
	Method    string
	Scheme    string // "http", "https"; "" for CONNECT
	Host      string // where the request went
	Port      int
	Authority string // of the absolute or authority form, or :authority
	Path      string // with query; "*" for OPTIONS *
}

// NewRequest returns a request of h in which nothing is marked as changed.
func NewRequest(h RequestHead) *Request {
	r := new(Request)
	r.Init(h)
	return r
}

// Init is NewRequest for a request within a larger allocation.
func (r *Request) Init(h RequestHead) {
	*r = Request{
		Message: NewMessage(h.MessageHead), method: h.Method, scheme: h.Scheme, host: h.Host,
		port: h.Port, authority: h.Authority, path: h.Path,
	}
}

// Method returns the method, as it was on the wire.
func (r *Request) Method() string { return r.method }

// Scheme returns "http" or "https".
func (r *Request) Scheme() string { return r.scheme }

// Host returns the host the request went to: a name or an address.
func (r *Request) Host() string { return r.host }

// Port returns the port the request went to.
func (r *Request) Port() int { return r.port }

// Authority returns what the absolute or authority form, or :authority, said.
func (r *Request) Authority() string { return r.authority }

// Path returns the path with its query.
func (r *Request) Path() string { return r.path }

// SetMethod sets the method.
func (r *Request) SetMethod(s string) { r.method = s; r.changed |= PartMethod }

// SetScheme sets the scheme.
func (r *Request) SetScheme(s string) { r.scheme = s; r.changed |= PartScheme }

// SetHost sets the host alone; the Host header stays.
func (r *Request) SetHost(s string) { r.host = s; r.changed |= PartHost }

// SetPort sets the port alone.
func (r *Request) SetPort(n int) { r.port = n; r.changed |= PartPort }

// SetAuthority sets the authority.
func (r *Request) SetAuthority(s string) { r.authority = s; r.changed |= PartAuthority }

// SetPath sets the path with its query.
func (r *Request) SetPath(s string) { r.path = s; r.changed |= PartPath }

// URL returns the URL the request went to; for CONNECT its authority.
func (r *Request) URL() string { return r.url(r.host, r.port) }

// PrettyHost returns the host that the user meant: the Host header or :authority where
// there is one, else Host. It may be forged; Host is where the request went.
func (r *Request) PrettyHost() string {
	h, _ := r.prettyHostPort()
	return h
}

// PrettyURL returns URL with PrettyHost.
func (r *Request) PrettyURL() string { return r.url(r.prettyHostPort()) }

// HostHeader returns the Host header or the authority of the request.
func (r *Request) HostHeader() (string, bool) {
	if r.authority != "" && (strings.HasPrefix(r.version, "HTTP/2") || strings.HasPrefix(r.version, "HTTP/3")) {
		return r.authority, true
	}
	return r.headers.Lookup("Host")
}

func (r *Request) prettyHostPort() (string, int) {
	hh, ok := r.HostHeader()
	if !ok || hh == "" {
		return r.host, r.port
	}
	host, port, ok := SplitAuthority(hh)
	if !ok {
		return r.host, r.port
	}
	if port == 0 {
		// As in mitmproxy: the user meant the scheme's port, wherever the request went.
		if port = DefaultPort(r.scheme); port == 0 {
			port = r.port
		}
	}
	return host, port
}

func (r *Request) url(host string, port int) string {
	if r.method == "CONNECT" || r.scheme == "" && r.authority != "" && r.path == "" {
		return HostPort(host, port)
	}
	path := r.path
	if path == "*" {
		path = ""
	}
	authority := bracket(host)
	if port != DefaultPort(r.scheme) {
		authority = HostPort(host, port)
	}
	return r.scheme + "://" + authority + path
}

// Response is an HTTP response.
type Response struct {
	Message
	status int
	reason string
}

// ResponseHead is the plain fields of a Response, for readers that build one.
type ResponseHead struct {
	MessageHead
	Status int
	Reason string
}

// NewResponse returns a response of h in which nothing is marked as changed.
func NewResponse(h ResponseHead) *Response {
	r := new(Response)
	r.Init(h)
	return r
}

// Init is NewResponse for a response within a larger allocation.
func (r *Response) Init(h ResponseHead) {
	*r = Response{Message: NewMessage(h.MessageHead), status: h.Status, reason: h.Reason}
}

// Status returns the status code.
func (r *Response) Status() int { return r.status }

// Reason returns the reason phrase.
func (r *Response) Reason() string { return r.reason }

// SetStatus sets the status code alone.
func (r *Response) SetStatus(n int) { r.status = n; r.changed |= PartStatus }

// SetReason sets the reason phrase.
func (r *Response) SetReason(s string) { r.reason = s; r.changed |= PartReason }
