package http2

import (
	"bytes"
	"slices"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"flowkit/flowfile"
)

const (
	sendBuffer = 32 << 10 // two TLS records
	// maxPending is how much more a peer that does not read can make us hold by asking for answers (PING, SETTINGS).
	maxPending = 128 << 10
	frameHead  = 9
	tight      = sendBuffer - frameHead - 1024 // more in wbuf than that is full
)

var sendBuffers = sync.Pool{New: func() any { return new([sendBuffer]byte) }}

// sender is the sending half of a connection, guarded by Conn.mu. Frames gather in wbuf. Who flushes takes the buffer and
// writes it without the lock, again and again until nothing is left, while others go on filling the next.
type sender struct {
	fr       *http2.Framer // writes into wbuf
	wbuf     []byte
	flushing bool
	window   int64 // what we may send on the connection
	hbuf     bytes.Buffer
	enc      *hpack.Encoder
	room     sync.Cond // wbuf has room again
	conn     sync.Cond // window grew
	waiting  int       // for room
	last     struct {  // the last frame in wbuf, if END_STREAM can be added to it
		s   *Stream
		off int
	}
}

// buffer returns wbuf, ready to be appended to.
func (w *sender) buffer() []byte {
	if w.wbuf == nil {
		w.wbuf = sendBuffers.Get().(*[sendBuffer]byte)[:0]
	}
	return w.wbuf
}

// frameWriter is how the Framer gets at wbuf.
type frameWriter struct{ w *sender }

func (f frameWriter) Write(p []byte) (int, error) {
	w := f.w
	w.wbuf = append(w.buffer(), p...)
	w.last.off = -1
	return len(p), nil
}

// flush writes what is buffered unless somebody is doing that already. mu is held, and released meanwhile.
func (c *Conn) flush() {
	if c.flushing || len(c.wbuf) == 0 {
		return
	}
	c.flushing = true
	c.flushLoop()
}

// flushSoon has another goroutine flush: for those who must not wait for the peer.
func (c *Conn) flushSoon() {
	if c.flushing || len(c.wbuf) == 0 {
		return
	}
	c.flushing = true
	go func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.flushLoop()
	}()
}

func (c *Conn) flushLoop() {
	const patience = 16 // writes for others before a goroutine of its own takes over
	for range patience {
		buf := c.wbuf
		c.wbuf = nil
		c.last.off = -1
		c.mu.Unlock()
		_, err := c.nc.Write(buf)
		if cap(buf) == sendBuffer { // it has not grown
			sendBuffers.Put((*[sendBuffer]byte)(buf[:sendBuffer]))
		}
		c.mu.Lock()
		if err != nil {
			c.fail(&Error{Msg: "write", Err: err})
			c.wbuf = nil
		}
		if len(c.wbuf) == 0 {
			c.flushing = false
			if c.err != nil {
				c.room.Broadcast()
			} else {
				c.room.Signal()
			}
			return
		}
		c.room.Signal()
	}
	c.flushing = false
	c.flushSoon()
}

// waitRoom waits until there is room in wbuf. It reports whether mu was released: conditions are to be looked at again.
func (c *Conn) waitRoom() bool {
	if len(c.wbuf) <= tight {
		return false
	}
	if !c.flushing {
		c.flush()
		return true
	}
	c.waiting++
	c.room.Wait()
	c.waiting--
	return true
}

// left is called by those who leave bytes in wbuf: others may wait for room that only a flush makes.
func (c *Conn) left() {
	if len(c.wbuf) > tight {
		c.flush()
	} else {
		c.next()
	}
}

// next wakes the next of those who wait for room; called by one who was woken and does not need it, or not all.
func (c *Conn) next() {
	if c.waiting > 0 {
		c.room.Signal()
	}
}

// writeHead appends HEADERS and CONTINUATION frames.
func (c *Conn) writeHead(s *Stream, fields []flowfile.Field, sensitive []string, end bool) {
	c.encode(s.id, fields, sensitive, end)
	if !end && c.last.off >= 0 {
		c.last.s = s
	}
}

func (c *Conn) encode(id uint32, fields []flowfile.Field, sensitive []string, end bool) {
	c.hbuf.Reset()
	for i := range fields {
		f := hpack.HeaderField{Name: fields[i].Name, Value: fields[i].Value}
		if len(sensitive) > 0 {
			f.Sensitive = slices.Contains(sensitive, f.Name)
		}
		c.enc.WriteField(f)
	}
	block := c.hbuf.Bytes()
	n := min(len(block), c.peer.frame)
	off := len(c.wbuf)
	c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block[:n], EndStream: end, EndHeaders: n == len(block)})
	if n == len(block) {
		c.last.off, c.last.s = off, nil
	}
	for block = block[n:]; len(block) > 0; block = block[n:] {
		n = min(len(block), c.peer.frame)
		c.fr.WriteContinuation(id, n == len(block), block[:n])
	}
	if c.hbuf.Cap() > 64<<10 {
		c.hbuf = bytes.Buffer{}
	}
}

// writeData appends a DATA frame.
func (c *Conn) writeData(s *Stream, p []byte, end bool) {
	b := c.buffer()
	off := len(b)
	n := len(p)
	flags := byte(0)
	if end {
		flags = byte(http2.FlagDataEndStream)
	}
	b = append(b, byte(n>>16), byte(n>>8), byte(n), byte(http2.FrameData), flags,
		byte(s.id>>24), byte(s.id>>16), byte(s.id>>8), byte(s.id))
	c.wbuf = append(b, p...)
	c.last.s, c.last.off = s, off
}

// endLast adds END_STREAM to the last frame of the stream if that is still here and the last of all.
func (c *Conn) endLast(s *Stream) bool {
	if c.last.off < 0 || c.last.s != s {
		return false
	}
	c.wbuf[c.last.off+4] |= byte(http2.FlagDataEndStream) // the same bit in HEADERS
	c.last.off = -1
	return true
}

// giveBack gives n bytes of the connection's window back to the peer, and inc of the stream's.
func (c *Conn) giveBack(n int, s *Stream, inc int64) {
	if c.credit.Add(int64(n)) < int64(c.o.ConnWindow)/2 && inc == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if inc > 0 && c.streams[s.id] == s && !s.recvEnd {
		c.fr.WriteWindowUpdate(s.id, uint32(inc))
	}
	c.creditConn()
	c.flush()
}

// creditConn appends a WINDOW_UPDATE for the connection if it is worth one.
func (c *Conn) creditConn() {
	if c.err == nil && c.credit.Load() >= int64(c.o.ConnWindow)/2 {
		n := c.credit.Swap(0)
		c.recv += n
		c.fr.WriteWindowUpdate(0, uint32(n))
	}
}
