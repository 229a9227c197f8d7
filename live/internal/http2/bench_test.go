package http2

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// An exchange of a head and 8 kB, client and server in one process, over TCP: ours on both sides, and that of net/http (x/net).

var body8k = make([]byte, 8<<10)

func serve8k(s *Stream) {
	if _, err := s.ReadHead(); err != nil {
		return
	}
	s.WriteHead(status("200", "content-type", "text/plain", "content-length", "8192", "server", "bench"))
	s.Write(body8k)
	s.CloseWrite(nil)
}

func BenchmarkExchange8k(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		c, _ := pair(b, Options{}, Options{}, serve8k)
		buf := make([]byte, 16<<10)
		b.ReportAllocs()
		for b.Loop() {
			exchange8k(b, c, buf)
		}
	})
	b.Run("ours-parallel", func(b *testing.B) {
		c, _ := pair(b, Options{}, Options{}, serve8k)
		b.ReportAllocs()
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			buf := make([]byte, 16<<10)
			for pb.Next() {
				exchange8k(b, c, buf)
			}
		})
	})
	b.Run("net-http", func(b *testing.B) {
		cc := netPair(b, netServe8k)
		buf := make([]byte, 16<<10)
		b.ReportAllocs()
		for b.Loop() {
			netExchange8k(b, cc, buf)
		}
	})
	b.Run("net-http-parallel", func(b *testing.B) {
		cc := netPair(b, netServe8k)
		b.ReportAllocs()
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			buf := make([]byte, 16<<10)
			for pb.Next() {
				netExchange8k(b, cc, buf)
			}
		})
	})
}

func exchange8k(b *testing.B, c *Conn, buf []byte) {
	s, err := c.Open(context.Background(), get("/some/path?with=query"))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.ReadHead(); err != nil {
		b.Fatal(err)
	}
	n := 0
	for {
		m, err := s.Read(buf)
		n += m
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	s.Close()
	if n != 8192 {
		b.Fatal(n)
	}
}

func netExchange8k(b *testing.B, cc *netClient, buf []byte) {
	body := cc.get(b)
	n := 0
	for {
		m, err := body.Read(buf)
		n += m
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	body.Close()
	if n != 8192 {
		b.Fatal(n)
	}
}

type netClient struct {
	tr  *http.Transport
	url string
}

func (c *netClient) get(b *testing.B) io.ReadCloser {
	req, _ := http.NewRequest("GET", c.url+"/some/path?with=query", nil)
	resp, err := c.tr.RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	return resp.Body
}

// netPair returns a client of net/http, which serves it too, HTTP/2 without TLS.
func netPair(b *testing.B, handle http.HandlerFunc) *netClient {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	ts := httptest.NewUnstartedServer(handle)
	ts.Config.Protocols = p
	ts.Start()
	tr := &http.Transport{Protocols: p}
	b.Cleanup(func() { tr.CloseIdleConnections(); ts.Close() })
	return &netClient{tr, ts.URL}
}

func netServe8k(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("content-type", "text/plain")
	w.Header().Set("content-length", "8192")
	w.Write(body8k)
}

// BenchmarkDownload is a body of 1 MB, and more.
func BenchmarkDownload(b *testing.B) {
	const size = 1 << 20
	block := make([]byte, 32<<10)
	b.Run("ours", func(b *testing.B) {
		c, _ := pair(b, Options{}, Options{}, func(s *Stream) {
			s.ReadHead()
			s.WriteHead(status("200"))
			for range size / len(block) {
				s.Write(block)
			}
			s.CloseWrite(nil)
		})
		b.SetBytes(size)
		b.ReportAllocs()
		buf := make([]byte, 32<<10)
		for b.Loop() {
			s, err := c.Open(context.Background(), get("/"))
			if err != nil {
				b.Fatal(err)
			}
			s.ReadHead()
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, s, buf)
			if n != size || err != nil {
				b.Fatal(n, err)
			}
			s.Close()
		}
	})
	b.Run("net-http", func(b *testing.B) {
		cc := netPair(b, func(w http.ResponseWriter, _ *http.Request) {
			for range size / len(block) {
				w.Write(block)
			}
		})
		b.SetBytes(size)
		b.ReportAllocs()
		buf := make([]byte, 32<<10)
		for b.Loop() {
			body := cc.get(b)
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, body, buf)
			if n != size || err != nil {
				b.Fatal(n, err)
			}
			body.Close()
		}
	})
}
