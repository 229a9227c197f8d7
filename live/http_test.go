package live_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/live"
	"flowkit/live/internal/http2"
	"flowkit/replay"
)

// Bytes of heads are passed on as they came, through a tunnel too.
func TestHeadBytes(t *testing.T) {
	const fields = "hOsT: %s\r\nX-b: 1\r\nx-A: 2\r\nX-b: 3\r\nCookie: a=b\r\ncookie: c=d\r\nx-empty: \r\n\r\n"
	const answer = "HTTP/1.1 299 my own Reason\r\nx-Z: 1\r\nSet-Cookie: a\r\nX-z: 2\r\nset-cookie: b\r\ncontent-LENGTH: 2\r\n\r\nok"
	noLeaks(t)
	seen := make(chan string, 2)
	addr := rawOrigin(t, func(_ int, w *wire) {
		seen <- w.head()
		w.send(answer)
	})
	r := start(t, nil)
	for _, tunnel := range []bool{false, true} {
		w, line := r.dial(), "GET http://"+addr+"/p?q HTTP/1.1\r\n"
		if tunnel {
			w, line = r.tunnel(addr), "GET /p?q HTTP/1.1\r\n"
		}
		head := strings.Replace(fields, "%s", addr, 1)
		w.send(line + head)
		w.expect(answer)
		if got, want := <-seen, "GET /p?q HTTP/1.1\r\n"+head; got != want {
			t.Errorf("tunnel=%v: the origin saw %q, want %q", tunnel, got, want)
		}
		k := r.flow("http GET /p?q 299", "")
		if n := k.f.Request().Headers().Len(); n != 7 {
			t.Errorf("recorded %d fields", n)
		}
	}
}

func TestInterim(t *testing.T) {
	noLeaks(t)
	const interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n"
	addr := rawOrigin(t, func(_ int, w *wire) {
		for strings.HasSuffix(w.head(), "\r\n\r\n") {
			w.send(interim + ok)
		}
	})
	r := start(t, nil)
	w := r.dial()
	w.send(get(addr, "/"))
	w.expect(interim + ok)
	r.flow("http GET / 200", "")
	w = r.dial()
	w.send("GET http://" + addr + "/ HTTP/1.0\r\n\r\n")
	w.expect(ok) // a client of 1.0 knows no interim answers
	r.flow("http GET / 200", "")
}

func TestInterimHTTP2(t *testing.T) {
	noLeaks(t)
	cert, pool := certificate(t, nil)
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a>")
		w.WriteHeader(103)
		_, _ = io.WriteString(w, "ok")
	}, &cert, "h2")
	r := start(t, func(o *live.Options) { o.Roots = pool })
	var hints []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hints = append(hints, fmt.Sprint(code, h.Get("Link")))
		return nil
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", "https://"+addr, nil)
	check(t, err)
	resp, err := r.client().Do(req)
	check(t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if !slices.Equal(hints, []string{"103</a>"}) || resp.ProtoMajor != 2 {
		t.Errorf("got %q, %s", hints, resp.Proto)
	}
	r.flow("http GET / 200", "")
}

func TestExpect(t *testing.T) {
	const expect = "Expect: 100-continue"
	t.Run("continue", func(t *testing.T) {
		noLeaks(t)
		addr := rawOrigin(t, func(_ int, w *wire) {
			if h := w.head(); !strings.Contains(h, expect) {
				t.Errorf("the origin saw %q", h)
			}
			if w.br.Buffered() > 0 {
				t.Error("the body came before 100")
			}
			w.send("HTTP/1.1 100 Continue\r\n\r\n")
			w.expect("abc")
			w.send(ok)
			_, _ = w.rest()
		})
		r := start(t, nil)
		w := r.dial()
		w.send(ask("POST", addr, "/", "Content-Length: 3", expect))
		w.expect("HTTP/1.1 100 Continue\r\n\r\n")
		w.send("abc")
		w.expect(ok)
		w.Close()
		if got, _ := r.flow("http POST / 200", "").body(flowfile.BodyRequest); got != "abc" {
			t.Errorf("recorded %q", got)
		}
	})
	t.Run("refused", func(t *testing.T) {
		noLeaks(t)
		const no = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"
		addr := says(t, no)
		r := start(t, nil)
		w := r.dial()
		w.send(ask("POST", addr, "/", "Content-Length: 3", expect))
		w.expect(no)
		r.flow("http POST / 417", "")
	})
	t.Run("handled", func(t *testing.T) { // the handler waits for the body, so the proxy says that it may come
		noLeaks(t)
		addr := rawOrigin(t, func(_ int, w *wire) {
			w.head()
			w.expect("abc")
			w.send(ok)
			_, _ = w.rest()
		})
		r := start(t, func(o *live.Options) { o.Handler = on(nothing, replay.Request) })
		w := r.dial()
		w.send(ask("POST", addr, "/", "Content-Length: 3", expect))
		w.expect("HTTP/1.1 100 Continue\r\n\r\n")
		w.send("abc")
		w.expect(ok)
		w.Close()
		r.flow("http POST / 200", "")
	})
}

