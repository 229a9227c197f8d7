package block

import (
	"fmt"

	"github.com/klauspost/compress"
	"github.com/klauspost/compress/zstd"
)

// encoders are the zstd encoders of one compressing goroutine, made when first needed.
type encoders struct {
	o          WriterOptions
	main, fast *zstd.Encoder
}

func (c *encoders) get(incompressible bool) *zstd.Encoder {
	level := c.o.Level
	enc := &c.main
	if incompressible || level == LevelFastest {
		level, enc = LevelFastest, &c.fast
	}
	if *enc == nil {
		e, err := zstd.NewWriter(nil,
			zstd.WithEncoderLevel(level.zstd()),
			zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(c.o.window()),
			zstd.WithZeroFrames(true))
		if err != nil {
			panic("block: internal error: " + err.Error())
		}
		*enc = e
	}
	return *enc
}

// frame appends to dst the frame of raw, free of the sync marker.
func (c *encoders) frame(dst, raw []byte, incompressible bool) []byte {
	start := len(dst)
	if incompressible && isDense(raw) {
		dst = appendRawFrame(dst, raw, true)
		if !hasSync(dst[max(start, len(dst)-4-len(syncMarker)):]) { // the checksum may complete one
			return dst
		}
		return appendRawFrame(dst[:start], raw, false)
	}
	dst = c.get(incompressible).EncodeAll(raw, dst)
	if hasSync(dst[start:]) || int64(len(dst)-start) > maxCompressed(int64(len(raw))) {
		dst = appendRawFrame(dst[:start], raw, false)
	}
	return dst
}

// isDense tells whether compressing b would be in vain. What is called incompressible is not always: there are servers that
// say image/jpeg of anything. A few places are looked at.
func isDense(b []byte) bool {
	const places, size = 4, 4 << 10
	if len(b) < places*size {
		return false // it costs little to try
	}
	for i := range places {
		off := (len(b) - size) / (places - 1) * i
		if compress.Estimate(b[off:off+size]) > 0.05 {
			return false
		}
	}
	return true
}

// packed is a compressed block, complete but for the fields of its header that depend on
// the blocks before: session, sequence, offset, length of the previous.
type packed struct {
	h   Header
	buf []byte // room for the header, then the segments
	ids []entryID
}

// pack compresses a block into buf, or, if that is too small, into new memory.
func (c *encoders) pack(r *rawBlock, buf []byte) *packed {
	n := 1 + len(r.bodies)
	p := &packed{ids: r.ids, h: Header{
		Kind: kindData, Len: headerRoom(n),
		Tmin: r.tmin, Tmax: r.tmax, Records: r.n, Flows: r.flows,
		Segments: make([]Segment, 0, n),
	}}
	if size := p.h.Len + r.packedSize(); cap(buf) < size {
		buf = make([]byte, 0, size)
	}
	p.buf = buf[:p.h.Len]
	clear(p.buf)
	p.add(c, segRecords, r.records.Bytes(), r.n, false)
	for i := range r.bodies {
		s := r.bodies[i]
		p.add(c, segBodies, s.w.Bytes(), s.count, s.incompressible)
	}
	p.h.Payload = int64(len(p.buf) - p.h.Len)
	if p.h.Payload > maxPayload {
		panic(fmt.Sprintf("block: internal error: block of %d bytes", p.h.Payload))
	}
	return p
}

func (p *packed) add(c *encoders, kind uint8, raw []byte, count int, incompressible bool) {
	start := len(p.buf)
	p.buf = c.frame(p.buf, raw, incompressible)
	s := Segment{Kind: kind, Comp: len(p.buf) - start, Raw: len(raw), Count: count, CRC: castagnoli(p.buf[start:])}
	if incompressible {
		s.Flags = segIncompressible
	}
	p.h.Segments = append(p.h.Segments, s)
}

// packedSize guesses the bytes of the block after compression.
func (r *rawBlock) packedSize() int {
	n := r.records.Len()/3 + 1024
	for _, s := range r.bodies {
		if s.incompressible {
			n += s.w.Len() + s.w.Len()/64
		} else {
			n += s.w.Len() / 3
		}
	}
	return n
}
