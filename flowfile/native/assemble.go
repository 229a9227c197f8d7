package native

import (
	"errors"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
)

// growing is a flow whose end record has not been seen.
type growing struct {
	wire.Growing
	bodies [2]stored // as far as the head had them
	chunks [2]chunks
	msgs   messages
	lost   bool // something that belongs to it
}

// chunks are what part records brought of one body.
type chunks struct {
	pieces []flowfile.Content
	spool  *flowfile.SpoolWriter
	size   int64
	begun  bool // there were some
	gap    bool // a chunk is missing; what comes behind it has no place
	last   bool
}

// assembly puts flows together from the entries of a session.
type assembly struct {
	file    string
	pipe    bool
	need    flowfile.Need
	spools  spools
	recent  *recent
	dec     wire.Decoder
	session uint64
	open    map[string]*growing
	order   []string // ids in open, in their order; may hold ids that are closed
	orphans bool     // entries without their head were reported
	salvage *Salvage // counts; nil: nobody wants it
}

// emit takes a flow with the bytes of its bodies, or an error. An error that is no
// *flowfile.Damage is final.
type emit func(f *flowfile.Flow, bytes int64, err error)

// block adds the entries of one block and calls emit with what is complete.
func (a *assembly) block(d *decoded, emit emit) {
	if d.block.Header.Session != a.session {
		a.flush(emit)
		a.session, a.orphans = d.block.Header.Session, false
	}
	for i := range d.items {
		it := &d.items[i]
		switch it.what {
		case isFlow:
			a.salvage.found(d.block.Offset)
			a.salvage.deliver(it.lost, it.flow.Incomplete())
			emit(it.flow, it.bytes, nil)
			continue
		case isDamage:
			emit(nil, 0, it.err)
			continue
		case isHead:
			a.salvage.found(d.block.Offset)
			it.head.lost = it.lost
			a.begin(it, emit)
			continue
		}
		g := a.open[it.id]
		if g == nil {
			a.orphan(d.block, it, emit)
			continue
		}
		g.lost = g.lost || it.lost
		var err error
		switch it.what {
		case isMsg:
			err = g.msgs.add(a, d.far, it)
		case isPart:
			err = a.part(g, it)
		case isLate:
			err = a.late(g, d.block, it)
		case isEnd:
			err = a.late(g, d.block, it)
			a.close(it.id, g, emit)
		}
		if err != nil {
			emit(nil, 0, err)
		}
	}
}

// orphan reports, once in a session, an entry whose head is missing.
func (a *assembly) orphan(b *block.Block, it *item, emit emit) {
	if a.orphans {
		return
	}
	a.orphans = true
	emit(nil, 0, entryDamage(a.file, b, it.entry, errors.New("it belongs to a flow whose head is not there, and is left out, as are others like it")))
}

func (a *assembly) begin(it *item, emit emit) {
	if old := a.open[it.id]; old != nil { // the same id again: the first was never ended
		old.Head.Incomplete = true
		a.close(it.id, old, emit)
	}
	if a.open == nil {
		a.open = make(map[string]*growing)
	}
	a.open[it.id] = it.head
	a.order = append(a.order, it.id)
}

func (a *assembly) part(g *growing, it *item) error {
	if it.part.Part != wire.PartRequestBody && it.part.Part != wire.PartResponseBody {
		return nil
	}
	c := &g.chunks[it.part.Part]
	c.begun = true
	if it.part.Off != c.size || c.last || it.body == nil {
		c.gap = true
	}
	if c.gap {
		return nil
	}
	c.last, c.gap = it.part.Last, it.lost
	size := it.body.Size()
	c.size += size
	switch {
	case size == 0:
		return nil
	case !a.pipe:
		c.pieces = append(c.pieces, released{it.body})
		return nil
	case a.need&flowfile.NeedBodies == 0:
		c.pieces = append(c.pieces, passed(size))
		return nil
	}
	b, err := it.body.Bytes()
	if err != nil {
		c.gap, c.size = true, c.size-size
		return nil // the block's damage is reported
	}
	if c.spool == nil {
		c.spool = a.spools.get().NewWriter()
	}
	a.spools.used += size
	_, err = c.spool.Write(b)
	return err
}

// late merges what a late or end record says.
func (a *assembly) late(g *growing, b *block.Block, it *item) error {
	for part := range g.bodies {
		if it.late.bodies[part].there {
			g.bodies[part] = it.late.bodies[part]
		}
	}
	if c := it.late.conns[0]; c != nil {
		g.Head.Client = c
	}
	if c := it.late.conns[1]; c != nil {
		g.Head.Server = c
	}
	_, err := a.dec.Begin(it.record)
	if err == nil {
		_, err = a.dec.FlowID()
	}
	if err == nil {
		err = a.dec.Update(&g.Growing, wire.Parts{Request: g.bodies[0].Body, Response: g.bodies[1].Body})
	}
	if err != nil {
		g.Head.Incomplete = true
		return entryDamage(a.file, b, it.entry, err)
	}
	return nil
}

// close delivers g.
func (a *assembly) close(id string, g *growing, emit emit) {
	delete(a.open, id)
	if len(a.order) > 2*len(a.open)+64 {
		kept := a.order[:0]
		for _, id := range a.order {
			if a.open[id] != nil {
				kept = append(kept, id)
			}
		}
		a.order = kept
	}
	if r := g.Head.Request; r != nil {
		r.InitBody(g.body(wire.PartRequestBody))
	}
	if r := g.Head.Response; r != nil {
		r.InitBody(g.body(wire.PartResponseBody))
	}
	if g.msgs.n > 0 {
		m := g.msgs
		g.Head.Messages = &m
	}
	a.salvage.deliver(g.lost, g.Head.Incomplete)
	// The pieces are read when it is their turn: what counts against a batch is little.
	emit(g.Finish(), 0, nil)
}

// body puts together what the head, or the end, and the parts have.
func (g *growing) body(part int) flowfile.Body {
	s, c := g.bodies[part], &g.chunks[part]
	if !s.continues && !c.begun {
		return s.Body
	}
	b := flowfile.StringBody("")
	switch {
	case c.spool != nil:
		b = flowfile.ContentBody(c.spool.Content())
	case len(c.pieces) > 0:
		b = flowfile.ContentBody(&flowfile.Joined{Pieces: c.pieces, Total: c.size})
	}
	if c.last && !c.gap && s.State() != flowfile.BodyTruncated && g.Cut[part] == 0 {
		return b
	}
	total := g.Cut[part]
	if total == 0 && s.there {
		total = s.total
	}
	if total == 0 {
		total = -1
	}
	return b.Truncate(total)
}

// flush delivers what is open as incomplete, in the order it began.
func (a *assembly) flush(emit emit) {
	for _, id := range a.order {
		if g := a.open[id]; g != nil {
			g.Head.Incomplete = true
			a.close(id, g, emit)
		}
	}
	a.order = a.order[:0]
}

// spools gives the flows of a pipe a place for what cannot be read again. Flows that
// begin together share a spool, so that there are few files; it goes with the last of
// them.
type spools struct {
	dir  string
	last *flowfile.Spool
	used int64 // bytes written since last was made
}

const (
	spoolMemory = 4 << 20
	spoolShare  = 64 << 20
)

func (s *spools) get() *flowfile.Spool {
	if s.last == nil || s.used > spoolShare {
		s.last, s.used = &flowfile.Spool{Dir: s.dir, Memory: spoolMemory}, 0
	}
	return s.last
}
