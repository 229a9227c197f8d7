package live_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"flowkit/flowfile"
	"flowkit/live"
	"flowkit/live/internal/http2"
	"flowkit/replay"
)

// Each thing that a handler may do to an exchange, over both versions of HTTP.
func TestHandler(t *testing.T) {
	response := func(status int, body string) *flowfile.Response {
		return flowfile.NewResponse(flowfile.ResponseHead{
			MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: fields("X-Made", "yes", "Content-Length", fmt.Sprint(len(body))), Body: flowfile.StringBody(body)},
			Status:      status, Reason: "Made",
		})
	}
	upper := func(_ context.Context, b []byte, end bool) ([]byte, error) {
		if end {
			return []byte("!"), nil
		}
		return bytes.ToUpper(b), nil
	}
	for _, tt := range []struct {
		name  string
		hooks []replay.Hook
		do    func(e *replay.Event)
		want  string // status and body; "" is a connection that ends
		flow  string
		err   string
	}{
		{"nothing", everything, nothing, "200 echo body", "200", ""},
		{"answered at requestheaders", []replay.Hook{replay.RequestHeaders}, func(e *replay.Event) { e.Flow.SetResponse(response(418, "tea")) }, "418 tea", "418", ""},
		{"answered at request", []replay.Hook{replay.Request}, func(e *replay.Event) { e.Flow.SetResponse(response(418, "tea")) }, "418 tea", "418", ""},
		{"killed at requestheaders", []replay.Hook{replay.RequestHeaders}, kill, "", "", replay.Killed},
		{"killed at request", []replay.Hook{replay.Request}, kill, "", "", replay.Killed},
		{"killed at responseheaders", []replay.Hook{replay.ResponseHeaders}, kill, "", "200", replay.Killed},
		{"killed at response", []replay.Hook{replay.Response}, kill, "", "200", replay.Killed},
		{"other request body", []replay.Hook{replay.Request}, func(e *replay.Event) {
			e.Flow.Request().SetBody(flowfile.StringBody("another one"))
		}, "200 echo another one", "200", ""},
		{"no request body", []replay.Hook{replay.Request}, func(e *replay.Event) { e.Flow.Request().SetBody(flowfile.StringBody("")) }, "200 echo ", "200", ""},
		{"other response body", []replay.Hook{replay.Response}, func(e *replay.Event) {
			e.Flow.Response().SetBody(flowfile.StringBody("something longer than it was"))
		}, "200 something longer than it was", "200", ""},
		{"other status", []replay.Hook{replay.Response}, func(e *replay.Event) { e.Flow.Response().SetStatus(404) }, "404 echo body", "404", ""},
		{"other response", []replay.Hook{replay.Response}, func(e *replay.Event) { e.Flow.SetResponse(response(418, "tea")) }, "418 tea", "418", ""},
		{"streamed request", []replay.Hook{replay.RequestHeaders, replay.Request}, func(e *replay.Event) {
			if e.Stream != nil {
				e.Stream.On, e.Stream.Chunk = true, upper
			}
		}, "200 echo BODY!", "200", ""},
		{"streamed response", []replay.Hook{replay.ResponseHeaders, replay.Response}, func(e *replay.Event) {
			if e.Stream != nil {
				e.Stream.On, e.Stream.Chunk = true, upper
			}
		}, "200 ECHO BODY!", "200", ""},
		{"streamed as it is", []replay.Hook{replay.RequestHeaders, replay.Request, replay.ResponseHeaders, replay.Response}, func(e *replay.Event) {
			if e.Stream != nil {
				e.Stream.On = true
			}
		}, "200 echo body", "200", ""},
		{"chunk function fails", []replay.Hook{replay.ResponseHeaders}, func(e *replay.Event) {
			e.Stream.On, e.Stream.Chunk = true, func(context.Context, []byte, bool) ([]byte, error) { return nil, errors.New("no more") }
		}, "cut", "200", "no more"},
		{"no record", []replay.Hook{replay.Request}, func(e *replay.Event) { e.Flow.Drop() }, "200 echo body", "none", ""},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/http2=%v", tt.name, secure), func(t *testing.T) {
				noLeaks(t)
				echo := func(w http.ResponseWriter, r *http.Request) {
					b, _ := io.ReadAll(r.Body)
					_, _ = w.Write(append([]byte("echo "), b...))
				}
				var addr, url string
				cert, pool := certificate(t, nil)
				if secure {
					addr = origin(t, echo, &cert, "h2")
					url = "https://" + addr + "/"
				} else {
					addr = origin(t, echo, nil)
					url = "http://" + addr + "/"
				}
				r := start(t, func(o *live.Options) {
					o.Roots = pool
					o.Handler = on(tt.do, tt.hooks...)
				})
				resp, err := r.client().Post(url, "text/plain", strings.NewReader("body"))
				got := ""
				if err == nil {
					var b []byte
					b, err = io.ReadAll(resp.Body)
					resp.Body.Close()
					got = fmt.Sprintf("%d %s", resp.StatusCode, b)
					if err != nil {
						got = "cut"
					}
				}
				if tt.want == "cut" && err != nil {
					got = "cut" // before or behind the head
				}
				if got != tt.want {
					t.Errorf("got %q, %v, want %q", got, err, tt.want)
				}
				if tt.flow == "none" {
					r.stop()
					r.flows.none()
					return
				}
				k := r.flow(strings.TrimSpace("http POST / "+tt.flow), tt.err)
				if tt.want == "" || tt.want == "cut" {
					return
				}
				if body, _ := k.body(flowfile.BodyResponse); tt.want != tt.flow+" "+body {
					t.Errorf("recorded %q", body)
				}
			})
		}
	}
}

