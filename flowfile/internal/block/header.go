package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The fixed places of a block header; FORMAT.md has the picture.
const (
	headerSize  = 88 // bytes before the segment table
	tableEntry  = 20 // bytes of one entry of the segment table
	prefixSize  = 24 // bytes that keep their meaning in every major version
	offSync     = 8
	offCRC      = 20
	offSession  = 24
	offSeq      = 32
	offSessOff  = 40
	offTmin     = 48
	offTmax     = 56
	offPayload  = 64
	offPrevLen  = 72
	offRecords  = 76
	offSegments = 80
	offSegSize  = 82
	offFlows    = 84
)

const (
	skippableMagic = 0x184D2A5F
	syncMarker     = "\x89FLOW\r\n\x1a"
	major          = 1
)

// Kind of a block.
const (
	kindData  = 1
	kindIndex = 2
	kindSeam  = 3
	critical  = 0x80 // bit of a block or segment kind: who does not know it skips the block
)

// Flags of a block header. The high byte is of incompatible flags.
const (
	flagFirst        = 1 << 0
	flagIncompatible = 0xff00
)

// Kinds and flags of a segment.
const (
	segRecords = 1
	segBodies  = 2
	segIndex   = 4

	segIncompressible = 1 << 0
	segSkippable      = 1 << 1
)

// Header is the header of a block.
type Header struct {
	Kind    uint8
	Flags   uint16
	Session uint64 // of one opening of a writer
	Seq     uint64 // number of the block in its session
	SessOff uint64 // bytes from the start of the session's first block
	Tmin    int64  // bounds of the entries' times, ns since epoch; both 0: unknown
	Tmax    int64
	PrevLen uint32 // length of the block its writer wrote before, 0 if none
	Records int    // entries
	Flows   int    // entries that start a flow
	Len     int    // bytes of the header itself
	Payload int64  // bytes of the segments behind it

	Segments []Segment
}

// Segment is an entry of the segment table.
type Segment struct {
	Kind, Flags uint8
	Comp        int // bytes in the file
	Raw         int // bytes of the content
	Count       int // values in it
	CRC         uint32
}

// total returns the length of the block in the file.
func (h *Header) total() int64 { return int64(h.Len) + h.Payload }

// follows reports whether h was written directly behind the block p, that is, whether h
// standing at the declared end of p proves that p is as long as it says.
func (h *Header) follows(p *Header) bool { return int64(h.PrevLen) == p.total() }

var (
	errNoHeader    = errors.New("no block header")
	errShortHeader = errors.New("block header cut short")
	errHeaderCRC   = errors.New("checksum of the block header does not match")
)

func castagnoli(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// headerCRC returns the checksum of a header, taken with its checksum field zero.
func headerCRC(b []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, table, b[:offCRC])
	sum = crc32.Update(sum, table, []byte{0, 0, 0, 0})
	return crc32.Update(sum, table, b[offCRC+4:])
}

// headerLen returns the length of the header that starts with b, which holds at least 16
// bytes of it.
func headerLen(b []byte) (int, error) {
	if len(b) < 16 {
		return 0, errShortHeader
	}
	if binary.LittleEndian.Uint32(b) != skippableMagic || string(b[offSync:offSync+8]) != syncMarker {
		return 0, errNoHeader
	}
	n := int64(binary.LittleEndian.Uint32(b[4:])) + 8
	if n < headerSize || n > maxHeader {
		return 0, fmt.Errorf("block header of %d bytes; the limit is %d", n, maxHeader)
	}
	return int(n), nil
}

// newerError tells what a reader of this version does not know, in a block whose header is
// whole. The block is skipped.
type newerError struct {
	what    string
	len     int
	payload int64
}

func (e *newerError) Error() string { return e.what + " needs a newer flowkit" }

// parseHeader reads the header b, of the length that headerLen told. The result does not
// alias b. A *newerError means a block of the future.
func parseHeader(b []byte) (*Header, error) {
	if headerCRC(b) != binary.LittleEndian.Uint32(b[offCRC:]) {
		return nil, errHeaderCRC
	}
	payload := binary.LittleEndian.Uint64(b[offPayload:])
	flags := binary.LittleEndian.Uint16(b[18:])
	newer := func(format string, args ...any) error {
		e := &newerError{what: fmt.Sprintf(format, args...), len: len(b), payload: -1}
		if payload <= maxPayload {
			e.payload = int64(payload)
		}
		return e
	}
	switch {
	case b[16] != major:
		return nil, newer("format version %d", b[16])
	case flags&flagIncompatible != 0:
		return nil, newer("block flags %#04x", flags)
	case b[17]&critical != 0:
		return nil, newer("block kind %d", b[17])
	case payload > maxPayload:
		return nil, fmt.Errorf("block of %d bytes; the limit is %d", payload, maxPayload)
	}
	h := &Header{
		Kind:    b[17],
		Flags:   flags,
		Session: binary.LittleEndian.Uint64(b[offSession:]),
		Seq:     binary.LittleEndian.Uint64(b[offSeq:]),
		SessOff: binary.LittleEndian.Uint64(b[offSessOff:]),
		Tmin:    int64(binary.LittleEndian.Uint64(b[offTmin:])),
		Tmax:    int64(binary.LittleEndian.Uint64(b[offTmax:])),
		PrevLen: binary.LittleEndian.Uint32(b[offPrevLen:]),
		Records: int(binary.LittleEndian.Uint32(b[offRecords:])),
		Flows:   int(binary.LittleEndian.Uint32(b[offFlows:])),
		Len:     len(b),
		Payload: int64(payload),
	}
	if err := h.parseTable(b); err != nil {
		return nil, err
	}
	for _, s := range h.Segments {
		if s.Kind&critical != 0 {
			return nil, newer("segment kind %d", s.Kind)
		}
	}
	return h, h.check()
}

