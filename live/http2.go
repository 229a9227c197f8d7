package live

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"flowkit/flowfile"
	"flowkit/live/internal/http1"
	"flowkit/live/internal/http2"
)

func statusText(status int) string { return http.StatusText(status) }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// http2 serves a connection that speaks HTTP/2.
func (c *clientConn) http2(d *destination) error {
	c.raw.SetReadDeadline(time.Time{})
	if d == nil {
		return errors.New("HTTP/2 to an explicit proxy is not supported: use HTTP/1.1")
	}
	conn := http2.Server(c.conn, http2.Options{Reader: c.br, KeepAlive: c.p.o.Timeouts.Idle, OnRefused: func(e *http2.Error) {
		c.p.log.Warn("refused a request", "client", c.raw.RemoteAddr(), "reason", e.Error())
	}})
	c.h2.Store(conn)
	if c.draining.Load() {
		c.drain()
	}
	return conn.Serve(func(s *http2.Stream) { c.stream2(s, d) })
}

// stream2 serves one request.
func (c *clientConn) stream2(s *http2.Stream, d *destination) {
	start := now()
	h, err := s.ReadHead()
	if err != nil {
		return
	}
	in := &http2Client{s: s, buf: buffers.Get().(*[]byte)}
	defer in.free()
	x, err := c.exchange2(in, &h, d, start)
	if err != nil {
		r, body := page(http.StatusNotImplemented, "flowkit does not pass this on", err.Error())
		if in.head(r, false) == nil && in.write(body) == nil {
			_ = in.finish(nil)
		}
		return
	}
	s.OnDone(func() {
		x.vanished.Store(true) // if the exchange is not over
		if up := x.up.Load(); up != nil {
			(*up).cancel()
		}
	})
	x.run()
	if x.flow.Error() != nil {
		s.Reset(http2.InternalError) // does nothing to a stream that has ended
	}
}

func (c *clientConn) exchange2(in *http2Client, h *http2.Head, d *destination, start flowfile.Time) (*exchange, error) {
	r := flowfile.RequestHead{MessageHead: flowfile.MessageHead{Version: "HTTP/2.0", Start: start}, Host: d.host, Port: d.port}
	x := &exchange{c: c, in: in, reusable: true, sensitive: h.Sensitive}
	fields := h.Fields
	for len(fields) > 0 && strings.HasPrefix(fields[0].Name, ":") {
		v := fields[0].Value
		switch fields[0].Name {
		case ":method":
			r.Method = v
		case ":scheme":
			r.Scheme = v
		case ":authority":
			r.Authority = v
		case ":path":
			r.Path = v
		case ":protocol":
			return nil, errors.New("WebSocket over HTTP/2 (RFC 8441): the client has to ask over HTTP/1.1")
		}
		x.pseudo = append(x.pseudo, fields[0].Name)
		fields = fields[1:]
	}
	if r.Method == "CONNECT" {
		return nil, errors.New("CONNECT within a tunnel")
	}
	r.Scheme = "http"
	if d.tls || c.mode.Kind == Reverse && c.mode.Scheme == "https" {
		r.Scheme = "https"
	}
	x.key = serverKey{host: d.host, port: d.port, tls: r.Scheme == "https", sni: d.sni}
	if c.mode.Kind == Reverse {
		x.key.sni = ""
		if !c.p.o.KeepHost {
			r.Authority = d.host
			if d.port != flowfile.DefaultPort(r.Scheme) {
				r.Authority = d.String()
			}
		}
	}
	r.Headers = fields
	x.framing = framing2(fields, h.End)
	x.req = flowfile.NewRequest(r)
	x.flow = flowfile.New(flowfile.Head{ID: newID(), Created: start, Client: c.client(), Request: x.req})
	_, x.expect = http1.Get(fields, "Expect")
	return x, nil
}

// framing2 is the framing of a body of HTTP/2 in the terms of HTTP/1.
func framing2(fields []flowfile.Field, end bool) http1.Framing {
	if end {
		return http1.Framing{}
	}
	if n, ok, err := http1.ContentLength(fields); ok && err == nil {
		return http1.Framing{Kind: http1.Length, Length: n}
	}
	return http1.Framing{Kind: http1.Chunked}
}

// fields2 returns fields as HTTP/2 may have them (RFC 9113 §8.2.2).
func fields2(pseudo, fields []flowfile.Field) []flowfile.Field {
	out := make([]flowfile.Field, 0, len(pseudo)+len(fields))
	out = append(out, pseudo...)
	for _, f := range fields {
		switch strings.ToLower(f.Name) {
		case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings", "host":
			continue
		case "te":
			if !flowfile.EqualFold(f.Value, "trailers") {
				continue
			}
		}
		if !http1.HasToken(fields, "Connection", f.Name) {
			out = append(out, f)
		}
	}
	return out
}

// http2Client is the client's side of an exchange over HTTP/2.
type http2Client struct {
	s   *http2.Stream
	buf *[]byte
}

func (c *http2Client) free() {
	buffers.Put(c.buf)
	c.buf = nil
}

func (c *http2Client) next() ([]byte, error)      { return next2(c.s, *c.buf) }
func (c *http2Client) ready() bool                { return c.s.Ready() }
func (c *http2Client) arrived() bool              { return c.s.Ended() }
func (c *http2Client) trailers() []flowfile.Field { return c.s.Trailers() }
func (c *http2Client) unread()                    { c.s.Reset(http2.NoError) }

