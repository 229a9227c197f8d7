package live_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/live"
)

func TestSlowClients(t *testing.T) {
	for _, tt := range []struct{ name, sent, want string }{
		{"no request", "", ""},
		{"half a request line", "GET http://a", "HTTP/1.1 408 "},
		{"half a head", "GET http://a/ HTTP/1.1\r\nHost: a\r\nX: ", "HTTP/1.1 408 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			r := start(t, func(o *live.Options) { o.Timeouts.Head, o.Timeouts.Idle = 30*time.Millisecond, 30*time.Millisecond })
			w := r.dial()
			w.send(tt.sent)
			got, err := w.rest()
			if err != nil || !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if tt.want != "" {
				r.logged("took too long")
			}
			r.stop()
			r.flows.none()
		})
	}
	t.Run("body", func(t *testing.T) {
		noLeaks(t)
		addr := rawOrigin(t, func(_ int, w *wire) {
			w.head()
			if got, err := w.rest(); got != "123" {
				t.Errorf("the origin got %q, %v", got, err)
			}
		})
		r := start(t, func(o *live.Options) { o.Timeouts.Idle = 50 * time.Millisecond })
		w := r.dial()
		w.send(ask("POST", addr, "/", "Content-Length: 10") + "123")
		if got, err := w.rest(); err != nil || got != "" {
			t.Errorf("got %q, %v", got, err)
		}
		k := r.flow("http POST /", "client")
		if body, total := k.body(flowfile.BodyRequest); body != "123" || total != -1 {
			t.Errorf("recorded %q of %d", body, total)
		}
	})
	t.Run("TLS", func(t *testing.T) {
		noLeaks(t)
		addr := says(t, ok)
		r := start(t, func(o *live.Options) { o.Timeouts.Head, o.Timeouts.Idle = 30*time.Millisecond, 30*time.Millisecond })
		w := r.tunnel(addr)
		w.send("\x16\x03\x01\x02\x00")
		if got, _ := w.rest(); got != "" {
			t.Errorf("got %q", got)
		}
		r.logged("not a TLS handshake")
	})
}

// A client that has said all it has to say, and waits for the answer.
func TestHalfClosedClient(t *testing.T) {
	noLeaks(t)
	addr := says(t, ok)
	r := start(t, nil)
	w := r.dial()
	w.send(get(addr, "/"))
	w.closeWrite()
	w.status(200)
	if rest, err := w.rest(); rest != "" || err != nil {
		t.Errorf("then %q, %v", rest, err)
	}
	r.flow("http GET / 200", "")
}

// A client that goes away while its server thinks.
func TestVanishedClient(t *testing.T) {
	noLeaks(t)
	addr := rawOrigin(t, func(_ int, w *wire) {
		w.head()
		_, _ = w.rest() // until the proxy gives up
	})
	r := start(t, nil)
	w := r.dial()
	w.send(get(addr, "/"))
	w.reset()
	r.flow("http GET /", "client disconnected")
}

const endless = 300 << 10 // more than any head may have

