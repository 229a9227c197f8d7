package websocket

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// A relay that shouts.
func ExampleRelay() {
	browser, client := memPipe()
	origin, server := memPipe()
	_, _ = origin.Write(frame(false, fin, opText, "hello"))
	_ = origin.CloseWrite()
	r := &Relay{Client: Side{Conn: client}, Server: Side{Conn: server}, Hold: true}
	r.Handle = func(m *Message) {
		fmt.Printf("the server said %q\n", m.Payload)
		m.Payload = bytes.ToUpper(m.Payload)
		_ = browser.CloseWrite()
	}
	end, err := r.Run(context.Background())
	heard, _ := io.ReadAll(browser)
	fmt.Printf("the client heard %q\n", heard)
	fmt.Println(end.Code, err)
	// Output:
	// the server said "hello"
	// the client heard "\x81\x05HELLO"
	// 1006 <nil>
}

// coder is a conversation between the client and the server of github.com/coder/websocket.
type coder struct{ client, server *websocket.Conn }

// connect shakes hands through a proxy and returns once both sides are connected; the relay is not running yet.
func connect(t *testing.T, r *Relay, offer, accept websocket.CompressionMode) coder {
	t.Helper()
	s, serverConn := memPipe()
	c, clientConn := memPipe()
	accepted := make(chan *websocket.Conn, 1)
	go func() { // the server
		br := bufio.NewReader(s)
		req, err := http.ReadRequest(br)
		if err != nil {
			accepted <- nil
			return
		}
		conn, err := websocket.Accept(&hijack{conn: s, br: br, header: http.Header{}}, req, &websocket.AcceptOptions{CompressionMode: accept, CompressionThreshold: 1})
		if err != nil {
			t.Error(err)
		}
		accepted <- conn
	}()
	go func() { // the proxy
		br := bufio.NewReader(clientConn)
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		_ = req.Write(serverConn)
		sr := bufio.NewReader(serverConn)
		res, err := http.ReadResponse(sr, req)
		if err != nil {
			return
		}
		r.Extensions = strings.Join(res.Header.Values("Sec-WebSocket-Extensions"), ", ")
		r.Client, r.Server = Side{clientConn, br}, Side{serverConn, sr}
		var head bytes.Buffer
		fmt.Fprintf(&head, "HTTP/1.1 101 Switching Protocols\r\n")
		_ = res.Header.Write(&head)
		_, _ = clientConn.Write(append(head.Bytes(), "\r\n"...))
	}()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return c, nil }}
	client, _, err := websocket.Dial(context.Background(), "ws://example.com/", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, CompressionMode: offer, CompressionThreshold: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := <-accepted
	client.SetReadLimit(-1)
	server.SetReadLimit(-1)
	return coder{client, server}
}

// hijack is a ResponseWriter whose connection can be taken.
type hijack struct {
	conn   net.Conn
	br     *bufio.Reader
	header http.Header
}

func (h *hijack) Header() http.Header         { return h.header }
func (h *hijack) Write(p []byte) (int, error) { return len(p), nil }

