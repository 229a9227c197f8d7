package block

import (
	"errors"
	"fmt"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Entry is one record with its parts, as it is added to a Writer.
type Entry struct {
	Record []byte // one msgpack map
	ID     string // flow id for the index; "": not indexed
	Starts bool   // starts a flow; counted in Header.Flows
	Time   int64  // ns since epoch; 0: none
	Parts  []Part
}

// Part is one content that belongs to an entry, or another entry it shares.
type Part struct {
	N     int    // number of the part; its meaning is the record's business
	Data  []byte // the content
	Off   int64  // position of Data in the whole part
	Total int64  // length of the whole part, -1 if unknown
	Flags uint8  // meaning is the record's business

	// Incompressible content goes to segments of its own, which cost no compression time.
	Incompressible bool

	// Shared stands instead of Data: an entry that is stored once per block, before the
	// first entry that refers to it. Entries are recognized by pointer first, so a shared
	// entry must not be changed before the next Flush; and by content second.
	Shared *Entry
}

// maxContent is the longest content of a part: a segment less the head of its chunk.
const maxContent = maxSegment - maxChunkHead

// Bounds of what surrounds contents and records.
const (
	maxChunkHead = 1 + 4*9   // array of 4; three integers and the length of a bin
	maxEntryHead = 1 + 5 + 9 // array of 2, array of refs, length of the record
	maxRefHead   = 4*9 + 3*9 // part, total, flags, n and one range
	maxSharing   = 8         // depth of shared entries in shared entries
	maxBlockRaw  = 40 << 20  // bytes of a block before compression; with the worst reframing under maxPayload
	maxTable     = 3000      // segments of a block; the table has to fit the header
)

// Errors of Add.
var (
	// ErrTooLarge means an entry does not fit a block.
	ErrTooLarge = errors.New("entry too large for a block")
	// ErrBadEntry means an entry is not of the form that Entry asks for.
	ErrBadEntry = errors.New("bad entry")
)

// need is what an entry takes in a block at most.
type need struct {
	records int // bytes of the records segment
	bodies  int // bytes of body segments
	parts   int // contents
	entries int // the entry itself and those it shares
}

// measure checks e and adds up what it needs, shared entries included as if none of them
// were in the block yet.
func (n *need) measure(e *Entry, depth int) error {
	if depth > maxSharing {
		return fmt.Errorf("%w: shared entries nested deeper than %d", ErrBadEntry, maxSharing)
	}
	if !startsMap(e.Record) {
		return fmt.Errorf("%w: record is not a msgpack map", ErrBadEntry)
	}
	n.entries++
	n.records += maxEntryHead + len(e.Record) + len(e.Parts)*maxRefHead
	for i := range e.Parts {
		p := &e.Parts[i]
		if p.Shared != nil {
			if err := n.measure(p.Shared, depth+1); err != nil {
				return err
			}
			continue
		}
		if len(p.Data) > maxContent {
			return fmt.Errorf("%w: part of %d bytes; the limit is %d", ErrTooLarge, len(p.Data), maxContent)
		}
		n.parts++
		n.bodies += maxChunkHead + len(p.Data)
	}
	if n.records > maxSegment || n.records+n.bodies > maxBlockRaw || n.entries > maxEntries {
		return fmt.Errorf("%w: %d bytes of records, %d of contents, %d entries",
			ErrTooLarge, n.records, n.bodies, n.entries)
	}
	return nil
}

func startsMap(b []byte) bool {
	return len(b) > 0 && (msgpcode.IsFixedMap(b[0]) || b[0] == msgpcode.Map16 || b[0] == msgpcode.Map32)
}
