package block

import (
	"cmp"
	"encoding/binary"
	"slices"

	"flowkit/flowfile/internal/mp"
)

// The index block holds one skippable frame: its header, a zstd frame of the index, and a
// trailer that is the end of the block.
const (
	trailerSize  = 24
	trailerMagic = "\x89FLOWEND"
	idSize       = 14 // bytes of an id in the index: hash, block, entry

	maxIndexed    = 65536   // blocks of one index
	maxIndexedIDs = 300_000 // ids of one index; those of one more block may come on top
)

// indexBuilder collects what an index block will say about the blocks before it.
type indexBuilder struct {
	blocks []IndexBlock
	ids    []indexedID
	noIDs  []int // blocks whose ids are not known
	span   int64
}

type indexedID struct {
	hash  uint64
	block uint32
	entry uint16
}

func (x *indexBuilder) add(h *Header, ids []entryID) {
	n := uint32(len(x.blocks))
	for _, id := range ids {
		x.ids = append(x.ids, indexedID{id.hash, n, uint16(id.entry)})
	}
	x.blocks = append(x.blocks, IndexBlock{
		Len: h.total(), Records: h.Records, Flows: h.Flows, Tmin: h.Tmin, Tmax: h.Tmax,
	})
	x.span += h.total()
}

// copied adds a block that was copied: its ids are not known here.
func (x *indexBuilder) copied(h *Header) {
	if h.Kind == kindData {
		x.noIDs = append(x.noIDs, len(x.blocks))
	}
	x.add(h, nil)
}

func (x *indexBuilder) full() bool {
	return len(x.blocks) >= maxIndexed || len(x.ids) >= maxIndexedIDs
}

// pack makes the index block. Its ids are sorted by hash, block, entry.
func (x *indexBuilder) pack() *packed {
	var w mp.Writer
	w.MapLen(5)
	w.Str("v")
	w.Int(1)
	w.Str("span")
	w.Int(x.span)
	w.Str("blocks")
	w.ArrayLen(5 * len(x.blocks))
	for _, b := range x.blocks {
		w.Int(b.Len)
		w.Int(int64(b.Records))
		w.Int(int64(b.Flows))
		w.Int(b.Tmin)
		w.Int(b.Tmax - b.Tmin)
	}
	w.Str("noids")
	w.ArrayLen(len(x.noIDs))
	for _, n := range x.noIDs {
		w.Int(int64(n))
	}
	w.Str("ids")
	w.Bin(x.packIDs())

	enc := &encoders{}
	enc.o = enc.o.withDefaults()
	p := &packed{h: Header{Kind: kindIndex, Len: headerRoom(1)}}
	start := p.h.Len
	p.buf = make([]byte, start+8, start+8+w.Len()/2+trailerSize)
	p.buf = enc.frame(p.buf, w.Bytes(), false)
	size := len(p.buf) + trailerSize
	binary.LittleEndian.PutUint32(p.buf[start:], skippableMagic)
	binary.LittleEndian.PutUint32(p.buf[start+4:], uint32(size-start-8))
	p.buf = appendTrailer(p.buf, uint64(size))
	p.h.Payload = int64(size - start)
	p.h.Segments = []Segment{{
		Kind: segIndex, Flags: segSkippable,
		Comp: size - start, Raw: w.Len(), Count: len(x.blocks), CRC: castagnoli(p.buf[start:]),
	}}
	return p
}

func (x *indexBuilder) packIDs() []byte {
	slices.SortFunc(x.ids, func(a, b indexedID) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.block, b.block), cmp.Compare(a.entry, b.entry))
	})
	b := make([]byte, 0, idSize*len(x.ids))
	for _, id := range x.ids {
		b = binary.BigEndian.AppendUint64(b, id.hash)
		b = binary.LittleEndian.AppendUint32(b, id.block)
		b = binary.LittleEndian.AppendUint16(b, id.entry)
	}
	return b
}

// appendTrailer appends the trailer of an index block of size bytes.
func appendTrailer(b []byte, size uint64) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint64(b, size)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, castagnoli(b[start:start+12]))
	return append(b, trailerMagic...)
}

// trailer returns the length of the index block that b, its last 24 bytes, ends.
func trailer(b []byte) (int64, bool) {
	if len(b) != trailerSize || string(b[16:]) != trailerMagic ||
		castagnoli(b[:12]) != binary.LittleEndian.Uint32(b[12:]) {
		return 0, false
	}
	n := binary.LittleEndian.Uint64(b)
	return int64(n), n <= maxHeader+maxPayload
}
