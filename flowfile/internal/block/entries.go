package block

import (
	"errors"
	"fmt"
	"slices"

	"flowkit/flowfile/internal/mp"
)

// Ref says where the content of a part of an entry stands.
type Ref struct {
	Part   int
	Total  int64 // length of the whole part, -1 if unknown
	Flags  uint8
	Ranges []Range // in order; Seg 0: the record of a shared entry of the same block
}

// Entries iterates over the entries of a block:
//
//	for e.Next() {
//		use(e.Record(), e.Refs())
//	}
//	return e.Err()
//
// It belongs to one goroutine; a block may have several. An entry costs the parsing of its
// refs; the record is skipped by its length.
type Entries struct {
	b      *Block
	r      mp.Reader
	i      int
	at     int // offset of the record in the segment
	record []byte
	refs   []Ref
	ranges []Range
	err    error
}

// Entries decodes the records segment, if it is not in memory, and returns an iterator
// before its first entry.
func (b *Block) Entries() (*Entries, error) {
	raw, err := b.segment(0)
	if err != nil {
		return nil, err
	}
	e := &Entries{b: b, i: -1}
	e.r.Reset(raw)
	return e, nil
}

// Next goes to the next entry. False means the end, or an error that Err tells.
func (e *Entries) Next() bool {
	if e.err != nil {
		return false
	}
	if e.r.Len() == 0 {
		if n := e.b.Header.Records; e.i+1 != n {
			e.fail(fmt.Errorf("%d entries; the header says %d", e.i+1, n))
		}
		return false
	}
	if err := e.parse(); err != nil {
		e.fail(err)
		return false
	}
	e.i++
	return true
}

// fail ends the iteration: the rest of the block cannot be made out.
func (e *Entries) fail(cause error) {
	d := e.b.damage(0, cause)
	d.Records = max(0, e.b.Header.Records-e.i-1)
	e.err = d
}

// Index returns the number of the entry in its block, from 0.
func (e *Entries) Index() int { return e.i }

// Record returns the record: one msgpack map. It aliases the segment and stays valid.
func (e *Entries) Record() []byte { return e.record }

// Place returns the range of the record in segment 0, as refs of later entries name it.
func (e *Entries) Place() Range { return Range{Seg: 0, Off: e.at, Len: len(e.record)} }

// Refs returns the refs of the entry. The slice is reused by Next.
func (e *Entries) Refs() []Ref { return e.refs }

// Err returns the error that ended the iteration, a *DamageError, or nil.
func (e *Entries) Err() error { return e.err }

// parse reads one entry: [ [record_len, part, total, flags, n, (seg, off, len)*n, …], record ].
func (e *Entries) parse() error {
	start := e.r.Pos()
	n := e.r.ArrayLen()
	if n < 2 && e.r.Err() == nil {
		return fmt.Errorf("entry of %d elements", n)
	}
	ints := e.r.ArrayLen()
	size := e.r.Int()
	e.refs, e.ranges = e.refs[:0], e.ranges[:0]
	for ints--; ints > 0 && e.r.Err() == nil; {
		used, err := e.parseRef(ints, start)
		if err != nil {
			return err
		}
		ints -= used
	}
	if ints < 0 && e.r.Err() == nil {
		return errors.New("entry without the length of its record")
	}
	if size < 0 || size > int64(e.r.Len()) {
		e.r.Fail(mp.ErrShort)
	}
	e.at = e.r.Pos()
	e.record = e.r.Take(int(size))
	for range n - 2 { // of a later minor version
		e.r.Skip()
	}
	if err := e.r.Err(); err != nil {
		return err
	}
	if !startsMap(e.record) {
		return errors.New("record is not a map")
	}
	e.linkRanges()
	return nil
}

// parseRef reads one ref of the entry that starts at start, of at most ints integers, and
// returns how many it took.
func (e *Entries) parseRef(ints, start int) (int, error) {
	part, total, flags, n := e.r.Int(), e.r.Int(), e.r.Uint(), e.r.Int()
	if e.r.Err() != nil {
		return 0, nil
	}
	if ints < 4 || n < 0 || n > int64(ints-4)/3 {
		return 0, fmt.Errorf("%d ranges in a list of %d integers", n, ints)
	}
	if part != int64(int(part)) || flags > 0xff {
		return 0, fmt.Errorf("part %d with flags %#x", part, flags)
	}
	for range n {
		seg, off, size := e.r.Int(), e.r.Int(), e.r.Int()
		if e.r.Err() != nil {
			return 0, nil
		}
		if err := e.b.checkRange(seg, off, size, start); err != nil {
			return 0, err
		}
		e.ranges = append(e.ranges, Range{int(seg), int(off), int(size)})
	}
	e.refs = append(e.refs, Ref{Part: int(part), Total: total, Flags: uint8(flags)})
	e.refs[len(e.refs)-1].Ranges = e.ranges[len(e.ranges)-int(n):]
	return 4 + 3*int(n), nil
}

// checkRange reports whether an entry that starts at start may refer to a range. A shared
// record stands before the entries that use it, so sharing has no cycles.
func (b *Block) checkRange(seg, off, size int64, start int) error {
	if seg < 0 || seg >= int64(len(b.Header.Segments)) {
		return fmt.Errorf("ref to segment %d of %d", seg, len(b.Header.Segments))
	}
	limit := int64(b.Header.Segments[seg].Raw)
	if seg == 0 {
		limit = int64(start)
	}
	if off < 0 || size < 0 || off > limit || size > limit-off {
		return fmt.Errorf("ref to %d+%d of %d bytes in segment %d", off, size, limit, seg)
	}
	return nil
}

// linkRanges gives the refs their ranges anew: the slice may have moved while it grew.
func (e *Entries) linkRanges() {
	rest := e.ranges
	for i := range e.refs {
		n := len(e.refs[i].Ranges)
		e.refs[i].Ranges = rest[:n:n]
		rest = rest[n:]
	}
}

// entryAt is where an entry stands in the records segment.
type entryAt struct{ record, start int }

// Shared returns the shared entry that a range of segment 0 points at. The record aliases
// the segment; refs are fresh.
func (b *Block) Shared(r Range) (record []byte, refs []Ref, err error) {
	raw, err := b.segment(0)
	if err != nil {
		return nil, nil, err
	}
	b.entriesOnce.Do(b.findEntries)
	if b.entriesErr != nil {
		return nil, nil, b.entriesErr
	}
	i, ok := slices.BinarySearchFunc(b.entries, r.Off, func(e entryAt, off int) int { return e.record - off })
	if !ok || r.Seg != 0 {
		return nil, nil, b.damage(0, fmt.Errorf("no shared entry at %d of segment %d", r.Off, r.Seg))
	}
	e := &Entries{b: b}
	e.r.Reset(raw)
	e.r.Take(b.entries[i].start)
	if err := e.parse(); err != nil {
		return nil, nil, b.damage(0, err)
	}
	if len(e.record) != r.Len {
		return nil, nil, b.damage(0, fmt.Errorf("shared entry of %d bytes, not %d", len(e.record), r.Len))
	}
	return e.record, e.refs, nil
}

// findEntries notes where every entry stands.
func (b *Block) findEntries() {
	e, err := b.Entries()
	if err != nil {
		b.entriesErr = err
		return
	}
	start := 0
	for e.Next() {
		b.entries = append(b.entries, entryAt{record: e.at, start: start})
		start = e.r.Pos()
	}
	b.entriesErr = e.Err()
}
