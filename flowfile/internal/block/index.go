package block

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
)

// Index says where the blocks of a file are, and in which entries the flows.
type Index struct {
	Blocks   []IndexBlock // data blocks, in the order of the file
	Complete bool         // the ids of every block are known: what Lookup does not find is not there

	parts []indexPart
	dec   *decoder
}

// IndexBlock is what an index says about one block.
type IndexBlock struct {
	Offset         int64
	Len            int64
	Records, Flows int
	Tmin, Tmax     int64 // ns since epoch; both 0: unknown
	IDs            bool  // Lookup knows the flow ids of this block
}

// Place is where an entry stands.
type Place struct {
	Offset int64 // of its block
	Entry  int   // its number in the block
}

// indexPart is the content of one index block.
type indexPart struct {
	start  int64 // offset of the first block covered
	blocks []IndexBlock
	ids    []byte // sorted entries of idSize bytes
}

// Lookup returns the places of entries that may have the id. Ids are known by a 64-bit
// hash: the caller compares the record's.
func (x *Index) Lookup(id string) []Place {
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], hashID(id))
	var places []Place
	for i := range x.parts {
		p := &x.parts[i]
		n := len(p.ids) / idSize
		j := sort.Search(n, func(j int) bool { return bytes.Compare(p.ids[j*idSize:j*idSize+8], key[:]) >= 0 })
		for ; j < n && bytes.Equal(p.ids[j*idSize:j*idSize+8], key[:]); j++ {
			e := p.ids[j*idSize+8:]
			block, entry := binary.LittleEndian.Uint32(e), binary.LittleEndian.Uint16(e[4:])
			if int64(block) < int64(len(p.blocks)) {
				places = append(places, Place{Offset: p.blocks[block].Offset, Entry: int(entry)})
			}
		}
	}
	slices.SortFunc(places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Entry, b.Entry))
	})
	return places
}

// ReadBlock is ReadBlockAt, with one decoder for all calls. It is safe for concurrent use.
func (x *Index) ReadBlock(ra io.ReaderAt, off int64) (*Block, error) {
	return readBlockAt(x.dec, ra, off)
}

// ReadIndex finds the blocks of a file of the given size: from index blocks as far as there
// are any, else by walking the headers, which is one small read for each block. Damage is
// passed over in silence; a Reader tells. An index is believed only as far as the headers
// it points at agree with it.
func ReadIndex(ra io.ReaderAt, size int64) (*Index, error) {
	x := &Index{dec: &decoder{}}
	end, err := x.fromEnd(ra, size)
	if err != nil {
		return nil, err
	}
	if err := x.walk(ra, end); err != nil {
		return nil, err
	}
	slices.SortFunc(x.parts, func(a, b indexPart) int { return cmp.Compare(a.start, b.start) })
	x.Complete = true
	for i := range x.parts {
		for _, b := range x.parts[i].blocks {
			if b.Records > 0 {
				x.Blocks = append(x.Blocks, b)
				x.Complete = x.Complete && b.IDs
			}
		}
	}
	return x, nil
}

// fromEnd hops over sessions backwards from the end of the file, as long as an index block
// stands there, and returns where the rest ends.
func (x *Index) fromEnd(ra io.ReaderAt, end int64) (int64, error) {
	for end >= headerSize+trailerSize {
		var b [trailerSize]byte
		if _, err := ra.ReadAt(b[:], end-trailerSize); err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("read index trailer: %w", err)
		}
		n, ok := trailer(b[:])
		if !ok || n > end {
			return end, nil
		}
		p, err := x.readPart(ra, end-n, n)
		if err != nil || p == nil {
			return end, err
		}
		x.parts = append(x.parts, *p)
		end = p.start
	}
	return end, nil
}

// readPart reads the index block at off, n bytes long. It returns nil if there is none to
// be believed.
func (x *Index) readPart(ra io.ReaderAt, off, n int64) (*indexPart, error) {
	src := &fileSource{ra: ra}
	w := walker{src: src, dec: x.dec}
	h, err := w.headerAt(off)
	if err != nil {
		return nil, inputError(err)
	}
	if h.Kind != kindIndex || h.total() != n || len(h.Segments) != 1 || h.Segments[0].Kind != segIndex {
		return nil, nil
	}
	seg := h.Segments[0]
	comp, err := src.peek(off+int64(h.Len), seg.Comp)
	if err != nil {
		return nil, err
	}
	raw, err := x.dec.index(seg, comp)
	if err != nil {
		return nil, nil // damaged; the headers tell the same
	}
	p, err := parseIndex(raw, off)
	if err != nil || len(p.blocks) == 0 {
		return nil, nil
	}
	for _, b := range p.ends() {
		h, err := w.headerAt(b.Offset)
		if err != nil {
			return nil, inputError(err)
		}
		if h.total() < b.Len || h.Records != b.Records { // of a block that is cut short, less is there
			return nil, nil
		}
	}
	return p, nil
}

// inputError returns err if it is of the input, nil if it is about the bytes there.
func inputError(err error) error {
	if placed(err) {
		return nil
	}
	return err
}

// walk finds the blocks before end by their headers. An index block on the way still tells
// the ids of the blocks before it.
func (x *Index) walk(ra io.ReaderAt, end int64) error {
	part := indexPart{}
	w := walker{src: fixedSource(ra, end), dec: &decoder{}}
	for {
		h, err := w.next()
		switch {
		case errors.As(err, new(*DamageError)):
			continue
		case errors.Is(err, io.EOF):
			x.parts = append(x.parts, part)
			return nil
		case err != nil:
			return err
		}
		off := w.pos
		reached, err := w.accept(h)
		if err != nil {
			return err
		}
		switch {
		case h.Kind == kindData && reached >= off+int64(h.Len)+int64(h.Segments[0].Comp):
			part.add(off, h)
		case h.Kind == kindIndex && reached == off+h.total():
			p, err := x.readPart(ra, off, h.total())
			if err != nil {
				return err
			}
			if p != nil && part.giveWay(p) {
				x.parts = append(x.parts, part, *p)
				part = indexPart{start: off}
			}
		}
	}
}

// add appends a block found by its header.
func (p *indexPart) add(off int64, h *Header) {
	p.blocks = append(p.blocks, IndexBlock{
		Offset: off, Len: h.total(), Records: h.Records, Flows: h.Flows, Tmin: h.Tmin, Tmax: h.Tmax,
	})
}

// giveWay drops the blocks that q, an index, covers too, if q agrees with them.
func (p *indexPart) giveWay(q *indexPart) bool {
	n := len(p.blocks)
	for i := len(q.blocks) - 1; i >= 0; i-- {
		b := q.blocks[i]
		if b.Records == 0 {
			continue
		}
		n--
		if n < 0 || p.blocks[n].Offset != b.Offset || p.blocks[n].Len != b.Len || p.blocks[n].Records != b.Records {
			return false
		}
	}
	p.blocks = p.blocks[:n]
	return true
}
