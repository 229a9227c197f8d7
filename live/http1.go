package live

import (
	"encoding/base64"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"flowkit/flowfile"
	"flowkit/live/ca"
	"flowkit/live/internal/http1"
	"flowkit/replay"
)

// http1 serves requests of HTTP/1 until the connection is over. d is where the tunnel leads, nil for an explicit proxy.
func (c *clientConn) http1(d *destination) error {
	in := &http1Client{c: c}
	for {
		if !c.wait() {
			return nil
		}
		start := now()
		c.headDeadline()
		var h http1.RequestHead
		if err := http1.ReadRequest(c.br, http1.Limits{}, &h); err != nil {
			return c.badRequest(err)
		}
		c.raw.SetReadDeadline(time.Time{})
		if d == nil && !c.noAuth {
			if !c.authorized(&h) {
				if !in.refuse(&h) {
					return nil
				}
				continue
			}
			h.Fields = without(h.Fields, "Proxy-Authorization")
		}
		if h.Method == "CONNECT" {
			if d != nil && c.mode.Kind == Reverse {
				return in.reply(page(400, "CONNECT", "a reverse proxy makes no tunnels"))
			}
			return c.connect(in, &h, start)
		}
		req, err := c.request(&h, d)
		if err != nil {
			return c.badRequest(err)
		}
		if c.p.o.CA != nil && !req.key.tls && ca.IsPageHost(req.head.Host) && req.head.Port == 80 {
			if !in.ownPage(&h) {
				return nil
			}
			continue
		}
		req.head.Start = start
		x := &exchange{
			c: c, in: in, key: req.key, req: flowfile.NewRequest(req.head), framing: h.Body, expect: h.Expect,
			upgrade: h.Upgrade, reusable: !h.Close,
		}
		x.flow = flowfile.New(flowfile.Head{ID: newID(), Created: start, Client: c.client(), Request: x.req})
		in.begin(&h)
		x.run()
		if in.open {
			c.abort()
			return nil
		}
		if !x.reusable || in.close || !in.body.Done() || c.draining.Load() || x.switched != nil {
			return c.linger()
		}
	}
}

// linger ends a connection on which the client may still be sending, so that it gets to read our answer before it
// learns that nobody listens (RFC 9112 §9.6).
func (c *clientConn) linger() error {
	_ = closeWrite(c.conn)
	c.raw.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for n := 0; n < 256<<10; {
		k, err := c.conn.Read(*buf)
		if err != nil {
			break
		}
		n += k
	}
	return nil
}

// abort ends the connection so that the client cannot take what it has for all of a body that ends with the connection.
func (c *clientConn) abort() {
	if t, ok := c.raw.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	c.raw.Close()
}

// target is where a request goes.
type target struct {
	head flowfile.RequestHead
	key  serverKey
}

// request makes the model's request of a head.
func (c *clientConn) request(h *http1.RequestHead, d *destination) (*target, error) {
	t := &target{head: flowfile.RequestHead{
		MessageHead: flowfile.MessageHead{Version: h.Version, Headers: h.Fields}, Method: h.Method, Path: h.Target,
	}}
	scheme, rest, absolute := strings.Cut(h.Target, "://")
	absolute = absolute && !strings.HasPrefix(h.Target, "/") && h.Target != "*"
	if d == nil && !absolute {
		return nil, &http1.Error{Status: 400, Msg: "this is a proxy, and the request names no server: GET http://host/path"}
	}
	r := &t.head
	if absolute {
		r.Scheme = strings.ToLower(scheme)
		i := strings.IndexAny(rest, "/?#")
		if i < 0 {
			i = len(rest)
		}
		r.Authority, r.Path = rest[:i], rest[i:]
		if !strings.HasPrefix(r.Path, "/") {
			r.Path = "/" + r.Path
		}
		authority := r.Authority[strings.LastIndexByte(r.Authority, '@')+1:]
		host, port, ok := flowfile.SplitAuthority(authority)
		if !ok || r.Scheme != "http" && r.Scheme != "https" {
			return nil, &http1.Error{Status: 400, Msg: "the URL of the request is no http or https URL"}
		}
		if port == 0 {
			port = flowfile.DefaultPort(r.Scheme)
		}
		r.Host, r.Port = host, port
		// RFC 9112 §3.2.2: the target decides, and Host is made to agree.
		if v, ok := http1.Get(h.Fields, "Host"); !ok || !flowfile.EqualFold(v, authority) {
			hs := flowfile.NewHeaders(append([]flowfile.Field(nil), h.Fields...))
			if ok {
				hs.Set("Host", authority)
			} else {
				hs.Replace(append([]flowfile.Field{{Name: "Host", Value: authority}}, h.Fields...))
			}
			r.Headers = hs.Fields()
		}
	}
	if d != nil {
		r.Scheme, r.Host, r.Port = "http", d.host, d.port
		if d.tls || c.mode.Kind == Reverse && c.mode.Scheme == "https" {
			r.Scheme = "https"
		}
		if c.mode.Kind == Reverse && !c.p.o.KeepHost {
			hs := flowfile.NewHeaders(append([]flowfile.Field(nil), r.Headers...))
			host := r.Host
			if r.Port != flowfile.DefaultPort(r.Scheme) {
				host = flowfile.HostPort(r.Host, r.Port)
			}
			hs.Set("Host", host)
			r.Headers = hs.Fields()
		}
	}
	t.key = serverKey{host: r.Host, port: r.Port, tls: r.Scheme == "https"}
	if d != nil {
		t.key.sni = d.sni
		if c.mode.Kind == Reverse {
			t.key.sni = "" // the client asked for the proxy's name
		}
	}
	return t, nil
}