func next2(s *http2.Stream, buf []byte) ([]byte, error) {
	n, err := s.Read(buf)
	if n > 0 {
		return buf[:n], nil
	}
	return nil, err
}

func (c *http2Client) head(h *http1.ResponseHead, end bool) error {
	pseudo := []flowfile.Field{{Name: ":status", Value: strconv.Itoa(h.Status)}}
	fields := h.Fields
	if h.Status < 200 {
		if h.Status == 101 {
			return errors.New("HTTP/2 has no 101")
		}
	}
	if err := c.s.WriteHead(http2.Head{Fields: fields2(pseudo, fields), End: end}); err != nil {
		return err
	}
	if h.Status < 200 {
		return c.s.Flush()
	}
	return nil
}

func (c *http2Client) write(p []byte) error {
	_, err := c.s.Write(p)
	return err
}
func (c *http2Client) flush() error                           { return c.s.Flush() }
func (c *http2Client) finish(trailers []flowfile.Field) error { return c.s.CloseWrite(trailers) }

// http2Server is the server's side of an exchange over HTTP/2.
type http2Server struct {
	conn *serverConn
	x    *exchange
	mu   sync.Mutex
	s    *http2.Stream
	gone bool
	buf  *[]byte

	method string // of the request
}

func newHTTP2Server(s *serverConn, x *exchange) (*http2Server, error) {
	return &http2Server{conn: s, x: x, buf: buffers.Get().(*[]byte)}, nil
}

func (s *http2Server) head(r *flowfile.Request, f http1.Framing) error {
	s.method = r.Method()
	values := map[string]string{":method": r.Method(), ":scheme": r.Scheme(), ":authority": r.Authority(), ":path": r.Path()}
	if values[":authority"] == "" {
		if h, ok := r.HostHeader(); ok {
			values[":authority"] = h
		} else {
			values[":authority"] = authorityOf(r)
		}
	}
	names := s.x.pseudo
	if names == nil {
		names = []string{":method", ":authority", ":scheme", ":path"} // Chrome's order
	}
	pseudo := make([]flowfile.Field, 0, 4)
	for _, n := range names {
		pseudo = append(pseudo, flowfile.Field{Name: n, Value: values[n]})
		delete(values, n)
	}
	if v, ok := values[":authority"]; ok && s.x.pseudo != nil {
		if _, has := http1.Get(r.Headers().Fields(), "Host"); !has {
			pseudo = append(pseudo, flowfile.Field{Name: ":authority", Value: v})
		}
	}
	fields := fields2(pseudo, r.Headers().Fields())
	if f.Kind == http1.Chunked && r.Headers().Get("Content-Length") != "" {
		// It is not known any more.
		hs := flowfile.NewHeaders(fields)
		hs.Del("content-length")
		fields = hs.Fields()
	}
	if f.Kind == http1.Length {
		if v, ok := http1.Get(fields, "Content-Length"); (ok || f.Length > 0) && v != decimal(f.Length) {
			hs := flowfile.NewHeaders(fields)
			hs.Set("content-length", decimal(f.Length))
			fields = hs.Fields()
		}
	}
	end := f.Kind == http1.None
	st, err := s.conn.h2.Open(s.x.c.ctx, http2.Head{Fields: fields, End: end, Sensitive: s.x.sensitive})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.s = st
	gone := s.gone
	s.mu.Unlock()
	if gone {
		st.Reset(http2.Cancel)
	}
	return nil
}

func (s *http2Server) write(p []byte) error {
	_, err := s.s.Write(p)
	return err
}
func (s *http2Server) flush() error { return s.s.Flush() }

func (s *http2Server) finish(trailers []flowfile.Field) error {
	if s.x.framing.Kind == http1.None && s.x.held.Size() <= 0 && len(trailers) == 0 {
		return nil // the head said so
	}
	return s.s.CloseWrite(trailers)
}

func (s *http2Server) readHead() (*http1.ResponseHead, error) {
	h, err := s.s.ReadHead()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	status, err := strconv.Atoi(h.Get(":status"))
	if err != nil {
		return nil, errors.New("the response has no status")
	}
	fields := h.Fields
	for len(fields) > 0 && strings.HasPrefix(fields[0].Name, ":") {
		fields = fields[1:]
	}
	none := h.End || s.method == "HEAD" || status == 204 || status == 304 // RFC 9110 §6.4.1
	return &http1.ResponseHead{Version: "HTTP/2.0", Status: status, Fields: fields, Body: framing2(fields, none)}, nil
}

func (s *http2Server) next(room []byte) ([]byte, error) {
	if len(room) == 0 {
		room = *s.buf
	}
	return next2(s.s, room)
}

func (s *http2Server) ready() bool                { return s.s.Ready() }
func (s *http2Server) trailers() []flowfile.Field { return s.s.Trailers() }

func (s *http2Server) cancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	if s.s != nil {
		s.s.Reset(http2.Cancel)
	}
}

func (s *http2Server) done(whole bool) {
	if s.s != nil {
		s.s.Close()
	}
	if s.buf != nil {
		buffers.Put(s.buf)
		s.buf = nil
	}
}
