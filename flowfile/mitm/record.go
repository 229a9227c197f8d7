package mitm

import (
	"errors"
	"math"

	"flowkit/flowfile"
)

// Record is the part of a dump that a flow was read from.
type Record struct {
	chunk   *chunk
	off, n  int // in chunk.data
	version int
	// Keys that the package does not know: of the record, of its dictionaries without
	// connections.
	unknown, inner int
	client         *connEntry
	server         *connEntry
	bodies         [2]span // payloads of the request's and the response's content
	messages       span    // payload of the list
	websocket      bool    // of a WebSocket
	twice          bool    // a key that places is about comes twice
	backup         span
	places         [2]places // of the request and the response
	handshake      *Record   // of a WebSocket up to version 11, in which bodies are
}

// places is where a message of a record is: zero where it is not known.
type places struct{ message, headers spot }

// spot is the payload of an element in a record of less than 4 GiB.
type spot struct{ s, e uint32 }

// note remembers where it is.
func (r *Record) note(p *spot, it item) {
	r.twice = r.twice || *p != spot{}
	if uint64(it.e) < math.MaxUint32 {
		*p = spot{uint32(it.s), uint32(it.e)}
	}
}

// span is a place in a record; at is 0 for none.
type span struct{ at, n int }

var _ flowfile.Origin = (*Record)(nil)

// Format returns "mitm".
func (r *Record) Format() string { return Format }

// Format is the name of the format.
const Format = "mitm"

// Version returns the format version of the record; up to mitmproxy 3 that was mitmproxy's
// own, of which this is the first number, 0 to 3.
func (r *Record) Version() int { return r.version }

// Offset returns the place of the record in the input.
func (r *Record) Offset() int64 { return r.chunk.base + int64(r.off) }

// Size returns the bytes of the record.
func (r *Record) Size() int { return r.n }

// Handshake returns the record of the handshake if the record is that of a WebSocket and of
// version 6 to 11, where each had its own; nil for none.
func (r *Record) Handshake() *Record { return r.handshake }

// bytes returns the record.
func (r *Record) bytes() []byte { return r.chunk.data[r.off : r.off+r.n : r.off+r.n] }

// backupFlow returns the flow in the record's backup.
func (r *Record) backupFlow() (*flowfile.Flow, error) {
	b := r.bytes()
	start := elementStart(b, r.backup.at)
	if start == 0 {
		return nil, errors.New("no backup")
	}
	var p parser
	return p.record(r.chunk, r.off+start, r.backup.at+r.backup.n+1-start)
}

// elementStart returns where the element begins whose payload is at s.
func elementStart(b []byte, s int) int {
	for s--; s > 0 && b[s-1]-'0' <= 9; s-- {
	}
	return s
}

// pairStart returns where the key begins whose value is at v.
func pairStart(b []byte, key string, v spot) int {
	return elementStart(b, elementStart(b, int(v.s))-1-len(key))
}
