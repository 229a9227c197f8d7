package websocket

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"io"
	"sync"
)

// A sender writes to one side. The half that reads from the other side uses it, and whoever injects.
type sender struct {
	conn   io.ReadWriteCloser
	masked bool // it writes to a server

	turn sync.Mutex // of a message that is shown before it goes out, until it has

	mu      sync.Mutex
	w       *bufio.Writer
	partial bool   // a frame is half written: nothing may come between
	open    bool   // a message is half written: only control frames may come between
	over    bool   // a Close went out, or the connection is gone: what is written is discarded
	waiting []byte // injected frames that wait for the end of the message
}

func newSender(conn io.ReadWriteCloser, masked bool) *sender {
	return &sender{conn: conn, masked: masked, w: bufio.NewWriterSize(conn, bufferSize)}
}

// header returns the header of a frame of ours, with a fresh key if it has to be masked.
func (s *sender) header(opcode byte) header {
	h := header{fin: true, opcode: opcode, masked: s.masked}
	if s.masked {
		_, _ = rand.Read(h.key[:]) // never fails; RFC 6455 §5.3 wants it unpredictable
	}
	return h
}

// write writes the next bytes of a frame of a message. Partial and open say how the frame and the message are afterwards.
func (s *sender) write(p []byte, partial, open bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil
	}
	var err error
	if len(p) > s.w.Size() && s.w.Size() < chunkSize {
		// Once there are large messages, a frame's header and the piece behind it go out together.
		err = s.w.Flush()
		s.w = bufio.NewWriterSize(s.conn, chunkSize+bufferSize)
	}
	if err == nil {
		_, err = s.w.Write(p)
	}
	s.partial, s.open = partial, open
	if !open && len(s.waiting) > 0 && err == nil {
		_, err = s.w.Write(s.waiting)
		s.waiting = nil
	}
	return err
}

// control writes a whole control frame, which may come within a message; last says that it is a Close.
func (s *sender) control(p []byte, last bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil
	}
	s.over = last
	_, err := s.w.Write(p)
	return err
}

// inject writes a whole message as soon as none is half written; at most limit bytes wait for that.
func (s *sender) inject(p []byte, limit int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return ErrOver
	case s.open && int64(len(s.waiting)+len(p)) > limit:
		return ErrFull
	case s.open:
		s.waiting = append(s.waiting, p...)
		return nil
	}
	if _, err := s.w.Write(p); err != nil {
		return err
	}
	return s.w.Flush()
}

func (s *sender) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Flush()
}

// close sends a Close of ours, unless there was one or a frame is half written.
func (s *sender) close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.over = true
	if !s.partial {
		p := binary.BigEndian.AppendUint16(nil, uint16(code))
		p = append(p, reason[:min(len(reason), maxControl-2)]...)
		_, _ = s.w.Write(appendFrame(nil, s.header(opClose), p))
	}
	_ = s.w.Flush()
}

// closeWrite tells the side that nothing more will come and reports whether it could.
func (s *sender) closeWrite() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	c, ok := s.conn.(interface{ CloseWrite() error })
	return ok && s.w.Flush() == nil && c.CloseWrite() == nil
}

// stop refuses what comes from now on.
func (s *sender) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
}

func (s *sender) stopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}