func (h *hijack) WriteHeader(status int) {
	fmt.Fprintf(h.conn, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	_ = h.header.Write(h.conn)
	_, _ = io.WriteString(h.conn, "\r\n")
}

func (h *hijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(h.br, bufio.NewWriter(h.conn)), nil
}

// TestRealPeers: a client and a server that take context over understand each other whatever happens to the messages between them.
func TestRealPeers(t *testing.T) {
	modes := map[string]websocket.CompressionMode{
		"takeover": websocket.CompressionContextTakeover, "no takeover": websocket.CompressionNoContextTakeover, "none": websocket.CompressionDisabled,
	}
	for name, mode := range modes {
		for _, other := range []websocket.CompressionMode{mode, websocket.CompressionContextTakeover} {
			t.Run(name, func(t *testing.T) { realPeers(t, mode, other) })
		}
	}
}

func realPeers(t *testing.T, offer, accept websocket.CompressionMode) {
	before := runtime.NumGoroutine()
	messages := text(120)
	n := map[bool]int{}
	want := map[bool][]string{}
	r := &Relay{Hold: true}
	r.Handle = func(m *Message) {
		if string(m.Payload) == "end" {
			return
		}
		i := n[m.FromClient]
		n[m.FromClient]++
		if string(m.Payload) != messages[i] {
			t.Errorf("message %d from %s is shown as %.60q", i, sideName(m.FromClient), m.Payload)
		}
		w := want[m.FromClient]
		switch act := i % 8; {
		case i >= 60 && act != 5: // the rest is left alone
			w = append(w, messages[i])
		case act == 1:
			m.Drop = true
		case act == 3:
			m.Payload = append([]byte("changed"), m.Payload...)
			w = append(w, string(m.Payload))
		case act == 5:
			if err := r.inject(!m.FromClient, 1, []byte("injected")); err != nil {
				t.Error(err)
			}
			w = append(w, "injected", messages[i])
		default:
			w = append(w, messages[i])
		}
		want[m.FromClient] = w
	}
	peers := connect(t, r, offer, accept)
	if compressed := strings.HasPrefix(r.Extensions, "permessage-deflate"); compressed != (offer != websocket.CompressionDisabled) {
		t.Fatalf("agreed on %q", r.Extensions)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	var end Close
	var runErr error
	wg.Go(func() { end, runErr = r.Run(ctx) })
	got := map[bool][]string{}
	var mu sync.Mutex
	var talking sync.WaitGroup
	talk := func(c *websocket.Conn, client bool) {
		talking.Go(func() {
			for _, m := range messages {
				if err := c.Write(ctx, websocket.MessageText, []byte(m)); err != nil {
					t.Errorf("%s: %v", sideName(client), err)
				}
			}
			_ = c.Write(ctx, websocket.MessageText, []byte("end"))
		})
		talking.Go(func() {
			for {
				_, b, err := c.Read(ctx)
				if err != nil {
					t.Errorf("%s: %v", sideName(client), err)
					return
				}
				if string(b) == "end" {
					return
				}
				mu.Lock()
				got[!client] = append(got[!client], string(b))
				mu.Unlock()
			}
		})
	}
	talk(peers.client, true)
	talk(peers.server, false)
	talking.Wait()
	peers.server.CloseRead(ctx)
	if err := peers.client.Close(4000, "bye"); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if runErr != nil || end != (Close{4000, "bye", true}) {
		t.Errorf("ended with %+v, %v", end, runErr)
	}
	for _, fromClient := range []bool{true, false} {
		if !slices.Equal(got[fromClient], want[fromClient]) {
			t.Errorf("from %s: %d messages, want %d", sideName(fromClient), len(got[fromClient]), len(want[fromClient]))
		}
	}
	noLeak(t, before)
}

// noLeak waits for goroutines to end.
func noLeak(t *testing.T, before int) {
	t.Helper()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	b := make([]byte, 1<<20)
	t.Errorf("goroutines are left:\n%s", b[:runtime.Stack(b, true)])
}

// start runs a relay in the bubble of a test; wait gives how it ended.
func start(r *Relay) (client, server *memConn, wait func() (Close, error)) {
	client, clientConn := memPipe()
	server, serverConn := memPipe()
	r.Client.Conn, r.Server.Conn = clientConn, serverConn
	var end Close
	var err error
	done := make(chan struct{})
	go func() {
		end, err = r.Run(context.Background())
		close(done)
	}()
	return client, server, func() (Close, error) {
		<-done
		return end, err
	}
}

func say(c *memConn, b ...[]byte) {
	_, _ = c.Write(slices.Concat(b...))
	synctest.Wait()
}

// waiting returns what c was sent and did not read yet.
func waiting(c *memConn) string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := string(c.buf)
	c.buf = nil
	c.cond.Broadcast()
	return s
}

func wantEnd(t *testing.T, wait func() (Close, error), want Close, wantErr string) {
	t.Helper()
	end, err := wait()
	if end != want || wantErr == "" && err != nil || wantErr != "" && (err == nil || !strings.Contains(err.Error(), wantErr)) {
		t.Errorf("ended with %+v, %v; want %+v, %q", end, err, want, wantErr)
	}
}

func TestCloseHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, wait := start(&Relay{})
		begin := time.Now()
		say(s, frame(false, fin, 8, "\x03\xe8done"))
		say(c, frame(true, fin, 1, "still talking"), frame(true, fin, 8, "\x03\xe9"))
		wantEnd(t, wait, Close{1000, "done", false}, "")
		if time.Since(begin) != 0 {
			t.Error("waited for nothing")
		}
		p := peer{masked: true}
		if err := p.hear([]byte(waiting(s))); err != nil || len(p.messages) != 1 || len(p.controls) != 1 {
			t.Error(err, p)
		}
	})
}

func TestCloseUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, wait := start(&Relay{})
		begin := time.Now()
		say(c, frame(true, fin, 8, ""))
		wantEnd(t, wait, Close{CodeNone, "", true}, "")
		if time.Since(begin) != DefaultCloseTimeout {
			t.Errorf("after %v", time.Since(begin))
		}
		if waiting(s) == "" {
			t.Error("not passed on")
		}
	})
}

