package live_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"flowkit/live"
)

func socks(r *rig, addr string, auth string) *wire {
	r.t.Helper()
	w := r.dial()
	if auth == "" {
		w.send("\x05\x02\x00\x02")
		w.expect("\x05\x00")
	} else {
		user, password, _ := strings.Cut(auth, ":")
		w.send("\x05\x01\x02")
		w.expect("\x05\x02")
		w.send("\x01" + string(rune(len(user))) + user + string(rune(len(password))) + password)
	}
	a := netip.MustParseAddrPort(addr)
	b := a.Addr().As4()
	w.send("\x05\x01\x00\x01" + string(b[:]) + string([]byte{byte(a.Port() >> 8), byte(a.Port())}))
	return w
}

const granted = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"

func TestSOCKS5(t *testing.T) {
	mode := func(o *live.Options) { o.Modes = []live.Mode{{Kind: live.SOCKS5}} }
	t.Run("http", func(t *testing.T) {
		noLeaks(t)
		addr := says(t, ok)
		r := start(t, mode)
		w := socks(r, addr, "")
		w.expect(granted)
		w.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		w.expect(ok)
		r.flow("http GET / 200", "")
	})
	t.Run("auth", func(t *testing.T) {
		noLeaks(t)
		addr := says(t, ok)
		r := start(t, func(o *live.Options) {
			mode(o)
			o.Auth = func(user, password string) bool { return user == "ann" && password == "x" }
		})
		w := socks(r, addr, "ann:x")
		w.expect("\x01\x00" + granted)
		w.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		w.expect(ok)
		r.flow("http GET / 200", "")
		w = socks(r, addr, "ann:y")
		if got, _ := w.rest(); got != "\x01\x01" {
			t.Errorf("a wrong password gets %q", got)
		}
		r.logged("wrong user or password")
		w = r.dial()
		w.send("\x05\x01\x00") // no user at all
		if got, _ := w.rest(); got != "\x05\xff" {
			t.Errorf("no password gets %q", got)
		}
	})
	t.Run("faults", func(t *testing.T) {
		noLeaks(t)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		l.Close()
		r := start(t, mode)
		w := socks(r, l.Addr().String(), "")
		w.expect("\x05\x04")
		r.flow("tcp", "connection refused")
		for sent, want := range map[string]string{
			"GET / HTTP/1.1\r\n\r\n":                "HTTP/1.1 400 Bad Request\r\n",
			"\x04\x01":                              "",
			"\x05\x01\x00\x05\x02\x00\x01":          "\x05\x00\x05\x07",
			"\x05\x01\x00\x05\x01\x00\x09":          "\x05\x00\x05\x08",
			"\x05\x01\x00\x05\x01\x00\x03\x09local": "\x05\x00",
		} {
			w := r.dial()
			w.send(sent)
			w.closeWrite()
			if got, _ := w.rest(); !strings.HasPrefix(got, want) {
				t.Errorf("%q gets %q", sent, got)
			}
		}
	})
}

