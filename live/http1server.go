package live

import (
	"errors"
	"sync"
	"time"

	"flowkit/flowfile"
	"flowkit/live/internal/http1"
)

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

func (s *http1Server) next(room []byte) ([]byte, error) {
	s.alive(&s.received)
	if len(room) == 0 {
		return s.body.Next()
	}
	n, err := s.body.Read(room)
	return room[:n], err
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
