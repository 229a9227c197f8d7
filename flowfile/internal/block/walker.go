package block

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// walker goes from block header to block header and finds the way back after damage. It
// knows nothing of what segments hold.
//
// On a random-access input it hops over segments unread. The next header proves the hop, if
// its writer wrote it behind a block of just that length. If it does not, or is none, the
// walker goes back once, checks the last segment it had hopped over and, if that is bad,
// looks for a header inside the block: behind a torn block, whose length is a promise not kept, there may be another
// session.
type walker struct {
	src      source
	stream   bool
	discard  bool // of a stream, nobody wants bodies
	tail     bool
	dec      *decoder
	pos      int64 // where the next header is expected
	hop      *hop  // the block before pos, as long as its length is not proved
	seen     sequences
	mend     bool    // headers of which one byte is wrong
	mendedAt int64   // where that was said last
	damaged  bool    // since the last header: a gap needs no second report
	pending  []error // to be returned before reading on
}

// hop is a block whose segments were passed over unread.
type hop struct {
	h       *Header
	off     int64
	missing bool // it runs past the end of the input
}

func (p *hop) body() int64 { return p.off + int64(p.h.Len) }
func (p *hop) end() int64  { return p.off + p.h.total() }

// lastComp returns the length of the last segment.
func (p *hop) lastComp() int64 {
	if n := len(p.h.Segments); n > 0 {
		return int64(p.h.Segments[n-1].Comp)
	}
	return 0
}

var (
	errRunsOut = errors.New("the block runs past the end of the input")
	errZeros   = errors.New("only zero bytes up to the end")
	errNested  = errors.New("another block starts inside it")
)

// next returns the next header and its offset, with pos still at it: the caller looks at
// the segments and then calls accept or reject. A *DamageError is not the end; io.EOF is.
func (w *walker) next() (*Header, error) {
	for {
		if len(w.pending) > 0 {
			err := w.pending[0]
			w.pending = w.pending[1:]
			return nil, err
		}
		h, err := w.headerAt(w.pos)
		if err != nil && w.mend {
			h, err = w.mended(err)
		}
		if err == nil && (w.hop == nil || h.follows(w.hop.h)) {
			w.hop = nil
			if gap := w.sequence(h); gap != nil {
				w.pending = append(w.pending, gap)
				continue
			}
			return h, nil
		}
		if err := w.doubt(err); err != nil {
			return nil, err
		}
	}
}

// doubt deals with a header that is bad, or does not prove the hop to it. With nil, the
// walker tries again at pos.
func (w *walker) doubt(cause error) error {
	var newer *newerError
	var bad *badHeader
	switch {
	case w.hop != nil:
		return w.checkHop(cause)
	case errors.As(cause, &newer):
		return w.skipNewer(newer)
	case errors.As(cause, &bad):
		return w.resync(w.pos, w.pos, bad.cause, -1)
	}
	return cause // io.EOF, or an error of the input
}

// badHeader means that no header stands where one is expected.
type badHeader struct{ cause error }

func (e *badHeader) Error() string { return e.cause.Error() }

// headerAt reads the header at off. The error is io.EOF, a *badHeader, a *newerError, or
// one of the input.
func (w *walker) headerAt(off int64) (*Header, error) {
	ahead := headerSize + 8*tableEntry // one read for most headers
	if w.stream {
		ahead = 16 // more might be long in coming
	}
	b, err := w.src.peek(off, ahead)
	if err != nil && len(b) == 0 {
		return nil, err
	}
	if len(b) == 0 {
		return nil, io.EOF
	}
	n, err := headerLen(b)
	if err != nil {
		return nil, &badHeader{err}
	}
	if n > len(b) {
		if b, err = w.src.peek(off, n); err != nil {
			return nil, err
		}
	}
	if n > len(b) {
		return nil, &badHeader{errShortHeader}
	}
	h, err := parseHeader(b[:n])
	var newer *newerError
	if err != nil && !errors.As(err, &newer) {
		return nil, &badHeader{err}
	}
	return h, err
}

// sequence notes the header's place in its session and returns a damage if blocks are
// missing before it that no damage explains.
func (w *walker) sequence(h *Header) error {
	missing := w.seen.note(h)
	damaged := w.damaged
	w.damaged = false
	if missing == 0 || damaged {
		return nil
	}
	return w.dec.report(&DamageError{
		Offset: w.pos, Kind: Gap, Records: -1,
		Cause: fmt.Errorf("%d blocks before block %d of session %016x", missing, h.Seq, h.Session),
	})
}

// accept goes behind the block at pos. On a random-access input it hops; a stream it reads
// through and reports where the block is cut short: cut is that offset, or the block's end.
func (w *walker) accept(h *Header) (cut int64, err error) {
	p := &hop{h: h, off: w.pos}
	if w.stream {
		return w.through(p)
	}
	reached, err := w.src.reach(p.end())
	if err != nil {
		return 0, err
	}
	p.missing = reached < p.end()
	w.hop = p
	w.pos = p.end()
	return reached, nil
}