// What is wrong with an answer becomes a 502 if the client has seen nothing of it, and else a cut connection; the flow
// says what it was.
func TestBadAnswers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	reset := func(w *wire) { w.reset() }
	for _, tt := range []struct {
		name, answer string
		after        func(w *wire)
		status       int
		body         string // what the client gets of it
		clean        bool   // the client cannot tell
		err          string
	}{
		{"nothing", "", nil, 502, "", false, "closed the connection without"},
		{"reset", "", reset, 502, "", false, "reset"},
		{"half a head", head + "Content-Le", nil, 502, "", false, "closed the connection without"},
		{"no HTTP", "220 mail.example.com ESMTP\r\n\r\n", nil, 502, "", false, "refused"},
		{"endless head", head + "X: " + strings.Repeat("x", endless), nil, 502, "", false, "refused"},
		{"endless fields", head + strings.Repeat("X: y\r\n", 2000) + "\r\n", nil, 502, "", false, "refused"},
		{"two lengths", head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", nil, 502, "", false, "refused"},
		{"bare CR", head + "X: a\rb\r\nContent-Length: 0\r\n\r\n", nil, 502, "", false, "refused"},
		{"no answer after 100", "HTTP/1.1 100 Continue\r\n\r\n", nil, 100, "", false, "closed the connection without"},
		{"101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", nil, 502, "", false, "switched protocols"},
		{"length too long", head + "Content-Length: 10\r\n\r\n12345", nil, 200, "12345", false, "closed the connection without"},
		{"reset within a length", head + "Content-Length: 10\r\n\r\n12345", reset, 200, "12345", false, "reset"},
		{"chunk size", head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n", nil, 200, "abc", false, "refused"},
		{"chunk too long", head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", nil, 200, "abc", false, "refused"},
		{"chunk size overflows", head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nfffffffffffffffff\r\n", nil, 200, "abc", false, "refused"},
		{"chunks without end", head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", nil, 200, "abc", false, "closed the connection without"},
		{"reset within chunks", head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", reset, 200, "abc", false, "reset"},
		{"endless trailers", head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: " + strings.Repeat("x", endless), nil, 200, "abc", false, "refused"},
		{"until close", head + "\r\nabc", nil, 200, "abc", true, ""},
		{"reset until close", head + "\r\nabc", reset, 200, "abc", false, "reset"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			seen := make(chan struct{}, 1)
			addr := rawOrigin(t, func(_ int, w *wire) {
				w.head()
				w.send(tt.answer)
				if tt.after != nil {
					if tt.status == 200 {
						<-seen // a reset takes away what was not read
					}
					tt.after(w)
				}
			})
			r := start(t, nil)
			w := r.dial()
			w.send(get(addr, "/"))
			resp, err := http.ReadResponse(w.br, nil)
			check(t, err)
			if resp.StatusCode == 100 {
				resp, err = http.ReadResponse(w.br, nil)
				check(t, err)
				if resp.StatusCode != 502 {
					t.Errorf("after 100: %d", resp.StatusCode)
				}
			} else if resp.StatusCode != tt.status {
				t.Fatalf("got %d, want %d", resp.StatusCode, tt.status)
			}
			if tt.status == 200 {
				b := make([]byte, len(tt.body))
				_, err := io.ReadFull(resp.Body, b)
				if err != nil || string(b) != tt.body {
					t.Errorf("got %q, %v", b, err)
				}
				seen <- struct{}{}
				more, err := io.ReadAll(resp.Body)
				if len(more) > 0 || (err == nil) != tt.clean {
					t.Errorf("then %q, %v", more, err)
				}
			} else if b, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(b), "flowkit") {
				t.Errorf("the page is %q, %v", b, err)
			}
			want := "http GET /"
			if tt.status == 200 {
				want += " 200"
			}
			k := r.flow(want, tt.err)
			if tt.status == 200 {
				total := int64(-1)
				if tt.clean {
					total = 3
				}
				if got, n := k.body(flowfile.BodyResponse); got != tt.body || n != total {
					t.Errorf("recorded %q of %d", got, n)
				}
			}
		})
	}
}

// An answer that is longer than it says must not become the answer to the next request, whenever the rest of it comes.
func TestLongAnswer(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprint("late=", late), func(t *testing.T) {
			noLeaks(t)
			const extra = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
			got, sent := make(chan struct{}), make(chan struct{})
			addr := rawOrigin(t, func(n int, w *wire) {
				w.head()
				if n > 1 {
					w.send(ok)
					return
				}
				if !late {
					w.send(ok + extra)
					return
				}
				w.send(ok)
				<-got
				w.send(extra)
				close(sent)
				_, _ = w.rest()
			})
			r := start(t, nil)
			w := r.dial()
			w.send(get(addr, "/1"))
			w.status(200)
			if late {
				close(got)
				<-sent
				time.Sleep(time.Millisecond) // on its way through the kernel
			}
			w.send(get(addr, "/2"))
			if body := w.status(200); body != "ok" {
				t.Errorf("the second answer is %q", body)
			}
			r.flow("http GET /1 200", "")
			r.flow("http GET /2 200", "")
		})
	}
}

func TestBadRequests(t *testing.T) {
	const head = "POST http://%s/ HTTP/1.1\r\nHost: a\r\n"
	for _, tt := range []struct {
		name, request string
		status        int
		flow          string // error of the flow; "": there is none
	}{
		{"no server", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
		{"other scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
		{"no HTTP", "EHLO a\r\n\r\n", 400, ""},
		{"binary", "\x00\x01\x02\x03\r\n\r\n", 400, ""},
		{"version", "GET http://a/ HTTP/3.0\r\n\r\n", 505, ""},
		{"endless line", "GET http://a/" + strings.Repeat("x", endless), 414, ""},
		{"endless head", "GET http://a/ HTTP/1.1\r\nX: " + strings.Repeat("x", endless), 431, ""},
		{"endless fields", "GET http://a/ HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 2000), 431, ""},
		{"CONNECT without port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
		{"both lengths", head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, ""},
		{"chunk size", head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n", 400, "chunk"},
		{"first chunk size", head + "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400, "chunk"},
		{"chunk too long", head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n", 400, "chunk"},
		{"bytes behind the length", head + "Content-Length: 3\r\n\r\nabc\x01\x02\r\n\r\n", 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			addr := rawOrigin(t, func(_ int, w *wire) {
				head := w.head()
				if strings.Contains(head, "Content-Length: 3") {
					w.expect("abc")
					w.send(ok)
				}
				_, _ = w.rest()
			})
			r := start(t, nil)
			w := r.dial()
			go w.send(strings.Replace(tt.request, "%s", addr, 1))
			w.status(tt.status)
			if tt.status == 200 {
				w.status(400)
			}
			if rest, err := w.rest(); rest != "" || err != nil && !isReset(err) {
				t.Errorf("then %q, %v", rest, err)
			}
			switch {
			case tt.status == 200:
				r.flow("http POST / 200", "")
				r.logged("refused a request")
			case tt.flow != "":
				r.flow("http POST /", tt.flow)
			default:
				r.logged("refused a request")
			}
			r.stop()
			r.flows.none()
		})
	}
}

func isReset(err error) bool { return strings.Contains(err.Error(), "reset") }

// A client that promises more than it sends.
func TestShortRequest(t *testing.T) {
	for _, handled := range []bool{false, true} {
		t.Run(fmt.Sprint("handled=", handled), func(t *testing.T) {
			noLeaks(t)
			addr := rawOrigin(t, func(_ int, w *wire) {
				w.head()
				if got, err := w.rest(); got != "123" {
					t.Errorf("the origin got %q, %v", got, err)
				}
			})
			r := start(t, func(o *live.Options) {
				if handled {
					o.Handler = on(nothing, everything...)
				}
			})
			w := r.dial()
			w.send(ask("POST", addr, "/", "Content-Length: 10") + "123")
			w.closeWrite()
			if got, err := w.rest(); got != "" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
			k := r.flow("http POST /", "client disconnected")
			if got, n := k.body(flowfile.BodyRequest); got != "123" || n != -1 {
				t.Errorf("recorded %q of %d", got, n)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	closed := l.Addr().String()
	l.Close()
	never := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	unknown := func(_ context.Context, _, addr string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "nowhere.example", IsNotFound: true}
	}
	for _, tt := range []struct {
		name, addr, err string
		dial            func(ctx context.Context, network, addr string) (net.Conn, error)
	}{
		{"refused", closed, "connection refused", nil},
		{"unknown", "nowhere.example:80", "there is no host nowhere.example", unknown},
		{"silent", "192.0.2.1:80", "did not answer in time", never},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			r := start(t, func(o *live.Options) {
				o.Timeouts.Dial = 50 * time.Millisecond
				if tt.dial != nil {
					o.Dial = tt.dial
				}
			})
			w := r.dial()
			w.send(get(tt.addr, "/"))
			if body := w.status(502); !strings.Contains(body, tt.err) {
				t.Errorf("the page says %s", body)
			}
			if k := r.flow("http GET /", tt.err); k.f.Server() == nil || k.f.Server().Address.String() != tt.addr {
				t.Errorf("recorded server %+v", k.f.Server())
			}
			w = r.dial()
			w.send("CONNECT " + tt.addr + " HTTP/1.1\r\nHost: a\r\n\r\n")
			if body := w.status(502); !strings.Contains(body, tt.err) {
				t.Errorf("the page says %s", body)
			}
			r.flow("http CONNECT", tt.err)
		})
	}
}

func TestCertificates(t *testing.T) {
	hello := func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "ok") }
	for _, tt := range []struct {
		name, err string
		change    func(c *x509.Certificate)
		untrusted bool
	}{
		{"good", "", nil, false},
		{"expired", "expired", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, false},
		{"self-signed", "unknown authority", nil, true},
		{"wrong name", "not 127.0.0.1", func(c *x509.Certificate) { c.IPAddresses = []net.IP{{192, 0, 2, 1}} }, false},
	} {
		for _, insecure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/insecure=%v", tt.name, insecure), func(t *testing.T) {
				noLeaks(t)
				cert, pool := certificate(t, tt.change)
				addr := origin(t, hello, &cert, "h2", "http/1.1")
				r := start(t, func(o *live.Options) {
					o.Roots, o.Insecure = pool, insecure
					if tt.untrusted {
						o.Roots = x509.NewCertPool()
					}
				})
				resp, err := r.client().Get("https://" + addr + "/")
				check(t, err)
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				var k *kept
				if tt.err == "" || insecure {
					if resp.StatusCode != 200 || string(body) != "ok" || resp.ProtoMajor != 2 {
						t.Errorf("got %s %s", resp.Status, body)
					}
					k = r.flow("http GET / 200", "")
				} else {
					if resp.StatusCode != 502 || !strings.Contains(string(body), tt.err) || !strings.Contains(string(body), "--insecure") {
						t.Errorf("got %s %s", resp.Status, body)
					}
					k = r.flow("http GET /", tt.err)
				}
				s := k.f.Server()
				if s == nil || len(s.Certificates) != 1 || !s.TLS || (s.Error == "") != (k.f.Error() == nil) {
					t.Errorf("recorded server %+v", s)
				}
				if c := k.f.Client(); !c.TLS || c.TLSVersion != "TLSv1.3" || c.MitmCert.Size() <= 0 {
					t.Errorf("recorded client %+v", c)
				}
			})
		}
	}
}

func TestClientCertificate(t *testing.T) {
	noLeaks(t)
	cert, pool := certificate(t, nil)
	own, ownPool := certificate(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ownPool})
	check(t, err)
	s := &http.Server{ErrorLog: discardLog, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	for _, with := range []bool{true, false} {
		r := start(t, func(o *live.Options) {
			o.Roots = pool
			if with {
				o.ClientCert = func(host string) *tls.Certificate {
					if host != "127.0.0.1" {
						t.Errorf("asked for the certificate for %q", host)
					}
					return &own
				}
			}
		})
		resp, err := r.client().Get("https://" + l.Addr().String() + "/")
		check(t, err)
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if with && (resp.StatusCode != 200 || string(body) != "origin") || !with && (resp.StatusCode != 502 || !strings.Contains(string(body), "certificate")) {
			t.Errorf("with=%v: got %s %s", with, resp.Status, body)
		}
		if with {
			r.flow("http GET / 200", "")
		} else {
			r.flow("http GET /", "certificate")
		}
	}
}

func TestTLSGarbage(t *testing.T) {
	t.Run("client", func(t *testing.T) {
		noLeaks(t)
		const garbage = "\x16\x03\x01\x00\x05hello world, this is no handshake at all"
		addr := rawOrigin(t, func(_ int, w *wire) {
			w.expect(garbage)
			w.send("what?")
		})
		r := start(t, nil)
		w := r.tunnel(addr)
		w.send(garbage)
		w.closeWrite()
		if got, err := w.rest(); got != "what?" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		r.logged("not a TLS handshake")
		if k := r.flow("tcp", ""); k.texts() != "> "+garbage+"\n< what?" {
			t.Errorf("recorded %q", k.texts())
		}
	})
	t.Run("server", func(t *testing.T) {
		noLeaks(t)
		addr := rawOrigin(t, func(_ int, w *wire) {
			w.send("220 mail.example.com ESMTP\r\n")
			_, _ = w.rest()
		})
		r := start(t, nil)
		resp, err := r.client().Get("https://" + addr + "/")
		check(t, err)
		resp.Body.Close()
		if resp.StatusCode != 502 {
			t.Errorf("got %s", resp.Status)
		}
		r.flow("http GET /", "TLS with the server")
	})
	t.Run("client does not trust us", func(t *testing.T) {
		noLeaks(t)
		cert, pool := certificate(t, nil)
		addr := origin(t, func(http.ResponseWriter, *http.Request) {}, &cert)
		r := start(t, func(o *live.Options) { o.Roots = pool })
		c := tls.Client(r.tunnel(addr).Conn, &tls.Config{ServerName: "localhost", RootCAs: x509.NewCertPool()})
		if err := c.Handshake(); err == nil {
			t.Error("the handshake succeeded")
		}
		r.flow("tcp", "TLS with the client")
		r.logged("flowkit ca tells how")
	})
}