// A server that answers before it has all of a body, and does not read the rest.
func TestEarlyAnswer(t *testing.T) {
	const no = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!"
	for _, handled := range []bool{false, true} {
		t.Run(fmt.Sprint("handled=", handled), func(t *testing.T) {
			noLeaks(t)
			addr := rawOrigin(t, func(_ int, w *wire) {
				w.head()
				w.send(no)
				_ = w.Conn.(*net.TCPConn).CloseWrite()
				time.Sleep(50 * time.Millisecond) // and then it is gone
			})
			r := start(t, func(o *live.Options) {
				if handled {
					o.Handler = on(nothing, everything...)
				}
			})
			w := r.dial()
			size := 64 << 20
			if handled {
				size = 8 << 20
			}
			w.send(ask("POST", addr, "/", "Content-Length: "+fmt.Sprint(size)))
			sent := make(chan int)
			go func() {
				n := 0
				for buf := make([]byte, 64<<10); n < size; {
					k, err := w.Conn.Write(buf)
					n += k
					if err != nil {
						break
					}
				}
				sent <- n
			}()
			w.expect(no)
			w.Close()
			if n := <-sent; n == size && !handled {
				t.Error("all of the body was sent")
			}
			r.flow("http POST / 413", "")
		})
	}
}

func TestNoBody(t *testing.T) {
	noLeaks(t)
	heads := map[string]string{
		"HEAD": "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
		"204":  "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
		"304":  "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n",
		"zero": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	}
	addr := rawOrigin(t, func(_ int, w *wire) {
		for {
			h := w.head()
			if h == "" {
				return
			}
			for name, answer := range heads {
				if strings.Contains(h, "/"+name+" ") {
					w.send(answer)
				}
			}
		}
	})
	for _, handled := range []bool{false, true} {
		r := start(t, func(o *live.Options) {
			if handled {
				o.Handler = on(nothing, everything...)
			}
		})
		w := r.dial()
		for _, name := range []string{"HEAD", "204", "304", "zero"} {
			method := "GET"
			if name == "HEAD" {
				method = name
			}
			w.send(ask(method, addr, "/"+name))
			w.expect(heads[name])
			if k := r.flow("http "+method+" /"+name, ""); k.f.Response().Body().Size() != 0 {
				t.Errorf("%s: recorded %d bytes", name, k.f.Response().Body().Size())
			}
		}
	}
}

func TestHTTP10(t *testing.T) {
	noLeaks(t)
	addr := rawOrigin(t, func(_ int, w *wire) {
		switch h := w.head(); {
		case strings.Contains(h, "/chunked "):
			w.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
		case strings.Contains(h, "/old "):
			w.send("HTTP/1.0 200 OK\r\n\r\nok")
		default:
			w.send(ok)
		}
	})
	r := start(t, nil)
	for _, tt := range []struct{ path, version, want string }{
		{"/length", "1.0", ok},
		{"/chunked", "1.0", "HTTP/1.1 200 OK\r\n\r\nok"},
		{"/old", "1.0", "HTTP/1.0 200 OK\r\n\r\nok"},
		{"/old", "1.1", "HTTP/1.0 200 OK\r\n\r\nok"},
	} {
		w := r.dial()
		w.send("GET http://" + addr + tt.path + " HTTP/" + tt.version + "\r\nHost: a\r\n\r\n")
		if got, err := w.rest(); got != tt.want || err != nil {
			t.Errorf("%s %s: got %q, %v", tt.path, tt.version, got, err)
		}
		k := r.flow("http GET "+tt.path+" 200", "")
		if got, n := k.body(flowfile.BodyResponse); got != "ok" || n != 2 || k.f.Request().Version() != "HTTP/"+tt.version {
			t.Errorf("%s: recorded %q of %d, %s", tt.path, got, n, k.f.Request().Version())
		}
	}
}

