package mitm

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"flowkit/flowfile"
)

// ReaderOptions are the options of a Reader.
type ReaderOptions struct {
	Name  string          // of the input, for damage; "" for none
	Spool *flowfile.Spool // nil: large records of a pipe go to os.TempDir
	Need  flowfile.Need   // no matter: what is not touched is not read
	// Notice, if it is set, is told once of records that are newer than the package.
	Notice func(string)
}

// Reader reads a dump. It is a flowfile.Source with Progress.
type Reader struct {
	w      *window
	name   string
	notice func(string)
	p      parser
	next   error // what comes behind the batch that was delivered
	// ready are handshakes that were held and are to come before what is read next.
	ready []*flowfile.Flow
}

var (
	_ flowfile.Source   = (*Reader)(nil)
	_ flowfile.Progress = (*Reader)(nil)
)

// NewReader returns a reader of the dump r. A regular file is mapped from its current
// offset; it must not shrink while flows of it are in use.
func NewReader(r io.Reader, o ReaderOptions) *Reader {
	return &Reader{w: newWindow(r, o.Spool), name: o.Name, notice: o.Notice}
}

// Progress returns the bytes read and, for a file, the bytes in all.
func (r *Reader) Progress() (done, total int64) { return r.w.done.Load(), r.w.total }

// Close ends the reading. It does not close the underlying reader.
func (r *Reader) Close() error {
	r.next = io.EOF
	return nil
}

// ErrInputChanged is the end of a file that shrank while it was read.
var ErrInputChanged = errors.New("input changed while it was read")

// Next returns the next flows.
func (r *Reader) Next() (b *flowfile.Batch, err error) {
	defer guard(func() { r.next, b, err = ErrInputChanged, nil, ErrInputChanged })()
	if err := r.next; err != nil {
		var d *flowfile.Damage
		if errors.As(err, &d) {
			r.next = nil
		}
		return nil, err
	}
	return r.batch()
}

// guard returns what must run when its caller returns: where a mapped file has shrunk,
// touching it is a fault, and changed is called.
func guard(changed func()) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		x := recover()
		if x == nil {
			return
		}
		if fault, ok := x.(interface{ Addr() uintptr }); !ok || fault.Addr() == 0 {
			panic(x)
		}
		changed()
	}
}

func (r *Reader) batch() (*flowfile.Batch, error) {
	b := &flowfile.Batch{Flows: make([]*flowfile.Flow, 0, 16)}
	size := 0
	for len(b.Flows) < flowfile.BatchFlows && size < flowfile.BatchBytes {
		if len(b.Flows) > 0 {
			if here, err := r.here(); err != nil || !here {
				r.next = err
				break
			}
		}
		f, n, err := r.flow()
		if err != nil {
			var d *flowfile.Damage
			final := !errors.As(err, &d)
			if final && len(r.p.held.flows) > 0 { // it will come again
				r.ready = r.p.held.all()
				continue
			}
			if len(b.Flows) == 0 {
				if final {
					r.next = err
				}
				return nil, err
			}
			r.next = err
			break
		}
		if f != nil {
			b.Flows = append(b.Flows, f)
			size += n
		}
	}
	return b, nil
}

// here reads on until the next record is there, and returns false where that may mean to
// wait for who writes the input.
func (r *Reader) here() (bool, error) {
	for {
		rest := r.w.rest()
		total, ok := recordSize(rest)
		switch {
		case !ok || r.w.eof || total > 0 && total <= len(rest):
			return true, nil
		case total > largest || r.w.wouldBlock():
			return false, nil
		}
		if err := r.w.read(max(total, headSize)); err != nil {
			return false, err
		}
	}
}

// flow reads one record: a flow and its bytes, no flow for one that is held, or an error
// that stands in its place.
func (r *Reader) flow() (*flowfile.Flow, int, error) {
	if len(r.ready) > 0 {
		f := r.ready[0]
		r.ready = r.ready[1:]
		return f, 0, nil
	}
	w := r.w
	if err := w.fill(headSize); err != nil {
		return nil, 0, err
	}
	rest := w.rest()
	if len(rest) == 0 {
		if r.ready = r.p.held.all(); len(r.ready) > 0 {
			return r.flow()
		}
		if w.err != nil {
			return nil, 0, w.err
		}
		return nil, 0, io.EOF
	}
	total, ok := recordSize(rest)
	switch {
	case ok && total == 0:
		return nil, 0, r.end(errTorn, 0)
	case !ok || !plausible(rest[prefix(rest):], total):
		return nil, 0, r.resync(errNoRecord, 0)
	}
	if err := w.fill(total); err != nil {
		return nil, 0, err
	}
	if rest = w.rest(); len(rest) < total {
		return nil, 0, r.resync(errTorn, 0)
	}
	if rest[total-1] != '}' {
		return nil, 0, r.resync(errLength, 0)
	}
	f, err := r.p.record(w.chunk, w.pos, total)
	var broken *syntaxError
	switch {
	case errors.As(err, &broken):
		return nil, 0, r.resync(err, total)
	case err != nil: // whole, but not for us
		return nil, 0, r.skip(err, total)
	}
	w.take(total)
	switch v := f.Origin().(*Record).version; {
	case v > maxVersion && r.notice != nil:
		r.newer(v)
	case v < minVersion && isHandshake(f):
		r.ready = append(r.ready, r.p.held.add(r.p.detached(f))...)
		return nil, total, nil
	}
	return f, total, nil
}

// newer says once that there are records of a version that is not known.
func (r *Reader) newer(version int) {
	name := r.name
	if name == "" {
		name = "input"
	}
	r.notice(fmt.Sprintf("%s: format version %d is newer than %d: it is read as far as it is like that; what is new in it is kept, not shown",
		name, version, maxVersion))
	r.notice = nil
}
