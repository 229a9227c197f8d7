package har

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync/atomic"

	"flowkit/flowfile"
)

// ReaderOptions are the options of a Reader; the zero value is right for most.
type ReaderOptions struct {
	Name  string          // for errors
	Need  flowfile.Need   // not used: an entry is parsed whole
	Spool *flowfile.Spool // for strings of more than 1 MiB; nil: one of its own
}

// Reader reads a HAR entry by entry: memory is bounded by one entry and the batch in hand.
// It implements flowfile.Source and flowfile.Progress.
type Reader struct {
	p     *parser
	o     ReaderOptions
	size  int64
	off   atomic.Int64
	next  func() (*flowfile.Flow, error, bool)
	stop  func()
	held  error // comes after the flows in hand
	yield func(*flowfile.Flow, error) bool
	index int // of the next entry
	log   logContext
	conns connections
	last  *entry // waits for what stands behind it
	// messages are those of the entry that is being read.
	messages *flowfile.MessageLog
	closed   bool
}

var (
	_ flowfile.Source   = (*Reader)(nil)
	_ flowfile.Progress = (*Reader)(nil)
)

// errStop ends the walk because nobody wants more.
var errStop = errors.New("stop")

// NewReader returns a reader of r.
func NewReader(r io.Reader, o ReaderOptions) *Reader {
	if o.Spool == nil {
		o.Spool = &flowfile.Spool{}
	}
	rd := &Reader{o: o}
	rd.p = &parser{r: r, buf: make([]byte, 128<<10), spool: o.Spool}
	if f, ok := r.(*os.File); ok {
		if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() {
			rd.size = fi.Size()
		}
	}
	rd.next, rd.stop = iter.Pull2(rd.walk)
	return rd
}

// Progress returns the bytes read and the size of the file, 0 if it is a pipe.
func (r *Reader) Progress() (done, total int64) { return r.off.Load(), r.size }

// Close ends the reading. Flows that were delivered stay valid.
func (r *Reader) Close() error {
	r.closed = true
	r.stop()
	return nil
}

// Next returns the next flows; see flowfile.Source.
func (r *Reader) Next() (*flowfile.Batch, error) {
	if r.closed {
		return nil, os.ErrClosed
	}
	if err := r.held; err != nil {
		if errors.As(err, new(*flowfile.Damage)) {
			r.held = nil
		}
		return nil, err
	}
	b := &flowfile.Batch{}
	from := r.p.offset()
	for len(b.Flows) < flowfile.BatchFlows && r.p.offset()-from < flowfile.BatchBytes {
		f, err, ok := r.next()
		if !ok {
			err = io.EOF
		}
		r.off.Store(r.p.offset())
		if err != nil {
			if len(b.Flows) > 0 {
				r.held = err
				return b, nil
			}
			if !errors.As(err, new(*flowfile.Damage)) {
				r.held = err
			}
			return nil, err
		}
		b.Flows = append(b.Flows, f)
		if r.p.pos == r.p.end {
			break // more would have to be waited for
		}
	}
	return b, nil
}

// walk reads the whole input.
func (r *Reader) walk(yield func(*flowfile.Flow, error) bool) {
	r.yield = yield
	err := r.roots()
	if err == nil {
		err = r.flush()
	}
	if err == nil || errors.Is(err, errStop) {
		return
	}
	if r.flush() == nil {
		yield(nil, err)
	}
}

// roots reads one HAR, or several one behind the other.
func (r *Reader) roots() error {
	for n := 0; ; n++ {
		c, ok := r.begin()
		at := r.p.offset()
		switch {
		case !ok:
			if err := r.p.torn(); err != io.ErrUnexpectedEOF {
				return err
			}
			return nil
		case c != '{':
			return r.rest(at, n)
		}
		r.log = logContext{}
		r.p.pos++
		r.p.used = 0
		err := r.p.members(func(key string) error { return r.member(key, true) })
		for isSyntax(err) {
			err = r.resume(err)
		}
		if err == io.ErrUnexpectedEOF {
			err = r.torn(at, "the log")
		}
		if err == nil {
			err = r.flush()
		}
		if err == nil && r.log.loses() {
			err = r.tell(&flowfile.Damage{
				Offset: at, Length: -1, Err: errors.New("the pages, comment or other fields of the log are left out: there is no entry that could keep them"),
			})
		}
		if err != nil {
			return err
		}
	}
}