// Both connections are used again, and requests that come together are answered in order.
func TestReuse(t *testing.T) {
	noLeaks(t)
	var conns atomic.Int64
	addr := rawOrigin(t, func(n int, w *wire) {
		conns.Store(int64(n))
		for {
			h := w.head()
			if h == "" {
				return
			}
			path := strings.Fields(h)[1]
			w.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(path), path))
		}
	})
	r := start(t, nil)
	w := r.dial()
	var all strings.Builder
	for i := range 5 {
		all.WriteString(get(addr, fmt.Sprintf("/%d", i)))
	}
	w.send(all.String())
	for i := range 5 {
		if got := w.status(200); got != fmt.Sprintf("/%d", i) {
			t.Errorf("answer %d: %q", i, got)
		}
	}
	for i := range 5 {
		w.send(get(addr, fmt.Sprintf("/%d", i)))
		w.status(200)
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections to the origin", n)
	}
	ids := make(map[string]bool)
	for range 10 {
		k := r.flows.next()
		ids[k.f.Client().ID+k.f.Server().ID] = true
	}
	if len(ids) != 1 || r.p.Stats().Conns != 1 {
		t.Errorf("%d pairs of connections, %+v", len(ids), r.p.Stats())
	}
}

// A server closes a connection that waits for another request. What is safe to ask again is asked again; what could be
// done twice is not.
func TestStaleConnection(t *testing.T) {
	const body = "Content-Length: 1"
	for _, tt := range []struct {
		name, request string
		late          bool // the server closes when the request is there, which looks the same as a race
		status        int
		asked         int64 // how many requests the origin has seen
	}{
		{"GET before", "GET", false, 200, 2},
		{"GET in a race", "GET", true, 200, 3},
		{"PUT in a race", "PUT", true, 200, 3},
		{"POST before", "POST", false, 200, 2},
		{"POST in a race", "POST", true, 502, 2},
		{"PATCH in a race", "PATCH", true, 502, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			var asked atomic.Int64
			closed := make(chan struct{})
			addr := rawOrigin(t, func(n int, w *wire) {
				for i := 1; ; i++ {
					h := w.head()
					if h == "" {
						return
					}
					asked.Add(1)
					if n == 1 && i == 2 {
						return // without a word
					}
					if strings.Contains(h, body) {
						w.expect("x")
					}
					w.send(ok)
					if n == 1 && !tt.late {
						w.Close()
						close(closed)
						return
					}
				}
			})
			r := start(t, nil)
			w := r.dial()
			w.send(get(addr, "/1"))
			w.status(200)
			if !tt.late {
				<-closed
				time.Sleep(5 * time.Millisecond) // on its way through the kernel
			}
			if tt.request == "GET" {
				w.send(get(addr, "/2"))
			} else {
				w.send(ask(tt.request, addr, "/2", body) + "x")
			}
			w.status(tt.status)
			if n := asked.Load(); n != tt.asked {
				t.Errorf("the origin was asked %d times, want %d", n, tt.asked)
			}
			r.flow("http GET /1 200", "")
			if tt.status == 200 {
				r.flow("http "+tt.request+" /2 200", "")
			} else {
				r.flow("http "+tt.request+" /2", "closed the connection without")
			}
		})
	}
}

// A server of HTTP/2 that takes no request is not asked for ever.
func TestRefusedStreams(t *testing.T) {
	noLeaks(t)
	cert, pool := certificate(t, nil)
	var asked atomic.Int64
	addr := h2Origin(t, &cert, func(s *http2.Stream) {
		asked.Add(1)
		s.Reset(http2.RefusedStream)
	})
	r := start(t, func(o *live.Options) { o.Roots = pool })
	resp, err := r.client().Get("https://" + addr + "/")
	check(t, err)
	resp.Body.Close()
	if n := asked.Load(); n < 2 || n > 10 || resp.StatusCode != 502 {
		t.Errorf("asked %d times, got %s", n, resp.Status)
	}
	r.flow("http GET /", "server")
}

