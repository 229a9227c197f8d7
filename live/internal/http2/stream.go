package http2

import (
	"fmt"
	"io"
	"sync"

	"flowkit/flowfile"
)

// Stream is one exchange. One goroutine may read (ReadHead, Read) while another writes (WriteHead, Write, CloseWrite);
// the other methods may be called at any time by anybody.
//
// What is written gathers in a buffer of the connection, as in a bufio.Writer: it leaves when that is full, at CloseWrite
// and other ends, at Flush, and before ReadHead or Read of the same connection wait. Call Flush before you wait for
// anything else.
type Stream struct {
	c  *Conn
	id uint32

	// Of the goroutine that reads the connection.
	gotHead bool  // the final one
	remain  int64 // of Content-Length; -1: not known

	// Set once before others see the stream.
	headRequest, connect bool

	// Guarded by Conn.mu.
	window           int64 // what we may send
	writers          sync.Cond
	sentHead         bool // the final one
	sendEnd, recvEnd bool // END_STREAM went out, came in; both after an early end
	err              *Error

	mu       sync.Mutex // guards what follows; taken after Conn.mu
	readers  sync.Cond
	heads    []Head
	headSize int
	buf      recvBuffer
	recv     int64 // what the peer may still send
	credit   int64 // read and not yet given back
	trailers []flowfile.Field
	ended    bool // END_STREAM came in
	rerr     *Error
	gone     bool // an early end
	onDone   []func()
	doneCh   chan struct{}
}

func newStream(c *Conn) *Stream {
	s := &Stream{c: c, remain: -1, recv: int64(c.o.StreamWindow)}
	s.writers.L = &c.mu
	s.readers.L = &s.mu
	return s
}

// ID returns the number of the stream.
func (s *Stream) ID() uint32 { return s.id }

// Conn returns the connection of the stream.
func (s *Stream) Conn() *Conn { return s.c }

// ReadHead returns the next head: of the request at a server; at a client informational heads (1xx) as they come, then the
// final one. Behind that it returns io.EOF.
func (s *Stream) ReadHead() (Head, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	flushed := false
	for len(s.heads) == 0 {
		switch {
		case s.rerr != nil:
			return Head{}, s.rerr
		case s.buf.n > 0 || s.ended:
			return Head{}, io.EOF
		case !flushed:
			s.flushUnlocked()
			flushed = true
		default:
			s.readers.Wait()
		}
	}
	h := s.heads[0]
	s.heads[0] = Head{}
	if s.heads = s.heads[1:]; len(s.heads) == 0 {
		s.heads, s.headSize = nil, 0
	}
	return h, nil
}

func (s *Stream) flushUnlocked() {
	s.mu.Unlock()
	s.Flush()
	s.mu.Lock()
}

// Read reads from the body. At its end it returns io.EOF, and Trailers are there. When the stream ended early, what had
// come is returned first and then an *Error.
func (s *Stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	flushed := false
	for s.buf.n == 0 {
		switch {
		case s.rerr != nil:
			defer s.mu.Unlock()
			return 0, s.rerr
		case s.ended:
			s.mu.Unlock()
			return 0, io.EOF
		case len(p) == 0:
			s.mu.Unlock()
			return 0, nil
		case !flushed:
			s.flushUnlocked()
			flushed = true
		default:
			s.readers.Wait()
		}
	}
	n := s.buf.take(p)
	inc := s.give(int64(n))
	s.mu.Unlock()
	s.c.giveBack(n, s, inc)
	return n, nil
}

// give notes n bytes as read and returns what of the window is to be given back now.
func (s *Stream) give(n int64) int64 {
	if s.ended || s.rerr != nil {
		return 0
	}
	s.credit += n
	if s.credit < int64(s.c.o.StreamWindow)/2 {
		return 0
	}
	inc := s.credit
	s.recv += inc
	s.credit = 0
	return inc
}

// Ready reports whether Read would return without waiting.
func (s *Stream) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.n > 0 || s.ended || s.rerr != nil
}

// Ended reports whether the whole message is here: bytes that wait to be read are the last, and a next Read returns io.EOF
// when none are left.
func (s *Stream) Ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// Trailers returns the trailers after Read returned io.EOF, nil if there were none.
func (s *Stream) Trailers() []flowfile.Field {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trailers
}

