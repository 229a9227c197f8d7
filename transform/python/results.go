package python

import (
	"fmt"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
)

// first returns the batch that the child works on, nil if there is none.
func (w *worker) first() *pending {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pending) == 0 {
		return nil
	}
	return w.pending[0]
}

// raised handles an exception of a script.
func (w *worker) raised(f *fieldsOf) error {
	e := &script.Error{Script: f.text(), Line: int(f.int()), Msg: f.text(), Trace: f.text()}
	hook, index := f.text(), int(f.int())
	if f.err != nil {
		return f.err
	}
	h, ok := replay.ParseHook(hook)
	if !ok {
		h = w.phase
	}
	p := w.first()
	if index < 0 || p == nil || index >= len(p.flows) {
		if w.phase == replay.Load && hook == "" { // while it was loaded
			w.starts = e
			return nil
		}
		if err := w.session.failed(nil, h, e); err != nil && w.starts == nil {
			w.starts = err
		}
		return nil
	}
	if err := w.session.failed(p.flows[index], h, e); err != nil && p.err == nil {
		p.err = err
	}
	return nil
}

// result takes over what the scripts changed in some flows of a batch.
func (w *worker) result(f *fieldsOf, raw []byte) error {
	seq, from, to, diffs, stop := f.int(), int(f.int()), int(f.int()), f.list(), f.value()
	p := w.first()
	if f.err != nil || p == nil || p.seq != seq || from != p.at || to < from || to > len(p.flows) {
		return fmt.Errorf("result: %w", errMarshal)
	}
	for _, d := range diffs {
		a := apply{worker: w, raw: raw}
		t, ok := d.(tuple)
		if !ok {
			return fmt.Errorf("result: %w", errMarshal)
		}
		if err := a.diff(p.flows, t); err != nil {
			// It is the script's: a value of a form that nobody foresaw.
			w.unfit(p, t, err)
		}
	}
	p.at = to
	if stop != nil {
		w.stop(p, stop)
	} else if to < len(p.flows) {
		return nil
	}
	w.mu.Lock()
	w.pending = w.pending[1:]
	w.mu.Unlock()
	close(p.done)
	return nil
}

// unfit reports a change that could not be made.
func (w *worker) unfit(p *pending, t tuple, err error) {
	var flow *flowfile.Flow
	d := fieldsOf{t: t}
	if i := int(d.int()); d.err == nil && i >= 0 && i < len(p.flows) {
		flow = p.flows[i]
	}
	e := &script.Error{Script: names(w.session.specs), Msg: "a change cannot be stored: " + err.Error()}
	if err := w.session.failed(flow, w.phase, e); err != nil && p.err == nil {
		p.err = err
	}
}

// stop ends the run behind the flow that is done last.
func (w *worker) stop(p *pending, stop any) {
	last := 0 // flows of the batch up to the last that was done
	if p.at > 0 {
		for i, f := range p.rest.Flows {
			if f == p.flows[p.at-1] {
				last = i + 1
			}
		}
	}
	for _, f := range p.rest.Flows[last:] {
		f.Drop() // no script has seen them
	}
	t, _ := stop.(tuple)
	f := fieldsOf{t: t}
	if kind, code, name, hook := f.text(), f.text(), f.text(), f.text(); kind == "exit" && p.at > 0 {
		h, _ := replay.ParseHook(hook)
		if err := w.session.failed(p.flows[p.at-1], h, &script.ExitError{Script: name, Code: code}); err != nil {
			p.err = err
		}
	}
	if p.err == nil {
		p.err = replay.ErrStop
	}
}