// h2Origin is an origin of HTTP/2 whose streams are looked at.
func h2Origin(t *testing.T, cert *tls.Certificate, serve func(s *http2.Stream)) string {
	t.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: []string{"h2"}}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		c := config.Clone()
		if !slices.Contains(h.SupportedProtos, "h2") {
			c.NextProtos = []string{"none"} // crypto/tls would let a client of HTTP/1.1 in
		}
		return c, nil
	}})
	check(t, err)
	ended, end := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ended, func() { c.Close() })
			all.Go(func() {
				defer c.Close()
				defer stop()
				if c.(*tls.Conn).Handshake() == nil {
					_ = http2.Server(c, http2.Options{}).Serve(serve)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		end()
		all.Wait()
	})
	return l.Addr().String()
}

// h2Client makes a connection of HTTP/2 through a tunnel.
func (r *rig) h2Client(addr string) *http2.Conn {
	r.t.Helper()
	w := r.tunnel(addr)
	_, c := w.tls("127.0.0.1", "h2")
	if p := c.ConnectionState().NegotiatedProtocol; p != "h2" {
		r.t.Fatalf("the proxy chose %q", p)
	}
	h2 := http2.Client(c, http2.Options{})
	r.t.Cleanup(func() { h2.Close(); <-h2.Done() })
	return h2
}

