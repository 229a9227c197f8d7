package live

import (
	"io"
	"sync"
	"time"

	"flowkit/flowfile"
	"flowkit/live/internal/http1"
)

// tape is what is kept of one body.
type tape struct {
	buf   []byte
	total int64 // bytes that went by
	kept  int64 // of them recorded
	whole bool
}

const (
	// holdBody is how much of a body is kept in memory; beyond, it is recorded while it goes by.
	holdBody = 1 << 20
	// openAfter is when a body that still goes on is recorded while it does, however short.
	openAfter = time.Second
)

// tooLong tells whether a body is not to be held for handlers.
func (x *exchange) tooLong(f http1.Framing) bool {
	limit := x.c.p.o.Stream
	return limit > 0 && f.Kind == http1.Length && f.Length > limit
}

// hold reads a body for handlers: in memory, and beyond holdBody in the spool. It stops, not whole, behind the limit of
// Options.Stream.
func (x *exchange) hold(next func() ([]byte, error), part int) (b flowfile.Body, whole bool, err error) {
	var mem []byte
	var w *flowfile.SpoolWriter
	limit := x.c.p.o.Stream
	for n := int64(0); ; {
		piece, err := next()
		n += int64(len(piece))
		if w == nil && len(mem)+len(piece) > holdBody {
			// A spool of its own: its file goes when the flow does.
			w = x.c.p.newSpool().NewWriter()
			if _, err := w.Write(mem); err != nil {
				return b, false, err
			}
			mem = nil
		}
		if w == nil {
			mem = append(mem, piece...)
		} else if _, err := w.Write(piece); err != nil {
			return b, false, err
		}
		whole = err == io.EOF
		if err != nil && !whole {
			x.tape(part, mem)
			return b, false, err
		}
		if whole || limit > 0 && n > limit {
			break
		}
	}
	if w != nil {
		return flowfile.ContentBody(w.Content()), whole, nil
	}
	return flowfile.BytesBody(mem), whole, nil
}

// newSpool returns a spool for what handlers hold of one flow, and what does not fit in memory.
func (p *Proxy) newSpool() *flowfile.Spool {
	return &flowfile.Spool{Dir: p.o.TempDir, Memory: holdBody}
}

// keepsBodies tells whether anybody wants the bodies that go by.
func (p *Proxy) keepsBodies() bool { return p.o.Recorder != nil }

// tape keeps bytes of a body that go by.
func (x *exchange) tape(part int, b []byte) {
	if !x.c.p.keepsBodies() || len(b) == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	t := &x.tapes[part]
	t.total += int64(len(b))
	if limit := x.c.p.o.MaxBody; limit > 0 {
		b = b[:max(min(int64(len(b)), limit-t.kept), 0)]
	}
	t.kept += int64(len(b))
	if x.open == nil && (len(t.buf)+len(b) > holdBody || time.Since(x.req.Start().Time()) > openAfter) {
		x.openRecord()
	}
	if x.open != nil {
		x.open.Part(part, b)
		return
	}
	if n := len(t.buf); len(b) > 0 && n+len(b) <= cap(t.buf) && &t.buf[:n+1][n] == &b[0] {
		t.buf = t.buf[:n+len(b)] // it was read to its place
		return
	}
	t.buf = append(t.buf, b...)
}

// room is where bytes of a response are read to.
type room struct {
	passed int64 // bytes of the body so far
	buf    *[]byte
}

const (
	roomy   = 128 << 10 // bytes of one read: fewer calls for the same bytes
	longRun = 64 << 10  // a body that is longer is worth a large buffer
)

// of returns where the next bytes may be put: their place on the tape, if it waits for them, or a large buffer for a body
// that has shown to be long.
func (r *room) of(x *exchange) []byte {
	x.mu.Lock()
	t := &x.tapes[flowfile.BodyResponse]
	free := t.buf[len(t.buf):cap(t.buf)]
	x.mu.Unlock()
	if len(free) > 0 {
		return free[:min(len(free), roomy)]
	}
	if r.buf == nil && r.passed > longRun {
		r.buf = rooms.Get().(*[]byte)
	}
	if r.buf == nil {
		return nil
	}
	return *r.buf
}

func (r *room) done() {
	if r.buf != nil {
		rooms.Put(r.buf)
	}
}

var rooms = sync.Pool{New: func() any { b := make([]byte, roomy); return &b }}

// openRecord begins to record the flow while it goes on.
func (x *exchange) openRecord() {
	x.turn.Lock()
	x.open = x.c.p.openRecord(x.flow)
	x.turn.Unlock()
	if x.open == nil {
		x.open = noRecord{}
	}
	for part := range x.tapes {
		if t := &x.tapes[part]; len(t.buf) > 0 {
			x.open.Part(part, t.buf)
			t.buf = nil
		}
	}
}

// noRecord is a flow that is not recorded.
type noRecord struct{}

func (noRecord) Part(int, []byte)        {}
func (noRecord) Message(*flowfile.Msg)   {}
func (noRecord) End(*flowfile.Flow, End) {}

// trim cuts a body that was held for handlers to what is recorded of it.
func (p *Proxy) trim(m *flowfile.Message) {
	b, limit := m.Body(), p.o.MaxBody
	if limit <= 0 || b.State() != flowfile.BodyPresent || b.Size() <= limit {
		return
	}
	r, err := b.Open()
	if err != nil {
		return // the recorder will say so
	}
	defer r.Close()
	first := make([]byte, limit)
	if _, err := io.ReadFull(r, first); err != nil {
		return
	}
	m.InitBody(flowfile.BytesBody(first).Truncate(b.Size()))
}

// record hands the flow to the recorder.
func (x *exchange) record(err error) {
	f := x.flow
	var e End
	x.mu.Lock()
	defer x.mu.Unlock()
	messages := [2]*flowfile.Message{&x.req.Message}
	if r := f.Response(); r != nil {
		messages[1] = &r.Message
	}
	for part, m := range messages {
		t := &x.tapes[part]
		if m == nil {
			continue
		}
		cut := !t.whole || t.kept < t.total
		if cut {
			e.Cut[part] = -1
			if t.whole {
				e.Cut[part] = t.total
			}
		}
		if m.Body().State() == flowfile.BodyAbsent && (t.buf != nil || t.whole) {
			b := flowfile.BytesBody(t.buf)
			if cut {
				b = b.Truncate(e.Cut[part])
			}
			m.InitBody(b)
		} else if x.open == nil {
			x.c.p.trim(m)
		}
	}
	open := x.open
	if _, no := open.(noRecord); no {
		f.Drop()
		open = nil
	}
	e.Incomplete = err != nil && x.c.ctx.Err() != nil && x.c.p.draining.Load()
	size := x.tapes[flowfile.BodyResponse].total
	if size == 0 && messages[1] != nil {
		size = max(messages[1].Body().Size(), 0)
	}
	x.c.p.record(f, open, e, size)
}
