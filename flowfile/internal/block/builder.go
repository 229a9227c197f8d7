package block

import (
	"flowkit/flowfile/internal/mp"
)

// builder collects the entries of the open block. It belongs to one goroutine; what it
// builds depends on the entries and the sizes only.
type builder struct {
	o       WriterOptions
	raw     *rawBlock
	open    [2]int // number of the open body segment, plain and incompressible; 0: none
	bytes   int    // of contents and records so far
	shared  sharedEntries
	content contents
	spare   chan *rawBlock // blocks that were compressed, for their buffers
}

// spareBlocks is how many blocks wait to be used again.
const spareBlocks = 2

// rawBlock is a block before compression.
type rawBlock struct {
	records    mp.Writer
	n, flows   int
	bodies     []*bodySegment // segment i+1 of the block
	tmin, tmax int64          // 0, 0: no entry with a time
	ids        []entryID
	indexed    bool

	unused []*bodySegment // of the block before that had these buffers
}

// reuse empties a block that was compressed, and keeps as many segments as a block has that
// is no exception. Its ids are somebody else's by now.
func (r *rawBlock) reuse(o WriterOptions) {
	r.records.Reset()
	usual := 2 + o.BlockSize/o.SegmentSize
	for _, s := range r.bodies {
		if s.w.Len() <= 2*o.SegmentSize && len(r.unused) < usual {
			s.w.Reset()
			r.unused = append(r.unused, s)
		}
	}
	clear(r.bodies)
	r.bodies = r.bodies[:0]
	r.n, r.flows, r.tmin, r.tmax, r.ids, r.indexed = 0, 0, 0, 0, nil, true
}

type bodySegment struct {
	w              mp.Writer
	count          int
	incompressible bool
}

// entryID is the id of an entry, for the index.
type entryID struct {
	hash  uint64
	entry int
}

// place is where a content or a shared record stands in the open block.
type place struct{ seg, off, len int }

func newBuilder(o WriterOptions) *builder {
	b := &builder{o: o, spare: make(chan *rawBlock, spareBlocks)}
	b.reset()
	return b
}

// reset starts a new block.
func (b *builder) reset() {
	select {
	case r := <-b.spare:
		r.reuse(b.o)
		b.raw = r
	default:
		b.raw = &rawBlock{indexed: true}
	}
	b.open = [2]int{}
	b.bytes = 0
	b.shared.reset()
	b.content.reset()
}

// fits reports whether what needs n can be added without closing the block before.
func (b *builder) fits(n need) bool {
	r := b.raw
	if r.n == 0 {
		return true
	}
	room := b.o.BlockSize + b.o.SegmentSize
	size := n.records + n.bodies
	return r.n+n.entries <= max(b.o.MaxEntries, n.entries) &&
		b.bytes+size <= min(max(room, size), maxBlockRaw) &&
		r.records.Len()+n.records <= maxSegment &&
		b.segmentsWith(n) <= maxTable
}

// segmentsWith returns the most segments the block may have after adding n. Two
// neighbours of one kind hold more than a segment's size together.
func (b *builder) segmentsWith(n need) int {
	return len(b.raw.bodies) + min(n.parts, 4+2*n.bodies/b.o.SegmentSize)
}

// full reports whether the block is to be closed.
func (b *builder) full() bool {
	return b.bytes >= b.o.BlockSize || b.raw.n >= b.o.MaxEntries
}

// add appends e and the entries it shares. It copies all it keeps but the pointers of
// shared entries.
func (b *builder) add(e *Entry) { b.put(e, b.placeParts(e)) }

// placeParts puts the shared entries of e and then its contents into the block and returns
// their places. The entry's own number is known only when its shared entries stand.
func (b *builder) placeParts(e *Entry) []place {
	places := make([]place, len(e.Parts))
	for i := range e.Parts {
		if s := e.Parts[i].Shared; s != nil {
			places[i] = b.addShared(s)
		}
	}
	for i := range e.Parts {
		if p := &e.Parts[i]; p.Shared == nil {
			places[i] = b.addContent(p)
		}
	}
	return places
}

// put writes the entry itself and returns the place of its record.
func (b *builder) put(e *Entry, places []place) place {
	r := b.raw
	w := &r.records
	before := w.Len()
	w.ArrayLen(2)
	w.ArrayLen(1 + 7*len(e.Parts))
	w.Int(int64(len(e.Record)))
	for i := range e.Parts {
		p, at := &e.Parts[i], places[i]
		w.Int(int64(p.N))
		w.Int(p.Total)
		w.Int(int64(p.Flags))
		w.Int(1)
		w.Int(int64(at.seg))
		w.Int(int64(at.off))
		w.Int(int64(at.len))
	}
	at := place{seg: 0, off: w.Len(), len: len(e.Record)}
	w.Raw(e.Record)
	if e.ID != "" {
		r.ids = append(r.ids, entryID{hashID(e.ID), r.n})
	}
	if e.Starts {
		r.flows++
	}
	r.span(e.Time)
	r.n++
	b.bytes += w.Len() - before
	return at
}

func (r *rawBlock) span(t int64) {
	if t == 0 {
		return
	}
	if r.tmin == 0 && r.tmax == 0 {
		r.tmin, r.tmax = t, t
		return
	}
	r.tmin, r.tmax = min(r.tmin, t), max(r.tmax, t)
}

// addContent stores the content of a part, unless the block has the same bytes already.
func (b *builder) addContent(p *Part) place {
	hash := b.content.hash(p.Data)
	if at, ok := b.content.find(b.raw, p.Data, hash); ok {
		return at
	}
	seg := b.segmentFor(p)
	s := b.raw.bodies[seg-1]
	before := s.w.Len()
	s.w.ArrayLen(4)
	s.w.Int(int64(b.raw.n))
	s.w.Int(int64(p.N))
	s.w.Int(p.Off)
	s.w.Bin(p.Data)
	s.count++
	b.bytes += s.w.Len() - before
	at := place{seg: seg, off: s.w.Len() - len(p.Data), len: len(p.Data)}
	b.content.note(p.Data, hash, at)
	return at
}

// segmentFor returns the number of the body segment that takes p. The number is given when
// a segment opens, not when it closes: refs to it are written long before.
func (b *builder) segmentFor(p *Part) int {
	kind := 0
	if p.Incompressible {
		kind = 1
	}
	if n := b.open[kind]; n > 0 && b.raw.bodies[n-1].w.Len()+maxChunkHead+len(p.Data) <= b.o.SegmentSize {
		return n
	}
	s := &bodySegment{}
	if last := len(b.raw.unused) - 1; last >= 0 {
		s, b.raw.unused = b.raw.unused[last], b.raw.unused[:last]
	}
	s.count, s.incompressible = 0, p.Incompressible
	b.raw.bodies = append(b.raw.bodies, s)
	n := len(b.raw.bodies)
	if len(p.Data) < b.o.SegmentSize || b.open[kind] == 0 {
		b.open[kind] = n // content of a segment's size leaves the open one open
	}
	return n
}
