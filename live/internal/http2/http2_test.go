package http2

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"flowkit/flowfile"
)

func fields(nv ...string) []flowfile.Field {
	var out []flowfile.Field
	for i := 0; i < len(nv); i += 2 {
		out = append(out, flowfile.Field{Name: nv[i], Value: nv[i+1]})
	}
	return out
}

func get(path string) Head {
	return Head{Fields: fields(":method", "GET", ":scheme", "https", ":authority", "example.com", ":path", path), End: true}
}

func post(path string) Head {
	h := get(path)
	h.Fields[0].Value, h.End = "POST", false
	return h
}

func status(code string, nv ...string) Head {
	return Head{Fields: append(fields(":status", code), fields(nv...)...)}
}

// tcpPair returns both ends of a TCP connection.
func tcpPair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if a, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// pair returns a client and what serves it.
func pair(t testing.TB, co, so Options, handle func(*Stream)) (*Conn, *Conn) {
	t.Helper()
	a, b := tcpPair(t)
	srv := Server(b, so)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(handle) }()
	c := Client(a, co)
	t.Cleanup(func() {
		c.Close()
		srv.Close()
		select {
		case <-served:
		case <-time.After(10 * time.Second):
			t.Error("Serve does not return")
		}
	})
	return c, srv
}

func echo(s *Stream) {
	h, err := s.ReadHead()
	if err != nil {
		return
	}
	s.WriteHead(status("200", "x-path", h.Get(":path")))
	buf := make([]byte, 32<<10)
	for {
		n, err := s.Read(buf)
		if n > 0 {
			if _, err := s.Write(buf[:n]); err != nil {
				return
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return
		}
		if !s.Ready() {
			s.Flush()
		}
	}
	s.CloseWrite(s.Trailers())
}

func TestEcho(t *testing.T) {
	c, _ := pair(t, Options{}, Options{}, echo)
	body := strings.Repeat("0123456789abcdef", 300_000)
	s, err := c.Open(context.Background(), post("/a"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	go func() {
		io.WriteString(s, body)
		s.CloseWrite(fields("x-sum", "1", "x-sum", "2"))
	}()
	h, err := s.ReadHead()
	if err != nil {
		t.Fatal(err)
	}
	if h.Get("x-path") != "/a" || h.End {
		t.Fatalf("head %+v", h)
	}
	got, err := io.ReadAll(s)
	if err != nil || string(got) != body {
		t.Fatalf("body: %d bytes, %v", len(got), err)
	}
	if tr := s.Trailers(); !slices.Equal(tr, fields("x-sum", "1", "x-sum", "2")) {
		t.Fatalf("trailers %v", tr)
	}
}

func TestManyStreams(t *testing.T) {
	c, _ := pair(t, Options{}, Options{MaxStreams: 8}, echo)
	c.ConnectProtocol(t.Context()) // SETTINGS are here
	errs := make(chan error)
	const n = 64
	for i := range n {
		go func() {
			errs <- func() error {
				s, err := c.Open(context.Background(), post(fmt.Sprint("/", i)))
				if err != nil {
					return err
				}
				defer s.Close()
				body := strings.Repeat(fmt.Sprint(i, " "), 20000)
				go func() {
					io.WriteString(s, body)
					s.CloseWrite(nil)
				}()
				if h, err := s.ReadHead(); err != nil || h.Get("x-path") != fmt.Sprint("/", i) {
					return fmt.Errorf("%v, %v", h, err)
				}
				got, err := io.ReadAll(s)
				if err == nil && string(got) != body {
					err = fmt.Errorf("%d bytes of %d", len(got), len(body))
				}
				return err
			}()
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if c.Streams() != 0 {
		t.Error("streams left:", c.Streams())
	}
}