// TestHalfClosed: a side that ends its direction still hears the other, for a while.
func TestHalfClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, wait := start(&Relay{CloseTimeout: time.Minute})
		say(c, frame(true, fin, 1, "last"))
		_ = c.CloseWrite()
		synctest.Wait()
		if s.end == nil {
			t.Error("the server does not know")
		}
		time.Sleep(30 * time.Second)
		late := frame(false, fin, 1, "late")
		say(s, late)
		if waiting(c) != string(late) {
			t.Error("the server was cut off")
		}
		begin := time.Now()
		wantEnd(t, wait, Close{CodeAbnormal, "", true}, "")
		if time.Since(begin) != 30*time.Second {
			t.Errorf("after %v", time.Since(begin))
		}
	})
}

func TestVanished(t *testing.T) {
	reset := errors.New("connection reset by peer")
	synctest.Test(t, func(t *testing.T) { // between messages
		_, s, wait := start(&Relay{})
		s.finish(reset)
		wantEnd(t, wait, Close{CodeAbnormal, "", false}, "WebSocket server: connection reset by peer")
	})
	synctest.Test(t, func(t *testing.T) { // within one, which is shown
		var got []Message
		c, _, wait := start(&Relay{Handle: func(m *Message) { got = append(got, *m) }})
		say(c, frame(true, more, 1, "half a "), frame(true, fin, 0, "message")[:8])
		c.finish(reset)
		wantEnd(t, wait, Close{CodeAbnormal, "", true}, "WebSocket client: connection reset by peer")
		if len(got) != 1 || !got[0].Incomplete || string(got[0].Payload) != "half a me" {
			t.Errorf("%+v", got)
		}
	})
	synctest.Test(t, func(t *testing.T) { // the one that is written to
		c, s, wait := start(&Relay{})
		_ = s.Close()
		say(c, frame(true, fin, 1, "anybody?"))
		_, _ = wait()
	})
	synctest.Test(t, func(t *testing.T) { // TLS that was not closed properly
		c, _, wait := start(&Relay{CloseTimeout: 1})
		c.finish(io.ErrUnexpectedEOF)
		wantEnd(t, wait, Close{CodeAbnormal, "", true}, "")
	})
	synctest.Test(t, func(t *testing.T) {
		c, _, wait := start(&Relay{CloseTimeout: 1})
		say(c, frame(true, fin, 1, "half")[:7])
		c.finish(io.ErrUnexpectedEOF)
		wantEnd(t, wait, Close{CodeAbnormal, "", true}, "ended within")
	})
}

func TestCancel(t *testing.T) {
	for _, answer := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			r := &Relay{}
			c, clientConn := memPipe()
			s, serverConn := memPipe()
			r.Client.Conn, r.Server.Conn = clientConn, serverConn
			done := make(chan struct{})
			go func() {
				defer close(done)
				if end, err := r.Run(ctx); end != (Close{1001, "", false}) || !errors.Is(err, context.Canceled) {
					t.Errorf("%+v, %v", end, err)
				}
			}()
			synctest.Wait()
			begin := time.Now()
			cancel()
			if got := waiting(c); got != "\x88\x02\x03\xe9" {
				t.Errorf("the client is told %q", got)
			}
			if got := waiting(s); len(got) != 8 {
				t.Errorf("the server is told %q", got)
			}
			if answer {
				say(c, frame(true, fin, 8, "\x03\xe9"))
				say(s, frame(false, fin, 8, "\x03\xe9"))
			}
			<-done
			if waited := time.Since(begin); waited != 0 && answer || waited > time.Second {
				t.Errorf("after %v", waited)
			}
			if err := r.Inject(true, 1, nil); err != ErrOver {
				t.Errorf("inject: %v", err)
			}
		})
	}
}

// TestStuck: a side that does not read holds nothing back at the end.
func TestStuck(t *testing.T) {
	before := runtime.NumGoroutine()
	c, clientConn := memPipe()
	s, serverConn := memPipe()
	s.window = 100
	r := &Relay{Client: Side{Conn: clientConn}, Server: Side{Conn: serverConn}, CloseTimeout: 10 * time.Millisecond}
	_, _ = c.Write(frame(true, fin, 2, strings.Repeat("x", 1<<20)))
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for len(s.buf) < s.window {
			s.cond.Wait()
		}
		cancel()
	}()
	if _, err := r.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	noLeak(t, before)
}

