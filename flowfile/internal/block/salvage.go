package block

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"

	"flowkit/flowfile/internal/mp"
)

// Salvage is what is wanted of a block that a plain reader passes over or reads in part:
//
//   - a records segment that ends too early gives the entries in front of that place;
//   - a body segment at which the input ends gives the contents in front of the end;
//   - a segment of which one byte is wrong is put right, if two checksums agree that it is.
//
// All of it is opted for (ReaderOptions.Salvage): a reader of sound files has no use for it.
// What is given is what was written. A segment that is as long as it should be, but wrong in
// more than a byte, gives nothing: nobody can tell where in it the damage is.

// ReaderSeen is what a Reader that salvages tells of a header that it came by.
type ReaderSeen struct {
	Offset  int64
	Header  *Header
	Entries int // that can be read, for a block of data
}

// rescue returns what a damaged records segment still has: the content up to the end of the
// last whole entry, and how many there are.
func (r *Reader) rescue(h *Header, comp []byte) (raw []byte, entries int) {
	raw, _ = salvageSegment(h.Segments[0], comp, true)
	if len(raw) == 0 {
		return nil, 0
	}
	e := &Entries{b: &Block{Header: *h}}
	e.r.Reset(raw)
	end := 0
	for e.r.Len() > 0 && entries < h.Records && e.parse() == nil && oneValue(e.record) {
		entries++
		end = e.r.Pos()
	}
	return raw[:end:end], entries
}

// oneValue tells whether b is exactly one msgpack value: if bytes are missing in the middle of a
// segment, what follows is none.
func oneValue(b []byte) bool {
	var r mp.Reader
	r.Reset(b)
	r.Skip()
	return r.Err() == nil && r.Len() == 0
}

// salvage deals with the data block at the walker's place, whose records segment is damaged.
// Data is the block as far as it was read.
func (r *Reader) salvage(h *Header, data []byte, cause error) (*Block, error) {
	off := r.w.pos
	data = bytes.Clone(data) // the search reads on
	err := r.w.reject(h, cause)
	var d *DamageError
	if !errors.As(err, &d) {
		return nil, err
	}
	end := min(r.w.pos, off+h.total())
	data = data[:min(int64(len(data)), end-off)]
	body := min(h.Len+h.Segments[0].Comp, len(data))
	raw, n := r.rescue(h, data[h.Len:body])
	r.seen(off, h, n)
	if n == 0 {
		return nil, d
	}
	d.Records -= n
	if n == h.Records && len(raw) == h.Segments[0].Raw {
		d.Skipped, d.Cause = 0, fmt.Errorf("records: %w", ErrMended)
	}
	fixed := *h
	fixed.Records = n
	b := newBlock(r.dec, off, &fixed, nil)
	b.salvage, b.rescued, b.torn, b.ra, b.end = true, raw, d.Kind == Torn, r.ra, end
	if r.ra == nil && !r.o.SkipBodies {
		b.body, b.kept = data[body:], true
	}
	r.w.pending = append([]error{d}, r.w.pending...)
	r.dec.blocks.Add(1)
	return b, nil
}

func (r *Reader) seen(off int64, h *Header, entries int) {
	if r.o.Seen != nil {
		r.o.Seen(ReaderSeen{Offset: off, Header: h, Entries: entries})
	}
}

// Rescued tells whether the entries of the block are those that were left of a damaged one.
// The damage was, or will be, reported by the Reader.
func (b *Block) Rescued() bool { return b.rescued != nil }

// Head returns as many of the bytes at r as can be read.
func (b *Block) Head(r Range) []byte {
	raw, _ := b.segment(r.Seg)
	if r.Off < 0 || r.Len < 0 || r.Off > len(raw) {
		return nil
	}
	n := min(r.Len, len(raw)-r.Off)
	return raw[r.Off : r.Off+n : r.Off+n]
}

// salvageSegment returns the content of a damaged segment, or the beginning of it. Comp is
// what is there of the segment. Whole says that nothing is missing. Torn says that the rest of the
// input is missing, not something in the middle of it.
func salvageSegment(s Segment, comp []byte, torn bool) (raw []byte, whole bool) {
	if s.Flags&segSkippable != 0 || len(comp) == 0 {
		return nil, false
	}
	if len(comp) == s.Comp {
		if raw := mend(s, comp); raw != nil {
			return raw, true
		}
		// A power loss leaves zeros where nothing was written any more.
		kept := bytes.TrimRight(comp, "\x00")
		if len(comp)-len(kept) < zeroTail {
			return nil, false
		}
		comp, torn = kept, true
	}
	switch {
	case s.Kind == segRecords:
		return prefix(s, comp), false
	case torn:
		return chunks(prefix(s, comp)), false
	}
	return nil, false
}