// Bytes that are no HTTP, in both directions, with both ends closed one after the other.
func TestTCP(t *testing.T) {
	t.Run("client first", func(t *testing.T) {
		noLeaks(t)
		addr := rawOrigin(t, func(_ int, w *wire) {
			w.expect("\x00hello")
			w.send("\x01world")
			got, err := w.rest()
			if got != "\x00last" || err != nil {
				t.Errorf("the server got %q, %v", got, err)
			}
			w.send("\x01bye") // to a client that has said all
		})
		r := start(t, nil)
		w := r.tunnel(addr)
		w.send("\x00hello")
		w.expect("\x01world")
		w.send("\x00last")
		w.closeWrite()
		if got, err := w.rest(); got != "\x01bye" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		if k := r.flow("tcp", ""); k.texts() != "> \x00hello\n< \x01world\n> \x00last\n< \x01bye" {
			t.Errorf("recorded %q", k.texts())
		}
	})
	t.Run("server first", func(t *testing.T) {
		noLeaks(t)
		addr := rawOrigin(t, func(_ int, w *wire) {
			w.send("220 ready\r\n")
			w.expect("QUIT\r\n")
			w.send("221 bye\r\n")
		})
		r := start(t, nil)
		w := r.tunnel(addr)
		w.expect("220 ready\r\n")
		w.send("QUIT\r\n")
		w.expect("221 bye\r\n")
		w.Close()
		if k := r.flow("tcp", ""); k.texts() != "< 220 ready\r\n\n> QUIT\r\n\n< 221 bye\r\n" {
			t.Errorf("recorded %q", k.texts())
		}
	})
	t.Run("server first within TLS", func(t *testing.T) { // IMAPS and the like
		noLeaks(t)
		cert, pool := certificate(t, nil)
		addr := rawOrigin(t, func(_ int, w *wire) {
			w = newWire(t, tls.Server(w.Conn, &tls.Config{Certificates: []tls.Certificate{cert}}))
			w.send("* OK ready\r\n")
			w.expect("a LOGOUT\r\n")
			w.send("* BYE\r\n")
			w.Close()
		})
		r := start(t, func(o *live.Options) { o.Roots = pool })
		w, _ := r.tunnel(addr).tls("localhost")
		w.expect("* OK ready\r\n")
		w.send("a LOGOUT\r\n")
		w.expect("* BYE\r\n")
		w.Close()
		if k := r.flow("tcp", ""); k.texts() != "< * OK ready\r\n\n> a LOGOUT\r\n\n< * BYE\r\n" || !k.f.Server().TLS {
			t.Errorf("recorded %q", k.texts())
		}
	})
	t.Run("client first after a while within TLS", func(t *testing.T) {
		noLeaks(t)
		cert, _ := certificate(t, nil)
		addr := origin(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }, &cert)
		r := start(t, func(o *live.Options) { o.Insecure = true })
		w, _ := r.tunnel(addr).tls("localhost")
		time.Sleep(300 * time.Millisecond) // the server is listened to by then
		for range 2 {
			w.send(get(addr, "/"))
			if body := w.status(200); body != "hello" {
				t.Errorf("got %q", body)
			}
		}
		w.Close()
		r.flow("", "")
		r.flow("", "")
	})
	t.Run("reverse", func(t *testing.T) {
		noLeaks(t)
		addr := rawOrigin(t, func(_ int, w *wire) {
			w.send("hello")
			w.expect("GET / HTTP/1.1\r\n\r\n") // which is not taken for a request
		})
		r := start(t, func(o *live.Options) {
			m, err := live.ParseMode("reverse:tcp://" + addr)
			check(t, err)
			o.Modes = []live.Mode{m}
		})
		w := r.dial()
		w.expect("hello")
		w.send("GET / HTTP/1.1\r\n\r\n")
		_, _ = w.rest()
		w.Close()
		r.flow("tcp", "")
	})
	t.Run("reset", func(t *testing.T) {
		noLeaks(t)
		addr := rawOrigin(t, func(_ int, w *wire) {
			w.expect("\x00hello")
			w.reset()
		})
		r := start(t, nil)
		w := r.tunnel(addr)
		w.send("\x00hello")
		_, _ = w.rest()
		if k := r.flow("tcp", "server: "); k.texts() != "> \x00hello" {
			t.Errorf("recorded %q", k.texts())
		}
	})
	t.Run("silence", func(t *testing.T) {
		noLeaks(t)
		addr := rawOrigin(t, func(_ int, w *wire) { _, _ = w.rest() })
		r := start(t, func(o *live.Options) { o.Timeouts.Idle = 300 * time.Millisecond })
		w := r.tunnel(addr)
		w.send("\x00hello")
		_, _ = w.rest()
		r.flow("tcp", "timeout")
	})
}

// TLS that is not to be taken apart is passed on, and only that it was is recorded.
func TestPassthrough(t *testing.T) {
	cert, pool := certificate(t, nil)
	this, other := []*regexp.Regexp{regexp.MustCompile(`^127\.0\.0\.1:\d+$`)}, []*regexp.Regexp{regexp.MustCompile(`^example\.com:443$`)}
	for name, tt := range map[string]struct {
		change func(o *live.Options)
		passes bool
	}{
		"ignored":      {func(o *live.Options) { o.Ignore = this }, true},
		"not ignored":  {func(o *live.Options) { o.Ignore = other }, false},
		"allowed":      {func(o *live.Options) { o.Allow = this }, false},
		"not allowed":  {func(o *live.Options) { o.Allow = other }, true},
		"both":         {func(o *live.Options) { o.Ignore, o.Allow = this, this }, true},
		"no authority": {func(o *live.Options) { o.CA = nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			addr := origin(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }, &cert)
			r := start(t, func(o *live.Options) {
				o.Roots = pool
				tt.change(o)
			})
			client := r.client()
			if tt.passes { // the client sees the server's own certificate
				client.Transport.(*http.Transport).TLSClientConfig.RootCAs = pool
			}
			resp, err := client.Get("https://" + addr + "/")
			check(t, err)
			body, err := io.ReadAll(resp.Body)
			check(t, err)
			resp.Body.Close()
			if string(body) != "ok" {
				t.Errorf("got %q", body)
			}
			client.CloseIdleConnections()
			if !tt.passes {
				r.flow("http GET / 200", "")
				return
			}
			k := r.flows.next() // the client may end it with a reset, which is an error
			if c := k.f.Comment(); k.texts() != "" || !strings.Contains(c, "passed through untouched") || strings.Contains(c, " 0 bytes") {
				t.Errorf("recorded %q, %q", c, k.texts())
			}
		})
	}
}