// badRequest answers what is no request. Nothing behind it can be trusted, so the connection ends.
func (c *clientConn) badRequest(err error) error {
	var bad *http1.Error
	switch {
	case errors.As(err, &bad):
	case errors.Is(err, os.ErrDeadlineExceeded):
		bad = &http1.Error{Status: 408, Msg: "the head of the request took too long"}
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
	c.p.log.Warn("refused a request", "client", c.raw.RemoteAddr(), "status", bad.Status, "reason", bad.Msg)
	in := &http1Client{c: c}
	_ = in.reply(page(bad.Status, "flowkit refused the request", bad.Msg))
	_ = c.linger()
	return errReported
}

// authorized checks the user of an explicit proxy (RFC 7617).
func (c *clientConn) authorized(h *http1.RequestHead) bool {
	v, _ := http1.Get(h.Fields, "Proxy-Authorization")
	scheme, token, _ := strings.Cut(v, " ")
	if !flowfile.EqualFold(scheme, "basic") {
		return false
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token))
	if err != nil {
		return false
	}
	user, password, ok := strings.Cut(string(data), ":")
	if !ok || !c.p.o.Auth(user, password) {
		c.p.log.Warn("refused a client: wrong user or password", "client", c.raw.RemoteAddr())
		return false
	}
	if h.Method == "CONNECT" {
		c.noAuth = true // what is in the tunnel is the server's
	}
	return true
}

func without(fields []flowfile.Field, name string) []flowfile.Field {
	hs := flowfile.NewHeaders(append([]flowfile.Field(nil), fields...))
	hs.Del(name)
	return hs.Fields()
}

// connect makes a tunnel (RFC 9110 §9.3.6).
func (c *clientConn) connect(in *http1Client, h *http1.RequestHead, start flowfile.Time) error {
	host, port, ok := flowfile.SplitAuthority(h.Target)
	if !ok || port == 0 {
		return c.badRequest(&http1.Error{Status: 400, Msg: "CONNECT needs host:port, not " + h.Target})
	}
	req := flowfile.NewRequest(flowfile.RequestHead{
		MessageHead: flowfile.MessageHead{Version: h.Version, Headers: h.Fields, Start: start, End: now(), Body: flowfile.BytesBody(nil)},
		Method:      "CONNECT", Host: host, Port: port, Authority: h.Target,
	})
	f := flowfile.New(flowfile.Head{ID: newID(), Created: start, Client: c.client(), Request: req})
	c.p.fire(c.ctx, &replay.Event{Hook: replay.HTTPConnect, Flow: f, Conns: &replay.Conns{Client: c.client()}})
	if ender, ok := c.p.o.Handler.(Ender); ok {
		defer ender.End(f)
	}
	if replay.IsKilled(f) {
		return errReported
	}
	if resp := f.Response(); resp != nil && (resp.Status() < 200 || resp.Status() > 299) {
		body, err := resp.Body().Bytes(1 << 20)
		if err != nil {
			return err
		}
		return in.reply(&http1.ResponseHead{
			Version: "HTTP/1.1", Status: resp.Status(), Reason: resp.Reason(), Fields: resp.Headers().Fields(),
		}, body)
	}
	host, port = req.Host(), req.Port()
	d := &destination{host: host, port: port}
	// A server that cannot be reached is said here, unless scripts may answer in its place or the certificate
	// authority's page was asked for.
	if c.p.o.Handler == nil && !ca.IsPageHost(host) {
		s, err := c.servers.dial(c.plainKey(d))
		if err != nil {
			return c.connectFailed(in, f, err)
		}
		c.servers.keepForTunnel(s)
	}
	reply := []byte("HTTP/1.1 200 Connection established\r\n\r\n")
	if h.Version == "HTTP/1.0" {
		copy(reply, "HTTP/1.0")
	}
	if _, err := c.conn.Write(reply); err != nil {
		return err
	}
	c.p.fire(c.ctx, &replay.Event{Hook: replay.HTTPConnected, Flow: f, Conns: &replay.Conns{Client: c.client()}})
	return c.tunnel(d, false)
}