// through goes to the end of a block of a stream, or to where it is cut short. It does not
// read beyond the block without need: the next may be long in coming.
func (w *walker) through(p *hop) (int64, error) {
	from := p.body()
	if w.discard || p.h.Kind != kindData {
		last := p.end() - p.lastComp()
		q, found, _, err := w.search(from, last)
		if err != nil {
			return 0, err
		}
		if found || q < last {
			return w.breakOff(p, q, found), nil
		}
		from = last
	}
	if complete, err := w.complete(p); err != nil || complete {
		w.move(p.end())
		return p.end(), err
	}
	q, found, _, err := w.search(from, p.end())
	if err != nil {
		return 0, err
	}
	if !found && q == p.end() { // as long as it says, but with a bad segment at its end
		w.move(q)
		return q, nil
	}
	return w.breakOff(p, q, found), nil
}

// breakOff goes to q, where a block of a stream ends too early: because another starts
// there, or with the stream.
func (w *walker) breakOff(p *hop, q int64, another bool) int64 {
	w.move(q)
	damage := w.torn
	if another {
		damage = w.cut
	}
	w.pending = append(w.pending, damage(p, q))
	return q
}

// move sets pos.
func (w *walker) move(to int64) {
	w.pos = to
	w.src.forget(to)
}

// reject reports the block at pos as unreadable. The search for the next starts right
// behind its header, because the length it declares is not to be trusted.
func (w *walker) reject(h *Header, cause error) error {
	return w.resync(w.pos, w.pos+int64(h.Len), cause, h.Records)
}

// checkHop finds out whether the block hopped over was cut short. Cause is what stands at
// pos instead of a header that proves the hop; nil if it is a header that does not.
func (w *walker) checkHop(cause error) error {
	p := w.hop
	if !p.missing {
		if !placed(cause) {
			return cause
		}
		if complete, err := w.complete(p); err != nil || complete {
			w.hop = nil
			return err
		}
	}
	q, found, _, err := w.search(p.body(), p.end())
	if err != nil {
		return err
	}
	w.hop = nil
	switch {
	case found:
		w.move(q)
		return w.cut(p, q)
	case p.missing:
		w.move(q)
		return w.torn(p, q)
	}
	return nil // as long as it says, but with a bad segment: who reads it will be told
}

// placed reports whether err is about the bytes of a header, not about reading them.
func placed(err error) bool {
	return err == nil || errors.Is(err, io.EOF) ||
		errors.As(err, new(*badHeader)) || errors.As(err, new(*newerError))
}

func (w *walker) cut(p *hop, q int64) error {
	return w.report(&DamageError{Offset: p.off, Skipped: q - p.off, Kind: Cut, Cause: errNested})
}

func (w *walker) torn(p *hop, end int64) error {
	return w.report(&DamageError{Offset: p.off, Skipped: end - p.off, Kind: Torn, Cause: errRunsOut})
}

// complete reports whether a block is as long as its header says: its last segment stands,
// sound, where it should.
func (w *walker) complete(p *hop) (bool, error) {
	n := len(p.h.Segments)
	if n == 0 {
		return true, nil
	}
	last := p.h.Segments[n-1]
	b, err := w.src.peek(p.end()-int64(last.Comp), last.Comp)
	if len(b) == last.Comp {
		err = nil
	}
	return len(b) == last.Comp && castagnoli(b) == last.CRC, err
}

// sound reports whether the segments of a hop have the checksums that its header says.
func (w *walker) sound(p *hop) (bool, error) {
	off := p.body()
	for _, s := range p.h.Segments {
		b, err := w.src.peek(off, s.Comp)
		if err != nil {
			return false, err
		}
		if len(b) != s.Comp || castagnoli(b) != s.CRC {
			return false, nil
		}
		off += int64(s.Comp)
	}
	return true, nil
}

// skipNewer passes over a block of a later version: to its end if something sensible
// stands there, else to the next header.
func (w *walker) skipNewer(e *newerError) error {
	start := w.pos
	q, found, err := w.behindNewer(start+int64(e.len), e.payload)
	if err != nil {
		return err
	}
	if !found {
		if q, found, _, err = w.search(start+int64(e.len), math.MaxInt64); err != nil {
			return err
		}
	}
	if !found && w.tail {
		return io.EOF
	}
	w.move(q)
	return w.report(&DamageError{Offset: start, Skipped: q - start, Kind: Newer, Records: -1, Cause: e})
}

// behindNewer tells where the block ends whose payload of the length told begins at body,
// if a header or the end of the input is there.
func (w *walker) behindNewer(body, payload int64) (end int64, ok bool, err error) {
	if payload < 0 || w.stream {
		return 0, false, nil
	}
	end = body + payload
	reached, err := w.src.reach(end)
	if err != nil || reached < end {
		return 0, false, err
	}
	_, err = w.headerAt(end)
	if errors.As(err, new(*badHeader)) {
		return 0, false, nil
	}
	if !placed(err) {
		return 0, false, err
	}
	return end, true, nil
}

// resync reports what stands at start as damage and goes on at the next header at or
// behind from.
func (w *walker) resync(start, from int64, cause error, records int) error {
	q, found, zeros, err := w.search(from, math.MaxInt64)
	if err != nil {
		return err
	}
	kind := Corrupt
	if !found {
		if w.tail {
			return io.EOF
		}
		kind = Torn
		if zeros && from == start {
			cause = errZeros
		}
	}
	w.move(q)
	return w.report(&DamageError{Offset: start, Skipped: q - start, Kind: kind, Records: records, Cause: cause})
}

func (w *walker) report(e *DamageError) error {
	w.damaged = true
	return w.dec.report(e)
}
