package websocket

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

// A memConn is one end of a connection in memory. Its peer's writes wait in it: in no case more than window bytes, 0: all.
type memConn struct {
	peer   *memConn
	window int
	step   int // at most so many bytes at a read; 0: all

	mu     sync.Mutex
	cond   *sync.Cond
	buf    []byte
	end    error // what a read gives behind buf
	closed bool
}

// memPipe returns both ends of a connection.
func memPipe() (a, b *memConn) {
	a, b = &memConn{}, &memConn{}
	a.cond, b.cond = sync.NewCond(&a.mu), sync.NewCond(&b.mu)
	a.peer, b.peer = b, a
	return a, b
}

func (c *memConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.buf) == 0 && c.end == nil && !c.closed {
		c.cond.Wait()
	}
	if c.closed {
		return 0, net.ErrClosed
	}
	if len(c.buf) == 0 {
		return 0, c.end
	}
	if c.step > 0 && len(p) > c.step {
		p = p[:c.step]
	}
	n := copy(p, c.buf)
	c.buf = c.buf[n:]
	c.cond.Broadcast()
	return n, nil
}

func (c *memConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return 0, net.ErrClosed
	}
	to := c.peer
	to.mu.Lock()
	defer to.mu.Unlock()
	for n := 0; ; to.cond.Wait() {
		if to.closed || to.end != nil {
			return n, errors.New("broken pipe")
		}
		k := len(p) - n
		if to.window > 0 {
			k = min(k, to.window-len(to.buf))
		}
		to.buf = append(to.buf, p[n:n+k]...)
		to.cond.Broadcast()
		if n += k; n == len(p) {
			return n, nil
		}
	}
}

// finish ends what the peer reads with err.
func (c *memConn) finish(err error) {
	c.peer.mu.Lock()
	defer c.peer.mu.Unlock()
	if c.peer.end == nil {
		c.peer.end = err
	}
	c.peer.cond.Broadcast()
}

func (c *memConn) CloseWrite() error {
	c.finish(io.EOF)
	return nil
}

func (c *memConn) Close() error {
	c.finish(io.EOF)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.cond.Broadcast()
	return nil
}

func (c *memConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *memConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *memConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (c *memConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memConn) SetWriteDeadline(time.Time) error { return nil }

// result is what came of a conversation.
type result struct {
	toClient, toServer []byte
	messages           []Message
	close              Close
	err                error
}

// converse lets both sides say what they have to say and end their connections; one with nothing (nil) to say when the other has.
func converse(r *Relay, client, server []byte) result {
	var res result
	c, clientConn := memPipe()
	s, serverConn := memPipe()
	r.Client.Conn, r.Server.Conn = clientConn, serverConn
	if handle := r.Handle; handle != nil {
		r.Handle = func(m *Message) {
			handle(m)
			res.messages = append(res.messages, *m)
		}
	}
	var wg sync.WaitGroup
	talk := func(c *memConn, say []byte, heard *[]byte) {
		if say != nil {
			_, _ = c.Write(say)
			_ = c.CloseWrite()
		}
		wg.Go(func() {
			*heard, _ = io.ReadAll(c)
			_ = c.CloseWrite()
		})
	}
	talk(c, client, &res.toClient)
	talk(s, server, &res.toServer)
	res.close, res.err = r.Run(context.Background())
	wg.Wait()
	return res
}

// one lets one side talk and returns also what the other heard.
func one(r *Relay, fromClient bool, said []byte) (result, []byte) {
	if fromClient {
		res := converse(r, said, nil)
		return res, res.toServer
	}
	res := converse(r, nil, said)
	return res, res.toClient
}

// bothWays runs f for both directions.
func bothWays(t *testing.T, f func(t *testing.T, fromClient bool)) {
	for _, fromClient := range []bool{true, false} {
		t.Run(sideName(fromClient), func(t *testing.T) { f(t, fromClient) })
	}
}

func watch(*Message) {}

const fin, more, compressed = finBit, 0, rsv1

// frame is a frame as a side sends it.
func frame(fromClient bool, flags, opcode byte, payload string) []byte {
	h := header{fin: flags&finBit != 0, rsv: flags & rsvBits, opcode: opcode, masked: fromClient}
	if fromClient {
		h.key = [4]byte{1, 0x80, 0xff, 7}
	}
	return appendFrame(nil, h, []byte(payload))
}

// A peer is the other end, as strict as can be: it knows what compress/flate knows and nothing of the code under test.
type peer struct {
	masked   bool
	deflate  bool
	takeover bool
	history  []byte // what compressed messages may refer to

	messages []string // "1:text"
	controls []string
}

// hear takes what the peer was sent and says what is wrong with it.
func (p *peer) hear(b []byte) error {
	var body []byte
	var op byte
	zipped, inside := false, false
	for len(b) > 0 {
		if len(b) < 2 || len(b) < headerSize(b[1]) {
			return errors.New("cut header")
		}
		size := headerSize(b[1])
		h := parseHeader(b[:size])
		if h.masked != p.masked {
			return errors.New("wrong mask")
		}
		if uint64(len(b)-size) < h.length {
			return errors.New("cut frame")
		}
		payload := slices.Clone(b[size : size+int(h.length)])
		b = b[size+int(h.length):]
		for i := range payload {
			if h.masked {
				payload[i] ^= h.key[i%4]
			}
		}
		if h.opcode >= 8 {
			if !h.fin || h.rsv != 0 || len(payload) > 125 {
				return errors.New("bad control frame")
			}
			p.controls = append(p.controls, fmt.Sprintf("%d:%s", h.opcode, payload))
			continue
		}
		if inside != (h.opcode == 0) {
			return errors.New("message within a message, or none to continue")
		}
		if !inside {
			op, zipped, body = h.opcode, h.rsv == rsv1, nil
		} else if h.rsv != 0 {
			return errors.New("rsv in continuation")
		}
		body, inside = append(body, payload...), !h.fin
		if inside {
			continue
		}
		if zipped {
			var err error
			if body, err = p.inflate(body); err != nil {
				return err
			}
		}
		p.messages = append(p.messages, fmt.Sprintf("%d:%s", op, body))
	}
	if inside {
		return errors.New("cut message")
	}
	return nil
}

func (p *peer) inflate(b []byte) ([]byte, error) {
	if !p.deflate {
		return nil, errors.New("compressed")
	}
	if !p.takeover {
		p.history = nil
	}
	var all []byte
	src := bytes.NewReader(append(slices.Clone(b), "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...))
	for src.Len() > 9 { // behind a final block there may be more
		dict := p.history
		if p.takeover {
			dict = slices.Concat(dict, all[max(0, len(all)-window):])
		}
		b, err := io.ReadAll(flate.NewReaderDict(src, dict[max(0, len(dict)-window):]))
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	b = all
	p.history = append(p.history, b...)
	p.history = p.history[max(0, len(p.history)-window):]
	return b, nil
}

// A zipper compresses as a peer does.
type zipper struct {
	takeover bool
	w        *flate.Writer
	out      bytes.Buffer
}

func (z *zipper) zip(s string) string {
	if z.w == nil || !z.takeover {
		z.w, _ = flate.NewWriter(&z.out, 1)
	}
	z.out.Reset()
	_, _ = io.WriteString(z.w, s)
	_ = z.w.Flush()
	return string(bytes.TrimSuffix(z.out.Bytes(), []byte{0, 0, 0xff, 0xff}))
}
