package mitm

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"flowkit/flowfile"
)

// WriterOptions are the options of a Writer.
type WriterOptions struct {
	// Version is the format version that every record is converted to, 17 to 21; 0: a
	// record keeps its own, flows from elsewhere are written in 21. A record below 17 that
	// was changed cannot keep its version: it is written in 17, which every mitmproxy from
	// 8.1 on reads.
	Version int
	Spool   *flowfile.Spool // for bodies of unknown size; nil: one in os.TempDir
}

// Writer writes a dump. It is a flowfile.Sink.
type Writer struct {
	w       *gather
	version int
	enc     encoder
	// run is a stretch of run.chunk, from run.from to run.to, that is not yet written:
	// unchanged records that follow each other are one write.
	run struct {
		chunk    *chunk
		from, to int
	}
	flows int64
	err   error
}

var _ flowfile.Sink = (*Writer)(nil)

// NewWriter returns a writer of a dump. If w is an *os.File, or has a method File that
// returns the one it writes to, system calls may take from the input what does not change.
func NewWriter(w io.Writer, o WriterOptions) *Writer {
	x := &Writer{w: newGather(w), version: o.Version}
	x.enc.spool = o.Spool
	if o.Version != 0 && (o.Version < minVersion || o.Version > maxVersion) {
		x.err = fmt.Errorf("format version %d cannot be written, only %d to %d", o.Version, minVersion, maxVersion)
	}
	return x
}

// Lost returns what the versions written could not hold so far.
func (w *Writer) Lost() Lost {
	l := w.enc.lost
	l.Flows += w.flows
	return l
}

// Write writes the flows of b that were not dropped.
func (w *Writer) Write(b *flowfile.Batch) (err error) {
	if w.err != nil {
		return w.err
	}
	defer func() { w.err = err }()
	defer guard(func() { err = ErrInputChanged })()
	for _, f := range b.Flows {
		if f.Dropped() {
			continue
		}
		if err := w.flow(f); err != nil {
			return fmt.Errorf("write flow %s: %w", f.ID(), err)
		}
	}
	return w.endRun()
}

// Flush hands all that was written to the underlying writer.
func (w *Writer) Flush() (err error) {
	if w.err != nil {
		return w.err
	}
	defer func() { w.err = err }()
	defer guard(func() { err = ErrInputChanged })()
	return w.w.flush()
}

// Close completes the dump. It does not close the underlying writer.
func (w *Writer) Close() error { return w.Flush() }

func (w *Writer) flow(f *flowfile.Flow) error {
	switch o := f.Origin().(type) {
	case *Record:
		switch {
		case w.version != 0 && w.version != o.version:
			return w.convert(f, o, w.version)
		case f.Changed() == 0:
			return w.copy(o)
		case o.version < minVersion:
			w.enc.lost.Updated++
			return w.convert(f, o, minVersion)
		}
		w.enc.reset(min(o.version, maxVersion))
		if w.enc.spliceHeaders(f, o, f.Changed()) {
			return w.finish(w.enc.err)
		}
		return w.splice(f, o.skeleton(), f.Changed(), o.version)
	case nil:
		return w.model(f, w.version)
	default:
		k := o.Kept(f)
		switch {
		case k == nil || k.Format != Format || w.version != 0 && w.version != k.Version:
			return w.model(f, w.version)
		case k.Head == "":
			return w.model(f, k.Version)
		case k.Version < minVersion && k.Changed|f.Changed() != 0:
			w.enc.lost.Updated++
			if hasBackup(k) {
				w.enc.lost.Fields++
			}
			return w.model(f, minVersion)
		}
		s, err := keptSkeleton(k)
		if err != nil {
			return w.model(f, k.Version)
		}
		return w.splice(f, s, k.Changed|f.Changed(), k.Version)
	}
}

// hasBackup tells whether the record that was kept has a state before a user's edits.
func hasBackup(kept *flowfile.Kept) bool {
	k, err := keptSkeleton(kept)
	if err != nil {
		return false
	}
	it, _, _ := k.next(0, len(k.head))
	fs, err := k.fields(nil, it)
	return err == nil && slices.ContainsFunc(fs, func(f field) bool { return f.key == "backup" && f.value.tag == '}' })
}

// copy writes the record as it is.
func (w *Writer) copy(r *Record) error {
	if r.handshake != nil {
		if err := w.copy(r.handshake); err != nil {
			return err
		}
	}
	if w.run.chunk == r.chunk && w.run.to == r.off {
		w.run.to += r.n
		return nil
	}
	if err := w.endRun(); err != nil {
		return err
	}
	w.run.chunk, w.run.from, w.run.to = r.chunk, r.off, r.off+r.n
	return nil
}

// endRun writes the run.
func (w *Writer) endRun() error {
	if w.run.chunk == nil {
		return nil
	}
	err := w.w.stay(w.run.chunk.data[w.run.from:w.run.to])
	w.run.chunk = nil
	return err
}

// convert writes a record in another version.
func (w *Writer) convert(f *flowfile.Flow, r *Record, version int) error {
	w.enc.lost.Fields += int64(r.unknown + r.inner)
	for _, c := range []*connEntry{r.client, r.server} {
		if c != nil {
			w.enc.lost.Fields += int64(c.parse().unknown)
		}
	}
	w.enc.reset(version)
	if r.version < minVersion {
		w.enc.converting = true
		return w.finish(w.enc.flow(f, r))
	}
	return w.finish(w.enc.convert(f, r))
}

// model writes f as mitmproxy would.
func (w *Writer) model(f *flowfile.Flow, version int) error {
	if version == 0 || version > maxVersion {
		version = maxVersion
	}
	w.enc.reset(max(version, minVersion))
	return w.finish(w.enc.flow(f, nil))
}

// finish writes what was encoded, unless it could not be.
func (w *Writer) finish(err error) error {
	if errors.Is(err, errCannotHold) {
		w.flows++
		return nil
	}
	if err != nil {
		return err
	}
	if err := w.endRun(); err != nil {
		return err
	}
	return w.enc.writeTo(w.w)
}

// splice writes the record s with the changed parts of f.
func (w *Writer) splice(f *flowfile.Flow, s *skeleton, changed flowfile.Parts, version int) error {
	w.enc.reset(min(version, maxVersion))
	err := w.enc.splice(f, s, changed)
	if errors.Is(err, errKept) {
		return w.model(f, version)
	}
	return w.finish(err)
}

// writeTo writes the record with its pieces.
func (e *encoder) writeTo(w *gather) error {
	at := e.pos
	for i := len(e.pieces) - 1; i >= 0; i-- {
		p := &e.pieces[i]
		to := len(e.buf) - p.behind
		if _, err := w.Write(e.buf[at:to]); err != nil {
			return err
		}
		at = to
		if err := p.writeTo(w, e); err != nil {
			return err
		}
	}
	_, err := w.Write(e.buf[at:])
	return err
}

func (p *piece) writeTo(w *gather, e *encoder) error {
	switch {
	case p.messages != nil:
		return p.messages.writeTo(w, e)
	case p.gaps != nil:
		return p.gaps.writeTo(w)
	case p.data != nil:
		return w.stay(p.data)
	}
	return copyBody(w, p.body, p.n)
}