func (c *clientConn) connectFailed(in *http1Client, f *flowfile.Flow, err error) error {
	f.SetError(&flowfile.Error{Msg: err.Error(), Time: now()})
	var d *dialError
	if errors.As(err, &d) {
		f.SetServer(d.info)
	}
	c.p.fire(c.ctx, &replay.Event{Hook: replay.HTTPConnectError, Flow: f, Conns: &replay.Conns{Client: c.client()}})
	c.p.record(f, nil, End{}, 0)
	h, body := errorPage(err, f.Request())
	_ = in.reply(h, body)
	return errReported
}

// http1Client is the client's side of exchanges over HTTP/1.
type http1Client struct {
	c       *clientConn
	body    http1.Body
	out     http1.BodyWriter
	buf     []byte
	framing http1.Framing // of the request's body
	version string        // of the request
	close   bool          // the response ends with the connection
	open    bool          // a response has begun whose only end is that of the connection
}

func (s *http1Client) begin(h *http1.RequestHead) {
	s.framing, s.version = h.Body, h.Version
	s.body.Reset(s.c.br, h.Body, http1.Limits{})
}

func (s *http1Client) next() ([]byte, error) {
	s.c.idleDeadline()
	return s.body.Next()
}
func (s *http1Client) ready() bool                { return s.body.Done() || s.body.Buffered() > 0 }
func (s *http1Client) trailers() []flowfile.Field { return s.body.Trailers() }
func (s *http1Client) unread()                    { s.c.raw.SetReadDeadline(time.Unix(1, 0)) }
func (s *http1Client) arrived() bool {
	return s.body.Done() || s.framing.Kind == http1.Length && int64(s.body.Buffered()) >= s.framing.Length
}

func (s *http1Client) head(h *http1.ResponseHead, end bool) error {
	out := *h
	f := h.Body
	if h.Status >= 200 && out.Version == "HTTP/2.0" {
		out.Version = "HTTP/1.1"
		if out.Reason == "" {
			out.Reason = statusText(out.Status)
		}
	} else if out.Version == "HTTP/2.0" {
		out.Version = "HTTP/1.1"
	}
	if f.Kind == http1.Chunked && s.version == "HTTP/1.0" {
		// RFC 9112 §6.1: a client of 1.0 does not know chunks; the body ends with the connection.
		f.Kind, s.close = http1.UntilClose, true
		out.Fields = without(out.Fields, "Transfer-Encoding")
	} else if f.Kind == http1.Chunked && !http1.HasToken(out.Fields, "Transfer-Encoding", "chunked") {
		// From HTTP/2, or of a length that changed on the way.
		out.Fields = append(out.Fields[:len(out.Fields):len(out.Fields)], flowfile.Field{Name: "Transfer-Encoding", Value: "chunked"})
	}
	s.buf = http1.AppendResponse(s.buf[:0], &out)
	if h.Status < 200 {
		if s.version == "HTTP/1.0" && h.Status != 101 {
			return nil // RFC 9110 §15.2: it does not know them
		}
		_, err := s.c.conn.Write(s.buf)
		return err
	}
	s.open = f.Kind == http1.UntilClose && !end
	s.out.Reset(s.c.conn, f)
	s.out.Head(s.buf)
	if end {
		return s.out.Close(nil)
	}
	return nil
}

func (s *http1Client) write(p []byte) error {
	_, err := s.out.Write(p)
	return err
}
func (s *http1Client) flush() error { return s.out.Flush() }

func (s *http1Client) finish(trailers []flowfile.Field) error {
	s.open = false
	return s.out.Close(trailers)
}

// reply sends a response of the proxy's own.
func (s *http1Client) reply(h *http1.ResponseHead, body []byte) error {
	if err := h.Frame("GET"); err != nil {
		return err
	}
	if err := s.head(h, len(body) == 0); err != nil || len(body) == 0 {
		return err
	}
	return s.out.Finish(body, nil)
}

