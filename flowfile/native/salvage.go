package native

import (
	"errors"
	"io"
	"slices"
	"sync"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
)

// ErrMended is wrapped by a damage that cost nothing: a wrong byte was put right.
var ErrMended = block.ErrMended

// Salvage makes a Reader take out of damaged blocks what is left in them, and counts what
// became of the flows. It is given to one Reader, and read when that is at its end.
type Salvage struct {
	mu     sync.Mutex // blocks are seen by the goroutine that reads ahead
	counts Salvaged

	flows   map[int64]int // by the offset of the block: flows that are not accounted for
	seen    map[block.IndexBlock]int
	indexes []int64        // offsets of index blocks
	other   map[int64]bool // offsets of blocks that hold no entries
	used    map[int64]bool // offsets of blocks whose entries were read, or some of them
}

// Salvaged is what became of the flows of a file.
type Salvaged struct {
	Whole int // as they were recorded
	Open  int // without an end: it is lost, or was never recorded
	Cut   int // a body, message or certificate of them is lost, in part at least
	Lost  int // known of from headers and indexes, and not there
}

// Counts returns what became of the flows. In is what the Reader read; if it is not nil, its
// indexes tell of flows in blocks of which there is no trace otherwise.
func (s *Salvage) Counts(in io.ReaderAt) Salvaged {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	for _, n := range s.flows {
		c.Lost += max(n, 0)
	}
	if in == nil {
		return c
	}
	missing := map[block.IndexBlock]int{}
	for _, off := range s.indexes {
		blocks, ok := block.ReadIndexAt(in, off)
		if !ok {
			continue
		}
		here := map[block.IndexBlock]int{}
		for _, b := range blocks {
			b.Offset, b.IDs = 0, false
			if here[b]++; here[b] > s.seen[b] {
				missing[b] = max(missing[b], here[b]-s.seen[b])
			}
		}
	}
	for b, n := range missing {
		c.Lost += n * b.Flows
	}
	return c
}

// Skipped returns how many bytes were passed over because of a damage: none where entries of the
// block were read.
func (s *Salvage) Skipped(d *flowfile.Damage) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used[d.Offset] {
		return 0
	}
	return max(d.Length, 0)
}

// Harmless tells whether a damage costs no flow: it was put right, or is of an index.
func (s *Salvage) Harmless(d *flowfile.Damage) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Is(d.Err, ErrMended) || s.other[d.Offset]
}

// Begins tells whether there is a block somewhere in r, though r may not begin with one.
func Begins(r io.ReaderAt, size int64) (bool, error) { return block.HasBlock(r, size) }

// see is told of every header.
func (s *Salvage) see(x block.ReaderSeen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flows == nil {
		s.flows, s.seen = map[int64]int{}, map[block.IndexBlock]int{}
		s.other, s.used = map[int64]bool{}, map[int64]bool{}
	}
	h := x.Header
	switch {
	case h.IsIndex():
		s.indexes = append(s.indexes, x.Offset)
	case h.IsData():
		s.flows[x.Offset] += h.Flows
	}
	s.seen[h.Indexed()]++
	if x.Entries > 0 {
		s.used[x.Offset] = true
	}
	if !h.IsData() {
		s.other[x.Offset] = true
	}
}

// found counts a flow that begins in the block at off.
func (s *Salvage) found(off int64) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flows[off]--; s.flows[off] == 0 {
		delete(s.flows, off)
	}
}

// deliver counts a flow that comes out.
func (s *Salvage) deliver(lost, incomplete bool) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case lost:
		s.counts.Cut++
	case incomplete:
		s.counts.Open++
	default:
		s.counts.Whole++
	}
}

// doubt notes that entries are lost which may have belonged to the flows that are open.
func (a *assembly) doubt() {
	for _, g := range a.open {
		g.lost = true
	}
}

// head returns as many of the first bytes of the content as can be read.
func (c *content) head() []byte {
	out := c.b.Head(c.at)
	if len(out) < c.at.Len {
		return out
	}
	for _, r := range c.more {
		p := c.b.Head(r)
		out = append(out[:len(out):len(out)], p...)
		if len(p) < r.Len {
			break
		}
	}
	return out
}

// found returns a body that can be read: of one that cannot, what is left.
func found(b flowfile.Body) (_ flowfile.Body, lost bool) {
	c, ok := b.Content().(*content)
	if !ok {
		return b, false
	}
	if _, err := c.Bytes(); err == nil {
		return b, false
	}
	var left []byte
	if c.b.Salvaging() {
		left = c.head()
	}
	return flowfile.BytesBody(left).Truncate(b.Total()), true
}

// dropLost takes certificates out of a connection that cannot be read: half of one is none.
func (h *home) dropLost(c *flowfile.Conn) {
	gone := func(b flowfile.Body) bool {
		_, lost := found(b)
		return lost
	}
	n := len(c.Certificates)
	c.Certificates = slices.DeleteFunc(c.Certificates, gone)
	lost := len(c.Certificates) < n
	if gone(c.MitmCert) {
		c.MitmCert, lost = flowfile.Body{}, true
	}
	if lost && h.lost == nil {
		h.lost = make(map[*flowfile.Conn]bool)
	}
	if lost {
		h.lost[c] = true
	}
}

// shortened returns the part of a body that can be read, nil for none.
func (c *content) shortened() *content {
	if !c.b.Salvaging() || len(c.more) > 0 {
		return nil
	}
	short := *c
	if short.at.Len = len(c.head()); short.at.Len == 0 {
		return nil
	}
	return &short
}