// WriteHead sends a head of the response: informational ones first, if any, then the final one. Field names are made
// lower case; what HTTP/2 does not allow is an error and not sent. The fields are not kept.
func (s *Stream) WriteHead(h Head) error {
	var f facts
	fields, err := prepare(responseHead, h.Fields, &f)
	if err != nil {
		return err
	}
	final := f.status >= 200
	if !final && h.End {
		return s.misuse("an informational head cannot be the end")
	}
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := s.writable(); err != nil {
			return err
		}
		if s.sentHead {
			return s.misuse("second head")
		}
		if !c.waitRoom() {
			break
		}
	}
	s.sentHead = final
	c.writeHead(s, fields, h.Sensitive, h.End)
	if !final {
		c.last.off = -1
	}
	if h.End {
		c.sent(s)
		c.flush()
	} else {
		c.left()
	}
	return nil
}

func (s *Stream) misuse(msg string) error { return fmt.Errorf("http2: stream %d: %s", s.id, msg) }

// writable says why nothing can be sent. Conn.mu is held.
func (s *Stream) writable() error {
	switch {
	case s.err != nil:
		s.c.next()
		return s.err
	case s.c.err != nil:
		return s.c.err
	case s.sendEnd:
		s.c.next()
		return s.misuse("write after the end")
	}
	return nil
}

// Write sends bytes of the body. It waits while the peer's windows are closed.
func (s *Stream) Write(p []byte) (int, error) {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := 0
	for {
		if err := s.writable(); err != nil {
			return sent, err
		}
		if !s.sentHead {
			return sent, s.misuse("body before the head")
		}
		if len(p) == 0 {
			break
		}
		n := min(int64(len(p)), s.window, c.window, int64(c.peer.frame))
		if n <= 0 {
			c.next()
			if len(c.wbuf) > 0 && !c.flushing {
				c.flush()
			} else if s.window <= 0 {
				s.writers.Wait()
			} else {
				c.conn.Wait()
			}
			continue
		}
		if room := int64(sendBuffer - frameHead - len(c.wbuf)); n > room {
			if c.waitRoom() {
				continue
			}
			n = room
		}
		c.writeData(s, p[:n], false)
		s.window -= n
		c.window -= n
		sent += int(n)
		p = p[n:]
	}
	c.left()
	return sent, nil
}

// Flush sends what is buffered on the connection.
func (s *Stream) Flush() error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.c.flush()
	if s.err != nil {
		return s.err
	}
	return nil
}

// CloseWrite ends the message, with trailers if there are any, and sends what is buffered.
func (s *Stream) CloseWrite(trailers []flowfile.Field) error {
	if len(trailers) > 0 {
		var f facts
		var err error
		if trailers, err = prepare(trailerHead, trailers, &f); err != nil {
			return err
		}
	}
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := s.writable(); err != nil {
			return err
		}
		if !s.sentHead {
			return s.misuse("end before the head")
		}
		if !c.waitRoom() {
			break
		}
	}
	switch {
	case len(trailers) > 0:
		c.encode(s.id, trailers, nil, true)
	case !c.endLast(s):
		c.writeData(s, nil, true)
	}
	c.last.off = -1
	c.sent(s)
	c.flush()
	return nil
}

// Reset ends the stream early. Those who read or write it get an *Error, and what waits to be read is dropped unless the
// whole message is here. It does nothing after the end.
func (s *Stream) Reset(code Code) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.c.reset(s, &Error{Code: code, Msg: "reset here"})
	s.c.creditConn()
	s.c.flushSoon()
}

// Close ends what has not ended and drops what was not read: a client cancels, a server that sent a whole response asks
// the client to stop (RFC 9113 §8.1), one that did not reports an internal error.
func (s *Stream) Close() {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams[s.id] == s {
		code := Cancel
		if !c.client {
			if code = InternalError; s.sendEnd {
				code = NoError
			}
		}
		c.reset(s, &Error{Code: code, Msg: "closed here"})
		c.flushSoon()
	}
	s.mu.Lock()
	c.credit.Add(int64(s.buf.drop()))
	if s.rerr == nil && !s.ended {
		s.rerr = &Error{Stream: s.id, Code: Cancel, Msg: "closed here"}
	}
	s.mu.Unlock()
	c.creditConn()
}

// OnDone has f called in a goroutine of its own when the stream ends early: reset by either side, or the connection is
// gone. If that has happened f is called at once; if the stream ends well, never.
func (s *Stream) OnDone(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		go f()
		return
	}
	s.onDone = append(s.onDone, f)
}

// Done returns a channel that is closed when the stream ends early, as for OnDone.
func (s *Stream) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.doneCh == nil {
		s.doneCh = make(chan struct{})
		if s.gone {
			close(s.doneCh)
		}
	}
	return s.doneCh
}

// Err says why the stream ended early, nil if it did not.
func (s *Stream) Err() error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.err == nil {
		return nil
	}
	return s.err
}
