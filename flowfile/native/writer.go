package native

import (
	"errors"
	"fmt"
	"io"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
)

const (
	// A body up to inlineMax is stored with its flow, a larger one in part records of
	// chunk bytes, so that writer and reader hold one block whatever the body's size.
	inlineMax = 1 << 20
	chunk     = 1 << 20
	// messageMax is what is kept of one message: it has to fit a block.
	messageMax   = 32 << 20
	messageLarge = 8 << 20
)

// Level is how hard the writer compresses.
type Level = block.Level

// The levels, by what they are for: live capture, everything, archives.
const (
	Default Level = block.LevelDefault
	Fastest Level = block.LevelFastest
	Better  Level = block.LevelBetter
	Best    Level = block.LevelBest
)

// Errors of OpenAppend.
var (
	ErrLocked  = block.ErrLocked  // another process is writing to the file
	ErrNotFlow = block.ErrNotFlow // the file has content, and none of it is a flow file
)

// WriterOptions change how a Writer writes; the zero value is right for most.
type WriterOptions struct {
	Level   Level
	Workers int    // compressing goroutines; 0: one per processor
	NoIndex bool   // leave out the index block
	Creator string // program and version, for the meta record
	// OnDamage is told of bodies and messages that could not be read from their source
	// or are too large: what was stored of them is marked as truncated. Nil: the error
	// ends the writing.
	OnDamage func(d *flowfile.Damage)
}

func (o WriterOptions) block() block.WriterOptions {
	return block.WriterOptions{Level: o.Level, Workers: o.Workers, NoIndex: o.NoIndex}
}

// Writer writes native files. It implements flowfile.Sink.
type Writer struct {
	o     WriterOptions
	w     *block.Writer
	enc   wire.Encoder
	begun bool
	empty bool // a file without flows is written, too: one block that says what it is
	parts []block.Part
	conns map[*flowfile.Conn]*block.Entry // of the batch in hand
	buf   []byte                          // of a chunk
}

var _ flowfile.Sink = (*Writer)(nil)

// NewWriter returns a writer of one session; several sessions one behind the other are a
// valid file.
func NewWriter(w io.Writer, o WriterOptions) *Writer {
	return &Writer{o: o, w: block.NewWriter(w, o.block()), empty: true}
}

// OpenAppend returns a writer that goes on behind the last valid block of the file, which
// it locks and creates if it is not there. The tail tells what was found at the end.
func OpenAppend(path string, o WriterOptions, trim bool) (*Writer, *block.Tail, error) {
	w, tail, err := block.OpenAppend(path, o.block(), trim)
	if err != nil {
		return nil, nil, err
	}
	return &Writer{o: o, w: w}, tail, nil
}

// Write stores the flows of b.
func (w *Writer) Write(b *flowfile.Batch) error {
	if err := w.begin(); err != nil {
		return err
	}
	w.forget()
	for _, f := range b.Flows {
		if f.Dropped() {
			continue
		}
		if err := w.flow(f); err != nil {
			return fmt.Errorf("flow %s: %w", f.ID(), err)
		}
	}
	return nil
}

// forget drops what is remembered of connections: they may alias large buffers.
func (w *Writer) forget() {
	clear(w.conns)
	if w.conns == nil {
		w.conns = make(map[*flowfile.Conn]*block.Entry)
	}
}

// begin writes the record that begins a session, once.
func (w *Writer) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	return w.w.Add(&block.Entry{Record: w.enc.Meta(w.o.Creator)})
}

// Flush hands all that was written to the operating system.
func (w *Writer) Flush() error { return w.w.Flush() }

// Close completes the session with its index.
func (w *Writer) Close() error {
	var err error
	if w.empty {
		err = w.begin()
	}
	if cerr := w.w.Close(); err == nil {
		err = cerr
	}
	return err
}

// add adds an entry, and reports one that the format cannot hold: it is left out.
func (w *Writer) add(e *block.Entry) (added bool, err error) { return w.addIf(e, w.enc.Err()) }

