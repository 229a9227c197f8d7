package block

import (
	"encoding/binary"
	"errors"
	"fmt"

	"flowkit/flowfile/internal/mp"
)

// index returns the content of the segment of an index block: a zstd frame and the trailer
// in a skippable frame.
func (d *decoder) index(s Segment, comp []byte) ([]byte, error) {
	if len(comp) != s.Comp || len(comp) < 8+trailerSize || s.Flags&segSkippable == 0 {
		return nil, errors.New("index segment cut short")
	}
	if castagnoli(comp) != s.CRC {
		return nil, errSegmentCRC
	}
	if binary.LittleEndian.Uint32(comp) != skippableMagic || int(binary.LittleEndian.Uint32(comp[4:])) != len(comp)-8 {
		return nil, errors.New("index segment is not a skippable frame")
	}
	frame := comp[8 : len(comp)-trailerSize]
	s = Segment{Comp: len(frame), Raw: s.Raw, CRC: castagnoli(frame)}
	return d.segment(s, frame)
}

// parseIndex reads the index that ends in the block at off. Its blocks must fill the span
// before that block.
func parseIndex(raw []byte, off int64) (*indexPart, error) {
	var r mp.Reader
	r.Reset(raw)
	p := &indexPart{}
	var version, span int64
	var noIDs []int64
	hasIDs := false
	for range r.MapLen() {
		switch key := r.Str(); key {
		case "v":
			version = r.Int()
		case "span":
			span = r.Int()
		case "blocks":
			p.blocks = parseBlocks(&r)
		case "noids":
			for range r.ArrayLen() {
				noIDs = append(noIDs, r.Int())
			}
		case "ids":
			p.ids, hasIDs = []byte(r.Str()), true
		default:
			r.Skip()
		}
		if r.Err() != nil {
			return nil, fmt.Errorf("index: %w", r.Err())
		}
	}
	if version != 1 || span < 0 || span > off || len(p.ids)%idSize != 0 {
		return nil, fmt.Errorf("index of version %d over %d bytes", version, span)
	}
	return p, p.place(off-span, off, hasIDs, noIDs)
}

func parseBlocks(r *mp.Reader) []IndexBlock {
	n := r.ArrayLen() / 5
	blocks := make([]IndexBlock, 0, max(n, 0))
	for range n {
		b := IndexBlock{Len: r.Int(), Records: int(r.Int()), Flows: int(r.Int()), Tmin: r.Int()}
		b.Tmax = b.Tmin + r.Int()
		blocks = append(blocks, b)
	}
	return blocks
}

// place gives the blocks their offsets from start to end.
func (p *indexPart) place(start, end int64, hasIDs bool, noIDs []int64) error {
	p.start = start
	for i := range p.blocks {
		b := &p.blocks[i]
		if b.Len < 1 || b.Records > 0 && b.Len < headerSize || b.Len > end-start || b.Records < 0 || b.Records > maxEntries {
			return fmt.Errorf("index: block %d of %d bytes and %d entries", i, b.Len, b.Records)
		}
		b.Offset, b.IDs = start, hasIDs
		start += b.Len
	}
	if start != end {
		return fmt.Errorf("index: blocks end at byte %d, not %d", start, end)
	}
	for _, n := range noIDs {
		if n < 0 || n >= int64(len(p.blocks)) {
			return fmt.Errorf("index: no block %d", n)
		}
		p.blocks[n].IDs = false
	}
	return nil
}
