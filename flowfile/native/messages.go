package native

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"sync"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
)

// messages are the places of a flow's msg records: entries of blocks, or on a pipe a
// spool that holds record and payload one behind the other.
type messages struct {
	n      int
	file   string
	runs   []run
	recent *recent
	spool  *flowfile.SpoolWriter
}

// run is the msg records of one block.
type run struct {
	b       *block.Block
	entries []uint16
}

var _ flowfile.MessageSource = (*messages)(nil)

// Len returns the number of messages.
func (m *messages) Len() int { return m.n }

// All decodes the messages, one block after the other.
func (m *messages) All() iter.Seq2[flowfile.Msg, error] {
	switch {
	case m.spool != nil:
		return m.spooled
	case m.runs != nil:
		return m.placed
	}
	return func(yield func(flowfile.Msg, error) bool) { yield(flowfile.Msg{}, errPassed) }
}

func (m *messages) placed(yield func(flowfile.Msg, error) bool) {
	var dec wire.Decoder
	for _, r := range m.runs {
		more := m.run(&dec, r, yield)
		m.recent.used(r.b)
		if !more {
			return
		}
	}
}

func (m *messages) run(dec *wire.Decoder, r run, yield func(flowfile.Msg, error) bool) bool {
	entries, err := r.b.Entries()
	if err != nil {
		return yield(flowfile.Msg{}, damage(m.file, err))
	}
	next := 0
	for next < len(r.entries) && entries.Next() {
		if entries.Index() != int(r.entries[next]) {
			continue
		}
		next++
		msg, err := decodeMsg(dec, entries.Record())
		if err != nil {
			err = entryDamage(m.file, r.b, entries.Index(), err)
		}
		msg.Body = bodyOf(r.b, entries.Refs(), wire.PartPayload, m.file).Body
		if r.b.Salvaging() {
			msg.Body, _ = found(msg.Body)
		}
		if !yield(msg, err) {
			return false
		}
	}
	if err := entries.Err(); err != nil {
		return yield(flowfile.Msg{}, damage(m.file, err))
	}
	return true
}

func decodeMsg(dec *wire.Decoder, record []byte) (flowfile.Msg, error) {
	if _, err := dec.Begin(record); err != nil {
		return flowfile.Msg{}, err
	}
	if _, err := dec.FlowID(); err != nil {
		return flowfile.Msg{}, err
	}
	msg, _, err := dec.Msg()
	return msg, err
}

// add remembers the message of an item. Its error is of the spool.
func (m *messages) add(a *assembly, far *block.Block, it *item) error {
	m.file = a.file
	m.n++
	if a.pipe {
		if a.need&flowfile.NeedMessages == 0 {
			return nil
		}
		if m.spool == nil {
			m.spool = a.spools.get().NewWriter()
		}
		return m.keep(a, it)
	}
	m.recent = a.recent
	if last := len(m.runs) - 1; last < 0 || m.runs[last].b != far {
		m.runs = append(m.runs, run{b: far})
	}
	r := &m.runs[len(m.runs)-1]
	r.entries = append(r.entries, uint16(it.entry))
	return nil
}

// A spooled message is a header of four numbers, the record and the payload.
const spoolHeader = 4 + 4 + 8 + 8

const noPayload = 1 << 31 // in place of flags

func (m *messages) keep(a *assembly, it *item) error {
	payload := it.msg
	c, _ := payload.Content().(*content)
	if c != nil && c.each(func([]byte) error { return nil }) != nil { // the block's damage is reported
		payload.Body, c = flowfile.StringBody("").Truncate(payload.Total()), nil
	}
	flags := uint32(0)
	switch payload.State() {
	case flowfile.BodyAbsent:
		flags = noPayload
	case flowfile.BodyTruncated:
		flags = wire.FlagTruncated
	}
	size := payload.Size()
	b := make([]byte, 0, spoolHeader+len(it.record)+int(min(size, 4096)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(it.record)))
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	b = binary.LittleEndian.AppendUint64(b, uint64(payload.Total()))
	b = append(b, it.record...)
	a.spools.used += int64(len(b)) + size
	write := func(p []byte) error {
		_, err := m.spool.Write(p)
		return err
	}
	if c == nil {
		return write(b)
	}
	if size <= 4096 { // most of them: one piece
		if err := c.each(func(p []byte) error { b = append(b, p...); return nil }); err != nil {
			return err
		}
		return write(b)
	}
	if err := write(b); err != nil {
		return err
	}
	return c.each(write)
}

func (m *messages) spooled(yield func(flowfile.Msg, error) bool) {
	r, err := m.spool.Content().Open()
	if err != nil {
		yield(flowfile.Msg{}, err)
		return
	}
	defer r.Close()
	buffered := bufio.NewReaderSize(r, 64<<10)
	var dec wire.Decoder
	for range m.n {
		b, flags, total, err := nextSpooled(buffered)
		if err != nil {
			yield(flowfile.Msg{}, fmt.Errorf("spool: %w", err))
			return
		}
		msg, err := decodeMsg(&dec, b.record)
		if flags&noPayload == 0 {
			msg.Body = flowfile.BytesBody(b.payload)
		}
		if flags&wire.FlagTruncated != 0 {
			msg.Body = msg.Body.Truncate(total)
		}
		if !yield(msg, err) {
			return
		}
	}
}

type spooledMsg struct{ record, payload []byte }

func nextSpooled(r io.Reader) (m spooledMsg, flags uint32, total int64, err error) {
	var h [spoolHeader]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return m, 0, 0, err
	}
	n := int(binary.LittleEndian.Uint32(h[:]))
	size := int(binary.LittleEndian.Uint64(h[8:]))
	b := make([]byte, n+size)
	_, err = io.ReadFull(r, b)
	return spooledMsg{b[:n:n], b[n:]}, binary.LittleEndian.Uint32(h[4:]), int64(binary.LittleEndian.Uint64(h[16:])), err
}

// recent keeps the blocks whose messages were read last decompressed: neighbouring flows
// have messages in the same blocks. It is safe for concurrent use.
type recent struct {
	mu     sync.Mutex
	blocks []*block.Block // the newest last
	bytes  int64
}

const recentBytes = 16 << 20

func (r *recent) used(b *block.Block) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, old := range r.blocks {
		if old == b {
			copy(r.blocks[i:], r.blocks[i+1:])
			r.blocks[len(r.blocks)-1] = b
			return
		}
	}
	r.blocks = append(r.blocks, b)
	r.bytes += rawSize(b)
	for r.bytes > recentBytes && len(r.blocks) > 0 {
		r.bytes -= rawSize(r.blocks[0])
		r.blocks[0].Release()
		r.blocks = append(r.blocks[:0], r.blocks[1:]...)
	}
}

// rawSize returns the bytes of a block when it is decompressed.
func rawSize(b *block.Block) int64 {
	n := int64(0)
	for _, s := range b.Header.Segments {
		n += int64(s.Raw)
	}
	return n
}
