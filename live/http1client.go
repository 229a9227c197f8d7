package live

import (
	"io"
	"strings"
	"time"

	"flowkit/flowfile"
	"flowkit/live/internal/http1"
)

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
	s.out.Reset(s.c.conn, http1.Framing{}) // an interim response may come first
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
