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
	// Conns may alias large buffers: they are remembered for this batch alone.
	clear(w.conns)
	if w.conns == nil {
		w.conns = make(map[*flowfile.Conn]*block.Entry)
	}
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
func (w *Writer) add(e *block.Entry) (added bool, err error) {
	err = w.enc.Err()
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
	for i, c := range [...]*flowfile.Conn{f.Client(), f.Server()} {
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
	var large [2]*flowfile.Message
	if r := f.Request(); r != nil {
		if err := w.body(wire.PartRequestBody, &r.Message, &large[0]); err != nil {
			return err
		}
	}
	if r := f.Response(); r != nil {
		if err := w.body(wire.PartResponseBody, &r.Message, &large[1]); err != nil {
			return err
		}
	}
	open := large[0] != nil || large[1] != nil || f.Messages().Len() > 0
	added, err := w.add(&block.Entry{
		Record: w.enc.Flow(f, open), ID: f.ID(), Starts: true, Time: int64(f.Start()), Parts: w.parts,
	})
	if !added || !open {
		return err
	}
	return w.grow(f, large)
}

// grow writes what follows the head of an open flow.
func (w *Writer) grow(f *flowfile.Flow, large [2]*flowfile.Message) error {
	end := wire.End{Incomplete: f.Incomplete()}
	for part, m := range large {
		if m == nil {
			continue
		}
		cut, err := w.chunks(f, part, m)
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
		added, err := w.message(f, end.Messages, &m)
		if err != nil {
			return err
		}
		if added {
			end.Messages++
		}
	}
	return w.w.Add(&block.Entry{Record: w.enc.End(f.ID(), end)})
}

// body adds the body of m to the parts of the record, or says that it is large.
func (w *Writer) body(part int, m *flowfile.Message, large **flowfile.Message) error {
	b := m.Body()
	if b.State() == flowfile.BodyAbsent {
		return nil
	}
	p := block.Part{N: part, Total: b.Total()}
	if b.State() == flowfile.BodyTruncated {
		p.Flags = wire.FlagTruncated
	}
	if n := b.Size(); n < 0 || n > inlineMax {
		p.Flags |= wire.FlagContinues
		*large = m
		w.parts = append(w.parts, p)
		return nil
	}
	data, err := b.Bytes(-1)
	if err != nil {
		if err := w.damaged(err); err != nil {
			return err
		}
		p.Flags |= wire.FlagTruncated
	}
	p.Data, p.Incompressible = data, incompressible(m, data)
	w.parts = append(w.parts, p)
	return nil
}

// chunks writes a large body. It returns what End.Truncated wants.
func (w *Writer) chunks(f *flowfile.Flow, part int, m *flowfile.Message) (cut int64, err error) {
	b := m.Body()
	r, err := b.Open()
	if err != nil {
		return cutAt(b), w.damaged(err)
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
			cut = cutAt(b)
		}
		data := w.buf[:n]
		err := w.w.Add(&block.Entry{
			Record: w.enc.Part(f.ID(), part, off, last),
			Parts:  []block.Part{{N: part, Data: data, Off: off, Total: b.Total(), Incompressible: incompressible(m, data)}},
		})
		if err != nil {
			return 0, err
		}
		off += int64(n)
	}
	return cut, nil
}

// cutAt is what End.Truncated says of a body that could not be read to its end.
func cutAt(b flowfile.Body) int64 {
	if n := b.Total(); n > 0 {
		return n
	}
	return -1
}

func (w *Writer) message(f *flowfile.Flow, n int, m *flowfile.Msg) (added bool, err error) {
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
			err = fmt.Errorf("flow %s: message %d: only the first %d of %d bytes are kept", f.ID(), n, messageMax, total)
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
	added, err = w.add(&block.Entry{Record: w.enc.Msg(f.ID(), n, m), Time: int64(m.Time), Parts: w.parts})
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
