package http2

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// fuzzConn is a connection on which in comes, and then the end; what goes out is looked at by check.
type fuzzConn struct {
	net.Conn // nil
	in       *bytes.Reader
	mu       sync.Mutex
	out      bytes.Buffer
}

func (c *fuzzConn) Read(p []byte) (int, error) { return c.in.Read(p) }

func (c *fuzzConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Write(p)
}
func (c *fuzzConn) Close() error                     { return nil }
func (c *fuzzConn) SetWriteDeadline(time.Time) error { return nil }

// check has the Framer read what went out: well-formed frames, no more DATA than initial windows allow.
func (c *fuzzConn) check(t *testing.T, skip int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fr := http2.NewFramer(io.Discard, bytes.NewReader(c.out.Bytes()[min(skip, c.out.Len()):]))
	fr.SetMaxReadFrameSize(minFrame)
	for {
		if _, err := fr.ReadFrame(); err == io.EOF || err == io.ErrUnexpectedEOF {
			return
		} else if err != nil {
			t.Fatal("sent: ", err)
		}
	}
}

// frames is a list of frames as bytes.
func frames(write func(p *rawPeer)) []byte {
	var buf bytes.Buffer
	p := &rawPeer{fr: http2.NewFramer(&buf, nil)}
	p.fr.AllowIllegalWrites = true
	p.enc = hpack.NewEncoder(&p.hbuf)
	write(p)
	return buf.Bytes()
}

func seeds(f *testing.F, head ...string) {
	f.Add(frames(func(p *rawPeer) {
		p.fr.WriteSettings()
		p.headers(1, false, head...)
		p.fr.WriteData(1, false, []byte("abc"))
		p.fr.WriteDataPadded(1, false, []byte("abc"), make([]byte, 5))
		p.headers(1, true, "x", "1")
	}))
	f.Add(frames(func(p *rawPeer) {
		p.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0},
			http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
		block := p.block(head...)
		p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:1], EndStream: true})
		p.fr.WriteContinuation(1, true, block[1:])
		p.fr.WriteWindowUpdate(1, 100)
		p.fr.WriteWindowUpdate(0, 100)
		p.fr.WritePing(false, [8]byte{1})
		p.fr.WriteRSTStream(1, Cancel)
		p.fr.WriteGoAway(0, NoError, []byte("bye"))
	}))
	f.Add(frames(func(p *rawPeer) {
		p.fr.WriteSettings()
		for id := uint32(1); id < 9; id += 2 {
			p.headers(id, true, append([]string{"x", "y"}, head...)...)
			p.headers(id+2, true, append(head, "content-length", "1")...)
			p.fr.WritePriority(id, http2.PriorityParam{StreamDep: 3})
		}
	}))
}

// FuzzServer: whatever a client sends, the server neither panics nor hangs, and hands out no head that is not safe.
func FuzzServer(f *testing.F) {
	seeds(f, ":method", "POST", ":scheme", "https", ":authority", "example.com", ":path", "/")
	f.Fuzz(func(t *testing.T, in []byte) {
		nc := &fuzzConn{in: bytes.NewReader(append([]byte(Preface), in...))}
		c := Server(nc, Options{MaxStreams: 4, MaxHead: 4096})
		c.Serve(func(s *Stream) {
			h, err := s.ReadHead()
			if err != nil {
				return
			}
			var fa facts
			if msg := check(requestHead, h.Fields, true, &fa); msg != "" {
				t.Error(msg)
			}
			s.WriteHead(status("200"))
			relayBody(s, s)
		})
		if n := c.Streams(); n != 0 {
			t.Errorf("%d streams left", n)
		}
		nc.check(t, 0)
	})
}

// FuzzClient: whatever a server sends, the client neither panics nor hangs.
func FuzzClient(f *testing.F) {
	seeds(f, ":status", "200")
	f.Fuzz(func(t *testing.T, in []byte) {
		nc := &fuzzConn{in: bytes.NewReader(in)}
		c := newConn(nc, Options{MaxHead: 4096}, true)
		c.start()
		var wg sync.WaitGroup
		for range 3 {
			s, err := c.Open(context.Background(), post("/"))
			if err != nil {
				break
			}
			wg.Go(func() {
				defer s.Close()
				wg.Go(func() { s.Write(make([]byte, 20000)); s.CloseWrite(nil) })
				for {
					h, err := s.ReadHead()
					if err != nil {
						break
					}
					var fa facts
					if msg := check(responseHead, h.Fields, true, &fa); msg != "" {
						t.Error(msg)
					}
				}
				io.Copy(io.Discard, s)
			})
		}
		c.end(c.read(nil))
		wg.Wait()
		nc.check(t, len(Preface))
	})
}