// refuse answers a client that did not say who it is; it reports whether the connection goes on.
func (s *http1Client) refuse(h *http1.RequestHead) bool {
	r, body := page(407, "flowkit wants a user and a password", "curl: --proxy-user user:password")
	r.Fields = append(without(r.Fields, "Connection"), flowfile.Field{Name: "Proxy-Authenticate", Value: `Basic realm="flowkit"`})
	if s.reply(r, body) != nil || h.Close || h.Expect {
		_ = s.c.linger()
		return false
	}
	return s.skip(h)
}

// skip reads over the body of a request that the proxy answers itself.
func (s *http1Client) skip(h *http1.RequestHead) bool {
	s.begin(h)
	for n := 0; n < 1<<20; {
		b, err := s.next()
		if err != nil {
			return err == io.EOF
		}
		n += len(b)
	}
	return false
}

// ownPage answers a request to the host of the certificate authority's page.
func (s *http1Client) ownPage(h *http1.RequestHead) bool {
	path := h.Target
	if _, rest, ok := strings.Cut(path, "://"); ok {
		path = "/"
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			path = rest[i:]
		}
	}
	status, fields, body := s.c.p.o.CA.Page(h.Method, path)
	r := &http1.ResponseHead{Version: "HTTP/1.1", Status: status, Reason: statusText(status), Fields: fields}
	if r.Frame(h.Method) != nil || s.head(r, len(body) == 0) != nil || len(body) > 0 && s.out.Finish(body, nil) != nil {
		return false
	}
	return s.skip(h) && !h.Close
}

func (c *clientConn) idleDeadline() { c.raw.SetReadDeadline(time.Now().Add(c.p.o.Timeouts.Idle)) }

// http1Server is the server's side of an exchange over HTTP/1.
type http1Server struct {
	*serverConn
	ss       *servers
	method   string
	resp     http1.ResponseHead
	plainTo  bool // a proxy, which wants absolute targets
	auth     string
	received time.Time // when the deadline was last set while reading
	sent     time.Time // and while writing

	mu        sync.Mutex
	sending   bool // the request is not whole yet
	cancelled bool
}

func (s *http1Server) head(r *flowfile.Request, f http1.Framing) error {
	h := http1.RequestHead{Method: r.Method(), Target: r.Path(), Version: r.Version(), Fields: r.Headers().Fields()}
	s.method = h.Method
	if h.Version != "HTTP/1.0" {
		h.Version = "HTTP/1.1"
	}
	h.Fields = s.fields(r, h.Fields, f)
	if s.plainTo {
		h.Target = r.Scheme() + "://" + authorityOf(r) + r.Path()
		if s.auth != "" {
			h.Fields = append(h.Fields[:len(h.Fields):len(h.Fields)], flowfile.Field{Name: "Proxy-Authorization", Value: s.auth})
		}
	}
	if err := h.Frame(); err != nil {
		return err
	}
	if said := h.Body; said != f && (said.Kind != http1.Length || said.Length != 0 || f.Kind != http1.None) &&
		(f.Kind != http1.Length || f.Length != 0 || said.Kind != http1.None) {
		// The server would take what follows on the connection for the body.
		return errors.New("the request's fields promise another body than it has: a script changed Content-Length or Transfer-Encoding")
	}
	s.sending = f.Kind != http1.None
	s.buf = http1.AppendRequest(s.buf[:0], &h)
	s.out.Reset(s.conn, f)
	s.out.Head(s.buf)
	return nil
}

func authorityOf(r *flowfile.Request) string {
	if r.Authority() != "" {
		return r.Authority()
	}
	if r.Port() == flowfile.DefaultPort(r.Scheme()) {
		return r.Host()
	}
	return flowfile.HostPort(r.Host(), r.Port())
}

