package block

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ReaderOptions are the options of a Reader. The zero value is the default.
type ReaderOptions struct {
	// SkipBodies says that no body will be asked for: of a stream, bodies are then discarded
	// as they come. A random-access input reads bodies on demand anyway.
	SkipBodies bool

	// Tail follows a file that is still being written: an incomplete block at the end is
	// io.EOF instead of a damage, and Next may be called again when the file has grown. A
	// block is returned only when all its segments are there and sound. Of a stream, the
	// option has no effect.
	Tail bool

	// Salvage takes out of damaged blocks what is left in them: see salvage.go.
	Salvage bool
	// Seen, if it is set, is told of every header on the way.
	Seen func(ReaderSeen)
}

// Reader reads the blocks of a flow file, of several one behind the other, or of what is
// left of one.
type Reader struct {
	o   ReaderOptions
	w   walker
	ra  io.ReaderAt
	dec *decoder
	err error // of the input; final
}

// NewReader returns a Reader of the input from where it stands. A regular *os.File, or what
// has ReadAt and Size, is read at offsets, without moving its position; everything else as
// a stream.
func NewReader(r io.Reader, o ReaderOptions) *Reader {
	src, ra, start := open(r)
	dec := &decoder{}
	return &Reader{o: o, ra: ra, dec: dec, w: walker{
		src: src, stream: ra == nil, discard: o.SkipBodies, tail: o.Tail && ra != nil, dec: dec, pos: start, mend: o.Salvage,
	}}
}

// Next returns the next block. A *DamageError is one damaged place: call Next again to go
// on behind it. The end is io.EOF; any other error is of the input, and final.
func (r *Reader) Next() (*Block, error) {
	if r.err != nil {
		return nil, r.err
	}
	b, err := r.next()
	if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, new(*DamageError)) {
		r.err = err
	}
	return b, err
}

func (r *Reader) next() (*Block, error) {
	for {
		h, err := r.w.next()
		if err != nil {
			return nil, err
		}
		if r.w.tail {
			if err := r.w.waitFor(h); err != nil {
				return nil, err
			}
		}
		if h.Kind == kindData {
			return r.block(h)
		}
		r.seen(r.w.pos, h, 0)
		if _, err := r.w.accept(h); err != nil {
			return nil, err
		}
	}
}

// Stats tells what was read so far. It may be called at any time.
func (r *Reader) Stats() Stats { return r.dec.stats() }

// block returns the data block at the walker's place.
func (r *Reader) block(h *Header) (*Block, error) {
	off := r.w.pos
	size := h.Len + h.Segments[0].Comp
	keep := r.w.stream && !r.o.SkipBodies
	if keep {
		size = int(h.total())
	}
	data, err := r.w.src.peek(off, size)
	if err != nil {
		return nil, err
	}
	records := data[h.Len:min(len(data), h.Len+h.Segments[0].Comp)]
	if err := checkSegment(h.Segments[0], records); err != nil {
		err = fmt.Errorf("records: %w", err)
		if r.o.Salvage {
			return r.salvage(h, data, err)
		}
		r.seen(off, h, 0)
		return nil, r.w.reject(h, err)
	}
	r.seen(off, h, h.Records)
	b := newBlock(r.dec, off, h, nil)
	b.salvage = r.o.Salvage
	switch {
	case keep:
		data = bytes.Clone(data)
		n := h.Len + len(records)
		b.head, b.comp, b.body, b.kept = data[:h.Len], data[h.Len:n], data[n:], true
	default:
		b.comp = bytes.Clone(records)
		b.ra = r.ra
	}
	if b.end, err = r.w.accept(h); err != nil {
		return nil, err
	}
	if b.salvage && b.end < off+h.total() {
		if b.torn, err = r.torn(b); err != nil {
			return nil, err
		}
	}
	if keep {
		n := max(0, b.end-off-b.places[1])
		b.body = b.body[:min(int64(len(b.body)), n)]
	}
	r.dec.blocks.Add(1)
	return b, nil
}

// ReadBlockAt reads the data block at off. The error is a *DamageError if there is none.
func ReadBlockAt(ra io.ReaderAt, off int64) (*Block, error) {
	return readBlockAt(&decoder{}, ra, off)
}

func readBlockAt(dec *decoder, ra io.ReaderAt, off int64) (*Block, error) {
	src := &fileSource{ra: ra}
	w := walker{src: src, dec: dec}
	bad := func(cause error, records int) error {
		return dec.report(&DamageError{Offset: off, Kind: Corrupt, Records: records, Cause: cause})
	}
	h, err := w.headerAt(off)
	switch {
	case errors.As(err, new(*newerError)):
		return nil, dec.report(&DamageError{Offset: off, Kind: Newer, Records: -1, Cause: err})
	case errors.Is(err, io.EOF):
		return nil, bad(errNoHeader, -1)
	case errors.As(err, new(*badHeader)):
		return nil, bad(err, -1)
	case err != nil:
		return nil, err
	case h.Kind != kindData:
		return nil, bad(fmt.Errorf("block of kind %d, not of data", h.Kind), 0)
	}
	records, err := src.peek(off+int64(h.Len), h.Segments[0].Comp)
	if err != nil {
		return nil, err
	}
	if err := checkSegment(h.Segments[0], records); err != nil {
		return nil, bad(fmt.Errorf("records: %w", err), h.Records)
	}
	b := newBlock(dec, off, h, bytes.Clone(records))
	b.ra = ra
	dec.blocks.Add(1)
	return b, nil
}
