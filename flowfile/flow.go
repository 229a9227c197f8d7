package flowfile

// Kind is the kind of a flow.
type Kind uint8

// The kinds of flows.
const (
	HTTP Kind = iota
	TCP
	UDP
	DNS
)

var kindNames = [...]string{"http", "tcp", "udp", "dns"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// ParseKind returns the kind of a name.
func ParseKind(s string) (Kind, bool) {
	for i, n := range kindNames {
		if n == s {
			return Kind(i), true
		}
	}
	return 0, false
}

// Flow is one exchange. The zero value is an HTTP flow without request. It is not safe
// for concurrent use.
type Flow struct {
	id          string
	kind        Kind
	intercepted bool
	incomplete  bool
	dropped     bool
	created     Time
	client      *Conn
	server      *Conn
	conns       Conns // nil: client and server are known
	err         *Error
	replay      string
	marked      string
	comment     string
	metadata    Map
	request     *Request
	response    *Response
	websocket   *WebSocket
	messages    Messages
	dnsRequest  *DNSMessage
	dnsResponse *DNSMessage
	extra       Extra
	origin      Origin
	changed     Parts
}

// WebSocket is how a WebSocket conversation ended. Immutable.
type WebSocket struct {
	ClosedByClient *bool // nil: unknown
	CloseCode      int   // RFC 6455 §7.4; 0: none
	CloseReason    string
	End            Time
	Extra          Extra
}

// Conns are the connections of a flow that a reader decodes when somebody asks for them.
// The same connection is the same Conn every time, also to several who ask at once.
type Conns interface {
	Client() *Conn // nil if unknown
	Server() *Conn
}

// Head is the plain fields of a flow, for readers that build one.
type Head struct {
	ID             string
	Kind           Kind
	Created        Time
	Client, Server *Conn
	Conns          Conns // if not nil, in place of Client and Server
	Error          *Error
	Intercepted    bool
	Incomplete     bool
	Replay         string
	Marked         string
	Comment        string
	Metadata       Map
	Request        *Request
	Response       *Response
	WebSocket      *WebSocket
	Messages       MessageSource // nil: none
	DNSRequest     *DNSMessage
	DNSResponse    *DNSMessage
	Extra          Extra
	Origin         Origin
}

// New returns a flow of h in which nothing is marked as changed.
func New(h Head) *Flow {
	f := new(Flow)
	f.Init(h)
	return f
}

// Init makes f, which must be zero, a flow of h: New for flows within a larger allocation.
func (f *Flow) Init(h Head) {
	*f = Flow{
		id: h.ID, kind: h.Kind, created: h.Created, client: h.Client, server: h.Server,
		conns: h.Conns, err: h.Error, intercepted: h.Intercepted, incomplete: h.Incomplete, replay: h.Replay,
		marked: h.Marked, comment: h.Comment, metadata: h.Metadata, request: h.Request,
		response: h.Response, websocket: h.WebSocket, messages: Messages{src: h.Messages},
		dnsRequest: h.DNSRequest, dnsResponse: h.DNSResponse, extra: h.Extra, origin: h.Origin,
	}
}

// ID returns the flow's id, mostly a UUID.
func (f *Flow) ID() string { return f.id }

// Kind returns what was exchanged.
func (f *Flow) Kind() Kind { return f.kind }

// Created returns when the flow was made.
func (f *Flow) Created() Time { return f.created }

// Start returns when the exchange began: the request's start, the first message, the
// connection's start, or the time of creation, whichever is known first.
func (f *Flow) Start() Time {
	switch {
	case f.request != nil && f.request.start != 0:
		return f.request.start
	case f.dnsRequest != nil && f.dnsRequest.Time != 0:
		return f.dnsRequest.Time
	}
	if f.kind != HTTP {
		if c := f.Client(); c != nil && c.Start != 0 {
			return c.Start
		}
	}
	return f.created
}

// End returns when the exchange ended, 0 if unknown.
func (f *Flow) End() Time {
	switch {
	case f.websocket != nil && f.websocket.End != 0:
		return f.websocket.End
	case f.response != nil && f.response.end != 0:
		return f.response.end
	case f.dnsResponse != nil:
		return f.dnsResponse.Time
	case f.err != nil && f.err.Time != 0:
		return f.err.Time
	case f.kind == HTTP || f.kind == DNS:
		return 0
	}
	if c := f.Server(); c != nil && c.End != 0 {
		return c.End
	}
	if c := f.Client(); c != nil {
		return c.End
	}
	return 0
}

// Client returns the client's connection, nil if unknown.
func (f *Flow) Client() *Conn {
	if f.conns != nil {
		return f.conns.Client()
	}
	return f.client
}

// Server returns the server's connection, nil if unknown.
func (f *Flow) Server() *Conn {
	if f.conns != nil {
		return f.conns.Server()
	}
	return f.server
}

// Error returns why the flow ended early, nil if it did not.
func (f *Flow) Error() *Error { return f.err }

// Intercepted tells whether the flow was held by a user when it was saved.
func (f *Flow) Intercepted() bool { return f.intercepted }

// Incomplete tells that the recording ended before the flow did.
func (f *Flow) Incomplete() bool { return f.incomplete }

// Replay returns "request" or "response" for a replayed flow, "" otherwise.
func (f *Flow) Replay() string { return f.replay }

// Marked returns the user's mark, "" for none.
func (f *Flow) Marked() string { return f.marked }

// Comment returns the user's comment.
func (f *Flow) Comment() string { return f.comment }

// Metadata returns the metadata; it must not be changed.
func (f *Flow) Metadata() Map { return f.metadata }

// Request returns the HTTP request, nil if there is none.
func (f *Flow) Request() *Request { return f.request }

// Response returns the HTTP response, nil if there is none.
func (f *Flow) Response() *Response { return f.response }

// WebSocket returns the end of the WebSocket conversation, nil if the flow is none.
func (f *Flow) WebSocket() *WebSocket { return f.websocket }

// Messages returns the WebSocket, TCP or UDP messages; never nil.
func (f *Flow) Messages() *Messages { return &f.messages }

// DNSRequest returns the query, nil if there is none.
func (f *Flow) DNSRequest() *DNSMessage { return f.dnsRequest }

// DNSResponse returns the answer, nil if there is none.
func (f *Flow) DNSResponse() *DNSMessage { return f.dnsResponse }

// Extra returns the fields of the record that flowkit does not know.
func (f *Flow) Extra() Extra { return f.extra }

// Origin returns the record the flow was read from, nil for a new flow.
func (f *Flow) Origin() Origin { return f.origin }

// Dropped tells whether Drop was called.
func (f *Flow) Dropped() bool { return f.dropped }

// Drop takes the flow out of the stream: later stages and sinks do not see it.
func (f *Flow) Drop() { f.dropped = true }

// SetID sets the id.
func (f *Flow) SetID(id string) { f.id = id; f.changed |= PartID }

// SetCreated sets the time of creation.
func (f *Flow) SetCreated(t Time) { f.created = t; f.changed |= PartCreated }

// SetClient sets the client's connection.
func (f *Flow) SetClient(c *Conn) {
	f.client, f.server, f.conns = c, f.Server(), nil
	f.changed |= PartClient
}

// SetServer sets the server's connection.
func (f *Flow) SetServer(c *Conn) {
	f.client, f.server, f.conns = f.Client(), c, nil
	f.changed |= PartServer
}

// SetError sets why the flow ended early; nil takes it away.
func (f *Flow) SetError(e *Error) { f.err = e; f.changed |= PartError }

// SetIntercepted sets whether the flow is held.
func (f *Flow) SetIntercepted(b bool) { f.intercepted = b; f.changed |= PartIntercepted }

// SetReplay sets "request", "response" or "".
func (f *Flow) SetReplay(s string) { f.replay = s; f.changed |= PartReplay }

// SetMarked sets the user's mark.
func (f *Flow) SetMarked(s string) { f.marked = s; f.changed |= PartMarked }

// SetComment sets the user's comment.
func (f *Flow) SetComment(s string) { f.comment = s; f.changed |= PartComment }

// SetMetadata puts m in place of the metadata; it keeps m.
func (f *Flow) SetMetadata(m Map) { f.metadata = m; f.changed |= PartMetadata }

// SetRequest puts r in place of the request; nil takes it away.
func (f *Flow) SetRequest(r *Request) { f.request = r; f.changed |= PartRequest }

// SetResponse puts r in place of the response; nil takes it away.
func (f *Flow) SetResponse(r *Response) { f.response = r; f.changed |= PartResponse }

// SetWebSocket sets how the WebSocket conversation ended; nil makes the flow none.
func (f *Flow) SetWebSocket(w *WebSocket) { f.websocket = w; f.changed |= PartWebSocket }

// SetDNSRequest puts m in place of the query.
func (f *Flow) SetDNSRequest(m *DNSMessage) { f.dnsRequest = m; f.changed |= PartDNSRequest }

// SetDNSResponse puts m in place of the answer.
func (f *Flow) SetDNSResponse(m *DNSMessage) { f.dnsResponse = m; f.changed |= PartDNSResponse }

// SetExtra puts e in place of the unknown fields; for readers.
func (f *Flow) SetExtra(e Extra) { f.extra = e }

// SetOrigin tells where the flow came from; for readers that need the flow first.
func (f *Flow) SetOrigin(o Origin) { f.origin = o }

// Changed returns the parts that were changed since the flow was read.
func (f *Flow) Changed() Parts {
	p := f.changed
	if f.messages.changed {
		p |= PartMessages
	}
	if f.request != nil {
		p |= f.request.Changed() << requestShift
	}
	if f.response != nil {
		p |= f.response.Changed() << responseShift
	}
	return p
}

// Clone returns a copy that shares no bytes with the buffer the flow was read from, so
// that keeping it does not keep the buffer. Bodies that lie in a file or spool stay there.
// The copy has no origin.
func (f *Flow) Clone() *Flow {
	c := cloner{}
	return c.flow(f)
}
