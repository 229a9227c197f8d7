package har

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"flowkit/flowfile"
)

// damaged tells of what could not be read at a place, after it found the next entry and
// turned it into a flow; errStop if there is none.
func (r *Reader) damaged(at int64, err error, flows int) error {
	if ferr := r.flush(); ferr != nil {
		return ferr
	}
	v, to, found, ioErr := r.search()
	if ioErr != nil {
		return ioErr
	}
	err = r.tell(&flowfile.Damage{Offset: at, Length: to - at, Flows: flows, Err: err})
	switch {
	case err != nil:
		return err
	case !found:
		return errStop
	}
	return r.deliver(to, v)
}

// resume goes on behind damage outside of the entries, which takes what is not seen of
// the log with it.
func (r *Reader) resume(err error) error {
	at := r.p.offset()
	var se *syntaxError
	if errors.As(err, &se) {
		at = se.off
	}
	if err := r.damaged(at, fmt.Errorf("the log: %w", err), 0); err != nil {
		return err
	}
	if err := r.entries(); err != nil {
		return err
	}
	for _, root := range []bool{false, true} {
		if err := r.p.comma('}'); err != nil {
			return err
		}
		if err := r.p.members(func(key string) error { return r.member(key, root) }); err != nil {
			return err
		}
	}
	return nil
}

// search looks for an object that has a request.
func (r *Reader) search() (v value, at int64, found bool, err error) {
	p := r.p
	p.back()
	for {
		c, ok := p.peek()
		at = p.offset()
		if !ok {
			if p.err != io.EOF {
				return v, at, false, p.err
			}
			return v, at, false, nil
		}
		if c != '{' {
			p.pos++
			continue
		}
		v, err := r.value()
		switch {
		case err == nil:
			if v.get("request").is(object) {
				return v, at, true, nil
			}
		case isSyntax(err):
			if p.offset() == at {
				p.pos++
			}
		case err != io.ErrUnexpectedEOF:
			return v, at, false, err
		}
	}
}

// torn tells that the input ends too early.
func (r *Reader) torn(at int64, what string) error {
	if err := r.p.torn(); err != io.ErrUnexpectedEOF {
		return err
	}
	if err := r.flush(); err != nil {
		return err
	}
	flows := 0
	if r.p.offset() > at && strings.HasPrefix(what, "entry") {
		flows = 1
	}
	d := &flowfile.Damage{Offset: at, Length: r.p.offset() - at, Flows: flows, Torn: true, Err: fmt.Errorf("%s is cut short", what)}
	if err := r.tell(d); err != nil {
		return err
	}
	return errStop
}

// tell hands out damage.
func (r *Reader) tell(d *flowfile.Damage) error {
	if err := r.flush(); err != nil {
		return err
	}
	d.File = r.o.Name
	if !r.yield(nil, d) {
		return errStop
	}
	return nil
}