// A connection that becomes something else than WebSocket.
func TestUpgrade(t *testing.T) {
	noLeaks(t)
	const answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n"
	addr := rawOrigin(t, func(_ int, w *wire) {
		if h := w.head(); !strings.Contains(h, "Upgrade: chat\r\n") {
			t.Errorf("the origin saw %q", h)
		}
		w.send(answer + "hi") // in one piece with its first words
		w.expect("hello")
		w.send("bye")
	})
	r := start(t, nil)
	w := r.dial()
	w.send(get(addr, "/", "Connection: Upgrade", "Upgrade: chat"))
	w.expect(answer + "hi")
	w.send("hello")
	w.expect("bye")
	w.Close()
	if k := r.flow("tcp", ""); k.texts() != "< hi\n> hello\n< bye" || !strings.Contains(k.f.Comment(), "after the upgrade") {
		t.Errorf("recorded %q, %q", k.texts(), k.f.Comment())
	}
	r.flow("http GET / 101", "")
	// One that is refused goes on as HTTP.
	addr = says(t, ok)
	w = r.dial()
	for range 2 {
		w.send(get(addr, "/", "Connection: Upgrade", "Upgrade: chat"))
		w.expect(ok)
		r.flow("http GET / 200", "")
	}
}

// Serve's end while things are under way: what ends in time is whole, the rest is recorded as incomplete.
func TestDrain(t *testing.T) {
	cert, pool := certificate(t, nil)
	here, on := make(chan struct{}, 10), make(chan struct{})
	handle := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begin")
		_ = http.NewResponseController(w).Flush()
		here <- struct{}{}
		if r.URL.Path == "/ends" {
			<-on
			return
		}
		<-r.Context().Done()
	}
	for _, secure := range []bool{false, true} {
		for _, path := range []string{"/ends", "/hangs"} {
			name := "HTTP1" + path
			if secure {
				name = "HTTP2" + path
			}
			t.Run(name, func(t *testing.T) {
				noLeaks(t)
				addr, url := "", ""
				if secure {
					addr = origin(t, handle, &cert, "h2")
					url = "https://" + addr + path
				} else {
					addr = origin(t, handle, nil)
					url = "http://" + addr + path
				}
				r := start(t, func(o *live.Options) { o.Roots = pool })
				idle := r.dial()
				idle.send(get("flowkit.ca", "/"))
				idle.status(200)
				client := r.client()
				resp, err := client.Get(url)
				check(t, err)
				<-here
				stopped := make(chan struct{})
				go func() {
					r.stop()
					close(stopped)
				}()
				if rest, err := idle.rest(); rest != "" || err != nil {
					t.Errorf("the idle connection got %q, %v", rest, err)
				}
				if path == "/ends" {
					on <- struct{}{}
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if string(body) != "begin" || (err == nil) != (path == "/ends") {
					t.Errorf("got %q, %v", body, err)
				}
				<-stopped
				if path == "/ends" {
					r.flow("http GET "+path+" 200", "")
				} else {
					k := r.flow("http GET "+path+" 200", "the proxy was stopped")
					if got, n := k.body(1); got != "begin" || n != -1 || !k.end.Incomplete {
						t.Errorf("recorded %q of %d, %+v", got, n, k.end)
					}
				}
				if _, err := net.Dial("tcp", r.addr); err == nil {
					t.Error("the proxy still listens")
				}
			})
		}
	}
	t.Run("tunnel", func(t *testing.T) {
		noLeaks(t)
		addr := rawOrigin(t, func(_ int, w *wire) { _, _ = w.rest() })
		r := start(t, nil)
		w := r.tunnel(addr)
		w.send("\x00hello")
		time.Sleep(10 * time.Millisecond)
		r.stop()
		if k := r.flow("tcp", ""); !k.end.Incomplete || k.texts() != "> \x00hello" {
			t.Errorf("recorded %+v %q", k.end, k.texts())
		}
	})
	t.Run("dial", func(t *testing.T) {
		noLeaks(t)
		r := start(t, func(o *live.Options) {
			o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				here <- struct{}{}
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		w := r.dial()
		w.send(get("192.0.2.1", "/"))
		<-here
		r.stop()
		if k := r.flow("http GET /", "the proxy was stopped"); !k.end.Incomplete {
			t.Errorf("recorded %+v", k.end)
		}
	})
}
