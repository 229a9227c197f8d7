package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zstd"
)

// mend puts right a segment of which one byte is wrong, and returns its content; nil if that
// is not what is wrong with it.
//
// The checksum of the segment is linear: what it differs by tells, for every place, which
// change of four bytes there would explain it. Where that is a change of one byte alone, it is
// tried; the checksum inside of the zstd frame, of another kind, has to agree.
func mend(s Segment, comp []byte) []byte {
	dec := mender()
	if dec == nil {
		return nil
	}
	defer dec.Close()
	try := bytes.Clone(comp)
	for _, c := range oneByte(castagnoli(comp)^s.CRC, len(comp)) {
		try[c.at] ^= c.flip
		if castagnoli(try) == s.CRC && hasChecksum(try) && checkFrame(try, s.Raw) == nil {
			if raw, err := dec.DecodeAll(try, make([]byte, 0, s.Raw+slack)); err == nil && len(raw) == s.Raw {
				return raw
			}
		}
		try[c.at] ^= c.flip
	}
	return nil
}

func mender() *zstd.Decoder {
	dec, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxSegment), zstd.WithDecoderMaxWindow(maxWindow),
		zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil
	}
	return dec
}

// hasChecksum tells whether the frame ends with a checksum of its content.
func hasChecksum(frame []byte) bool {
	var h zstd.Header
	return h.Decode(frame[:min(len(frame), zstd.HeaderMaxSize)]) == nil && h.HasCheckSum
}

// change is one byte that may be wrong.
type change struct {
	at   int
	flip byte
}

// maxChanges is how many are tried: more than there are in a large segment by chance.
const maxChanges = 16

// oneByte returns the changes of one byte in n that change their CRC-32C by diff.
func oneByte(diff uint32, n int) []change {
	if diff == 0 {
		return nil
	}
	// A wrong byte e at the last place changes the checksum by table[e]; one place further to
	// the front by one turn of the register more. So the register is turned backwards until it
	// is an entry of the table. The highest bytes of the entries are all different.
	table := crc32.MakeTable(crc32.Castagnoli)
	var byTop [256]byte
	for i, v := range table {
		byTop[v>>24] = byte(i)
	}
	var out []change
	for at := n - 1; at >= 0 && len(out) < maxChanges; at-- {
		i := byTop[diff>>24]
		if table[i] == diff && i != 0 {
			out = append(out, change{at, i})
		}
		diff = (diff^table[i])<<8 | uint32(i)
	}
	return out
}

// ErrMended is the cause of a damage that cost nothing.
var ErrMended = errors.New("one wrong byte, which is put right")

// mended puts the header at pos right, if one byte of it is wrong and the records segment
// behind it is the one that it names. It returns cause if not.
func (w *walker) mended(cause error) (*Header, error) {
	if !errors.As(cause, new(*badHeader)) {
		return nil, cause
	}
	b, err := w.src.peek(w.pos, headerSize)
	if err != nil || len(b) < headerSize {
		return nil, cause
	}
	sizes := []int{int(min(int64(binary.LittleEndian.Uint32(b[4:]))+8, maxHeader))}
	if n := headerRoom(int(binary.LittleEndian.Uint16(b[offSegments:]))); n != sizes[0] {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		if n < headerSize || n > maxHeader {
			continue
		}
		b, err := w.src.peek(w.pos, n)
		if err != nil || len(b) < n {
			continue
		}
		h, ok := mendHeader(b)
		if !ok || !w.firstSound(h) {
			continue
		}
		if w.pos != w.mendedAt || w.mendedAt == 0 {
			w.mendedAt = w.pos
			w.pending = append(w.pending, w.dec.report(&DamageError{
				Offset: w.pos, Kind: Corrupt, Cause: fmt.Errorf("block header: %w", ErrMended),
			}))
		}
		return h, nil
	}
	return nil, cause
}

// firstSound tells whether the first segment of the block at pos is the one that h names.
func (w *walker) firstSound(h *Header) bool {
	if len(h.Segments) == 0 {
		return true
	}
	first := h.Segments[0]
	comp, err := w.src.peek(w.pos+int64(h.Len), first.Comp)
	return err == nil && len(comp) == first.Comp && castagnoli(comp) == first.CRC
}

// HasBlock tells whether a block begins somewhere in the first size bytes of ra, the very
// first perhaps with a wrong byte in its header.
func HasBlock(ra io.ReaderAt, size int64) (bool, error) {
	w := walker{src: fixedSource(ra, size), dec: &decoder{}}
	if _, err := w.mended(&badHeader{errNoHeader}); err == nil {
		return true, nil
	}
	_, found, _, err := w.search(0, size)
	return found, err
}

// mendHeader puts right a block header of which one byte is wrong, or its checksum. It returns
// false if that is not what is wrong with it.
func mendHeader(b []byte) (*Header, bool) {
	sum := headerCRC(b)
	stored := binary.LittleEndian.Uint32(b[offCRC:])
	changes := oneByte(sum^stored, len(b))
	if d := sum ^ stored; d&(d-1) == 0 || bits.LeadingZeros32(d)/8+bits.TrailingZeros32(d)/8 == 3 {
		changes = append(changes, change{-1, 0}) // a byte of the checksum itself
	}
	for _, c := range changes {
		try := bytes.Clone(b)
		switch {
		case c.at < 0:
			binary.LittleEndian.PutUint32(try[offCRC:], sum)
		case c.at >= offCRC && c.at < offCRC+4:
			continue // it was taken for zero
		default:
			try[c.at] ^= c.flip
		}
		if n, err := headerLen(try); err != nil || n != len(try) {
			continue
		}
		if h, err := parseHeader(try); err == nil {
			return h, true
		}
	}
	return nil, false
}