// begin passes over what may stand before and behind a HAR: white space, byte order marks
// and the call that JSONP wraps around it.
func (r *Reader) begin() (byte, bool) {
	p := r.p
	for {
		c, ok := p.space()
		switch {
		case !ok:
			return 0, false
		case c == 0xef || c == 0xbb || c == 0xbf || c == ')' || c == ';' || c == '(' || c == 0:
			p.pos++
		case wordByte(c):
			p.run(256, wordByte)
			if c, ok = p.space(); ok && c != '(' {
				return c, true
			}
		default:
			return c, true
		}
	}
}

func wordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '$' || c == '.'
}

// rest tells of what is no HAR.
func (r *Reader) rest(at int64, roots int) error {
	what := "these bytes behind the HAR are none"
	flows := 0
	if roots == 0 {
		what, flows = "an object is wanted, with log in it", -1
	}
	for {
		r.p.pos = r.p.end
		if !r.p.fill() {
			break
		}
	}
	return r.tell(&flowfile.Damage{Offset: at, Length: r.p.offset() - at, Flows: flows, Err: errors.New(what)})
}

func (r *Reader) member(key string, root bool) error {
	c, ok := r.p.space()
	at := r.p.offset()
	switch {
	case !ok:
		return r.p.torn()
	case root && key == "log" && c == '{':
		r.p.pos++
		return r.p.members(func(key string) error { return r.member(key, false) })
	case key == "entries" && c == '[':
		r.p.pos++
		return r.entries()
	}
	v, err := r.p.value(0)
	if err != nil {
		return err
	}
	switch {
	case root && key == "log":
		return r.tell(&flowfile.Damage{Offset: at, Length: r.p.offset() - at, Flows: -1, Err: errors.New("log is no object")})
	case key == "entries":
		return r.tell(&flowfile.Damage{Offset: at, Length: r.p.offset() - at, Flows: -1, Err: errors.New("log.entries is no array")})
	}
	r.log.add(key, v)
	return nil
}

// entries reads the entries behind the bracket.
func (r *Reader) entries() error {
	p := r.p
	for {
		c, ok := p.space()
		at := p.offset()
		switch {
		case !ok:
			return r.torn(at, fmt.Sprintf("entry %d", r.index))
		case c == ']':
			p.pos++
			return nil
		case c == ',':
			p.pos++
			continue
		}
		if err := r.entry(); err != nil {
			return err
		}
	}
}

// entry reads one entry. If it cannot be read, the next one is looked for.
func (r *Reader) entry() error {
	p := r.p
	at := p.offset()
	v, err := r.value()
	what := fmt.Sprintf("entry %d", r.index)
	switch {
	case err == nil:
		return r.deliver(at, v)
	case err == io.ErrUnexpectedEOF:
		return r.torn(at, what)
	case isSyntax(err):
		r.index++
		return r.damaged(at, fmt.Errorf("%s: %w", what, err), 1)
	}
	return err
}

// value reads what may be an entry.
func (r *Reader) value() (value, error) {
	r.p.used = 0
	r.p.message = r.addMessage
	v, err := r.p.value(0)
	r.p.message = nil
	return v, err
}

// deliver turns an entry into a flow.
func (r *Reader) deliver(at int64, v value) error {
	i := r.index
	r.index++
	e, err := r.convert(i, v)
	if err != nil {
		return r.tell(&flowfile.Damage{Offset: at, Length: r.p.offset() - at, Flows: 1, Err: fmt.Errorf("entry %d: %w", i, err)})
	}
	if err := r.flush(); err != nil {
		return err
	}
	e.off = at
	r.last = e
	return nil
}

// flush hands out the entry that waits.
func (r *Reader) flush() error {
	e := r.last
	if e == nil {
		return nil
	}
	r.last = nil
	if err := r.keep(e); err != nil {
		return err
	}
	if !r.yield(e.flow, nil) {
		return errStop
	}
	return nil
}
