package http2

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// TestStorm: streams that end in every way, and at the end nothing is lost of the windows and nothing is left open. Once
// over TCP, once over a pipe without any buffer: there a reader that waits to write would wedge both sides.
func TestStorm(t *testing.T) {
	t.Run("tcp", func(t *testing.T) {
		a, b := tcpPair(t)
		storm(t, a, b)
	})
	t.Run("pipe", func(t *testing.T) {
		a, b := net.Pipe()
		storm(t, a, b)
	})
}

func storm(t *testing.T, a, b net.Conn) {
	o := Options{StreamWindow: initialWindow, ConnWindow: 3 * initialWindow, MaxStreams: 50, ExtendedConnect: true}
	srv := Server(b, o)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(stormServer) }()
	c := Client(a, o)
	if !c.ConnectProtocol(t.Context()) {
		t.Fatal(c.Err())
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for range 20 {
				if err := stormClient(c, r); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for i := 0; c.Streams()+srv.Streams() > 0 || srv.handling() > 0; i++ {
		if i == 5000 {
			t.Fatalf("%d and %d streams left", c.Streams(), srv.Streams())
		}
		time.Sleep(time.Millisecond)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := srv.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	for from, to := range map[*Conn]*Conn{c: srv, srv: c} {
		from.mu.Lock()
		window := from.window
		from.mu.Unlock()
		to.mu.Lock()
		if window != to.recv || to.recv+to.credit.Load() != int64(o.ConnWindow) {
			t.Errorf("window %d here, %d there, %d to be given back, of %d", window, to.recv, to.credit.Load(), o.ConnWindow)
		}
		to.mu.Unlock()
	}
	c.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func (c *Conn) handling() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy
}

func stormServer(s *Stream) {
	h, err := s.ReadHead()
	if err != nil {
		return
	}
	switch h.Get(":path") {
	case "/fail":
		return
	case "/refuse":
		s.Reset(RefusedStream)
		return
	case "/early":
		s.WriteHead(Head{Fields: fields(":status", "413"), End: true})
		return
	case "/half":
		s.WriteHead(status("200"))
		io.CopyN(s, s, 50_000)
		s.Flush()
		return
	}
	s.WriteHead(status("103"))
	s.Flush()
	s.WriteHead(status("200"))
	relayBody(s, s)
}

// stormClient does one exchange and ends it in some way. It returns an error if what is said is not what was asked for.
func stormClient(c *Conn, r *rand.Rand) error {
	path := []string{"/", "/", "/", "/fail", "/refuse", "/early", "/half"}[r.IntN(7)]
	s, err := c.Open(context.Background(), post(path))
	if err != nil {
		return err
	}
	size := r.IntN(300_000)
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		for left := size; left > 0; {
			n := min(left, 1+r.IntN(40_000))
			if _, err := s.Write(make([]byte, n)); err != nil {
				return
			}
			left -= n
		}
		s.CloseWrite(fields("x", "y"))
	}()
	defer func() { s.Close(); <-wrote }()
	if r := rand.IntN(10); r == 0 {
		return nil // closed at once
	} else if r == 1 {
		time.AfterFunc(time.Millisecond, func() { s.Reset(Cancel) })
	}
	for err == nil {
		_, err = s.ReadHead()
	}
	if err != io.EOF {
		if path == "/" && code(err) != Cancel || path == "/refuse" && !Retryable(err) && code(err) != Cancel {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	if rand.IntN(5) == 0 {
		io.CopyN(io.Discard, s, 1000)
		return nil
	}
	n, err := io.Copy(io.Discard, s)
	switch {
	case err != nil && code(err) == Cancel:
	case path == "/" && (err != nil || n != int64(size)):
		return fmt.Errorf("%s: %d bytes of %d, %w", path, n, size, err)
	case path == "/early" && (err != nil || n != 0):
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
