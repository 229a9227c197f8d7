package jsonl

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"sync/atomic"

	"flowkit/flowfile"
)

// Reader reads JSON lines.
type Reader struct {
	o     Options
	lines lines
	held  error // comes behind the batch that was handed out
	done  atomic.Int64
	total int64
}

var (
	_ flowfile.Source   = (*Reader)(nil)
	_ flowfile.Progress = (*Reader)(nil)
)

// NewReader returns a Reader of r. Closing it does not close r.
func NewReader(r io.Reader, o Options) *Reader {
	if o.Spool == nil {
		o.Spool = &flowfile.Spool{}
	}
	x := &Reader{o: o, lines: lines{br: bufio.NewReaderSize(r, 256<<10), spool: o.Spool}}
	if f, ok := r.(interface{ Stat() (os.FileInfo, error) }); ok {
		if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() {
			x.total = fi.Size()
		}
	}
	return x
}

// Progress returns the bytes of the lines that were read, and the size of the file.
func (r *Reader) Progress() (done, total int64) { return r.done.Load(), r.total }

// Close does nothing.
func (r *Reader) Close() error { return nil }

// Next returns the flows of the next lines: those that are in memory already, one at
// least. A line that is no flow is a *flowfile.Damage in its place.
func (r *Reader) Next() (*flowfile.Batch, error) {
	if err := r.held; err != nil {
		if isDamage(err) {
			r.held = nil
		}
		return nil, err
	}
	b := &flowfile.Batch{}
	for size := int64(0); len(b.Flows) < flowfile.BatchFlows && size < flowfile.BatchBytes; {
		if len(b.Flows) > 0 && !r.lines.ready() {
			break
		}
		f, n, err := r.flow()
		size += n
		if err != nil {
			if len(b.Flows) > 0 {
				r.held = err
				break
			}
			if !isDamage(err) {
				r.held = err
			}
			return nil, err
		}
		if f != nil {
			b.Flows = append(b.Flows, f)
		}
	}
	return b, nil
}

func isDamage(err error) bool {
	var d *flowfile.Damage
	return errors.As(err, &d)
}

// flow reads a line; without a flow if it is empty.
func (r *Reader) flow() (f *flowfile.Flow, size int64, err error) {
	ln, err := r.lines.next()
	if err != nil {
		return nil, 0, err
	}
	r.done.Store(r.lines.offset)
	if ln.number == 1 {
		ln.b = bytes.TrimPrefix(ln.b, []byte(bom))
	}
	if ln.err == nil && len(bytes.TrimSpace(ln.b)) == 0 {
		return nil, ln.length, nil
	}
	err = ln.err
	if err == nil {
		p := parser{b: ln.b, long: ln.long}
		f = p.flow()
		err = p.err
	}
	if err != nil {
		return nil, ln.length, &flowfile.Damage{
			File: r.o.Name, Offset: ln.offset, Length: ln.length, Line: ln.number, Flows: 1,
			Torn: !ln.ended && errors.Is(err, errEnd), Err: err,
		}
	}
	return f, ln.length, nil
}