func kill(e *replay.Event) { e.Flow.SetError(&flowfile.Error{Msg: replay.Killed}) }

// A request goes where a handler sends it.
func TestHandlerRoute(t *testing.T) {
	noLeaks(t)
	addr := says(t, ok)
	r := start(t, func(o *live.Options) {
		o.Handler = on(func(e *replay.Event) {
			q := e.Flow.Request()
			if q.Host() != "nowhere.example" || q.Port() != 8000 {
				t.Errorf("asked for %s", q.Host())
			}
			q.SetHost("127.0.0.1")
			q.SetPort(port(addr))
		}, replay.Request)
	})
	w := r.dial()
	w.send(get("nowhere.example:8000", "/"))
	w.expect(ok)
	if k := r.flow("http GET / 200", ""); k.f.Server().Peer.String() != addr {
		t.Errorf("recorded %v", k.f.Server())
	}
}

// Events come in their order.
func TestHandlerEvents(t *testing.T) {
	noLeaks(t)
	cert, pool := certificate(t, nil)
	addr := origin(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }, &cert, "http/1.1")
	var mu sync.Mutex
	var seen []string
	r := start(t, func(o *live.Options) {
		o.Roots = pool
		o.Handler = replay.Func{Want: replay.AllHooks &^ (1 << replay.Tick), Do: func(_ context.Context, e *replay.Event) error {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, e.Hook.String())
			if !e.Live {
				t.Errorf("%s is not live", e.Hook)
			}
			return nil
		}}
	})
	client := r.client()
	client.Transport.(*http.Transport).DisableKeepAlives = true
	resp, err := client.Get("https://" + addr + "/")
	check(t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	r.flow("http GET / 200", "")
	client.CloseIdleConnections()
	r.stop()
	const want = "client_connected http_connect http_connected next_layer tls_clienthello server_connect server_connected tls_start_server tls_established_server " +
		"tls_start_client tls_established_client requestheaders request responseheaders response"
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(seen, " "); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, " client_disconnected") || !slices.Contains(seen, "server_disconnected") {
		t.Errorf("the events are\n%s, want\n%s", got, want)
	}
}

