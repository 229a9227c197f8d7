package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
)

// fixCRCs puts right checksums into every header of data that its lengths let it find, so
// that the fuzzer gets past them.
func fixCRCs(data []byte) []byte {
	data = bytes.Clone(data)
	for i := findSync(data, offSync); i >= 0; i = findSync(data, i+8) {
		b := data[i-offSync:]
		if len(b) < headerSize {
			break
		}
		n, err := headerLen(b)
		if err != nil || n > len(b) {
			continue
		}
		fixSegments(b, n)
		binary.LittleEndian.PutUint32(b[offCRC:], headerCRC(b[:n]))
	}
	return data
}

// fixSegments makes the segment table of a block agree with the bytes of its segments.
func fixSegments(b []byte, n int) {
	count, size := int(binary.LittleEndian.Uint16(b[offSegments:])), int(binary.LittleEndian.Uint16(b[offSegSize:]))
	if size < tableEntry || headerSize+count*size > n {
		return
	}
	at := n
	for i := range count {
		e := b[headerSize+i*size:]
		comp := int(binary.LittleEndian.Uint32(e[4:]))
		if comp > len(b)-at {
			return
		}
		binary.LittleEndian.PutUint32(e[16:], castagnoli(b[at:at+comp]))
		at += comp
	}
	binary.LittleEndian.PutUint64(b[offPayload:], uint64(at-n))
}

// drain reads everything an input has to give.
func drain(t *testing.T, r *Reader, bodies bool) {
	for range 10_000 {
		b, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			if !errors.As(err, new(*DamageError)) {
				t.Fatal(err)
			}
			continue
		}
		if bodies {
			_ = b.Prefetch()
		}
		e, err := b.Entries()
		if err != nil {
			continue
		}
		for e.Next() {
			for _, ref := range e.Refs() {
				for _, g := range ref.Ranges {
					data, err := b.Content(g)
					if err == nil && len(data) != g.Len {
						t.Fatalf("%d bytes of %d", len(data), g.Len)
					}
					if g.Seg == 0 {
						_, _, _ = b.Shared(g)
					}
				}
			}
		}
	}
	t.Fatal("reading does not end")
}

func FuzzReader(f *testing.F) {
	data, _ := small(f, 1, WriterOptions{})
	ends, _ := blockEnds(f, data)
	f.Add(data[:ends[0]], false)
	f.Add(data[:ends[0]], true)
	f.Add(data[ends[0]:ends[1]-20], true)
	f.Add(data[ends[len(ends)-2]:], true)
	f.Add(append(bytes.Clone(data[ends[0]-50:ends[0]]), data[ends[len(ends)-2]:]...), true)
	f.Fuzz(func(t *testing.T, data []byte, fix bool) {
		if fix {
			data = fixCRCs(data)
		}
		drain(t, NewReader(bytes.NewReader(data), ReaderOptions{}), true)
		drain(t, NewReader(bytes.NewReader(data), ReaderOptions{}), false)
		drain(t, NewReader(pipe{bytes.NewReader(data)}, ReaderOptions{}), true)
		drain(t, NewReader(pipe{bytes.NewReader(data)}, ReaderOptions{SkipBodies: true}), false)
		drain(t, NewReader(bytes.NewReader(data), ReaderOptions{Tail: true}), true)
		if _, err := ReadIndex(bytes.NewReader(data), int64(len(data))); err != nil {
			t.Fatal(err)
		}
		if _, err := findEnd(bytes.NewReader(data), int64(len(data))); err != nil && !errors.Is(err, ErrNotFlow) {
			t.Fatal(err)
		}
	})
}
