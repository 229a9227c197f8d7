package native

import (
	"cmp"
	"slices"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
)

// writing is the half of a Recorder that its goroutine has for itself.
type writing struct {
	r        *Recorder
	w        *Writer
	now      wire.Encoder // of what flows are now, to be compared
	open     map[*OpenFlow]struct{}
	begun    int64 // flows opened, for their order
	damage   bool  // the item in hand could not be read whole
	failing  error // nothing can be written now
	final    bool  // and never will be
	onDamage func(d *flowfile.Damage)
}

// grown is what is written of an open flow.
type grown struct {
	number   int64
	head     []byte // its record, and what late records made of it
	known    known
	parted   [2]bool  // the body came in parts
	ended    [2]bool  // the last of them is written
	off      [2]int64 // how far they came, written or not
	gap      [2]bool  // some of them were not written
	messages int      // written
	headless bool     // there is no head in the file
	lost     bool     // something of it was, and it is counted
}

// item writes one item, or counts it as lost.
func (w *writing) item(it *task) {
	w.damage = false
	switch it.what {
	case stepFlow, stepOpen:
		w.count(func(s *RecorderStats) { s.Flows++ })
	}
	if it.what == stepOpen {
		w.begun++
		it.open.grown.number = w.begun
		it.open.grown.headless = true
		w.open[it.open] = struct{}{}
		w.count(func(s *RecorderStats) { s.Open = int64(len(w.open)) })
	}
	if w.failing != nil {
		w.lose(it)
	} else if err := w.write(it); err != nil {
		w.lose(it)
		w.fail(err)
	}
	if w.damage {
		w.loseFlow(it.open)
	}
	if it.what == stepEnd {
		w.drop(it.open)
	}
}

func (w *writing) drop(o *OpenFlow) {
	delete(w.open, o)
	w.count(func(s *RecorderStats) { s.Open = int64(len(w.open)) })
	o.grown = grown{headless: true, lost: true} // what it held may be large
}

// write writes one item; an error means that nothing more can be written.
func (w *writing) write(it *task) error {
	if err := w.w.begin(); err != nil {
		return err
	}
	if len(w.w.conns) > maxConnsKnown || w.w.conns == nil {
		w.w.forget()
	}
	if it.what != stepFlow && it.what != stepOpen && it.open.grown.headless {
		w.lose(it)
		return nil
	}
	switch it.what {
	case stepFlow:
		return w.w.flow(it.flow)
	case stepOpen:
		return w.head(it.open, it.snap)
	case stepUpdate:
		return w.update(it.open, it.snap)
	case stepPart:
		return w.part(it)
	case stepMessage:
		return w.message(it)
	}
	return w.end(it.open, it.flow, *it.end)
}

func (w *writing) head(o *OpenFlow, s *snapshot) error {
	g := &o.grown
	if s.err != nil {
		w.left(s.err)
		return nil
	}
	w.w.parts = w.w.parts[:0]
	if err := w.w.connections(s.client, s.server); err != nil {
		return err
	}
	large, err := w.bodies(g, known{}, s.known)
	if err != nil {
		return err
	}
	added, err := w.w.addIf(&block.Entry{
		Record: s.record, ID: o.id, Starts: true, Time: int64(s.start), Parts: w.w.parts,
	}, nil)
	if err != nil || !added {
		return err
	}
	g.headless, g.head, g.known = false, s.record, s.known
	return w.chunks(o, large)
}

// bodies adds those bodies to the parts of a record that are not what they were. Those that
// are too large for it are returned.
func (w *writing) bodies(g *grown, was, is known) (large [2]payload, err error) {
	for part, b := range is.bodies {
		if g.parted[part] || same(b.Body, was.bodies[part].Body) {
			continue
		}
		if b.State() == flowfile.BodyAbsent { // it was there
			w.w.parts = append(w.w.parts, block.Part{N: part, Flags: wire.FlagNotStored})
			continue
		}
		much, err := w.w.body(part, b)
		if err != nil {
			return large, err
		}
		if much {
			large[part] = b
		}
	}
	return large, nil
}

