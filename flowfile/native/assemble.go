package native

import (
	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
)

// growing is a flow whose end record has not been seen.
type growing struct {
	wire.Growing
	bodies [2]flowfile.Body // as far as the head had them
	parts  [2]parts
	msgs   messages
}

// parts are the chunks of one body.
type parts struct {
	pieces []flowfile.Content
	spool  *flowfile.SpoolWriter
	size   int64
	gap    bool // a chunk is missing; what comes behind it has no place
	last   bool
}

// assembly puts flows together from the entries of a session.
type assembly struct {
	file    string
	pipe    bool
	heads   bool // bodies will not be asked for, and on a pipe are not there
	tmp     string
	dec     wire.Decoder
	session uint64
	open    map[string]*growing
	order   []string // ids in open, in their order; may hold ids that are closed
}

// block adds the entries of one block and calls emit with what is complete.
func (a *assembly) block(d *decoded, emit func(*flowfile.Flow, int64, error)) {
	if d.block.Header.Session != a.session {
		a.flush(emit)
		a.session = d.block.Header.Session
	}
	var ends *block.Entries
	for i := range d.items {
		it := &d.items[i]
		switch it.what {
		case isFlow:
			emit(it.flow, it.bytes, nil)
		case isDamage:
			emit(nil, 0, it.err)
		case isHead:
			a.begin(it, emit)
		case isMsg:
			if g := a.find(it.id); g != nil {
				if err := g.msgs.add(a, d.block, it); err != nil {
					emit(nil, 0, err)
				}
			}
		case isPart:
			if g := a.find(it.id); g != nil {
				if err := a.part(g, it); err != nil {
					emit(nil, 0, err)
				}
			}
		case isEnd:
			if g := a.find(it.id); g != nil {
				err := a.end(g, d.block, &ends, it)
				a.close(it.id, g, emit)
				if err != nil {
					emit(nil, 0, err)
				}
			}
		}
	}
	if a.pipe {
		return
	}
	for i := range d.items {
		// A block without complete flows is only places from here on.
		if d.items[i].what == isFlow {
			return
		}
	}
	if len(d.items) > 0 {
		d.block.Release()
	}
}

func (a *assembly) begin(it *item, emit func(*flowfile.Flow, int64, error)) {
	if old := a.find(it.id); old != nil { // the same id again: the first was never ended
		old.Head.Incomplete = true
		a.close(it.id, old, emit)
	}
	if a.open == nil {
		a.open = make(map[string]*growing)
	}
	a.open[it.id] = it.head
	a.order = append(a.order, it.id)
}

func (a *assembly) find(id string) *growing { return a.open[id] }

func (a *assembly) part(g *growing, it *item) error {
	if it.part.Part != wire.PartRequestBody && it.part.Part != wire.PartResponseBody {
		return nil
	}
	p := &g.parts[it.part.Part]
	if it.part.Off != p.size || it.body == nil && !it.part.Last {
		p.gap = true
	}
	if p.gap {
		return nil
	}
	p.last = it.part.Last
	p.size += it.size
	if it.body == nil {
		return nil
	}
	if !a.pipe || a.heads {
		p.pieces = append(p.pieces, released{it.body})
		return nil
	}
	b, err := it.body.Bytes()
	if err != nil {
		p.gap = true
		return nil
	}
	if p.spool == nil {
		p.spool = a.newSpool().NewWriter()
	}
	_, err = p.spool.Write(b)
	return err
}

// newSpool returns the spool of one flow, which goes with it.
func (a *assembly) newSpool() *flowfile.Spool {
	return &flowfile.Spool{Dir: a.tmp, Memory: 1 << 20}
}

// end merges what the end record says.
func (a *assembly) end(g *growing, b *block.Block, ends **block.Entries, it *item) error {
	if *ends == nil || (*ends).Index() >= it.entry {
		e, err := b.Entries()
		if err != nil {
			return damage(a.file, err)
		}
		*ends = e
	}
	for (*ends).Next() {
		if (*ends).Index() < it.entry {
			continue
		}
		if _, err := a.dec.Begin((*ends).Record()); err != nil {
			return err
		}
		if _, err := a.dec.FlowID(); err != nil {
			return err
		}
		return a.dec.Update(&g.Growing, wire.Parts{Request: g.bodies[0], Response: g.bodies[1]})
	}
	return nil
}

// close delivers g.
func (a *assembly) close(id string, g *growing, emit func(*flowfile.Flow, int64, error)) {
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
		r.InitBody(g.body(0))
	}
	if r := g.Head.Response; r != nil {
		r.InitBody(g.body(1))
	}
	if g.msgs.n > 0 {
		m := g.msgs
		g.Head.Messages = &m
	}
	f := g.Finish()
	// The pieces are read when it is their turn: what counts against a batch is little.
	emit(f, 0, nil)
}

// body puts the head's content and the parts together.
func (g *growing) body(part int) flowfile.Body {
	p, head := &g.parts[part], g.bodies[part]
	if p.size == 0 && !p.gap && !p.last {
		if head.State() == flowfile.BodyPresent && g.Head.Incomplete {
			return head.Truncate(-1)
		}
		return head
	}
	var b flowfile.Body
	switch {
	case p.spool != nil:
		b = flowfile.ContentBody(p.spool.Content())
	default:
		b = flowfile.ContentBody(&flowfile.Joined{Pieces: p.pieces, Total: p.size})
	}
	total := head.Total()
	if cut := g.Cut[part]; cut != 0 {
		total = cut
	}
	if head.State() == flowfile.BodyTruncated || p.gap || !p.last || g.Cut[part] != 0 {
		if total == 0 {
			total = -1
		}
		b = b.Truncate(total)
	}
	return b
}

// flush delivers what is open as incomplete, in the order it began.
func (a *assembly) flush(emit func(*flowfile.Flow, int64, error)) {
	for _, id := range a.order {
		if g := a.open[id]; g != nil {
			g.Head.Incomplete = true
			a.close(id, g, emit)
		}
	}
	a.order = a.order[:0]
}
