package mitm

import (
	"bytes"
	"encoding/binary"
	"sync"

	"flowkit/flowfile"
)

// encoders are used by Kept, which is called from many goroutines.
var encoders = sync.Pool{New: func() any { return new(encoder) }}

// put gives e back, without what it refers to.
func (e *encoder) put() {
	e.reset(0)
	e.lost = Lost{}
	encoders.Put(e)
}

// Kept returns what a file of another format must keep so that a Writer can give back
// the record with f's changes: nothing but the version if it would write the same bytes
// from the model alone, else the record without its bodies.
func (r *Record) Kept(f *flowfile.Flow) *flowfile.Kept {
	k := &flowfile.Kept{Format: Format, Version: r.version}
	if r.plain(f) {
		return k
	}
	s := r.cut()
	k.Head, k.Changed = alias(s.head), f.Changed()
	for _, g := range s.gaps {
		k.Holes = append(k.Holes, flowfile.Hole{Pos: g.pos, Part: g.part})
	}
	return k
}

// plain tells whether the model writer gives the record with f's changes.
func (r *Record) plain(f *flowfile.Flow) bool {
	if r.version < minVersion || r.version > maxVersion || r.backup.n > 0 || r.unknown+r.inner > 0 {
		return false
	}
	if l, ok := f.Messages().Source().(*messageList); ok && !l.canonical() {
		return false
	}
	changed := f.Changed()
	e := encoders.Get().(*encoder)
	defer e.put()
	e.reset(r.version)
	e.holes = changed != 0
	if e.flow(f, r) != nil {
		return false
	}
	if changed == 0 {
		return r.equal(e)
	}
	x := encoders.Get().(*encoder)
	defer x.put()
	x.reset(r.version)
	x.holes = true
	return x.splice(f, r.comparable(), changed) == nil && bytes.Equal(e.flat(), x.flat())
}

// equal tells whether what was encoded is the record. Bodies are not compared, only
// their place and size: they are the record's own.
func (r *Record) equal(e *encoder) bool {
	b := r.bytes()
	if e.size() != int64(len(b)) {
		return false
	}
	at, from := 0, e.pos
	for i := len(e.pieces) - 1; i >= 0; i-- {
		p := &e.pieces[i]
		to := len(e.buf) - p.behind
		if !bytes.Equal(e.buf[from:to], b[at:at+to-from]) {
			return false
		}
		at, from = at+to-from, to
		switch {
		case p.part != notBody:
			if r.bodies[p.part] != (span{at, int(p.n)}) {
				return false
			}
		case p.data == nil || !bytes.Equal(p.data, b[at:at+int(p.n)]):
			return false
		}
		at += int(p.n)
	}
	return bytes.Equal(e.buf[from:], b[at:])
}

// flat returns what was encoded, with part and size in place of bodies and messages.
func (e *encoder) flat() []byte {
	var out []byte
	at := e.pos
	for i := len(e.pieces) - 1; i >= 0; i-- {
		p := &e.pieces[i]
		to := len(e.buf) - p.behind
		out = append(out, e.buf[at:to]...)
		at = to
		if p.part == notBody && p.data != nil {
			out = append(out, p.data...)
			continue
		}
		out = append(out, 0, byte(p.part))
		out = binary.LittleEndian.AppendUint64(out, uint64(p.n))
	}
	return append(out, e.buf[at:]...)
}

// canonical tells whether the model writer would write the messages with the same bytes.
func (l *messageList) canonical() bool {
	var e encoder
	for i := 0; i < len(l.b); {
		it, after, ok := next(l.b, i, len(l.b))
		if !ok {
			return false
		}
		m, err := parseMessage(l.b, it, l.websocket)
		if err != nil {
			return false
		}
		n := m.Body.Size()
		head, tail := e.messageFrame(&m, n, l.websocket)
		if int64(len(head)+len(tail))+n != int64(after-i) ||
			!bytes.Equal(l.b[i:i+len(head)], head) || !bytes.Equal(l.b[after-len(tail):after], tail) {
			return false
		}
		i = after
	}
	return true
}
