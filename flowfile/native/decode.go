package native

import (
	"bytes"
	"errors"
	"fmt"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
)

// decoded is one block's entries, decoded by a worker, in the order of the file.
type decoded struct {
	block *block.Block
	far   *block.Block // the same, for what is kept: nothing of it is in memory
	items []item

	err    error            // instead of the rest of the block
	bodies *flowfile.Damage // bodies that cannot be read
}

// item is one entry that matters to the assembly.
type item struct {
	what   what
	flow   *flowfile.Flow // a complete flow
	bytes  int64          // of its bodies
	head   *growing       // an open one
	id     string         // of the flow that the entry belongs to
	entry  int            // index in the block
	record []byte         // of a late or end record; of a message on a pipe
	part   wire.Part
	body   *content // of a part
	late   parts    // what a late or end record brings
	msg    stored   // payload of a message on a pipe
	err    error    // bodies that cannot be read, or an entry that was passed over
	lost   bool     // bodies that cannot be read, or not to their end
}

// parts are the contents that an entry refers to.
type parts struct {
	bodies [2]stored
	conns  [2]*flowfile.Conn
	lost   bool // certificates
}

func (p *parts) wire() wire.Parts {
	return wire.Parts{
		Request: p.bodies[0].Body, Response: p.bodies[1].Body, Client: p.conns[0], Server: p.conns[1],
	}
}

type what uint8

const (
	isFlow what = iota
	isHead
	isMsg
	isPart
	isLate
	isEnd
	isDamage
)

// decoder decodes blocks; each worker has its own.
type decoder struct {
	wire  wire.Decoder
	inner wire.Decoder // of conn records
	need  flowfile.Need
	file  string
	pipe  bool
	near  home
	far   home
	buf   []byte // of Verbatim

	salvage bool
}

// home is where a flow gets the contents of a block from. Complete flows get them near,
// from the block that was decoded just now. Open flows outlive it by far: what they have
// is copied, or is a place in the file.
type home struct {
	b     *block.Block
	kept  bool                    // this is the far one
	conns map[int]*flowfile.Conn  // decoded already, by their place
	lost  map[*flowfile.Conn]bool // of which certificates are lost; when salvaging
}

func (d *decoder) block(b *block.Block) *decoded {
	out := &decoded{block: b, far: b.Fresh()}
	d.near.b, d.far.b, d.far.kept = b, out.far, true
	defer d.forget()
	entries, err := b.Entries()
	if err != nil {
		out.err = damage(d.file, err)
		return out
	}
	out.items = make([]item, 0, b.Header.Records)
	for entries.Next() {
		it, ok, err := d.entry(b, entries)
		if err != nil {
			it, ok = item{what: isDamage, err: entryDamage(d.file, b, entries.Index(), err)}, true
		}
		if ok {
			out.items = append(out.items, it)
		}
	}
	if err := entries.Err(); err != nil {
		out.err = damage(d.file, err)
	}
	if d.need&flowfile.NeedBodies != 0 {
		d.fetch(b, out)
	}
	return out
}

// forget lets go of the block: a worker that waits for the next must not hold it.
func (d *decoder) forget() {
	clear(d.near.conns)
	clear(d.far.conns)
	clear(d.near.lost)
	clear(d.far.lost)
	d.near.b, d.far.b = nil, nil
}

// entryDamage is an entry that cannot be read.
func entryDamage(file string, b *block.Block, entry int, err error) error {
	return &flowfile.Damage{
		File: file, Offset: b.Offset, Length: -1, Flows: -1,
		Err: fmt.Errorf("entry %d of the block: %w", entry, err),
	}
}

func (d *decoder) entry(b *block.Block, e *block.Entries) (it item, ok bool, err error) {
	typ, err := d.wire.Begin(e.Record())
	if err != nil {
		return it, false, err
	}
	it.entry = e.Index()
	switch typ {
	case wire.TypeMeta, wire.TypeConn:
		return it, false, nil
	case wire.TypeMsg:
		it.what = isMsg
		if it.id, err = d.wire.FlowID(); err == nil && (d.pipe || d.salvage) && d.need&flowfile.NeedMessages != 0 {
			it.record = e.Record()
			it.msg = bodyOf(b, e.Refs(), wire.PartPayload, d.file)
		}
		return it, true, err
	case wire.TypePart:
		it.what = isPart
		if it.id, err = d.wire.FlowID(); err != nil {
			return it, false, err
		}
		if it.part, err = d.wire.Part(); err != nil {
			return it, false, err
		}
		it.body = newContent(d.far.b, e.Refs(), it.part.Part, d.file)
		return it, true, nil
	case wire.TypeLate: // the flow goes on, far from this block
		it.what, it.record = isLate, bytes.Clone(e.Record())
		if it.id, err = d.wire.FlowID(); err != nil {
			return it, false, err
		}
		it.late, err = d.parts(&d.far, e.Refs())
		it.lost = it.late.lost
		return it, true, err
	case wire.TypeEnd:
		it.what, it.record = isEnd, e.Record()
		if it.id, err = d.wire.FlowID(); err != nil {
			return it, false, err
		}
		it.late, err = d.parts(&d.near, e.Refs())
		it.lost = it.late.lost
		return it, true, err
	}
	kind, known := flowfile.ParseKind(typ)
	if !known {
		return it, false, fmt.Errorf("a record of type %q, which this version of flowkit does not know, is left out", typ)
	}
	return d.flow(e, kind)
}

