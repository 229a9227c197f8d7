package block

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// Block is one data block whose header and records segment are sound. It is safe for
// concurrent use. All bytes got from it are garbage-collected memory that nobody reuses.
//
// A block of a random-access input reads its body segments when they are asked for; one of
// a stream holds them compressed, or not at all (ReaderOptions.SkipBodies).
type Block struct {
	Offset int64 // of the block in the file
	Header Header

	dec  *decoder
	ra   io.ReaderAt // nil: payload holds the segments
	end  int64       // where the block really ends: less than declared if it is cut short
	comp []byte      // the records segment as it is in the file
	body []byte      // the segments behind it, of a stream; may be short
	head []byte      // the header as it is in the file, of a stream
	kept bool        // body was kept, though maybe cut short

	salvage bool   // damaged segments give what is left of them
	torn    bool   // the input ends inside of it
	rescued []byte // instead of the records segment, of a damaged block

	places []int64 // offset of each segment in the block, and the end
	slots  []slot  // decoded segments

	entriesOnce sync.Once
	entries     []entryAt // where entries stand; for Shared
	entriesErr  error
}

// slot is a decoded segment, or the damage found in it.
type slot struct {
	mu  sync.Mutex
	raw []byte
	err error
}

// Range is a range of bytes of a decoded segment.
type Range struct{ Seg, Off, Len int }

// errNoBody is the cause when bodies were not kept.
var errNoBody = errors.New("bodies were skipped")

func newBlock(dec *decoder, off int64, h *Header, records []byte) *Block {
	b := &Block{Offset: off, Header: *h, dec: dec, comp: records, end: off + h.total()}
	b.places = make([]int64, len(h.Segments)+1)
	b.slots = make([]slot, len(h.Segments))
	at := int64(h.Len)
	for i, s := range h.Segments {
		b.places[i] = at
		at += int64(s.Comp)
	}
	b.places[len(h.Segments)] = at
	return b
}

// Fresh returns the same block with nothing of it in memory, for who keeps it longer than
// those who decode it now. A block of a stream cannot be read again; it returns itself.
func (b *Block) Fresh() *Block {
	if b.ra == nil {
		return b
	}
	f := newBlock(b.dec, b.Offset, &b.Header, nil)
	f.ra, f.end = b.ra, b.end
	f.salvage, f.rescued, f.torn = b.salvage, b.rescued, b.torn
	return f
}

// Len returns the length of the block in the file, as its header declares it.
func (b *Block) Len() int64 { return b.Header.total() }

// Content returns the bytes at r, decoding the segment if it is not in memory. They alias
// the segment. The error is a *DamageError, or one of the input.
func (b *Block) Content(r Range) ([]byte, error) {
	raw, err := b.segment(r.Seg)
	if err != nil && (!b.salvage || r.Off < 0 || r.Len < 0 || r.Off > len(raw)-r.Len) {
		return nil, err
	}
	if r.Off < 0 || r.Len < 0 || r.Off > len(raw)-r.Len {
		return nil, b.damage(r.Seg, fmt.Errorf("range %d+%d in a segment of %d bytes", r.Off, r.Len, len(raw)))
	}
	return raw[r.Off : r.Off+r.Len : r.Off+r.Len], nil
}

