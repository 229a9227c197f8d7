package native

import (
	"errors"
	"fmt"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
)

// decoded is one block's entries, decoded by a worker, in the order of the file.
type decoded struct {
	block *block.Block
	items []item
	err   error // instead of the rest of the block
}

// item is one entry that matters to the assembly.
type item struct {
	what  what
	flow  *flowfile.Flow // a complete flow
	bytes int64          // of its bodies
	head  *growing       // an open one
	id    string         // of the flow that the entry belongs to
	entry int            // index in the block
	part  wire.Part
	body  *content
	size  int64
	err   error // bodies that cannot be read, or an entry that was passed over
}

type what uint8

const (
	isFlow what = iota
	isHead
	isMsg
	isPart
	isEnd
	isDamage
)

// decoder decodes blocks; each worker has its own.
type decoder struct {
	wire  wire.Decoder
	need  flowfile.Need
	file  string
	pipe  bool
	conns map[int]*flowfile.Conn // of the block in hand, by their place
	inner wire.Decoder           // of conn records
}

func (d *decoder) block(b *block.Block) *decoded {
	out := &decoded{block: b}
	clear(d.conns)
	entries, err := b.Entries()
	if err != nil {
		out.err = damage(d.file, err)
		return out
	}
	out.items = make([]item, 0, b.Header.Records)
	for entries.Next() {
		it, ok, err := d.entry(b, entries)
		if err != nil {
			out.items = append(out.items, item{what: isDamage, err: d.damage(b, entries.Index(), err)})
			continue
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

func (d *decoder) damage(b *block.Block, entry int, err error) error {
	return &flowfile.Damage{
		File: d.file, Offset: b.Offset, Length: -1, Flows: -1,
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
		if it.id, err = d.wire.FlowID(); err == nil && d.pipe {
			it.body = newContent(b, e.Refs(), wire.PartPayload, d.file)
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
		if it.body = newContent(b, e.Refs(), it.part.Part, d.file); it.body != nil {
			it.size = it.body.Size()
		}
		return it, true, nil
	case wire.TypeEnd:
		it.what = isEnd
		it.id, err = d.wire.FlowID()
		return it, true, err
	}
	kind, known := flowfile.ParseKind(typ)
	if !known {
		return it, false, fmt.Errorf("a record of type %q, which this version of flowkit does not know, is left out", typ)
	}
	return d.flow(b, e, kind)
}

func (d *decoder) flow(b *block.Block, e *block.Entries, kind flowfile.Kind) (it item, ok bool, err error) {
	it.entry = e.Index()
	refs := e.Refs()
	var p wire.Parts
	p.Request, _ = body(b, refs, wire.PartRequestBody, d.file)
	p.Response, _ = body(b, refs, wire.PartResponseBody, d.file)
	for _, ref := range refs {
		if ref.Part != wire.PartClientConn && ref.Part != wire.PartServerConn || len(ref.Ranges) != 1 {
			continue
		}
		c, err := d.conn(b, ref.Ranges[0])
		if err != nil {
			return it, false, err
		}
		if ref.Part == wire.PartClientConn {
			p.Client = c
		} else {
			p.Server = c
		}
	}
	it.bytes = p.Request.Size() + p.Response.Size()
	g, err := d.wire.Flow(kind, p)
	if err != nil {
		return it, false, err
	}
	if g.Open {
		it.what, it.id = isHead, g.Head.ID
		it.head = &growing{Growing: g, bodies: [2]flowfile.Body{p.Request, p.Response}}
		return it, true, nil
	}
	it.flow = g.Finish()
	return it, true, nil
}

func (d *decoder) conn(b *block.Block, at block.Range) (*flowfile.Conn, error) {
	if c, ok := d.conns[at.Off]; ok {
		return c, nil
	}
	record, refs, err := b.Shared(at)
	if err != nil {
		return nil, err
	}
	typ, err := d.inner.Begin(record)
	if err == nil && typ != wire.TypeConn {
		err = errors.New("a connection refers to a record of type " + typ)
	}
	if err != nil {
		return nil, err
	}
	c, err := d.inner.Conn(func(part int) flowfile.Body {
		body, _ := body(b, refs, part, d.file)
		return body
	})
	if err != nil {
		return nil, err
	}
	if d.conns == nil {
		d.conns = make(map[int]*flowfile.Conn)
	}
	d.conns[at.Off] = c
	return c, nil
}

// fetch gets the bodies of the block ahead of their use, and finds those that are lost.
func (d *decoder) fetch(b *block.Block, out *decoded) {
	complete := d.pipe
	for i := range out.items {
		complete = complete || out.items[i].what == isFlow
	}
	var err error
	if complete {
		err = b.Prefetch()
	} else {
		// What larger bodies and messages are made of is read when it is their turn.
		err = b.Verify()
	}
	if err == nil {
		return
	}
	for i := range out.items {
		it := &out.items[i]
		if it.what == isPart && it.body != nil {
			if _, err := it.body.Bytes(); err != nil {
				it.body = nil
			}
		}
		if it.what != isFlow {
			continue
		}
		if r := it.flow.Request(); r != nil {
			lost(&r.Message)
		}
		if r := it.flow.Response(); r != nil {
			lost(&r.Message)
		}
	}
	if errors.Is(err, block.ErrCut) {
		return // the reader of blocks reports it, with what comes behind
	}
	out.items = append(out.items, item{what: isDamage, err: damage(d.file, err)})
}

// lost makes a body that cannot be read a truncated one of no bytes.
func lost(m *flowfile.Message) {
	c, ok := m.Body().Content().(*content)
	if !ok {
		return
	}
	if _, err := c.Bytes(); err != nil {
		m.InitBody(flowfile.StringBody("").Truncate(m.Body().Total()))
	}
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
	return &flowfile.Damage{
		File: file, Offset: d.Offset, Length: d.Skipped, Flows: d.Records, Torn: d.Kind == block.Torn, Err: reason,
	}
}