// same tells whether two bodies are known to be the same. Those that have to be read are not.
func same(a, b flowfile.Body) bool {
	if a.State() != b.State() || a.Total() != b.Total() || a.Content() != nil || b.Content() != nil {
		return false
	}
	x, _ := a.Bytes(-1)
	y, _ := b.Bytes(-1)
	return string(x) == string(y)
}

// chunks writes large bodies behind the record that announced them.
func (w *writing) chunks(o *OpenFlow, large [2]payload) error {
	g := &o.grown
	for part, b := range large {
		if b.State() == flowfile.BodyAbsent {
			continue
		}
		g.parted[part], g.ended[part] = true, true
		g.off[part], g.gap[part] = cutAt(b.Body), true // until all of it is written
		cut, err := w.w.chunks(o.id, part, b)
		if err != nil {
			return err
		}
		g.gap[part] = cut != 0
	}
	return nil
}

func (w *writing) update(o *OpenFlow, s *snapshot) error {
	g := &o.grown
	if s.err != nil {
		w.left(s.err)
		return nil
	}
	large, err := w.change(g, s.known)
	if err != nil {
		return err
	}
	record, differs := w.w.enc.Late(o.id, g.head, s.record)
	if !differs && len(w.w.parts) == 0 {
		return nil
	}
	added, err := w.w.add(&block.Entry{Record: record, Parts: w.w.parts})
	if err != nil || !added {
		return err
	}
	g.head, g.known = s.record, s.known
	return w.chunks(o, large)
}

// change makes the parts of a record of what is not as it was.
func (w *writing) change(g *grown, is known) (large [2]payload, err error) {
	w.w.parts = w.w.parts[:0]
	client, server := is.client, is.server
	if client == g.known.client {
		client = nil
	}
	if server == g.known.server {
		server = nil
	}
	if err := w.w.connections(client, server); err != nil {
		return large, err
	}
	return w.bodies(g, g.known, is)
}

func (w *writing) part(it *task) error {
	g := &it.open.grown
	part := int(it.part)
	off := g.off[part]
	if !g.parted[part] {
		off, g.parted[part] = 0, true
	}
	p := payload{flowfile.StringBody("").Truncate(-1), it.packed}
	if err := w.w.chunk(it.open.id, part, p, off, it.data, it.last); err != nil {
		return err
	}
	g.off[part] = off + int64(len(it.data))
	g.ended[part] = it.last
	return nil
}

func (w *writing) message(it *task) error {
	g := &it.open.grown
	added, err := w.w.message(it.open.id, g.messages, it.msg)
	switch {
	case added:
		g.messages++
	case err == nil:
		w.loseData(1, it.msg.Body.Size())
	}
	return err
}

func (w *writing) end(o *OpenFlow, f *flowfile.Flow, e End) error {
	g := &o.grown
	x := wire.End{Messages: g.messages, Incomplete: e.Incomplete}
	w.w.parts = w.w.parts[:0]
	var large [2]payload
	if f != nil {
		x.Incomplete = x.Incomplete || f.Incomplete()
		var err error
		if large, err = w.change(g, knownOf(f)); err != nil {
			return err
		}
		x.Before, x.After = g.head, w.now.FlowAt(f, true, o.base)
		if err := w.now.Err(); err != nil {
			w.left(err)
			x.Before, x.After, x.Incomplete = nil, nil, true
		}
	}
	// They stand in front of what announces them, since that is the end.
	if err := w.chunks(o, large); err != nil {
		return err
	}
	for part := range x.Truncated {
		switch {
		case !g.parted[part]:
		case g.gap[part] && e.Truncated[part] == 0:
			x.Truncated[part] = cmp.Or(g.off[part], -1)
		case e.Truncated[part] != 0 || g.ended[part] || x.Incomplete:
			x.Truncated[part] = e.Truncated[part]
		default:
			if err := w.w.chunk(o.id, part, payload{Body: flowfile.StringBody("")}, g.off[part], nil, true); err != nil {
				return err
			}
		}
	}
	added, err := w.w.add(&block.Entry{Record: w.w.enc.End(o.id, x), Parts: w.w.parts})
	if err == nil && !added { // what became known does not fit
		x.Before, x.After, x.Incomplete = nil, nil, true
		_, err = w.w.add(&block.Entry{Record: w.w.enc.End(o.id, x)})
	}
	return err
}