func (d *decoder) flow(e *block.Entries, kind flowfile.Kind) (it item, ok bool, err error) {
	it.entry = e.Index()
	p, err := d.parts(&d.near, e.Refs())
	if err != nil {
		return it, false, err
	}
	it.lost = p.lost
	g, err := d.wire.Flow(kind, p.wire())
	if err != nil {
		return it, false, err
	}
	if !g.Open {
		it.bytes = p.bodies[0].Size() + p.bodies[1].Size()
		it.flow = g.Finish()
		return it, true, nil
	}
	if p, err = d.parts(&d.far, e.Refs()); err != nil {
		return it, false, err
	}
	if _, err = d.wire.Begin(bytes.Clone(e.Record())); err != nil {
		return it, false, err
	}
	if g, err = d.wire.Flow(kind, p.wire()); err != nil {
		return it, false, err
	}
	it.what, it.id = isHead, g.Head.ID
	it.head = &growing{Growing: g, bodies: p.bodies}
	return it, true, nil
}

// parts returns what refs refer to.
func (d *decoder) parts(h *home, refs []block.Ref) (p parts, err error) {
	for _, ref := range refs {
		switch ref.Part {
		case wire.PartRequestBody, wire.PartResponseBody:
			if p.bodies[ref.Part].there {
				continue
			}
			p.bodies[ref.Part] = d.content(h, refs, ref.Part)
		case wire.PartClientConn, wire.PartServerConn:
			if len(ref.Ranges) != 1 {
				continue
			}
			if p.conns[ref.Part-wire.PartClientConn], err = d.conn(h, ref.Ranges[0]); err != nil {
				return p, err
			}
			p.lost = p.lost || h.lost[p.conns[ref.Part-wire.PartClientConn]]
		}
	}
	return p, nil
}

func (d *decoder) content(h *home, refs []block.Ref, part int) stored {
	s := bodyOf(h.b, refs, part, d.file)
	switch {
	case !h.kept || !d.pipe || s.Content() == nil:
		return s
	case d.need == flowfile.NeedHeads:
		state, total := s.State(), s.Total()
		s.Body = flowfile.ContentBody(passed(s.Size()))
		if state == flowfile.BodyTruncated {
			s.Body = s.Truncate(total)
		}
		return s
	}
	return s.inMemory()
}

func (d *decoder) conn(h *home, at block.Range) (*flowfile.Conn, error) {
	if c, ok := h.conns[at.Off]; ok {
		return c, nil
	}
	record, refs, err := d.near.b.Shared(at)
	if err != nil {
		return nil, err
	}
	if h.kept {
		record = bytes.Clone(record)
	}
	typ, err := d.inner.Begin(record)
	if err == nil && typ != wire.TypeConn {
		err = errors.New("a connection refers to a record of type " + typ)
	}
	if err != nil {
		return nil, err
	}
	c, err := d.inner.Conn(func(part int) flowfile.Body { return d.content(h, refs, part).Body })
	if err != nil {
		return nil, err
	}
	if d.salvage {
		h.dropLost(c)
	}
	if h.conns == nil {
		h.conns = make(map[int]*flowfile.Conn)
	}
	h.conns[at.Off] = c
	return c, nil
}

// fetch gets the bodies of the block ahead of their use, and finds those that are lost.
func (d *decoder) fetch(b *block.Block, out *decoded) {
	complete := d.pipe || d.salvage
	for i := range out.items {
		complete = complete || out.items[i].what == isFlow
	}
	var err error
	if complete {
		err = b.Prefetch()
	} else {
		// What larger bodies and messages are made of is read when it is their turn.
		var buf []byte
		if buf, err = b.Verbatim(d.buf); buf != nil {
			d.buf = buf
		}
	}
	if err == nil {
		return
	}
	for i := range out.items {
		out.items[i].findLost()
	}
	if errors.Is(err, block.ErrCut) || b.Rescued() {
		return // the reader of blocks reports it, with what comes behind
	}
	if !errors.As(damage(d.file, err), &out.bodies) { // a place on a disk that cannot be read
		out.bodies = &flowfile.Damage{File: d.file, Offset: b.Offset, Length: -1, Flows: -1, Err: err}
	}
}

// findLost makes bodies that cannot be read truncated ones of no bytes, or of what is left.
func (it *item) findLost() {
	switch it.what {
	case isFlow:
		if r := it.flow.Request(); r != nil {
			r.InitBody(it.found(r.Body()))
		}
		if r := it.flow.Response(); r != nil {
			r.InitBody(it.found(r.Body()))
		}
	case isMsg:
		it.found(it.msg.Body)
	case isHead:
		for i := range it.head.bodies {
			it.head.bodies[i].Body = it.found(it.head.bodies[i].Body)
		}
	case isLate, isEnd:
		for i := range it.late.bodies {
			it.late.bodies[i].Body = it.found(it.late.bodies[i].Body)
		}
	case isPart:
		if it.body == nil {
			return
		}
		if _, err := it.body.Bytes(); err != nil {
			it.body, it.lost = it.body.shortened(), true
		}
	}
}

func (it *item) found(b flowfile.Body) flowfile.Body {
	b, lost := found(b)
	it.lost = it.lost || lost
	return b
}

// damage gives an error of the block layer a file name.
func damage(file string, err error) error {
	var d *block.DamageError
	if !errors.As(err, &d) {
		return err
	}
	reason := fmt.Errorf("%v", d.Kind)
	if d.Cause != nil {
		reason = fmt.Errorf("%v: %w", d.Kind, d.Cause)
	}
	if d.Records > 0 { // connections and messages are entries, too
		reason = fmt.Errorf("%w, %d entries lost", reason, d.Records)
	}
	return &flowfile.Damage{
		File: file, Offset: d.Offset, Length: d.Skipped, Flows: -1, Torn: d.Kind == block.Torn, Err: reason,
	}
}
