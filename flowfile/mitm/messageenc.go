package mitm

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"flowkit/flowfile"
)

// shortMessages is up to what size the messages of a flow are encoded in memory.
const shortMessages = 256 << 10

// messageStream writes messages that were measured before.
type messageStream struct {
	src       flowfile.MessageSource
	websocket bool
	n         int64
	spooled   map[int]flowfile.Body // bodies whose size was unknown
}

var errMessagesChanged = errors.New("the messages changed while they were written")

// messages writes the messages of f. Those of a record are taken as they are: their form
// is the same in all versions, but for those that are short.
func (e *encoder) messages(f *flowfile.Flow, websocket bool) {
	src := f.Messages().Source()
	if l, ok := src.(*messageList); ok && l.websocket == websocket && !l.short {
		if e.holes && len(l.b) > 0 {
			mark := e.begin(']')
			e.piece(piece{n: int64(len(l.b)), part: flowfile.BodyMessage, data: l.b})
			e.end(mark)
			return
		}
		e.stretch(l.b, ']')
		return
	}
	s := &messageStream{src: src, websocket: websocket}
	if src == nil {
		e.raw("0:]")
		return
	}
	short, err := e.measure(s)
	switch {
	case err != nil:
		e.fail(err)
	case short != nil || s.n == 0:
		e.stretch(short, ']')
	default:
		mark := e.begin(']')
		e.piece(piece{n: s.n, part: notBody, messages: s})
		e.end(mark)
	}
}

// stretch writes an element of which the payload is at hand.
func (e *encoder) stretch(payload []byte, tag byte) {
	if len(payload) < longPiece {
		e.element(alias(payload), tag)
		return
	}
	mark := e.begin(tag)
	e.piece(piece{n: int64(len(payload)), part: notBody, data: payload})
	e.end(mark)
}

// measure finds the length of s, and returns its bytes if they are few.
func (e *encoder) measure(s *messageStream) ([]byte, error) {
	short := make([]byte, 0, 256)
	i := 0
	for m, err := range s.src.All() {
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		e.lost.Extra += int64(len(m.Extra))
		body, n, err := e.sized(m.Body)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		if m.Body.Size() < 0 {
			if s.spooled == nil {
				s.spooled = make(map[int]flowfile.Body)
			}
			s.spooled[i] = body
		}
		i++
		head, tail := e.messageFrame(&m, n, s.websocket)
		s.n += int64(len(head)+len(tail)) + n
		if short == nil {
			continue
		}
		if s.n > shortMessages {
			short = nil
			continue
		}
		short = append(short, head...)
		if n > 0 {
			p, err := body.Bytes(shortMessages)
			if err != nil {
				return nil, fmt.Errorf("message %d: %w", i-1, err)
			}
			short = append(short, p...)
		}
		short = append(short, tail...)
	}
	return short, nil
}

// messageFrame returns what stands before and behind the n bytes of a message. Both are
// valid until the next call.
func (e *encoder) messageFrame(m *flowfile.Msg, n int64, websocket bool) (head, tail []byte) {
	inner := make([]byte, 0, 64)
	if websocket {
		inner = appendInt(inner, int64(m.Opcode))
	}
	inner = appendBool(inner, m.FromClient)
	inner = strconv.AppendInt(inner, n, 10)
	inner = append(inner, ':')
	var num [40]byte
	f := appendFloat(num[:0], m.Time.Seconds())
	tail = append(e.scratch[:0], ',')
	tail = strconv.AppendInt(tail, int64(len(f)), 10)
	tail = append(append(append(tail, ':'), f...), '^')
	if websocket {
		tail = appendBool(appendBool(tail, m.Dropped), m.Injected)
	}
	length := int64(len(inner)+len(tail)) + n
	tail = append(tail, ']')
	at := len(tail)
	tail = strconv.AppendInt(tail, length, 10)
	tail = append(append(tail, ':'), inner...)
	e.scratch = tail
	return tail[at:], tail[:at]
}

func appendInt(b []byte, n int64) []byte {
	var num [20]byte
	d := strconv.AppendInt(num[:0], n, 10)
	b = append(strconv.AppendInt(b, int64(len(d)), 10), ':')
	return append(append(b, d...), '#')
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, "4:true!"...)
	}
	return append(b, "5:false!"...)
}

// writeTo writes the messages that were measured.
func (s *messageStream) writeTo(w *gather, e *encoder) error {
	i, left := 0, s.n
	for m, err := range s.src.All() {
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		body := m.Body
		if b, ok := s.spooled[i]; ok {
			body = b
		}
		i++
		n := body.Size()
		head, tail := e.messageFrame(&m, n, s.websocket)
		if left -= int64(len(head)+len(tail)) + n; n < 0 || left < 0 {
			return errMessagesChanged
		}
		if _, err := w.Write(head); err != nil {
			return err
		}
		if err := copyBody(w, body, n); err != nil {
			return err
		}
		if _, err := w.Write(tail); err != nil {
			return err
		}
	}
	if left != 0 {
		return errMessagesChanged
	}
	return nil
}

// copyBody writes the n bytes of b.
func copyBody(w *gather, b flowfile.Body, n int64) error {
	if n == 0 {
		return nil
	}
	c, inPieces := b.Content().(flowfile.BytesContent)
	if b.Content() == nil || inPieces && n <= 1<<20 || inPieces && isMapped(c) {
		p, err := b.Bytes(-1)
		if err != nil {
			return fmt.Errorf("read body: %w", err)
		}
		if int64(len(p)) != n {
			return errBodyChanged
		}
		if b.Content() == nil || isMapped(c) {
			return w.stay(p)
		}
		_, err = w.Write(p)
		return err
	}
	r, err := b.Open()
	if err != nil {
		return fmt.Errorf("open body: %w", err)
	}
	defer r.Close()
	got, err := io.CopyN(w, r, n)
	if err == io.EOF && got < n {
		return errBodyChanged
	}
	if err != nil {
		return err
	}
	if k, _ := r.Read(make([]byte, 1)); k > 0 {
		return errBodyChanged
	}
	return nil
}

var errBodyChanged = errors.New("a body has another size than it said")

func isMapped(c flowfile.BytesContent) bool {
	_, ok := c.(*mapped)
	return ok
}