// TestInjectWaits: what is injected within a message comes behind it.
func TestInjectWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Relay{Limit: 1000}
		c, s, wait := start(r)
		first, second := frame(false, more, 1, "a"), frame(false, fin, 0, "b")
		say(s, first)
		if err := r.Inject(true, 1, []byte("one")); err != nil {
			t.Error(err)
		}
		if err := r.Inject(true, 1, make([]byte, 1100)); err != ErrFull {
			t.Error(err)
		}
		if err := r.Inject(true, 2, []byte("two")); err != nil {
			t.Error(err)
		}
		if err := r.Inject(false, 1, []byte("to the server")); err != nil {
			t.Error(err)
		}
		if err := r.Inject(true, 9, nil); err == nil {
			t.Error("a ping")
		}
		if got := waiting(c); got != string(first) {
			t.Errorf("heard %q", got)
		}
		say(s, frame(false, fin, 9, ""), second)
		if got, want := waiting(c), slices.Concat(frame(false, fin, 9, ""), second, frame(false, fin, 1, "one"), frame(false, fin, 2, "two")); got != string(want) {
			t.Errorf("heard %q, want %q", got, want)
		}
		p := peer{masked: true}
		if err := p.hear([]byte(waiting(s))); err != nil || !slices.Equal(p.messages, []string{"1:to the server"}) {
			t.Error(err, p.messages)
		}
		_ = c.Close()
		_, _ = wait()
	})
}

// TestInjectIsShown: what is injected while a message is handled comes behind it, and is shown, changed and dropped as others.
func TestInjectIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shown []string
		r := &Relay{Hold: true}
		r.Handle = func(m *Message) {
			shown = append(shown, fmt.Sprintf("%v %v %s", m.FromClient, m.Injected, m.Payload))
			switch string(m.Payload) {
			case "a":
				begun := make(chan bool)
				go func() {
					close(begun)
					for _, text := range []string{"drop", "change", "b"} {
						r.Turn(true).Lock()
						err := r.Inject(true, 1, []byte(text))
						r.Turn(true).Unlock()
						if err != nil {
							t.Error(err)
						}
					}
				}()
				<-begun
				runtime.Gosched()
			case "drop":
				m.Drop = true
			case "change":
				m.Payload = []byte("changed")
			}
		}
		c, s, wait := start(r)
		say(s, frame(false, fin, 1, "a"))
		if got, want := waiting(c), slices.Concat(frame(false, fin, 1, "a"), frame(false, fin, 1, "changed"), frame(false, fin, 1, "b")); got != string(want) {
			t.Errorf("heard %q, want %q", got, want)
		}
		if want := []string{"false false a", "false true drop", "false true change", "false true b"}; !slices.Equal(shown, want) {
			t.Errorf("shown %q", shown)
		}
		_ = c.Close()
		_, _ = wait()
		if err := r.Inject(true, 1, []byte("late")); err != ErrOver || len(shown) != 4 {
			t.Errorf("%v, shown %q", err, shown)
		}
	})
}

// TestLimit: what is too long is not held, whatever makes it long.
func TestLimit(t *testing.T) {
	var tiny []byte // a message of nothing, in many frames
	tiny = append(tiny, frame(true, more, 1, "")...)
	for range 1000 {
		tiny = append(tiny, frame(true, more, 0, "")...)
	}
	for name, said := range map[string][]byte{
		"one frame":       frame(true, more, 1, strings.Repeat("x", 2000)),
		"frames":          bytes.Repeat(frame(true, more, 0, strings.Repeat("x", 100)), 20),
		"nothing":         tiny,
		"announced":       {0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		"exactly":         frame(true, fin, 1, strings.Repeat("x", 1000)),
		"one byte longer": frame(true, fin, 1, strings.Repeat("x", 1001)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []Message
				c, s, wait := start(&Relay{Hold: true, Limit: 1000, Handle: func(m *Message) {
					got = append(got, *m)
					m.Drop = true
				}})
				switch name {
				case "frames":
					said = append(frame(true, more, 1, ""), said...)
				case "announced":
					said = append(said, make([]byte, 1<<20)...)
				}
				say(c, said)
				heard := waiting(s)
				if passed := heard == string(said); passed == (name == "exactly") {
					t.Errorf("%d bytes of %d passed", len(heard), len(said))
				}
				if name == "one byte longer" && (len(got) != 1 || got[0].Held || got[0].Size != 1001 || len(got[0].Payload) != 1000) {
					t.Errorf("%+v", got)
				}
				_ = c.Close()
				_, _ = wait()
			})
		})
	}
}
