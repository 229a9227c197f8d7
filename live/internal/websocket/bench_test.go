package websocket

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// tcpPair returns both ends of a connection on the loopback.
func tcpPair(tb testing.TB) (a, b net.Conn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// BenchmarkRelay: a client says something, the server answers with as much, through io.Copy both ways and through a Relay.
func BenchmarkRelay(b *testing.B) {
	z := zipper{takeover: false}
	json := strings.Repeat(`{"id":1234,"name":"something","value":[1,2,3]},`, 170)
	sizes := []struct {
		name, payload string
		flags         byte
	}{
		{"100B", json[:100], fin},
		{"8kB", json, fin},
		{"8kB-deflate", z.zip(json), fin | compressed},
		{"1MB", string(random(1 << 20)), fin},
	}
	relays := []struct {
		name string
		run  func(client, server net.Conn)
	}{
		{"copy", func(client, server net.Conn) {
			var wg sync.WaitGroup
			wg.Go(func() { _, _ = io.Copy(struct{ io.Writer }{server}, struct{ io.Reader }{client}); server.Close() })
			_, _ = io.Copy(struct{ io.Writer }{client}, struct{ io.Reader }{server})
			client.Close()
			wg.Wait()
		}},
		{"pass", relay(nil, false)},
		{"watch", relay(watch, false)},
		{"hold", relay(watch, true)},
	}
	for _, size := range sizes {
		for _, r := range relays {
			b.Run(size.name+"/"+r.name, func(b *testing.B) {
				c, clientConn := tcpPair(b)
				s, serverConn := tcpPair(b)
				done := make(chan struct{})
				go func() { r.run(clientConn, serverConn); close(done) }()
				question, answer := frame(true, size.flags, 2, size.payload), frame(false, size.flags, 2, size.payload)
				go func() {
					buf := make([]byte, len(question))
					for {
						if _, err := io.ReadFull(s, buf); err != nil {
							return
						}
						if _, err := s.Write(answer); err != nil {
							return
						}
					}
				}()
				buf := make([]byte, len(answer))
				b.SetBytes(int64(len(question) + len(answer)))
				b.ReportAllocs()
				for b.Loop() {
					go func() { _, _ = c.Write(question) }()
					if _, err := io.ReadFull(c, buf); err != nil {
						b.Fatal(err)
					}
				}
				if !bytes.Equal(buf, answer) {
					b.Error("something else came")
				}
				c.Close()
				s.Close()
				<-done
			})
		}
	}
}

func relay(handle func(*Message), hold bool) func(client, server net.Conn) {
	return func(client, server net.Conn) {
		r := &Relay{Client: Side{Conn: client}, Server: Side{Conn: server}, Extensions: noTakeover, Handle: handle, Hold: hold}
		_, _ = r.Run(context.Background())
	}
}

// TestTCP: over real connections, with an end that is a real one.
func TestTCP(t *testing.T) {
	c, clientConn := tcpPair(t)
	s, serverConn := tcpPair(t)
	done := make(chan struct{})
	r := &Relay{Client: Side{Conn: clientConn}, Server: Side{Conn: serverConn}, Handle: watch, Hold: true}
	go func() {
		defer close(done)
		if end, err := r.Run(context.Background()); err != nil || end.Code != CodeAbnormal || !end.ByClient {
			t.Error(end, err)
		}
	}()
	said := frame(true, fin, 2, string(random(3<<20)))
	go func() {
		_, _ = c.Write(said)
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, said) {
		t.Error("something else came", err)
	}
	_, _ = s.Write(frame(false, fin, 1, "bye"))
	_ = s.Close()
	if got, err := io.ReadAll(c); err != nil || string(got) != "\x81\x03bye" {
		t.Error(got, err)
	}
	<-done
}

// TestAllocs: a small message costs its payload, nothing else.
func TestAllocs(t *testing.T) {
	said := frame(false, fin, 1, "a message of some length")
	r := &Relay{Handle: watch, Hold: true, Server: Side{Conn: &script{said: bytes.NewReader(nil)}}, Client: Side{Conn: &script{}}}
	r.setup()
	r.toClient = newSender(discarding{}, false)
	d := newHalf(r, false)
	in := bytes.NewReader(said)
	n := testing.AllocsPerRun(1000, func() {
		in.Reset(said)
		d.in.Reset(in)
		if err := d.message(); err != nil {
			t.Fatal(err)
		}
	})
	if n > 1 {
		t.Errorf("%v allocations", n)
	}
}

type discarding struct{ script }

func (discarding) Write(p []byte) (int, error) { return len(p), nil }
func (discarding) Read([]byte) (int, error)    { return 0, io.EOF }
func (discarding) Close() error                { return nil }
