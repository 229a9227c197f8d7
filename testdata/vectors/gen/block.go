package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/klauspost/compress/zstd"
	"github.com/vmihailenco/msgpack/v5"
)

// This file writes blocks by the text of the specification, not by flowkit's writer, so
// that the two can disagree.

const sync = "\x89FLOW\r\n\x1a"

// object is a msgpack map in its order: key, value, key, value.
type object []any

type list []any

func encode(v any) []byte {
	var b bytes.Buffer
	put(msgpack.NewEncoder(&b), v)
	return b.Bytes()
}

func put(e *msgpack.Encoder, v any) {
	var err error
	switch v := v.(type) {
	case object:
		err = e.EncodeMapLen(len(v) / 2)
		for _, x := range v {
			put(e, x)
		}
	case list:
		err = e.EncodeArrayLen(len(v))
		for _, x := range v {
			put(e, x)
		}
	case int:
		err = e.EncodeInt(int64(v))
	default:
		err = e.Encode(v)
	}
	if err != nil {
		panic(err)
	}
}

// entry is a record with the parts it refers to.
type entry struct {
	record object
	parts  []part
}

// part is content in a body segment.
type part struct {
	n, total, flags int
	data            []byte
}

// file is a session as it grows; what is done to its bytes afterwards is damage.
type file struct {
	data    []byte
	session uint64
	start   int
	seq     uint64
	prev    int
	major   byte // 0: 1
	kind    byte // 0: data
	segment byte // of this kind stands behind the bodies; 0: none
}

func (f *file) newSession(id uint64) *file {
	f.session, f.start, f.seq, f.prev = id, len(f.data), 0, 0
	return f
}

// block adds a data block: one segment of records, and one of bodies if there are any.
func (f *file) block(entries ...entry) *file {
	var records, bodies []byte
	count, flows := 0, 0
	for i, e := range entries {
		refs := list{}
		record := encode(e.record)
		refs = append(refs, len(record))
		for _, p := range e.parts {
			bodies = append(bodies, 0x94)
			bodies = append(bodies, encode(i)...)
			bodies = append(bodies, encode(p.n)...)
			bodies = append(bodies, encode(0)...)
			bodies = append(bodies, encode(p.data)...)
			refs = append(refs, p.n, p.total, p.flags, 1, 1, len(bodies)-len(p.data), len(p.data))
			count++
		}
		records = append(records, 0x92)
		records = append(records, encode(refs)...)
		records = append(records, record...)
		switch e.record[1] {
		case "http", "tcp", "udp", "dns":
			flows++
		}
	}
	segments := []segment{{kind: 1, raw: records, count: len(entries)}}
	if count > 0 {
		segments = append(segments, segment{kind: 2, raw: bodies, count: count})
	}
	if f.segment != 0 {
		segments = append(segments, segment{kind: f.segment, raw: []byte("from a later version"), count: 1})
	}
	f.add(segments, len(entries), flows)
	return f
}

type segment struct {
	kind  byte
	raw   []byte
	count int
}

func (f *file) add(segments []segment, records, flows int) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		panic(err)
	}
	h := make([]byte, 88+20*len(segments))
	var payload []byte
	le := binary.LittleEndian
	for i, s := range segments {
		frame := enc.EncodeAll(s.raw, nil)
		if bytes.Contains(frame, []byte(sync)) {
			panic("a sync marker in a frame")
		}
		e := h[88+20*i:]
		e[0] = s.kind
		le.PutUint32(e[4:], uint32(len(frame)))
		le.PutUint32(e[8:], uint32(len(s.raw)))
		le.PutUint32(e[12:], uint32(s.count))
		le.PutUint32(e[16:], crc32.Checksum(frame, crc32.MakeTable(crc32.Castagnoli)))
		payload = append(payload, frame...)
	}
	le.PutUint32(h, 0x184D2A5F)
	le.PutUint32(h[4:], uint32(len(h)-8))
	copy(h[8:], sync)
	h[16], h[17] = max(f.major, 1), max(f.kind, 1)
	if f.seq == 0 {
		h[18] = 1
	}
	le.PutUint64(h[24:], f.session)
	le.PutUint64(h[32:], f.seq)
	le.PutUint64(h[40:], uint64(len(f.data)-f.start))
	le.PutUint64(h[64:], uint64(len(payload)))
	le.PutUint32(h[72:], uint32(f.prev))
	le.PutUint32(h[76:], uint32(records))
	le.PutUint16(h[80:], uint16(len(segments)))
	le.PutUint16(h[82:], 20)
	le.PutUint32(h[84:], uint32(flows))
	sign(h)
	f.data = append(append(f.data, h...), payload...)
	f.prev = len(h) + len(payload)
	f.seq++
}

// sign puts the checksum into a header.
func sign(h []byte) {
	le := binary.LittleEndian
	le.PutUint32(h[20:], 0)
	le.PutUint32(h[20:], crc32.Checksum(h, crc32.MakeTable(crc32.Castagnoli)))
}

// fix gives the blocks of flowkit's own writer, whose sessions are random, a session.
func fix(data []byte, session uint64) []byte {
	le := binary.LittleEndian
	for at := 0; at < len(data); {
		n := int(le.Uint32(data[at+4:])) + 8
		le.PutUint64(data[at+24:], session)
		sign(data[at : at+n])
		at += n + int(le.Uint64(data[at+64:]))
	}
	return data
}