// addIf is add for an entry whose record was encoded with err.
func (w *Writer) addIf(e *block.Entry, err error) (added bool, _ error) {
	if err == nil {
		err = w.w.Add(e)
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, block.ErrTooLarge), errors.Is(err, wire.ErrLimit):
		return false, w.damaged(fmt.Errorf("left out: %w", err))
	}
	return false, err
}

func (w *Writer) flow(f *flowfile.Flow) error {
	w.parts = w.parts[:0]
	if err := w.connections(f.Client(), f.Server()); err != nil {
		return err
	}
	var large [2]bool
	var bodies [2]payload
	if r := f.Request(); r != nil {
		bodies[wire.PartRequestBody] = payloadOf(&r.Message)
	}
	if r := f.Response(); r != nil {
		bodies[wire.PartResponseBody] = payloadOf(&r.Message)
	}
	for part, b := range bodies {
		var err error
		if large[part], err = w.body(part, b); err != nil {
			return err
		}
	}
	open := large[0] || large[1] || f.Messages().Len() > 0
	added, err := w.add(&block.Entry{
		Record: w.enc.Flow(f, open), ID: f.ID(), Starts: true, Time: int64(f.Start()), Parts: w.parts,
	})
	if !added || !open {
		return err
	}
	return w.grow(f, bodies, large)
}

// connections adds those that are not nil to the parts of the record.
func (w *Writer) connections(client, server *flowfile.Conn) error {
	for i, c := range [...]*flowfile.Conn{client, server} {
		if c == nil {
			continue
		}
		shared, err := w.conn(c)
		if err != nil {
			return err
		}
		if shared != nil {
			w.parts = append(w.parts, block.Part{N: wire.PartClientConn + i, Shared: shared})
		}
	}
	return nil
}

// grow writes what follows the head of an open flow.
func (w *Writer) grow(f *flowfile.Flow, bodies [2]payload, large [2]bool) error {
	end := wire.End{Incomplete: f.Incomplete()}
	for part, b := range bodies {
		if !large[part] {
			continue
		}
		cut, err := w.chunks(f.ID(), part, b)
		if err != nil {
			return err
		}
		end.Truncated[part] = cut
	}
	for m, err := range f.Messages().All() {
		if err != nil {
			if err := w.damaged(err); err != nil {
				return err
			}
			continue
		}
		added, err := w.message(f.ID(), end.Messages, &m)
		if err != nil {
			return err
		}
		if added {
			end.Messages++
		}
	}
	return w.w.Add(&block.Entry{Record: w.enc.End(f.ID(), end)})
}

// body adds a body to the parts of the record, or says that it is large.
func (w *Writer) body(part int, b payload) (large bool, err error) {
	if b.State() == flowfile.BodyAbsent {
		return false, nil
	}
	p := block.Part{N: part, Total: b.Total()}
	if b.State() == flowfile.BodyTruncated {
		p.Flags = wire.FlagTruncated
	}
	if n := b.Size(); n < 0 || n > inlineMax {
		p.Flags |= wire.FlagContinues
		w.parts = append(w.parts, p)
		return true, nil
	}
	data, err := b.Bytes(-1)
	if err != nil {
		if err := w.damaged(err); err != nil {
			return false, err
		}
		p.Flags |= wire.FlagTruncated
	}
	p.Data, p.Incompressible = data, incompressible(b.squeezed, data)
	w.parts = append(w.parts, p)
	return false, nil
}

// chunks writes a large body. It returns what End.Truncated wants.
func (w *Writer) chunks(id string, part int, b payload) (cut int64, err error) {
	if b.Content() == nil { // in memory: no copy
		data, _ := b.Bytes(-1)
		for off := 0; ; off += chunk {
			n := min(chunk, len(data)-off)
			if err := w.chunk(id, part, b, int64(off), data[off:off+n], off+n == len(data)); err != nil || off+n == len(data) {
				return 0, err
			}
		}
	}
	r, err := b.Open()
	if err != nil {
		return cutAt(b.Body), w.damaged(err)
	}
	defer r.Close()
	if w.buf == nil {
		w.buf = make([]byte, chunk)
	}
	for off, last := int64(0), false; !last; {
		n, rerr := io.ReadFull(r, w.buf)
		last = rerr != nil
		if last && rerr != io.EOF && rerr != io.ErrUnexpectedEOF {
			if err := w.damaged(rerr); err != nil {
				return 0, err
			}
			cut = cutAt(b.Body)
		}
		if err := w.chunk(id, part, b, off, w.buf[:n], last); err != nil {
			return 0, err
		}
		off += int64(n)
	}
	return cut, nil
}