// left reports a record that the format cannot hold.
func (w *writing) left(err error) { _ = w.w.damaged(err) }

// damaged is told of bodies that cannot be read, and of records that the format cannot hold.
func (w *writing) damaged(d *flowfile.Damage) {
	w.damage = true
	if w.onDamage != nil {
		w.onDamage(d)
	}
}

// lose counts an item that cannot be written.
func (w *writing) lose(it *task) {
	switch it.what {
	case stepFlow:
		w.loseData(int64(it.flow.Messages().Len()), sizeOf(it.flow))
	case stepOpen:
		w.loseData(0, max(it.snap.bodies[0].Size(), 0)+max(it.snap.bodies[1].Size(), 0))
	case stepPart:
		g := &it.open.grown
		if !g.parted[it.part] {
			g.parted[it.part], g.off[it.part] = true, 0
		}
		g.off[it.part] += int64(len(it.data))
		g.gap[it.part] = true
		w.loseData(0, int64(len(it.data)))
	case stepMessage:
		w.loseData(1, it.msg.Body.Size())
	}
	w.loseFlow(it.open)
}

func sizeOf(f *flowfile.Flow) int64 {
	k := knownOf(f)
	return max(k.bodies[0].Size(), 0) + max(k.bodies[1].Size(), 0)
}

// loseFlow counts a flow, an open one once.
func (w *writing) loseFlow(o *OpenFlow) {
	if o != nil {
		if o.grown.lost {
			return
		}
		o.grown.lost = true
	}
	w.count(func(s *RecorderStats) { s.Lost.Flows++ })
}

func (w *writing) loseData(messages, size int64) {
	w.count(func(s *RecorderStats) {
		s.Lost.Messages += messages
		s.Lost.Bytes += max(size, 0)
	})
}

func (w *writing) count(f func(*RecorderStats)) {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	f(&w.r.stats)
}

// fail is told that nothing can be written from here on.
func (w *writing) fail(err error) {
	w.failing = err
	if w.final = !w.w.w.CanRetry(); w.final {
		w.loseUnwritten()
	}
	w.tell(err)
}

// tell tells what is lost so far, and why or that no more is, when that changes.
func (w *writing) tell(err error) {
	w.r.mu.Lock()
	news := (err == nil) != (w.r.stats.Lost.Err == nil)
	w.r.stats.Lost.Err = err
	lost := w.r.stats.Lost
	w.r.mu.Unlock()
	if news && w.r.o.OnLoss != nil {
		w.r.o.OnLoss(lost)
	}
}

// loseUnwritten counts what was taken and will not be written any more.
func (w *writing) loseUnwritten() {
	n := int64(w.w.w.Unwritten())
	w.count(func(s *RecorderStats) { s.Lost.Flows += n })
}

// flush hands what was written to the operating system, and tries again if that failed.
func (w *writing) flush() error {
	w.w.forget()
	if w.final {
		return w.failing
	}
	var err error
	if w.failing != nil {
		err = w.w.w.Retry()
	}
	if err == nil {
		err = w.w.w.Flush()
	}
	if err != nil {
		w.fail(err)
		return err
	}
	w.failing = nil
	if w.r.o.Sync {
		err = w.w.w.Sync() // that may be lost, but what comes is not
	}
	w.tell(err)
	return err
}

// close ends what is open and closes the file.
func (w *writing) close() error {
	err := w.flush()
	open := make([]*OpenFlow, 0, len(w.open))
	for o := range w.open {
		open = append(open, o)
	}
	slices.SortFunc(open, func(a, b *OpenFlow) int { return cmp.Compare(a.grown.number, b.grown.number) })
	for _, o := range open {
		w.item(&task{what: stepEnd, open: o, end: &End{Incomplete: true}})
	}
	if w.failing == nil {
		err = w.flush()
	}
	if w.failing != nil && !w.final {
		w.loseUnwritten()
	}
	if cerr := w.w.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		w.tell(err)
	}
	return err
}
