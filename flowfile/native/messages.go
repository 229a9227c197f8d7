package native

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
)

// messages are the places of a flow's msg records: entries of blocks, or on a pipe a
// spool that holds record and payload one behind the other.
type messages struct {
	n     int
	file  string
	runs  []run
	spool *flowfile.SpoolWriter
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
	if m.spool != nil {
		return m.spooled()
	}
	return func(yield func(flowfile.Msg, error) bool) {
		var dec wire.Decoder
		for _, r := range m.runs {
			more := m.run(&dec, r, yield)
			r.b.Release()
			if !more {
				return
			}
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
		if err == nil {
			msg.Body, _ = body(r.b, entries.Refs(), wire.PartPayload, m.file)
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

// add remembers the message of an item.
func (m *messages) add(a *assembly, b *block.Block, it *item) error {
	m.file = a.file
	if a.pipe {
		if m.spool == nil {
			m.spool = a.newSpool().NewWriter()
		}
		if err := m.keep(b, it); err != nil {
			return err
		}
		m.n++
		return nil
	}
	if last := len(m.runs) - 1; last < 0 || m.runs[last].b != b {
		m.runs = append(m.runs, run{b: b})
	}
	r := &m.runs[len(m.runs)-1]
	r.entries = append(r.entries, uint16(it.entry))
	m.n++
	return nil
}

// A spooled message is a header of four numbers, the record and the payload.
type spoolHeader struct {
	Record  uint32
	Flags   uint32 // of the payload; 1<<31: there is none
	Payload int64
	Total   int64
}

const noPayload = 1 << 31

func (m *messages) keep(b *block.Block, it *item) error {
	entries, err := b.Entries()
	if err != nil {
		return damage(m.file, err)
	}
	for entries.Next() {
		if entries.Index() != it.entry {
			continue
		}
		payload, _ := body(b, entries.Refs(), wire.PartPayload, m.file)
		data, err := payload.Bytes(-1)
		if err != nil {
			payload, data = flowfile.StringBody("").Truncate(payload.Total()), nil
		}
		h := spoolHeader{Record: uint32(len(entries.Record())), Payload: int64(len(data)), Total: payload.Total()}
		switch payload.State() {
		case flowfile.BodyAbsent:
			h.Flags = noPayload
		case flowfile.BodyTruncated:
			h.Flags = wire.FlagTruncated
		}
		head, err := binary.Append(nil, binary.LittleEndian, h)
		if err != nil {
			return err
		}
		for _, p := range [...][]byte{head, entries.Record(), data} {
			if _, err := m.spool.Write(p); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

func (m *messages) spooled() iter.Seq2[flowfile.Msg, error] {
	return func(yield func(flowfile.Msg, error) bool) {
		r, err := m.spool.Content().Open()
		if err != nil {
			yield(flowfile.Msg{}, err)
			return
		}
		defer r.Close()
		var dec wire.Decoder
		for range m.n {
			msg, err := m.next(&dec, r)
			if !yield(msg, err) || err != nil {
				return
			}
		}
	}
}

func (m *messages) next(dec *wire.Decoder, r io.Reader) (flowfile.Msg, error) {
	var h spoolHeader
	if err := binary.Read(r, binary.LittleEndian, &h); err != nil {
		return flowfile.Msg{}, fmt.Errorf("spool: %w", err)
	}
	b := make([]byte, int64(h.Record)+h.Payload)
	if _, err := io.ReadFull(r, b); err != nil {
		return flowfile.Msg{}, fmt.Errorf("spool: %w", err)
	}
	msg, err := decodeMsg(dec, b[:h.Record])
	if err != nil {
		return msg, err
	}
	switch {
	case h.Flags&noPayload != 0:
	case h.Flags&wire.FlagTruncated != 0:
		msg.Body = flowfile.BytesBody(b[h.Record:]).Truncate(h.Total)
	default:
		msg.Body = flowfile.BytesBody(b[h.Record:])
	}
	return msg, nil
}
