package block

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestBlockIsSafeForConcurrentUse(t *testing.T) {
	entries := sample(1, 60, 2000)
	data := write(t, WriterOptions{Workers: 4, BlockSize: 20_000, SegmentSize: 4096}, entries)
	for _, m := range modes[:3] {
		if !m.bodies {
			continue
		}
		r := m.open(data)
		for {
			b, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			results := make([]result, 4)
			for i := range results {
				wg.Go(func() {
					if i == 1 {
						b.Release()
					}
					results[i].add(t, b, true)
				})
			}
			wg.Wait()
			for i := range results {
				if len(results[i].damage) > 0 || len(results[i].flows) != b.Header.Flows {
					t.Errorf("%s: %v", m.name, results[i].damage)
				}
			}
		}
	}
}

func TestReleaseKeepsWhatWasGot(t *testing.T) {
	data, _ := small(t, 1, WriterOptions{})
	b, err := ReadBlockAt(bytes.NewReader(data), 0)
	if err != nil {
		t.Fatal(err)
	}
	r := Range{Seg: 1, Off: 10, Len: 20}
	first, err := b.Content(r)
	if err != nil {
		t.Fatal(err)
	}
	kept := bytes.Clone(first)
	b.Release()
	second, err := b.Content(r)
	if err != nil || !bytes.Equal(first, kept) || !bytes.Equal(second, kept) {
		t.Errorf("%q, %q, %v", first, second, err)
	}
	if &first[0] == &second[0] {
		t.Error("segment was not released")
	}
	if s := b.dec.stats(); s.BodySegments != 2 {
		t.Errorf("%+v", s)
	}
}

func TestReadBlockAtWrongPlace(t *testing.T) {
	data, _ := small(t, 1, WriterOptions{})
	ends, _ := blockEnds(t, data)
	for _, off := range []int64{1, ends[0] - 1, ends[len(ends)-2], int64(len(data)), int64(len(data)) + 100} {
		var d *DamageError
		if _, err := ReadBlockAt(bytes.NewReader(data), off); !errors.As(err, &d) || d.Offset != off {
			t.Errorf("at %d: %v", off, err)
		}
	}
}

func TestFileIsReadFromItsPosition(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, append([]byte("some other header"), data...), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(17, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	b, err := NewReader(f, ReaderOptions{}).Next()
	if err != nil || b.Offset != 17 {
		t.Fatalf("%+v %v", b, err)
	}
	res := readAll(t, NewReader(f, ReaderOptions{}), true)
	if len(res.flows) != len(entries) || len(res.damage) > 0 {
		t.Errorf("%d flows, %v", len(res.flows), res.damage)
	}
}

// failing is an input that breaks off with an error.
type failing struct {
	r   io.Reader
	err error
}

func (f failing) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if errors.Is(err, io.EOF) {
		err = f.err
	}
	return n, err
}

func TestInputError(t *testing.T) {
	data, _ := small(t, 1, WriterOptions{})
	ends, _ := blockEnds(t, data)
	broken := errors.New("connection reset")
	for _, n := range []int64{0, 5, 100, ends[0], ends[0] + 20, ends[1] - 1} {
		r := NewReader(failing{bytes.NewReader(data[:n]), broken}, ReaderOptions{})
		var err error
		blocks := 0
		for err == nil {
			if _, err = r.Next(); err == nil {
				blocks++
			}
		}
		if !errors.Is(err, broken) || errors.As(err, new(*DamageError)) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		if _, again := r.Next(); !errors.Is(again, broken) {
			t.Errorf("after %d bytes, then: %v", n, again)
		}
		if n >= ends[0] && blocks == 0 {
			t.Errorf("after %d bytes: no block", n)
		}
	}
}

// A stream is read with the memory of one block.
func TestStreamMemoryIsBounded(t *testing.T) {
	entries := sample(1, 40, 60_000)
	one := write(t, WriterOptions{BlockSize: 200_000, Workers: 1}, entries)
	n := 40_000_000 / len(one)
	readers := make([]io.Reader, n)
	for i := range readers {
		readers[i] = bytes.NewReader(one)
	}
	for _, skip := range []bool{true, false} {
		r := NewReader(pipe{io.MultiReader(readers...)}, ReaderOptions{SkipBodies: skip})
		for {
			_, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if s, ok := r.w.src.(*streamSource); !ok || cap(s.buf) > 3<<20 {
			t.Errorf("window of %d bytes", cap(s.buf))
		}
		for i := range readers {
			readers[i] = bytes.NewReader(one)
		}
	}
}

// A block of a live stream is returned without waiting for the next.
func TestLiveStream(t *testing.T) {
	data, _ := small(t, 1, WriterOptions{})
	ends, kinds := blockEnds(t, data)
	tiny := write(t, WriterOptions{Workers: 1, NoIndex: true}, []*Entry{{Record: record("a")}})
	for _, o := range []ReaderOptions{{}, {SkipBodies: true}} {
		in, out := io.Pipe()
		r := NewReader(in, o)
		next := make(chan error)
		go func() {
			for {
				_, err := r.Next()
				next <- err
				if err != nil {
					return
				}
			}
		}()
		send := func(b []byte) {
			if _, err := out.Write(b); err != nil {
				t.Error(err)
			}
			if err := <-next; err != nil { // deadlocks if the reader waits for more
				t.Error(err)
			}
		}
		send(tiny)
		start := int64(0)
		for i, e := range ends {
			if kinds[i] == kindData {
				send(data[start:e])
			}
			start = e
		}
		send(tiny)
		out.Close()
		if err := <-next; !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
}