// fields are those of the request as they go to a server of HTTP/1: what was for the proxy is left out, and what HTTP/2
// has in other places or forms is put right.
func (s *http1Server) fields(r *flowfile.Request, fields []flowfile.Field, f http1.Framing) []flowfile.Field {
	fromH2 := r.Version() == "HTTP/2.0"
	change := fromH2
	length, hasLength := http1.Get(fields, "Content-Length")
	_, chunked := http1.Get(fields, "Transfer-Encoding")
	wrongLength := f.Kind == http1.Length && (chunked || !hasLength || length != decimal(f.Length))
	wrongChunked := f.Kind == http1.Chunked && (!chunked || hasLength)
	change = change || wrongLength || wrongChunked
	if !change {
		for _, x := range fields {
			if flowfile.EqualFold(x.Name, "Proxy-Connection") || isH2C(x) {
				change = true
				break
			}
		}
	}
	if !change {
		return fields
	}
	out := make([]flowfile.Field, 0, len(fields)+2)
	if _, ok := http1.Get(fields, "Host"); fromH2 && !ok {
		out = append(out, flowfile.Field{Name: "Host", Value: authorityOf(r)})
	}
	cookie := -1
	for _, x := range fields {
		switch {
		case flowfile.EqualFold(x.Name, "Proxy-Connection") && !s.plainTo, isH2C(x):
		case (wrongLength || wrongChunked) && (flowfile.EqualFold(x.Name, "Content-Length") || flowfile.EqualFold(x.Name, "Transfer-Encoding")):
		case fromH2 && x.Name == "cookie" && cookie >= 0: // RFC 9113 §8.2.3
			out[cookie].Value += "; " + x.Value
		default:
			if fromH2 && x.Name == "cookie" {
				cookie = len(out)
			}
			out = append(out, x)
		}
	}
	if wrongLength && (f.Length > 0 || hasLength || chunked) {
		out = append(out, flowfile.Field{Name: "Content-Length", Value: decimal(f.Length)})
	}
	if wrongChunked {
		out = append(out, flowfile.Field{Name: "Transfer-Encoding", Value: "chunked"})
	}
	return out
}

// isH2C tells whether a field offers HTTP/2 without TLS, which the proxy does not pass on.
func isH2C(x flowfile.Field) bool {
	return flowfile.EqualFold(x.Name, "HTTP2-Settings") || http1.HasToken([]flowfile.Field{x}, "Upgrade", "h2c")
}

func (s *http1Server) write(p []byte) error {
	// A server does not answer before it has it all, however long that takes.
	s.alive(&s.sent)
	_, err := s.out.Write(p)
	return err
}

// alive sets the deadline of reading, which is that of silence and not of the whole exchange, once a second.
func (s *http1Server) alive(last *time.Time) {
	t := time.Now()
	if t.Sub(*last) <= time.Second {
		return
	}
	*last = t
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait(t)
}

// wait sets the deadline of reading. A server that does not have all of the request is not to blame for a client that is
// silent. The caller holds mu.
func (s *http1Server) wait(t time.Time) {
	idle := s.ss.c.p.o.Timeouts.Idle
	if s.sending {
		idle *= 2
	}
	if !s.cancelled {
		s.raw.SetReadDeadline(t.Add(idle))
	}
}
func (s *http1Server) flush() error { return s.out.Flush() }

func (s *http1Server) finish(trailers []flowfile.Field) error {
	s.mu.Lock()
	if s.sending {
		s.sending = false
		s.wait(time.Now())
	}
	s.mu.Unlock()
	return s.out.Close(trailers)
}

func (s *http1Server) readHead() (*http1.ResponseHead, error) {
	s.alive(&s.received)
	if err := http1.ReadResponse(s.br, s.method, http1.Limits{}, &s.resp); err != nil {
		return nil, err
	}
	if s.resp.Status >= 200 {
		s.body.Reset(s.br, s.resp.Body, http1.Limits{})
	}
	h := s.resp
	return &h, nil
}

func (s *http1Server) next() ([]byte, error) {
	s.alive(&s.received)
	return s.body.Next()
}
func (s *http1Server) ready() bool                { return s.body.Done() || s.body.Buffered() > 0 }
func (s *http1Server) trailers() []flowfile.Field { return s.body.Trailers() }

func (s *http1Server) cancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancelled = true
	s.raw.SetDeadline(time.Unix(1, 0))
}

func (s *http1Server) done(whole bool) {
	if whole && !s.resp.Close && s.resp.Body.Kind != http1.UntilClose && s.body.Done() && s.br.Buffered() == 0 {
		s.ss.put(s.serverConn)
		return
	}
	s.ss.close(s.serverConn)
}

// side returns the server's half of an exchange over s.
func (s *serverConn) side(x *exchange) (serverSide, error) {
	if s.h2 != nil {
		return newHTTP2Server(s, x)
	}
	side := &http1Server{serverConn: s, ss: &x.c.servers, plainTo: s.key.plain}
	if side.plainTo {
		side.auth = x.c.p.o.Upstream.header()
	}
	return side, nil
}

// keepForTunnel keeps a connection that was made before it was known what is spoken in the tunnel.
func (ss *servers) keepForTunnel(s *serverConn) {
	ss.mu.Lock()
	ss.early = s
	ss.mu.Unlock()
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}