// segment returns a decoded segment.
func (b *Block) segment(i int) ([]byte, error) {
	if i < 0 || i >= len(b.slots) {
		return nil, b.damage(0, fmt.Errorf("segment %d of %d", i, len(b.slots)))
	}
	if i == 0 && b.rescued != nil {
		return b.rescued, nil
	}
	s := &b.slots[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.raw != nil || s.err != nil {
		return s.raw, s.err
	}
	comp, buf, err := b.compressed(i)
	if err != nil {
		return nil, err
	}
	s.raw, s.err = b.decode(i, comp)
	if buf != nil {
		b.dec.done(buf)
	}
	return s.raw, s.err
}

// decode decodes a segment from its bytes.
func (b *Block) decode(i int, comp []byte) ([]byte, error) {
	seg := b.Header.Segments[i]
	raw, err := b.dec.segment(seg, comp)
	if err != nil && b.salvage && i > 0 {
		whole := false
		if raw, whole = salvageSegment(seg, comp, b.torn); !whole {
			return raw, b.damage(i, err)
		}
		err = nil
	}
	if err != nil {
		return nil, b.damage(i, err)
	}
	if i > 0 {
		b.dec.bodySegments.Add(1)
		b.dec.bodyBytes.Add(int64(seg.Comp))
	}
	return raw, nil
}

// damage reports a damage of segment i.
func (b *Block) damage(i int, cause error) *DamageError {
	e := &DamageError{Offset: b.Offset + b.places[i], Kind: BadBody, Cause: cause}
	if i < len(b.Header.Segments) {
		e.Skipped = int64(b.Header.Segments[i].Comp)
	}
	if i == 0 {
		e.Kind, e.Records = Corrupt, b.Header.Records
	}
	return b.dec.report(e)
}

// compressed returns the bytes of segment i in the file, fewer if the block is cut short.
// If buf is not nil, it is what they are in, to be given back.
func (b *Block) compressed(i int) (comp []byte, buf *[]byte, err error) {
	if i == 0 && b.comp != nil {
		return b.comp, nil, nil
	}
	if b.ra != nil {
		return b.readAt(b.places[i], b.places[i+1])
	}
	if !b.kept {
		return nil, nil, errNoBody
	}
	size, start := int64(len(b.body)), b.places[1]
	return b.body[min(b.places[i]-start, size):min(b.places[i+1]-start, size)], nil, nil
}

// readAt reads the bytes from offset i to j of the block. Fewer are no error.
func (b *Block) readAt(i, j int64) ([]byte, *[]byte, error) {
	j = max(i, min(j, b.end-b.Offset))
	buf := b.dec.buf(int(j - i))
	n, err := b.ra.ReadAt(*buf, b.Offset+i)
	if err != nil && !errors.Is(err, io.EOF) {
		b.dec.done(buf)
		return nil, nil, fmt.Errorf("read segment at byte %d: %w", b.Offset+i, err)
	}
	return (*buf)[:n], buf, nil
}

// Prefetch reads and decodes all body segments that are not in memory, in one read. It
// returns the first damage, but decodes the segments behind it too; Content tells each.
func (b *Block) Prefetch() error {
	if b.ra == nil {
		return b.each(b.segment)
	}
	n := len(b.slots)
	if n < 2 {
		return nil
	}
	comp, buf, err := b.readAt(b.places[1], b.places[n])
	if err != nil {
		return err
	}
	defer b.dec.done(buf)
	return b.each(func(i int) ([]byte, error) {
		s := &b.slots[i]
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.raw == nil && s.err == nil {
			size, start := int64(len(comp)), b.places[1]
			s.raw, s.err = b.decode(i, comp[min(b.places[i]-start, size):min(b.places[i+1]-start, size)])
		}
		return s.raw, s.err
	})
}

// each calls f for the body segments and returns the first error.
func (b *Block) each(f func(int) ([]byte, error)) error {
	var first error
	for i := 1; i < len(b.slots); i++ {
		if b.Header.Segments[i].Kind != segBodies {
			continue
		}
		if _, err := f(i); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Release drops the decoded segments. What was got from them stays valid; asked again, the
// block decodes them again.
func (b *Block) Release() {
	for i := range b.slots {
		s := &b.slots[i]
		s.mu.Lock()
		if s.raw != nil {
			s.err = nil // of the rest of it
		}
		s.raw = nil
		s.mu.Unlock()
	}
}

// Verify checks all segments of the block by their checksums, without decoding them.
func (b *Block) Verify() error {
	_, err := b.Verbatim(nil)
	return err
}

// Verbatim returns the bytes of the block as they are in the file, checked. It takes buf
// for them if that is large enough.
func (b *Block) Verbatim(buf []byte) ([]byte, error) {
	if n := b.Header.total(); int64(cap(buf)) >= n {
		buf = buf[:n]
	} else {
		buf = make([]byte, n)
	}
	n := 0
	switch {
	case b.ra != nil:
		var err error
		if n, err = b.ra.ReadAt(buf, b.Offset); n < len(buf) && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read block at byte %d: %w", b.Offset, err)
		}
	case !b.kept:
		return nil, errNoBody
	default:
		n = copy(buf, b.head)
		n += copy(buf[n:], b.comp)
		n += copy(buf[n:], b.body)
	}
	clear(buf[n:])
	if h, err := parseHeader(buf[:b.Header.Len]); err != nil || h.Session != b.Header.Session || h.Seq != b.Header.Seq {
		return nil, b.dec.report(&DamageError{Offset: b.Offset, Skipped: b.Len(), Kind: Corrupt, Records: b.Header.Records, Cause: errHeaderCRC})
	}
	for i, s := range b.Header.Segments {
		if b.places[i+1] > int64(n) {
			return nil, b.damage(i, fmt.Errorf("%w: %d of %d bytes", ErrCut, n, len(buf)))
		}
		part := buf[b.places[i]:b.places[i+1]]
		if castagnoli(part) != s.CRC {
			return nil, b.damage(i, errSegmentCRC)
		}
	}
	return buf, nil
}
