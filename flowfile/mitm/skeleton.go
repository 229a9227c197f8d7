package mitm

import (
	"errors"
	"fmt"
	"sort"

	"flowkit/flowfile"
)

// skeleton is a record from which stretches may have been cut: what a splice works on.
// Positions are those in head.
type skeleton struct {
	head []byte
	gaps []gap
}

// gap is a place in a skeleton where n bytes belong: a body, the payload of a message.
type gap struct {
	pos  int
	n    int64
	part int
}

var errKept = errors.New("what was kept of the record does not fit the flow")

// next is the function next for a skeleton.
func (k *skeleton) next(i, end int) (it item, after int, ok bool) {
	n, j := int64(0), i
	for ; j < end && k.head[j]-'0' <= 9; j++ {
		if n = n*10 + int64(k.head[j]-'0'); j-i >= maxDigits {
			return it, 0, false
		}
	}
	if j == i || j >= end || k.head[j] != ':' {
		return it, 0, false
	}
	s, p := j+1, j+1
	for _, g := range k.gaps[k.gapAt(s):] {
		if int64(g.pos-p) >= n {
			break
		}
		if n -= int64(g.pos-p) + g.n; n < 0 {
			return it, 0, false
		}
		p = g.pos
	}
	if n >= int64(end-p) {
		return it, 0, false
	}
	e := p + int(n)
	return item{k.head[e], s, e}, e + 1, tags[k.head[e]]
}

// gapAt returns the number of the first gap at pos or behind.
func (k *skeleton) gapAt(pos int) int {
	return sort.Search(len(k.gaps), func(i int) bool { return k.gaps[i].pos >= pos })
}

// field is a key of a dictionary and its value.
type field struct {
	key        string
	start, end int // with key and value
	value      item
}

// fields appends the fields of a dictionary to fs.
func (k *skeleton) fields(fs []field, it item) ([]field, error) {
	for i := it.s; i < it.e; {
		key, after, ok := k.next(i, it.e)
		if !ok {
			return nil, badElement(i)
		}
		v, after, ok := k.next(after, it.e)
		if !ok {
			return nil, badElement(i)
		}
		fs = append(fs, field{alias(k.head[key.s:key.e]), i, after, v})
		i = after
	}
	return fs, nil
}

// top returns the dictionary that the skeleton is.
func (k *skeleton) top() (item, error) {
	it, after, ok := k.next(0, len(k.head))
	if !ok || after != len(k.head) || it.tag != '}' {
		return it, errKept
	}
	return it, nil
}

// skeleton returns the record, uncut.
func (r *Record) skeleton() *skeleton { return &skeleton{head: r.bytes()} }

// longMessages is from what size the payloads of messages are cut out of a kept record.
const longMessages = 64 << 10

// cut returns the record without its bodies, and without the payloads of its messages if
// they are long.
func (r *Record) cut() *skeleton {
	var bodies []cutting
	for part, s := range r.bodies {
		bodies = append(bodies, cutting{s, part})
	}
	if r.handshake != nil {
		return r.handshake.without(bodies).followedBy(r.without(r.longPayloads()))
	}
	return r.without(append(bodies, r.longPayloads()...))
}

// followedBy returns the skeleton of two records.
func (k *skeleton) followedBy(l *skeleton) *skeleton {
	for _, g := range l.gaps {
		g.pos += len(k.head)
		k.gaps = append(k.gaps, g)
	}
	k.head = append(k.head, l.head...)
	return k
}

// longPayloads returns the payloads of the messages if they are long.
func (r *Record) longPayloads() []cutting {
	if r.messages.n <= longMessages {
		return nil
	}
	return r.messagePayloads()
}

// comparable returns the record without its bodies and its list of messages.
func (r *Record) comparable() *skeleton {
	return r.without([]cutting{
		{r.bodies[flowfile.BodyRequest], flowfile.BodyRequest},
		{r.bodies[flowfile.BodyResponse], flowfile.BodyResponse},
		{r.messages, flowfile.BodyMessage},
	})
}

// cutting is a stretch to be cut.
type cutting struct {
	span
	part int
}

func (r *Record) without(cuts []cutting) *skeleton {
	sort.Slice(cuts, func(i, j int) bool { return cuts[i].at < cuts[j].at })
	b := r.bytes()
	size := len(b)
	for _, c := range cuts {
		size -= c.n
	}
	k := &skeleton{head: make([]byte, 0, size)}
	at := 0
	for _, c := range cuts {
		if c.n == 0 && c.part != flowfile.BodyMessage {
			continue
		}
		k.head = append(k.head, b[at:c.at]...)
		k.gaps = append(k.gaps, gap{len(k.head), int64(c.n), c.part})
		at = c.at + c.n
	}
	k.head = append(k.head, b[at:]...)
	return k
}