// A handler refuses connections of clients and to servers.
func TestHandlerRefuses(t *testing.T) {
	noLeaks(t)
	addr := says(t, ok)
	r := start(t, func(o *live.Options) {
		o.Handler = on(func(e *replay.Event) {
			s := *e.Conns.Server
			s.Error = "not there"
			e.Conns.Server = &s
		}, replay.ServerConnect)
	})
	w := r.dial()
	w.send(get(addr, "/"))
	if body := w.status(502); !strings.Contains(body, "not there") {
		t.Errorf("got %s", body)
	}
	r.flow("http GET /", "not there")
	r = start(t, func(o *live.Options) {
		o.Handler = on(func(e *replay.Event) {
			c := *e.Conns.Client
			c.Error = "go away"
			e.Conns.Client = &c
		}, replay.ClientConnected)
	})
	w = r.dial()
	if got, err := w.rest(); got != "" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// Messages of TCP are changed, dropped, injected; a conversation is killed.
func TestHandlerTCP(t *testing.T) {
	noLeaks(t)
	addr := rawOrigin(t, func(_ int, w *wire) {
		w.expect("\x00ONE")
		w.send("two")
		w.expect("\x00injected")
		w.send("end")
		_, _ = w.rest()
	})
	var r *rig
	r = start(t, func(o *live.Options) {
		o.Handler = on(func(e *replay.Event) {
			i := e.Messages.Len() - 1
			m := e.Messages.At(i)
			b, _ := m.Body.Bytes(-1)
			switch string(b) {
			case "\x00one":
				m.Body = flowfile.StringBody("\x00ONE")
				check(t, e.Messages.Set(i, m))
			case "two":
				m.Dropped = true
				check(t, e.Messages.Set(i, m))
				check(t, r.p.Inject(e.Flow.ID(), false, 0, []byte("\x00injected")))
				check(t, r.p.Inject(e.Flow.ID(), true, 0, []byte("instead")))
			case "end":
				kill(e)
			}
		}, replay.TCPMessage)
	})
	w := r.tunnel(addr)
	w.send("\x00one")
	w.expect("instead")
	if got, _ := w.rest(); got != "" {
		t.Errorf("then %q", got)
	}
	k := r.flow("tcp", replay.Killed)
	got := strings.Split(k.texts(), "\n")
	slices.Sort(got)
	if want := []string{"< end", "<+ instead", "<- two", "> \x00ONE", ">+ \x00injected"}; !slices.Equal(got, want) {
		t.Errorf("recorded %q", got)
	}
	if err := r.p.Inject(k.f.ID(), true, 0, nil); err == nil {
		t.Error("a conversation that is over takes messages")
	}
}

func TestHandlerWebSocket(t *testing.T) {
	noLeaks(t)
	addr := origin(t, func(w http.ResponseWriter, q *http.Request) {
		ws, err := websocket.Accept(w, q, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		for {
			typ, b, err := ws.Read(q.Context())
			if err != nil || ws.Write(q.Context(), typ, append([]byte("echo "), b...)) != nil {
				return
			}
		}
	}, nil)
	var r *rig
	var ends []string
	r = start(t, func(o *live.Options) {
		o.Handler = on(func(e *replay.Event) {
			if e.Hook != replay.WebSocketMessage {
				ends = append(ends, e.Hook.String())
				return
			}
			i := e.Messages.Len() - 1
			m := e.Messages.At(i)
			b, _ := m.Body.Bytes(-1)
			switch string(b) {
			case "one":
				m.Body = flowfile.StringBody("ONE")
				check(t, e.Messages.Set(i, m))
			case "drop":
				m.Dropped = true
				check(t, e.Messages.Set(i, m))
				check(t, r.p.Inject(e.Flow.ID(), true, 1, []byte("instead")))
			case "remove":
				e.Messages.Delete(i)
			case "kill":
				kill(e)
			}
		}, replay.WebSocketStart, replay.WebSocketMessage, replay.WebSocketEnd)
	})
	client := r.client()
	client.Timeout = 0
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "http://"+addr+"/", &websocket.DialOptions{HTTPClient: client})
	check(t, err)
	defer ws.CloseNow()
	for _, m := range []struct{ send, want string }{{"one", "echo ONE"}, {"drop", "instead"}, {"remove", ""}, {"two", "echo two"}} {
		check(t, ws.Write(ctx, websocket.MessageText, []byte(m.send)))
		if m.want == "" {
			continue
		}
		_, b, err := ws.Read(ctx)
		if err != nil || string(b) != m.want {
			t.Errorf("%s: got %q, %v", m.send, b, err)
		}
	}
	check(t, ws.Write(ctx, websocket.MessageText, []byte("kill")))
	if _, b, err := ws.Read(ctx); err == nil {
		t.Errorf("got %q", b)
	}
	k := r.flow("http GET / 101", replay.Killed)
	if got := k.texts(); got != "> ONE\n< echo ONE\n>- drop\n<+ instead\n> two\n< echo two\n> kill" && got != "> ONE\n< echo ONE\n<+ instead\n>- drop\n> two\n< echo two\n> kill" {
		t.Errorf("recorded %q", got)
	}
	r.stop()
	if !slices.Equal(ends, []string{"websocket_start", "websocket_end"}) {
		t.Errorf("the events are %q", ends)
	}
}

// A flow that waits for its server is ended from outside an event.
func TestKill(t *testing.T) {
	cert, pool := certificate(t, nil)
	ids := make(chan string, 1)
	handler := on(func(e *replay.Event) { ids <- e.Flow.ID() }, replay.Request)
	t.Run("HTTP/1", func(t *testing.T) {
		noLeaks(t)
		asked := make(chan bool)
		addr := rawOrigin(t, func(_ int, w *wire) {
			w.head()
			close(asked)
			_, _ = w.rest()
		})
		r := start(t, func(o *live.Options) { o.Handler = handler })
		w := r.dial()
		w.send(get(addr, "/"))
		<-asked
		r.p.Kill(<-ids)
		if got, err := w.rest(); got != "" {
			t.Errorf("got %q, %v", got, err)
		}
		r.flow("http GET /", replay.Killed)
	})
	t.Run("HTTP/2", func(t *testing.T) {
		noLeaks(t)
		asked := make(chan bool, 1)
		addr := h2Origin(t, &cert, func(s *http2.Stream) {
			h, err := s.ReadHead()
			if err != nil {
				return
			}
			if h.Get(":path") == "/slow" {
				asked <- true
				<-s.Done()
				return
			}
			_ = s.WriteHead(http2.Head{Fields: fields(":status", "204"), End: true})
		})
		r := start(t, func(o *live.Options) { o.Roots, o.Handler = pool, handler })
		c := r.h2Client(addr)
		ask := func(path string) *http2.Stream {
			s, err := c.Open(t.Context(), http2.Head{Fields: fields(":method", "GET", ":scheme", "https", ":authority", addr, ":path", path), End: true})
			check(t, err)
			t.Cleanup(s.Close)
			return s
		}
		s := ask("/slow")
		<-asked
		r.p.Kill(<-ids)
		if h, err := s.ReadHead(); err == nil {
			t.Errorf("got %v", h)
		}
		r.flow("http GET /slow", replay.Killed)
		s = ask("/other") // the others go on
		<-ids
		if _, err := s.ReadHead(); err != nil {
			t.Error(err)
		}
		r.flow("http GET /other 204", "")
	})
}

// A handler refuses a tunnel.
func TestHandlerConnect(t *testing.T) {
	noLeaks(t)
	hooks := make(chan replay.Hook, 10)
	r := start(t, func(o *live.Options) {
		o.Handler = on(func(e *replay.Event) {
			hooks <- e.Hook
			if e.Hook == replay.HTTPConnect {
				e.Flow.SetResponse(flowfile.NewResponse(flowfile.ResponseHead{
					Status: 403, Reason: "No", MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Body: flowfile.StringBody("not there")},
				}))
			}
		}, replay.HTTPConnect, replay.HTTPConnected, replay.HTTPConnectError)
	})
	w := r.dial()
	w.send("CONNECT private.example:443 HTTP/1.1\r\nHost: private.example:443\r\n\r\n")
	if h := w.head(); !strings.HasPrefix(h, "HTTP/1.1 403 No\r\n") {
		t.Errorf("got %q", h)
	}
	w.Close()
	r.stop()
	close(hooks)
	var got []replay.Hook
	for h := range hooks {
		got = append(got, h)
	}
	if !slices.Equal(got, []replay.Hook{replay.HTTPConnect, replay.HTTPConnectError}) {
		t.Errorf("the events are %v", got)
	}
}
