package block

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// benchFile returns a file of about 32 MB of content, and the bytes of its content.
func benchFile(b *testing.B) (data []byte, raw int64) {
	b.Helper()
	r := rng(1)
	var out bytes.Buffer
	w := NewWriter(&out, WriterOptions{})
	for i := range 2000 {
		body := text(r, 1000+r.IntN(20_000))
		e := &Entry{Record: record(fmt.Sprint("flow", i), string(text(r, 1200))), ID: fmt.Sprint(i), Parts: []Part{{N: 1, Data: body}}}
		if i%3 == 0 {
			e.Parts = append(e.Parts, Part{N: 0, Data: noise(r, 10_000), Incompressible: true})
		}
		if err := w.Add(e); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	eachBlock(b, NewReader(bytes.NewReader(out.Bytes()), ReaderOptions{}), func(blk *Block) {
		for _, s := range blk.Header.Segments {
			raw += int64(s.Raw)
		}
	})
	return out.Bytes(), raw
}

func eachBlock(b *testing.B, r *Reader, f func(*Block)) {
	b.Helper()
	for {
		blk, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
		f(blk)
	}
}

// readEverything goes through all entries and all contents.
func readEverything(b *testing.B, blk *Block) {
	b.Helper()
	if err := blk.Prefetch(); err != nil {
		b.Fatal(err)
	}
	e, err := blk.Entries()
	if err != nil {
		b.Fatal(err)
	}
	for e.Next() {
		for _, ref := range e.Refs() {
			for _, r := range ref.Ranges {
				if _, err := blk.Content(r); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	if e.Err() != nil {
		b.Fatal(e.Err())
	}
}

func BenchmarkRead(b *testing.B) {
	data, raw := benchFile(b)
	b.SetBytes(raw)
	b.ReportAllocs()
	for b.Loop() {
		eachBlock(b, NewReader(bytes.NewReader(data), ReaderOptions{}), func(blk *Block) { readEverything(b, blk) })
	}
}

func BenchmarkReadPipe(b *testing.B) {
	data, raw := benchFile(b)
	b.SetBytes(raw)
	b.ReportAllocs()
	for b.Loop() {
		eachBlock(b, NewReader(pipe{bytes.NewReader(data)}, ReaderOptions{}), func(blk *Block) { readEverything(b, blk) })
	}
}

// BenchmarkDecodeAll is what BenchmarkRead is measured by: reading the same segments and
// decoding them, with nothing looked at.
func BenchmarkDecodeAll(b *testing.B) {
	data, raw := benchFile(b)
	type segment struct{ off, comp, raw int }
	var segments []segment
	eachBlock(b, NewReader(bytes.NewReader(data), ReaderOptions{}), func(blk *Block) {
		for i, s := range blk.Header.Segments {
			segments = append(segments, segment{int(blk.Offset + blk.places[i]), s.Comp, s.Raw})
		}
	})
	for _, checksum := range []bool{true, false} {
		for _, fresh := range []bool{true, false} {
			b.Run(fmt.Sprintf("fresh=%v/checksum=%v", fresh, checksum), func(b *testing.B) {
				b.SetBytes(raw)
				dec, err := zstd.NewReader(nil, zstd.IgnoreChecksum(!checksum))
				if err != nil {
					b.Fatal(err)
				}
				defer dec.Close()
				src := bytes.NewReader(data)
				var comp, dst []byte
				for b.Loop() {
					for _, s := range segments {
						comp = append(comp[:0], make([]byte, s.comp)...)
						if _, err := src.ReadAt(comp, int64(s.off)); err != nil {
							b.Fatal(err)
						}
						if fresh || cap(dst) < s.raw+slack {
							dst = make([]byte, 0, s.raw+slack)
						}
						if dst, err = dec.DecodeAll(comp, dst[:0]); err != nil || len(dst) != s.raw {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

func BenchmarkReadHeads(b *testing.B) {
	data, raw := benchFile(b)
	b.SetBytes(raw)
	for b.Loop() {
		eachBlock(b, NewReader(bytes.NewReader(data), ReaderOptions{}), func(blk *Block) {
			e, err := blk.Entries()
			if err != nil {
				b.Fatal(err)
			}
			for e.Next() {
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	r := rng(1)
	var entries []*Entry
	raw := 0
	for i := range 2000 {
		body := text(r, 1000+r.IntN(20_000))
		raw += len(body) + 1200
		entries = append(entries, &Entry{Record: record(fmt.Sprint("flow", i), string(text(r, 1200))), ID: fmt.Sprint(i), Parts: []Part{{N: 1, Data: body}}})
	}
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			if workers > runtime.GOMAXPROCS(0) {
				b.Skip("not enough cores")
			}
			b.SetBytes(int64(raw))
			for b.Loop() {
				w := NewWriter(io.Discard, WriterOptions{Workers: workers})
				for _, e := range entries {
					if err := w.Add(e); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadBlockAt(b *testing.B) {
	data, _ := benchFile(b)
	x, err := ReadIndex(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	ra := bytes.NewReader(data)
	one := func(b *testing.B, blk *Block, err error) {
		if err != nil {
			b.Fatal(err)
		}
		if _, err := blk.Entries(); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			blk, err := ReadBlockAt(ra, x.Blocks[1].Offset)
			one(b, blk, err)
		}
	})
	b.Run("index", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			blk, err := x.ReadBlock(ra, x.Blocks[1].Offset)
			one(b, blk, err)
		}
	})
}