func fields(pairs ...string) []flowfile.Field {
	var fs []flowfile.Field
	for i := 0; i < len(pairs); i += 2 {
		fs = append(fs, flowfile.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return fs
}

func TestHTTP2Order(t *testing.T) {
	noLeaks(t)
	cert, pool := certificate(t, nil)
	seen := make(chan []flowfile.Field, 1)
	answer := fields(":status", "200", "x-z", "1", "set-cookie", "a", "x-a", "2", "set-cookie", "b")
	addr := h2Origin(t, &cert, func(s *http2.Stream) {
		h, err := s.ReadHead()
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, s)
		seen <- append(h.Fields, s.Trailers()...)
		_ = s.WriteHead(http2.Head{Fields: answer})
		_, _ = s.Write([]byte("ok"))
		_ = s.CloseWrite(fields("x-end", "yes"))
	})
	r := start(t, func(o *live.Options) { o.Roots = pool })
	c := r.h2Client(addr)
	request := fields(":path", "/a?b", ":authority", addr, ":method", "POST", ":scheme", "https", "x-b", "1", "cookie", "a=b", "x-a", "2", "cookie", "c=d", "x-b", "3", "te", "trailers")
	s, err := c.Open(t.Context(), http2.Head{Fields: request})
	check(t, err)
	defer s.Close()
	_, err = s.Write([]byte("body"))
	check(t, err)
	check(t, s.CloseWrite(fields("x-sum", "7")))
	h, err := s.ReadHead()
	check(t, err)
	body, err := io.ReadAll(s)
	check(t, err)
	if want := append(request, fields("x-sum", "7")...); !slices.Equal(<-seen, want) {
		t.Error("the origin saw other fields")
	}
	if !slices.Equal(h.Fields, answer) || string(body) != "ok" || !slices.Equal(s.Trailers(), fields("x-end", "yes")) {
		t.Errorf("got %v %q %v", h.Fields, body, s.Trailers())
	}
	k := r.flow("http POST /a?b 200", "")
	if got := k.f.Request().Trailers(); got == nil || got.Get("x-sum") != "7" {
		t.Errorf("recorded trailers %v", got)
	}
	if got := k.f.Response().Trailers(); got == nil || got.Get("x-end") != "yes" {
		t.Errorf("recorded trailers %v", got)
	}
	if k.f.Client().ALPN != "h2" || k.f.Server().ALPN != "h2" || k.f.Request().Version() != "HTTP/2.0" {
		t.Errorf("recorded %s", k.f.Request().Version())
	}
}

// A client of HTTP/2 whose request a handler sends to a server of HTTP/1.
func TestHTTP2ToHTTP1(t *testing.T) {
	noLeaks(t)
	cert, pool := certificate(t, nil)
	front := h2Origin(t, &cert, func(*http2.Stream) { t.Error("the other server was asked") })
	seen := make(chan string, 1)
	back := rawOrigin(t, func(_ int, w *wire) {
		h := w.head()
		body := "body"
		if strings.Contains(h, "chunked") {
			body = "4\r\nbody\r\n0\r\n\r\n"
		}
		w.expect(body)
		// A body of no known length may have arrived, and has one then.
		h = strings.Replace(h, "Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n", 1)
		seen <- h
		w.send("HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-Up: A\r\nTrailer: X-End\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-End: yes\r\n\r\n")
	})
	port := int(netip.MustParseAddrPort(back).Port())
	r := start(t, func(o *live.Options) {
		o.Roots = pool
		o.Handler = on(func(e *replay.Event) {
			q := e.Flow.Request()
			q.SetScheme("http")
			q.SetPort(port)
		}, replay.RequestHeaders)
	})
	c := r.h2Client(front)
	for _, length := range []bool{false, true} {
		request := fields(":method", "POST", ":scheme", "https", ":authority", "example.com", ":path", "/", "cookie", "a=b", "x-y", "1", "cookie", "c=d")
		if length {
			request = append(request, fields("content-length", "4")...)
		}
		s, err := c.Open(t.Context(), http2.Head{Fields: request})
		check(t, err)
		_, err = s.Write([]byte("body"))
		check(t, err)
		check(t, s.CloseWrite(nil))
		h, err := s.ReadHead()
		check(t, err)
		body, err := io.ReadAll(s)
		check(t, err)
		s.Close()
		want := "POST / HTTP/1.1\r\nHost: example.com\r\ncookie: a=b; c=d\r\nx-y: 1\r\n"
		if length {
			want += "content-length: 4\r\n\r\n"
		} else {
			want += "Transfer-Encoding: chunked\r\n\r\n"
		}
		if got := <-seen; got != want {
			t.Errorf("the origin saw %q, want %q", got, want)
		}
		if !slices.Equal(h.Fields, fields(":status", "200", "x-up", "A", "trailer", "X-End")) || string(body) != "ok" || !slices.Equal(s.Trailers(), fields("x-end", "yes")) {
			t.Errorf("got %v %q %v", h.Fields, body, s.Trailers())
		}
		r.flow("http POST / 200", "")
	}
}

// A client of HTTP/1 and a server that speaks HTTP/2 alone.
func TestHTTP1ToHTTP2(t *testing.T) {
	noLeaks(t)
	cert, pool := certificate(t, nil)
	seen := make(chan []flowfile.Field, 1)
	addr := h2Origin(t, &cert, func(s *http2.Stream) {
		h, err := s.ReadHead()
		if err != nil {
			return
		}
		b, _ := io.ReadAll(s)
		seen <- append(append(h.Fields, s.Trailers()...), fields("", string(b))...)
		_ = s.WriteHead(http2.Head{Fields: fields(":status", "200", "x-a", "1", "set-cookie", "a", "set-cookie", "b")})
		_, _ = s.Write([]byte("ok"))
		_ = s.CloseWrite(fields("x-end", "yes"))
	})
	r := start(t, func(o *live.Options) { o.Roots = pool })
	w, _ := r.tunnel(addr).tls("127.0.0.1", "http/1.1")
	for range 2 {
		w.send("POST /a HTTP/1.1\r\nHost: " + addr + "\r\nConnection: x-hop\r\nX-Hop: 1\r\nCookie: a=b\r\nX-B: 2\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 7\r\n\r\n")
		want := fields(":method", "POST", ":authority", addr, ":scheme", "https", ":path", "/a", "cookie", "a=b", "x-b", "2", "te", "trailers", "x-sum", "7", "", "body")
		select {
		case got := <-seen:
			if !slices.Equal(got, want) {
				t.Errorf("the origin saw %q, want %q", got, want)
			}
		case <-time.After(5 * time.Second):
			got, err := w.rest()
			t.Fatalf("the origin saw nothing, the client %q, %v\n%s", got, err, &r.log.b)
		}
		w.expect("HTTP/1.1 200 OK\r\nx-a: 1\r\nset-cookie: a\r\nset-cookie: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-end: yes\r\n\r\n")
		r.flow("http POST /a 200", "")
	}
}

// A server that cannot be reached, asked over HTTP/2; and one that resets a stream.
func TestHTTP2Errors(t *testing.T) {
	noLeaks(t)
	cert, pool := certificate(t, nil)
	addr := h2Origin(t, &cert, func(s *http2.Stream) {
		if h, err := s.ReadHead(); err != nil || strings.HasPrefix(h.Get(":path"), "/early") {
			return
		}
		_ = s.WriteHead(http2.Head{Fields: fields(":status", "200")})
		_, _ = s.Write([]byte("part"))
		_ = s.Flush()
		s.Reset(http2.InternalError)
	})
	r := start(t, func(o *live.Options) { o.Roots = pool })
	client := r.client()
	resp, err := client.Get("https://" + addr + "/early")
	check(t, err)
	resp.Body.Close()
	if resp.StatusCode != 502 || resp.ProtoMajor != 2 {
		t.Errorf("got %s %s", resp.Proto, resp.Status)
	}
	r.flow("http GET /early", "server")
	resp, err = client.Get("https://" + addr + "/late")
	check(t, err)
	_, err = io.ReadAll(resp.Body)
	resp.Body.Close()
	if err == nil {
		t.Error("the client takes the body for whole")
	}
	k := r.flow("http GET /late 200", "server")
	if _, n := k.body(flowfile.BodyResponse); n != -1 {
		t.Errorf("recorded a body of %d", n)
	}
	// A client that resets its stream.
	ctx, cancel := context.WithCancel(t.Context())
	slow := h2Origin(t, &cert, func(s *http2.Stream) {
		if _, err := s.ReadHead(); err == nil {
			cancel()
			<-s.Done()
		}
	})
	req, err := http.NewRequestWithContext(ctx, "GET", "https://"+slow+"/slow", nil)
	check(t, err)
	if _, err = client.Do(req); err == nil {
		t.Error("the request succeeded")
	}
	r.flow("http GET /slow", "client")
}

func TestProxyAuth(t *testing.T) {
	noLeaks(t)
	heads := make(chan string, 1)
	addr := rawOrigin(t, func(_ int, w *wire) {
		for h := w.head(); h != ""; h = w.head() {
			heads <- h
			w.send(ok)
		}
	})
	r := start(t, func(o *live.Options) {
		o.Auth = func(user, password string) bool { return user == "ann" && password == "a:b" }
	})
	const good, bad = "Proxy-Authorization: Basic YW5uOmE6Yg==", "proxy-authorization: basic YW5uOng="
	w := r.dial()
	w.send(get(addr, "/"))
	resp, _, err := w.answer("GET")
	check(t, err)
	if resp.StatusCode != 407 || resp.Header.Get("Proxy-Authenticate") == "" || resp.Close {
		t.Errorf("got %v", resp)
	}
	w.send(ask("POST", addr, "/", "Content-Length: 3") + "abc")
	w.status(407)
	w.send(get(addr, "/", bad))
	w.status(407)
	r.logged("wrong user or password")
	w.send(get(addr, "/", good))
	w.status(200)
	if h := <-heads; strings.Contains(h, "Proxy-Auth") {
		t.Errorf("the origin saw %q", h)
	}
	r.flow("http GET / 200", "")
	w = r.dial()
	w.send("CONNECT " + addr + " HTTP/1.1\r\nHost: a\r\n\r\n")
	w.status(407)
	w.send("CONNECT " + addr + " HTTP/1.1\r\nHost: a\r\n" + good + "\r\n\r\n")
	w.expect("HTTP/1.1 200 Connection established\r\n\r\n")
	w.send("GET / HTTP/1.1\r\nHost: a\r\n" + good + "\r\n\r\n") // what is in the tunnel is for the origin
	w.status(200)
	if h := <-heads; !strings.Contains(h, good) {
		t.Errorf("the origin saw %q", h)
	}
	r.flow("http GET / 200", "")
	r.flows.none()
}

func TestPage(t *testing.T) {
	noLeaks(t)
	r := start(t, func(o *live.Options) {
		o.Dial = func(context.Context, string, string) (net.Conn, error) {
			t.Error("a server was asked")
			return nil, net.ErrClosed
		}
	})
	w := r.dial()
	w.send(get("flowkit.ca", "/"))
	if body := w.status(200); !strings.Contains(body, "cert/pem") {
		t.Errorf("the page is %s", body)
	}
	w.send(get("mitm.it", "/cert/pem")) // on the same connection
	if body := w.status(200); body != string(authority.PEM()) {
		t.Errorf("the certificate is %s", body)
	}
	w.send(ask("HEAD", "flowkit.ca", "/"))
	if resp, _, err := w.answer("HEAD"); err != nil || resp.StatusCode != 200 {
		t.Errorf("HEAD: %v, %v", resp, err)
	}
	w.send(get("flowkit.ca", "/nothing"))
	w.status(404)
	w = r.tunnel("flowkit.ca:80")
	w.send("GET / HTTP/1.1\r\nHost: flowkit.ca\r\n\r\n")
	w.status(200)
	r.stop()
	r.flows.none()
}