// chunks returns raw up to where it is no sequence of chunks any more; the last may be cut short.
func chunks(raw []byte) []byte {
	var r mp.Reader
	r.Reset(raw)
	before := 0
	for r.Len() > 0 {
		at := r.Pos()
		n := r.ArrayLen()
		rec, part, off := r.Int(), r.Int(), r.Int()
		switch {
		case r.Err() != nil && len(raw)-at < maxChunkHead && raw[at] == 0x94:
			return raw[:at:at]
		case r.Err() != nil || n != 4 || rec < 0 || part < 0 || off < 0:
			return raw[:before:before] // something is missing in the chunk before
		}
		if r.Str(); r.Err() != nil {
			return raw
		}
		before = at
	}
	return raw
}

// zeroTail is how many zeros at the end of a segment are no coincidence.
const zeroTail = 64

// prefix decompresses the beginning of a frame that is cut short.
func prefix(s Segment, comp []byte) []byte {
	var h zstd.Header
	if h.Decode(comp[:min(len(comp), zstd.HeaderMaxSize)]) != nil || !h.FirstBlock.OK && h.HeaderSize == 0 {
		return nil
	}
	window := h.WindowSize
	if h.SingleSegment {
		window = h.FrameContentSize
	}
	if h.Skippable || h.DictionaryID != 0 || window > maxWindow || h.HasFCS && h.FrameContentSize != uint64(s.Raw) {
		return nil
	}
	dec, err := zstd.NewReader(struct{ io.Reader }{bytes.NewReader(comp)},
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxSegment), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil
	}
	defer dec.Close()
	raw, err := io.ReadAll(io.LimitReader(dec, int64(s.Raw)))
	if err == nil {
		return raw
	}
	return appendStored(raw, comp, h.HeaderSize, s.Raw)
}

// appendStored appends what there is of the block at which a frame is cut short, if that
// block is stored as it is. Raw is what the blocks in front of it hold.
func appendStored(raw, comp []byte, at, limit int) []byte {
	for at+3 <= len(comp) {
		v := int(comp[at]) | int(comp[at+1])<<8 | int(comp[at+2])<<16
		kind, size := v>>1&3, v>>3
		if kind == 1 {
			size = 1
		}
		at += 3
		if at+size <= len(comp) {
			at += size
			continue
		}
		if rest := comp[at:]; kind == 0 && size <= maxZstdBlock && len(raw)+len(rest) <= limit {
			return append(raw, rest...)
		}
		break
	}
	return raw
}

// Salvaging tells whether the block gives what is left of damaged segments.
func (b *Block) Salvaging() bool { return b.salvage }

// IsData and IsIndex tell what kind of block a header is of.
func (h *Header) IsData() bool  { return h.Kind == kindData }
func (h *Header) IsIndex() bool { return h.Kind == kindIndex }

// Indexed returns what an index says of the block, but for its place.
func (h *Header) Indexed() IndexBlock {
	return IndexBlock{Len: h.total(), Records: h.Records, Flows: h.Flows, Tmin: h.Tmin, Tmax: h.Tmax}
}

// ReadIndexAt returns the blocks that the index block at off tells of, whether they are there or not.
func ReadIndexAt(ra io.ReaderAt, off int64) ([]IndexBlock, bool) {
	src := &fileSource{ra: ra}
	dec := &decoder{}
	h, err := (&walker{src: src, dec: dec}).headerAt(off)
	if err != nil || h.Kind != kindIndex || len(h.Segments) != 1 || h.Segments[0].Kind != segIndex {
		return nil, false
	}
	comp, err := src.peek(off+int64(h.Len), h.Segments[0].Comp)
	if err != nil {
		return nil, false
	}
	raw, err := dec.index(h.Segments[0], comp)
	if err != nil {
		return nil, false
	}
	p, err := parseIndex(raw, math.MaxInt64/2) // the span may be longer than what is left of the file
	if err != nil {
		return nil, false
	}
	return p.blocks, true
}

// torn tells whether the input ends inside of a block that is not all there, and not another block in
// front of its end.
func (r *Reader) torn(b *Block) (bool, error) {
	if r.w.stream { // the walker has looked
		for _, err := range r.w.pending {
			if errors.Is(err, ErrCut) {
				return false, nil
			}
		}
		return true, nil
	}
	_, another, _, err := r.w.search(b.Offset+b.places[1], b.end)
	return !another, err
}