// messagePayloads returns where the payloads of the messages are.
func (r *Record) messagePayloads() []cutting {
	b := r.bytes()
	content := 1
	if r.websocket {
		content = 2
	}
	var cuts []cutting
	messages := 0
	for i, end := r.messages.at, r.messages.at+r.messages.n; i < end; {
		m, after, ok := next(b, i, end)
		if !ok {
			return nil
		}
		i = after
		messages++
		for j, n := m.s, 0; j < m.e; n++ {
			var v item
			if v, j, ok = next(b, j, m.e); !ok {
				return nil
			}
			if n == content && (v.tag == ',' || v.tag == ';') {
				cuts = append(cuts, cutting{span{v.s, v.e - v.s}, flowfile.BodyMessage})
			}
		}
	}
	if len(cuts) != messages { // holes are filled by counting messages
		return nil
	}
	return cuts
}

// keptSkeleton returns the skeleton that was kept of a record.
func keptSkeleton(kept *flowfile.Kept) (*skeleton, error) {
	k := &skeleton{head: unalias(kept.Head), gaps: make([]gap, 0, len(kept.Holes))}
	last := 0
	for _, h := range kept.Holes {
		if h.Pos <= last || h.Pos >= len(k.head) || k.head[h.Pos-1] != ':' {
			return nil, errKept
		}
		start := h.Pos - 1
		for start > 0 && k.head[start-1]-'0' <= 9 && h.Pos-start <= maxDigits {
			start--
		}
		var n int64
		for _, c := range k.head[start : h.Pos-1] {
			n = n*10 + int64(c-'0')
		}
		k.gaps = append(k.gaps, gap{h.Pos, n, h.Part})
		last = h.Pos
	}
	if kept.Version < minVersion { // perhaps two records, and they are not changed
		return k, k.whole()
	}
	_, err := k.top()
	return k, err
}

// whole tells whether the skeleton consists of records.
func (k *skeleton) whole() error {
	for i := 0; i < len(k.head); {
		it, after, ok := k.next(i, len(k.head))
		if !ok || it.tag != '}' {
			return errKept
		}
		i = after
	}
	return nil
}

// part writes head[from:to] of the skeleton; what was cut out comes from f.
func (e *encoder) part(k *skeleton, f *flowfile.Flow, from, to int) {
	first := k.gapAt(from)
	for i := k.gapAt(to) - 1; i >= first; i-- {
		g := k.gaps[i]
		e.stretchRaw(k.head[g.pos:to])
		if g.part != flowfile.BodyMessage || e.holes {
			to = g.pos
			e.fillGap(g, f)
			continue
		}
		last := i
		for i > first && k.gaps[i-1].part == flowfile.BodyMessage {
			i--
		}
		to = k.gaps[i].pos
		e.fillMessages(&gapStream{head: k.head, gaps: k.gaps[i : last+1], src: f.Messages().Source()})
	}
	e.stretchRaw(k.head[from:to])
}

// fillMessages writes a list of messages of which the payloads were cut out.
func (e *encoder) fillMessages(s *gapStream) {
	if s.src == nil || s.src.Len() != len(s.gaps) {
		e.fail(errKept)
		return
	}
	n := int64(s.gaps[len(s.gaps)-1].pos - s.gaps[0].pos)
	for _, g := range s.gaps {
		n += g.n
	}
	e.piece(piece{n: n, part: notBody, gaps: s})
}

// stretchRaw writes b as it is.
func (e *encoder) stretchRaw(b []byte) {
	if len(b) < longPiece {
		e.raw(alias(b))
		return
	}
	e.piece(piece{n: int64(len(b)), part: notBody, data: b})
}

// fillGap writes the body that was cut out at g.
func (e *encoder) fillGap(g gap, f *flowfile.Flow) {
	var b flowfile.Body
	switch {
	case g.part == flowfile.BodyRequest && f.Request() != nil:
		b = f.Request().Body()
	case g.part == flowfile.BodyResponse && f.Response() != nil:
		b = f.Response().Body()
	case e.holes: // only compared
		e.piece(piece{n: g.n, part: g.part})
		return
	}
	b, n, err := e.sized(b)
	if err != nil {
		e.fail(err)
		return
	}
	if n != g.n {
		e.fail(errKept)
		return
	}
	e.piece(piece{n: n, part: g.part, body: b})
}

// gapStream writes a skeleton from its first gap to its last, which are the payloads of
// messages.
type gapStream struct {
	head []byte
	gaps []gap
	src  flowfile.MessageSource
}

func (s *gapStream) writeTo(w *gather) error {
	at, i := s.gaps[0].pos, 0
	for m, err := range s.src.All() {
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		if i == len(s.gaps) {
			return errMessagesChanged
		}
		g := s.gaps[i]
		if _, err := w.Write(s.head[at:g.pos]); err != nil {
			return err
		}
		if err := copyBody(w, m.Body, g.n); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		at = g.pos
		i++
	}
	if i != len(s.gaps) {
		return errMessagesChanged
	}
	return nil
}
