package mitm

import (
	"bytes"
	"errors"

	"flowkit/flowfile"
)

// headSize is what is looked at before a record's length is believed.
const headSize = 96

var (
	errNoRecord = errors.New("no record begins here")
	errTorn     = errors.New("the record is incomplete")
	errLength   = errors.New("the record does not end where its length says")
)

// Find tells whether a record begins somewhere in b that can be read and ends in b: whether
// an input whose beginning is damaged is a dump.
func Find(b []byte) bool {
	r := NewReader(bytes.NewReader(b), ReaderOptions{})
	for {
		batch, err := r.Next()
		if err == nil && len(batch.Flows) > 0 {
			return true
		}
		if err != nil && !errors.As(err, new(*flowfile.Damage)) {
			return false
		}
	}
}

// skip drops a record of n bytes that could not be read.
func (r *Reader) skip(err error, n int) error {
	d := &flowfile.Damage{File: r.name, Offset: r.w.offset(), Length: int64(n), Flows: 1, Err: err}
	r.w.take(n)
	return d
}

// resync passes over what cannot be read, up to the next record. If the broken record's
// own length leads to another record or to the end, that is where the reading goes on:
// size is that length, 0 if it is not known.
//
// The work is linear in the bytes passed over: what was spent on places that looked like
// a record and were none is bounded by a budget that grows with them.
func (r *Reader) resync(err error, size int) error {
	w := r.w
	if size > 0 {
		if ferr := w.fill(size + headSize); ferr != nil {
			return ferr
		}
		rest := w.rest()
		if len(rest) == size || begins(rest[size:]) {
			return r.skip(err, size)
		}
	}
	passed, budget := 0, 1<<20
	for from := 1; ; {
		rest := w.rest()
		i := bytes.IndexByte(rest[min(from, len(rest)):], ':')
		if i < 0 {
			if w.eof {
				return r.end(err, passed)
			}
			// Nothing here; keep what may be the digits of a prefix.
			drop := max(0, len(rest)-maxDigits)
			passed += r.pass(drop)
			from = len(w.rest())
			if ferr := w.fill(from + 1); ferr != nil {
				return ferr
			}
			continue
		}
		colon := min(from, len(rest)) + i
		from = colon + 1
		budget += i
		for at := max(0, colon-maxDigits); at < colon; at++ {
			if rest[at]-'0' > 9 || passed+at == 0 {
				continue
			}
			if allDigits(rest[at:colon]) && budget > 0 {
				ok, cost, ferr := r.candidate(at, colon)
				if ferr != nil {
					return ferr
				}
				budget -= cost
				if ok {
					passed += r.pass(at)
					return r.passedOver(err, passed)
				}
				rest = w.rest()
			}
		}
		if colon > 1<<20 {
			drop := colon - maxDigits
			passed += r.pass(drop)
			from -= drop
		}
	}
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	return true
}

// pass drops n bytes that are part of damage.
func (r *Reader) pass(n int) int {
	r.w.take(n)
	return n
}

// passedOver returns the damage of the n bytes that were dropped before the window.
func (r *Reader) passedOver(err error, n int) error {
	return &flowfile.Damage{
		File: r.name, Offset: r.w.offset() - int64(n), Length: int64(n), Flows: -1, Err: err,
	}
}

// end drops the rest, in which no record begins.
func (r *Reader) end(err error, passed int) error {
	passed += r.pass(len(r.w.rest()))
	if r.w.err != nil {
		return r.w.err
	}
	d := &flowfile.Damage{
		File: r.name, Offset: r.w.offset() - int64(passed), Length: int64(passed),
		Flows: -1, Torn: errors.Is(err, errTorn), Err: err,
	}
	if d.Torn {
		d.Flows = 1
	}
	return d
}

// backupKey stands before the one dictionary within a record that looks like a record.
const backupKey = "6:backup"

// candidate tells whether a record begins at the byte at, whose prefix ends at colon, and
// what it cost to find out.
func (r *Reader) candidate(at, colon int) (ok bool, cost int, err error) {
	w := r.w
	if err := w.fill(colon + headSize); err != nil {
		return false, 0, err
	}
	rest := w.rest()
	total, ok := recordSize(rest[at:])
	if !ok || !plausible(rest[colon+1:], total) {
		return false, 0, nil
	}
	if at > len(backupKey) && string(rest[at-1-len(backupKey):at-1]) == backupKey {
		return false, 0, nil
	}
	// A record too large for a look ahead is believed by its beginning.
	if !w.eof && total > largest {
		return knownKey(rest[colon+1:]), 16, nil
	}
	end := at + total
	if err := w.fill(end); err != nil {
		return false, 0, err
	}
	if rest = w.rest(); len(rest) < end || rest[end-1] != '}' {
		return false, 16, nil
	}
	return whole(rest, colon+1, end-1)
}

// whole tells whether the payload of a dictionary has a flow's type and version. It costs
// no more than the elements of the top level.
func whole(b []byte, s, e int) (ok bool, cost int, err error) {
	var kind, version bool
	for i := s; i < e; cost += 16 {
		k, _, after, ok := pair(b, i, e)
		if !ok {
			return false, cost + 16, nil
		}
		switch string(b[k.s:k.e]) {
		case "type":
			kind = true
		case "version":
			version = true
		}
		i = after
	}
	return kind && version, cost, nil
}

// begins tells whether b begins like a record.
func begins(b []byte) bool {
	n, ok := recordSize(b)
	return ok && n > 0 && plausible(b[prefix(b):], n)
}

// knownKey tells whether b begins with the name of an element of a record.
func knownKey(b []byte) bool {
	k, _, ok := next(b, 0, len(b))
	if !ok || k.tag != ';' && k.tag != ',' {
		return false
	}
	switch string(b[k.s:k.e]) {
	case "id", "type", "version", "error", "client_conn", "server_conn", "intercepted", "is_replay", "marked",
		"metadata", "comment", "timestamp_created", "backup", "request", "response", "websocket", "messages",
		"mode", "client_key", "client_protocol", "client_extensions", "server_accept", "server_protocol",
		"server_extensions", "close_sender", "close_code", "close_message", "close_reason":
		return true
	}
	return false
}