func (h *Header) parseTable(b []byte) error {
	n := int(binary.LittleEndian.Uint16(b[offSegments:]))
	size := int(binary.LittleEndian.Uint16(b[offSegSize:]))
	if size < tableEntry || headerSize+n*size > len(b) {
		return fmt.Errorf("segment table of %d entries of %d bytes does not fit the header", n, size)
	}
	h.Segments = make([]Segment, n)
	for i := range h.Segments {
		e := b[headerSize+i*size:]
		comp := int64(binary.LittleEndian.Uint32(e[4:]))
		raw := int64(binary.LittleEndian.Uint32(e[8:]))
		if comp > maxPayload || raw > maxSegment || comp > maxCompressed(raw) {
			return fmt.Errorf("segment %d of %d bytes in %d; the limit is %d", i, raw, comp, maxSegment)
		}
		h.Segments[i] = Segment{
			Kind: e[0], Flags: e[1],
			Comp: int(comp), Raw: int(raw),
			Count: int(binary.LittleEndian.Uint32(e[12:])),
			CRC:   binary.LittleEndian.Uint32(e[16:]),
		}
	}
	return nil
}

// check compares the fields of a header with each other.
func (h *Header) check() error {
	var sum int64
	records := 0
	for i, s := range h.Segments {
		sum += int64(s.Comp)
		if s.Kind == segRecords {
			records++
			if i != 0 {
				return fmt.Errorf("records are segment %d; they must be the first", i)
			}
		}
	}
	if sum != h.Payload {
		return fmt.Errorf("segments of %d bytes in a block of %d", sum, h.Payload)
	}
	if h.Kind != kindData {
		return nil
	}
	if records != 1 {
		return fmt.Errorf("%d records segments in a block", records)
	}
	if h.Records > maxEntries || h.Records > h.Segments[0].Raw/minEntry {
		return fmt.Errorf("%d entries in %d bytes", h.Records, h.Segments[0].Raw)
	}
	if h.Flows > h.Records {
		return fmt.Errorf("%d flows in %d entries", h.Flows, h.Records)
	}
	return nil
}

// headerRoom returns the length of a header with n segments.
func headerRoom(n int) int { return headerSize + n*tableEntry }

// put writes h into b, which is headerRoom(len(h.Segments)) long. Should the sync marker
// come about in a second place of it, the time bounds are widened until it does not.
func (h *Header) put(b []byte) {
	for range 16 {
		h.putOnce(b)
		if !bytes.Contains(b[offSync+1:], []byte(syncMarker)) {
			return
		}
		h.Tmin--
		h.Tmax++
	}
	panic("block: internal error: sync marker in header")
}

func (h *Header) putOnce(b []byte) {
	clear(b)
	binary.LittleEndian.PutUint32(b, skippableMagic)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	copy(b[offSync:], syncMarker)
	b[16], b[17] = major, h.Kind
	binary.LittleEndian.PutUint16(b[18:], h.Flags)
	binary.LittleEndian.PutUint64(b[offSession:], h.Session)
	binary.LittleEndian.PutUint64(b[offSeq:], h.Seq)
	binary.LittleEndian.PutUint64(b[offSessOff:], h.SessOff)
	binary.LittleEndian.PutUint64(b[offTmin:], uint64(h.Tmin))
	binary.LittleEndian.PutUint64(b[offTmax:], uint64(h.Tmax))
	binary.LittleEndian.PutUint64(b[offPayload:], uint64(h.Payload))
	binary.LittleEndian.PutUint32(b[offPrevLen:], h.PrevLen)
	binary.LittleEndian.PutUint32(b[offRecords:], uint32(h.Records))
	binary.LittleEndian.PutUint16(b[offSegments:], uint16(len(h.Segments)))
	binary.LittleEndian.PutUint16(b[offSegSize:], tableEntry)
	binary.LittleEndian.PutUint32(b[offFlows:], uint32(h.Flows))
	for i, s := range h.Segments {
		e := b[headerSize+i*tableEntry:]
		e[0], e[1] = s.Kind, s.Flags
		binary.LittleEndian.PutUint32(e[4:], uint32(s.Comp))
		binary.LittleEndian.PutUint32(e[8:], uint32(s.Raw))
		binary.LittleEndian.PutUint32(e[12:], uint32(s.Count))
		binary.LittleEndian.PutUint32(e[16:], s.CRC)
	}
	binary.LittleEndian.PutUint32(b[offCRC:], headerCRC(b))
}
