package http2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// TestWindows: bodies that nobody reads hold up their senders, not other streams; memory stays within the windows.
func TestWindows(t *testing.T) {
	o := Options{StreamWindow: initialWindow, ConnWindow: 4 * initialWindow}
	c, _ := pair(t, o, o, func(s *Stream) {
		h, _ := s.ReadHead()
		s.WriteHead(status("200"))
		size := 10 << 20
		if h.Get(":path") == "/small" {
			size = 100
		}
		for range size / 100 {
			if _, err := s.Write(body8k[:100]); err != nil {
				return
			}
		}
		s.CloseWrite(nil)
	})
	open := func(path string) *Stream {
		s, err := c.Open(t.Context(), get(path))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.ReadHead(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	var stuck []*Stream
	for range 3 {
		stuck = append(stuck, open("/large"))
	}
	small := open("/small")
	if b, err := io.ReadAll(small); err != nil || len(b) != 100 {
		t.Fatal(len(b), err)
	}
	small.Close()
	for _, s := range stuck {
		for { // the server is stuck with the window full
			s.mu.Lock()
			n := s.buf.n
			s.mu.Unlock()
			if n == initialWindow {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
	stuck[0].Close()
	stuck[1].Reset(Cancel)
	if _, err := stuck[1].Read(make([]byte, 1)); code(err) != Cancel {
		t.Error(err)
	}
	if n, err := io.Copy(io.Discard, stuck[2]); err != nil || n < 10<<20-100 {
		t.Error(n, err)
	}
	stuck[2].Close()
	// What was thrown away was given back.
	for range 20 {
		s := open("/large")
		io.CopyN(io.Discard, s, 1000)
		s.Close()
	}
	if b, err := io.ReadAll(open("/small")); err != nil || len(b) != 100 {
		t.Fatal(len(b), err)
	}
}

// TestBlockedWriter: a writer that waits for a window is woken by a reset of either side, and by the end.
func TestBlockedWriter(t *testing.T) {
	for name, end := range map[string]func(p *rawPeer, s *Stream, c *Conn){
		"peer":   func(p *rawPeer, _ *Stream, _ *Conn) { p.fr.WriteRSTStream(1, Cancel) },
		"own":    func(_ *rawPeer, s *Stream, _ *Conn) { s.Reset(Cancel) },
		"close":  func(_ *rawPeer, _ *Stream, c *Conn) { c.Close() },
		"lost":   func(p *rawPeer, _ *Stream, _ *Conn) { p.nc.Close() },
		"goaway": func(p *rawPeer, _ *Stream, _ *Conn) { p.fr.WriteGoAway(0, NoError, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			p, c := rawServer(t, Options{})
			s, _ := c.Open(t.Context(), post("/"))
			werr := make(chan error)
			called := make(chan struct{})
			s.OnDone(func() { close(called) })
			go func() {
				_, err := s.Write(make([]byte, 1<<20))
				werr <- err
			}()
			go func() {
				_, err := s.Read(make([]byte, 10))
				werr <- err
			}()
			p.next()
			for range 5 { // the connection's window
				p.next()
			}
			end(p, s, c)
			for range 2 {
				if err := <-werr; err == nil {
					t.Error("no error")
				}
			}
			<-called
			<-s.Done()
			s.OnDone(func() { werr <- nil })
			<-werr
			s.Close()
		})
	}
}

func TestConcurrencyLimit(t *testing.T) {
	p, c := rawServer(t, Options{})
	p.fr.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
	if err := pingBoth(p, c); err != nil {
		t.Fatal(err)
	}
	s1, err := c.Open(t.Context(), get("/"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Available() || !c.Usable() {
		t.Error("still available")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Open(ctx, get("/")); err != context.DeadlineExceeded {
		t.Error(err)
	}
	opened := make(chan error)
	go func() {
		s2, err := c.Open(t.Context(), get("/2"))
		if err == nil {
			s2.Close()
		}
		opened <- err
	}()
	s1.Close()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// pingBoth returns when c has read all that p has sent.
func pingBoth(p *rawPeer, c *Conn) error {
	got := make(chan error)
	go func() { got <- c.Ping(context.Background()) }()
	for {
		f, err := p.fr.ReadFrame()
		if err != nil {
			return err
		}
		if f, ok := f.(*http2.PingFrame); ok && !f.IsAck() {
			p.fr.WritePing(true, f.Data)
			return <-got
		}
	}
}

// TestShutdown: requests under way are finished, new ones are not taken, and then the connection ends.
func TestShutdown(t *testing.T) {
	t.Run("server", func(t *testing.T) {
		release := make(chan struct{})
		c, srv := pair(t, Options{}, Options{}, func(s *Stream) { <-release; serve8k(s) })
		s, err := c.Open(t.Context(), get("/"))
		if err != nil {
			t.Fatal(err)
		}
		for srv.Streams() == 0 {
			time.Sleep(time.Millisecond)
		}
		done := make(chan error)
		go func() { done <- srv.Shutdown(t.Context()) }()
		for c.Usable() {
			time.Sleep(time.Millisecond)
		}
		if _, err := c.Open(t.Context(), get("/")); !Retryable(err) {
			t.Error(err)
		}
		close(release)
		s.ReadHead()
		if b, err := io.ReadAll(s); err != nil || len(b) != 8192 {
			t.Error(len(b), err)
		}
		s.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		<-c.Done()
	})
	t.Run("client", func(t *testing.T) {
		release := make(chan struct{})
		c, srv := pair(t, Options{}, Options{}, func(s *Stream) { <-release; serve8k(s) })
		s, err := c.Open(t.Context(), get("/"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := c.Shutdown(ctx); err != context.DeadlineExceeded {
			t.Error(err)
		}
		close(release)
		s.ReadHead()
		if b, err := io.ReadAll(s); err != nil || len(b) != 8192 {
			t.Error(len(b), err)
		}
		s.Close()
		if err := c.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		<-srv.Done()
	})
	t.Run("late request", func(t *testing.T) {
		a, b := tcpPair(t)
		srv := Server(b, Options{})
		served := make(chan error)
		go func() { served <- srv.Serve(serve8k) }()
		p := newRaw(t, a)
		io.WriteString(a, Preface)
		p.fr.WriteSettings()
		if err := pingBoth(p, srv); err != nil {
			t.Fatal(err)
		}
		go srv.Shutdown(context.Background())
		if got := p.next(); got != fmt.Sprintf("GOAWAY %d NO_ERROR", maxWindow) {
			t.Fatal(got)
		}
		base := []string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/"}
		p.headers(1, true, base...) // was under way
		if got := p.next(); !strings.HasPrefix(got, "HEADERS 1") {
			t.Fatal(got)
		}
		if got := p.next(); !strings.HasPrefix(got, "DATA 1 end") {
			t.Fatal(got)
		}
		p.fr.WritePing(true, [8]byte{1})
		if got := p.next(); got != "GOAWAY 1 NO_ERROR" {
			t.Fatal(got)
		}
		if got := p.next(); got != "GOAWAY 1 NO_ERROR" && got != "EOF" {
			t.Fatal(got)
		}
		a.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func TestKeepAlive(t *testing.T) {
	p, c := rawServer(t, Options{KeepAlive: 20 * time.Millisecond})
	pings := 0
	for pings < 2 { // answered
		f, err := p.fr.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := f.(*http2.PingFrame); ok {
			pings++
			p.fr.WritePing(true, f.Data)
		}
	}
	<-c.Done() // not answered any more
	if err := c.Err(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestExtendedConnect(t *testing.T) {
	p, c := rawServer(t, Options{})
	if c.ConnectProtocol(t.Context()) {
		t.Error("nobody said so")
	}
	p.fr.WriteSettings(http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1})
	if err := pingBoth(p, c); err != nil {
		t.Fatal(err)
	}
	if !c.ConnectProtocol(t.Context()) {
		t.Error("it was said")
	}
	ours, _ := pair(t, Options{}, Options{ExtendedConnect: true}, echo)
	if !ours.ConnectProtocol(t.Context()) {
		t.Error("ours does not say")
	}
}

// TestSendChecks: what is not sent, and why.
func TestSendChecks(t *testing.T) {
	errs := make(chan error, 20)
	c, _ := pair(t, Options{}, Options{}, func(s *Stream) {
		s.ReadHead()
		_, err := s.Write([]byte("x"))
		errs <- err
		errs <- s.CloseWrite(nil)
		errs <- s.WriteHead(status("101"))
		errs <- s.WriteHead(status("200", "connection", "close"))
		errs <- s.WriteHead(status("200", "x", "a\r\nb"))
		errs <- s.WriteHead(Head{Fields: fields(":status", "100"), End: true})
		s.WriteHead(status("200", "X-Upper", "1"))
		errs <- s.WriteHead(status("200"))
		errs <- s.CloseWrite(fields(":x", "1"))
		s.CloseWrite(nil)
		_, err = s.Write([]byte("x"))
		errs <- err
		errs <- s.CloseWrite(nil)
		errs <- s.WriteHead(status("200"))
		close(errs)
	})
	if _, err := c.Open(t.Context(), Head{Fields: fields(":method", "GET")}); err == nil {
		t.Error("request without :path is sent")
	}
	s, err := c.Open(t.Context(), get("/"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h, err := s.ReadHead()
	if err != nil || h.Get("x-upper") != "1" {
		t.Fatal(h, err)
	}
	if _, err := s.ReadHead(); err != io.EOF {
		t.Error(err)
	}
	if _, err := s.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
	i := 0
	for err := range errs {
		if err == nil {
			t.Error(i, "no error")
		}
		i++
	}
}

// TestSmallResponse: a response of one piece is one write, without an empty DATA frame.
func TestSmallResponse(t *testing.T) {
	p := rawClient(t, Options{}, func(s *Stream) {
		h, _ := s.ReadHead()
		s.WriteHead(status("200"))
		if h.Get(":path") == "/body" {
			s.Write([]byte("body"))
		}
		s.CloseWrite(nil)
	})
	p.headers(1, true, ":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/body")
	p.headers(3, true, ":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/")
	got := map[string]bool{p.next(): true, p.next(): true, p.next(): true}
	for _, want := range []string{"HEADERS 1 :status=200", `DATA 1 end "body"`, "HEADERS 3 end :status=200"} {
		if !got[want] {
			t.Error(got)
		}
	}
}

// TestLargeHead goes in several frames.
func TestLargeHead(t *testing.T) {
	c, _ := pair(t, Options{}, Options{}, func(s *Stream) {
		h, _ := s.ReadHead()
		s.WriteHead(Head{Fields: append(fields(":status", "200"), h.Fields[4:]...), End: true})
	})
	h := get("/")
	for i := range 200 {
		h.Fields = append(h.Fields, fields(fmt.Sprint("x-", i), strings.Repeat(fmt.Sprint(i), 300))...)
	}
	for range 3 {
		s, err := c.Open(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.ReadHead()
		if err != nil || len(got.Fields) != 201 || got.Fields[200] != h.Fields[203] || !got.End {
			t.Fatal(len(got.Fields), err)
		}
		s.Close()
	}
}

// TestNoLeak: nothing is left behind by connections that end in any way.
func TestNoLeak(t *testing.T) {
	before := runtime.NumGoroutine()
	for i := range 20 {
		a, b := net.Pipe()
		srv := Server(b, Options{})
		served := make(chan error)
		go func() { served <- srv.Serve(echo) }()
		c := Client(a, Options{KeepAlive: time.Second})
		s, err := c.Open(t.Context(), post("/"))
		if err != nil {
			t.Fatal(err)
		}
		s.Write([]byte("x"))
		s.Flush()
		if _, err := s.ReadHead(); err != nil {
			t.Fatal(err)
		}
		switch i % 4 {
		case 0:
			c.Close()
		case 1:
			srv.Close()
		case 2:
			a.Close()
		case 3:
			b.Close()
		}
		<-c.Done()
		<-srv.Done()
		<-served
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 3000 {
			buf := make([]byte, 1<<16)
			t.Fatalf("%s", buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(time.Millisecond)
	}
}