// chunk writes the bytes of a body from off on.
func (w *Writer) chunk(id string, part int, b payload, off int64, data []byte, last bool) error {
	return w.w.Add(&block.Entry{
		Record: w.enc.Part(id, part, off, last),
		Parts:  []block.Part{{N: part, Data: data, Off: off, Total: b.Total(), Incompressible: incompressible(b.squeezed, data)}},
	})
}

// cutAt is what End.Truncated says of a body that could not be read to its end.
func cutAt(b flowfile.Body) int64 {
	if n := b.Total(); n > 0 {
		return n
	}
	return -1
}

func (w *Writer) message(id string, n int, m *flowfile.Msg) (added bool, err error) {
	w.parts = w.parts[:0]
	total := m.Body.Total()
	var flags uint8
	if m.Body.State() == flowfile.BodyTruncated {
		flags = wire.FlagTruncated
	}
	data, err := m.Body.Bytes(messageMax)
	if errors.Is(err, flowfile.ErrTooLarge) {
		data, err = first(m.Body, messageMax)
		if err == nil {
			err = fmt.Errorf("flow %s: message %d: only the first %d of %d bytes are kept", id, n, messageMax, total)
		}
	}
	if err != nil {
		if err := w.damaged(err); err != nil {
			return false, err
		}
		flags = wire.FlagTruncated
	}
	// Several refs of one part are one behind the other.
	for rest := data; m.Body.State() != flowfile.BodyAbsent; {
		piece := rest[:min(len(rest), chunk)]
		rest = rest[len(piece):]
		w.parts = append(w.parts, block.Part{
			N: wire.PartPayload, Data: piece, Off: int64(len(data) - len(rest) - len(piece)), Total: total, Flags: flags,
		})
		if len(rest) == 0 {
			break
		}
	}
	added, err = w.add(&block.Entry{Record: w.enc.Msg(id, n, m), Time: int64(m.Time), Parts: w.parts})
	if err == nil && len(data) > messageLarge {
		// Its block is several times as large as others: not many of them at once.
		clear(w.parts)
		err = w.w.Flush()
	}
	return added, err
}

func first(b flowfile.Body, n int64) ([]byte, error) {
	r, err := b.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, n))
}

// conn returns the shared entry of c, nil if the format cannot hold it.
func (w *Writer) conn(c *flowfile.Conn) (*block.Entry, error) {
	if e, ok := w.conns[c]; ok {
		return e, nil
	}
	e := &block.Entry{Record: append([]byte(nil), w.enc.Conn(c)...)}
	if err := w.enc.Err(); err != nil {
		if err := w.damaged(fmt.Errorf("connection %s is left out: %w", c.ID, err)); err != nil {
			return nil, err
		}
		w.conns[c] = nil
		return nil, nil
	}
	add := func(part int, b flowfile.Body) error {
		if b.State() == flowfile.BodyAbsent {
			return nil
		}
		data, err := b.Bytes(chunk)
		if err != nil {
			return w.damaged(err)
		}
		e.Parts = append(e.Parts, block.Part{N: part, Data: data, Total: int64(len(data))})
		return nil
	}
	if err := add(wire.PartMitmCert, c.MitmCert); err != nil {
		return nil, err
	}
	for i, b := range c.Certificates {
		if err := add(wire.PartCert+i, b); err != nil {
			return nil, err
		}
	}
	w.conns[c] = e
	return e, nil
}

// damaged reports an error of a source; what it returns ends the writing.
func (w *Writer) damaged(err error) error {
	if w.o.OnDamage == nil {
		return err
	}
	var d *flowfile.Damage
	if !errors.As(err, &d) {
		d = &flowfile.Damage{Offset: -1, Length: -1, Err: err}
	}
	w.o.OnDamage(d)
	return nil
}
