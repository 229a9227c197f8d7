package native_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/mitm"
	"flowkit/flowfile/native"
)

const benchFlows = 20_000

// corpus is a native file of 20,000 flows as real captures have them, and its dump's flows.
var corpus = sync.OnceValue(func() []byte {
	var dump, out bytes.Buffer
	if err := flowtest.Dump(&dump, benchFlows, 1); err != nil {
		panic(err)
	}
	src := mitm.NewReader(bytes.NewReader(dump.Bytes()), mitm.ReaderOptions{})
	w := native.NewWriter(&out, native.WriterOptions{})
	for {
		b, err := src.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = w.Write(b)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
})

// frames cuts a native file into its zstd frames by the headers alone.
func frames(data []byte) (frames [][]byte, raw []int) {
	for len(data) > 0 {
		n := int(binary.LittleEndian.Uint32(data[4:])) + 8
		segments := int(binary.LittleEndian.Uint16(data[80:]))
		size := int(binary.LittleEndian.Uint16(data[82:]))
		at := n
		for i := range segments {
			s := data[88+i*size:]
			comp := int(binary.LittleEndian.Uint32(s[4:]))
			if data[17] == 1 { // a data block
				frames = append(frames, data[at:at+comp])
				raw = append(raw, int(binary.LittleEndian.Uint32(s[8:])))
			}
			at += comp
		}
		data = data[at:]
	}
	return frames, raw
}

// BenchmarkDecodeAll is what reading cannot be faster than: every segment read, and through
// zstd with checksums, into memory of its own.
func BenchmarkDecodeAll(b *testing.B) {
	fs, raw := frames(corpus())
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		b.Fatal(err)
	}
	defer dec.Close()
	var buf []byte
	b.SetBytes(total(raw))
	for b.Loop() {
		for i, f := range fs {
			// As a reader gets it from a file: into a buffer.
			buf = append(buf[:0], f...)
			if _, err := dec.DecodeAll(buf, make([]byte, 0, raw[i]+16)); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func total(raw []int) (n int64) {
	for _, r := range raw {
		n += int64(r)
	}
	return n
}

// BenchmarkRead parses every head and decompresses every body, in one goroutine.
func BenchmarkRead(b *testing.B) {
	data := corpus()
	_, raw := frames(data)
	b.SetBytes(total(raw))
	for b.Loop() {
		readAll(b, data, native.ReaderOptions{Need: needAll, Workers: 1})
	}
}

// BenchmarkRead2 is BenchmarkRead with two workers.
func BenchmarkRead2(b *testing.B) {
	data := corpus()
	_, raw := frames(data)
	b.SetBytes(total(raw))
	for b.Loop() {
		readAll(b, data, native.ReaderOptions{Need: needAll, Workers: 2})
	}
}

// BenchmarkHeads lists.
func BenchmarkHeads(b *testing.B) {
	data := corpus()
	_, raw := frames(data)
	b.SetBytes(total(raw))
	for b.Loop() {
		readAll(b, data, native.ReaderOptions{Workers: 1})
	}
}

func readAll(b *testing.B, data []byte, o native.ReaderOptions) {
	src := native.NewReader(bytes.NewReader(data), o)
	defer src.Close()
	n := 0
	for {
		batch, err := src.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		n += len(batch.Flows)
	}
	if n != benchFlows {
		b.Fatalf("%d flows", n)
	}
}

// BenchmarkEncodeAll is what writing cannot be faster than.
func BenchmarkEncodeAll(b *testing.B) {
	fs, raw := frames(corpus())
	dec, _ := zstd.NewReader(nil)
	defer dec.Close()
	var plain [][]byte
	for _, f := range fs {
		p, err := dec.DecodeAll(f, nil)
		if err != nil {
			b.Fatal(err)
		}
		plain = append(plain, p)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(total(raw))
	buf := make([]byte, 0, 8<<20)
	for b.Loop() {
		for _, p := range plain {
			enc.EncodeAll(p, buf)
		}
	}
}

// BenchmarkCopy decodes and encodes every flow, with a header added to every response:
// against the sum of DecodeAll and EncodeAll.
func BenchmarkCopy(b *testing.B)  { benchmarkCopy(b, 1) }
func BenchmarkCopy2(b *testing.B) { benchmarkCopy(b, 2) }

func benchmarkCopy(b *testing.B, workers int) {
	data := corpus()
	_, raw := frames(data)
	b.SetBytes(total(raw))
	for b.Loop() {
		src := native.NewReader(bytes.NewReader(data), native.ReaderOptions{Need: needAll, Workers: workers})
		w := native.NewWriter(io.Discard, native.WriterOptions{Workers: workers})
		for f, err := range batches(src) {
			if err != nil {
				b.Fatal(err)
			}
			for _, f := range f.Flows {
				if r := f.Response(); r != nil {
					r.Headers().Set("newheader", "foo")
				}
			}
			if err := w.Write(f); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		src.Close()
	}
}

func batches(s flowfile.Source) func(func(*flowfile.Batch, error) bool) {
	return func(yield func(*flowfile.Batch, error) bool) {
		for {
			b, err := s.Next()
			if err == io.EOF || !yield(b, err) {
				return
			}
		}
	}
}
