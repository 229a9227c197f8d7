package block

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// faulty is a writer that fails at its nth call, after part of the bytes.
type faulty struct {
	w     io.Writer
	calls int
	part  int
	err   error // nil: a short write without an error
}

func (f *faulty) Write(b []byte) (int, error) {
	f.calls--
	if f.calls >= 0 {
		return f.w.Write(b)
	}
	n, _ := f.w.Write(b[:min(f.part, len(b))])
	return n, f.err
}

func TestFailingWriter(t *testing.T) {
	entries := sample(1, 40, 500)
	all := byRecord(want(entries))
	full := errors.New("no space left")
	for _, workers := range []int{1, 3} {
		for calls := range 4 {
			for _, part := range []int{0, 1, 50, 200} {
				for _, fail := range []error{full, nil} {
					var b bytes.Buffer
					f := &faulty{w: &b, calls: calls, part: part, err: fail}
					w := NewWriter(f, WriterOptions{BlockSize: 2000, Workers: workers})
					var first error
					for _, e := range entries {
						if err := w.Add(e); err != nil {
							first = err
							break
						}
					}
					flush := w.Flush()
					after := f.calls
					if flush == nil || (fail != nil && !errors.Is(flush, full)) || (fail == nil && !errors.Is(flush, io.ErrShortWrite)) {
						t.Fatalf("flush: %v", flush)
					}
					if err := w.Close(); !errors.Is(err, flush) {
						t.Errorf("add: %v, flush: %v, close: %v", first, flush, err)
					}
					if f.calls != after || f.calls != -1 {
						t.Errorf("written on behind an error: %d calls", -f.calls)
					}
					res := readAll(t, NewReader(bytes.NewReader(b.Bytes()), ReaderOptions{}), true)
					for _, g := range res.flows {
						if !g.in(all) {
							t.Fatalf("wrong flow %q", g.record)
						}
					}
					if part > 0 && (len(res.damage) == 0 || res.damage[len(res.damage)-1].Kind != Torn) && res.blocks > 0 {
						t.Errorf("torn tail not reported: %v", res.damage)
					}
				}
			}
		}
	}
}

// A file that the Writer opened has no partial block after a failed write.
func TestFailedWriteIsCutBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.flow")
	entries := sample(1, 40, 500)
	w, _, err := OpenAppend(path, WriterOptions{BlockSize: 2000, Workers: 1}, false)
	if err != nil {
		t.Fatal(err)
	}
	w.out.w = &faulty{w: w.file, calls: 3, part: 300, err: errors.New("no space left")}
	for _, e := range entries {
		if err = w.Add(e); err != nil {
			break
		}
	}
	if err == nil || w.Close() == nil {
		t.Fatal("no error")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ends, _ := blockEnds(t, data)
	res := readAll(t, NewReader(bytes.NewReader(data), ReaderOptions{}), true)
	if len(ends) != 3 || len(res.damage) > 0 {
		t.Errorf("%d blocks, %v", len(ends), res.damage)
	}
}

func TestAddRefuses(t *testing.T) {
	rec := record("a")
	loop := &Entry{Record: rec}
	loop.Parts = []Part{{Shared: loop}}
	huge := make([]byte, maxContent+1)
	for _, c := range []struct {
		name string
		e    *Entry
		want error
	}{
		{"no record", &Entry{}, ErrBadEntry},
		{"not a map", &Entry{Record: []byte{0x91, 0}}, ErrBadEntry},
		{"sharing itself", loop, ErrBadEntry},
		{"long content", &Entry{Record: rec, Parts: []Part{{Data: huge}}}, ErrTooLarge},
		{"long record", &Entry{Record: append(append(rec, huge...), huge[:50]...)}, ErrTooLarge},
		{"much content", &Entry{Record: rec, Parts: []Part{
			{Data: huge[1:]}, {Data: huge[1:]}, {Data: huge[1:]}, {Data: huge[1:]}, {Data: huge[1:]}, {Data: huge[1:]},
		}}, ErrTooLarge},
	} {
		var b bytes.Buffer
		w := NewWriter(&b, WriterOptions{NoIndex: true})
		if err := w.Add(c.e); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := w.Close(); err != nil || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", c.name, err, b.Len())
		}
		if err := w.Add(&Entry{Record: rec}); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: add after close: %v", c.name, err)
		}
	}
}

func TestLargestContent(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), maxContent/16)
	body = append(body, make([]byte, maxContent-len(body))...)
	entries := []*Entry{
		{Record: record("a"), Parts: []Part{{Data: []byte("small"), Total: 5}}},
		{Record: record("b"), Parts: []Part{{Data: body, Total: int64(len(body))}}},
		{Record: record("c"), Parts: []Part{{Data: []byte("after"), Total: 5}}},
	}
	for _, level := range []Level{LevelFastest, LevelDefault, LevelBetter, LevelBest} {
		data := write(t, WriterOptions{Level: level}, entries)
		res := readAll(t, NewReader(bytes.NewReader(data), ReaderOptions{}), true)
		if d := cmp.Diff(want(entries), res.flows, cmpFlow); d != "" || len(res.damage) > 0 {
			t.Errorf("level %d: %v", level, res.damage)
		}
	}
}

func TestDedupe(t *testing.T) {
	body := bytes.Repeat([]byte("x1y2"), 100)
	conn := func() *Entry { return &Entry{Record: record("conn"), Parts: []Part{{N: 16, Data: body}}} }
	one := conn()
	var b bytes.Buffer
	w := NewWriter(&b, WriterOptions{Workers: 1, NoIndex: true})
	for i := range 10 {
		shared := one
		if i%2 == 1 {
			shared = conn() // equal, but another pointer
		}
		if err := w.Add(&Entry{Record: record(fmt.Sprint(i)), Parts: []Part{{N: 1, Data: body}, {N: 32, Shared: shared}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	blk, err := ReadBlockAt(bytes.NewReader(b.Bytes()), 0)
	if err != nil {
		t.Fatal(err)
	}
	if h := blk.Header; h.Records != 11 || len(h.Segments) != 2 || h.Segments[1].Count != 1 {
		t.Errorf("%+v", h)
	}
}

// Contents of one hash are not taken for each other.
func TestDedupeCompares(t *testing.T) {
	b := newBuilder(WriterOptions{}.withDefaults())
	one, two := bytes.Repeat([]byte("a"), 100), bytes.Repeat([]byte("b"), 100)
	at := b.addContent(&Part{Data: one})
	b.content.note(two, b.content.hash(two), at) // as if they collided
	if _, ok := b.content.find(b.raw, two, b.content.hash(two)); ok {
		t.Error("another content found")
	}
	if got, ok := b.content.find(b.raw, one, b.content.hash(one)); !ok || got != at {
		t.Error("content not found")
	}
}

// slowWriter hands blocks on and counts the calls.
type slowWriter struct {
	mu    sync.Mutex
	calls int
}

func (s *slowWriter) Write(b []byte) (int, error) {
	s.mu.Lock()
	s.calls++
	s.mu.Unlock()
	return len(b), nil
}

func TestOneWriteForEachBlock(t *testing.T) {
	s := &slowWriter{}
	w := NewWriter(s, WriterOptions{BlockSize: 1000, Workers: 4})
	for _, e := range sample(1, 100, 300) {
		if err := w.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	calls := s.calls
	s.mu.Unlock()
	if calls != int(w.out.seq) || calls < 10 {
		t.Errorf("%d calls for %d blocks", calls, w.out.seq)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCopyBlock(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	ends, kinds := blockEnds(t, data)
	blocks := func(open func([]byte) *Reader) (all []*Block) {
		r := open(data)
		for {
			b, err := r.Next()
			if err != nil {
				return all
			}
			all = append(all, b)
		}
	}
	for _, m := range modes[:3] {
		if m.name == "seek heads" {
			continue
		}
		all := blocks(m.open)
		// All blocks in order: the bytes of the file, but for the index.
		var b bytes.Buffer
		w := NewWriter(&b, WriterOptions{NoIndex: true})
		for _, blk := range all {
			if err := w.CopyBlock(blk); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), data[:ends[len(ends)-2]]) || kinds[len(kinds)-1] != kindIndex {
			t.Errorf("%s: copy differs", m.name)
		}

		// Every other block, with entries in between: no gaps are reported.
		b.Reset()
		w = NewWriter(&b, WriterOptions{})
		var count int
		for i := 0; i < len(all); i += 2 {
			if err := w.CopyBlock(all[i]); err != nil {
				t.Fatal(err)
			}
			count += all[i].Header.Flows
			if i == 2 {
				if err := w.Add(entries[0]); err != nil {
					t.Fatal(err)
				}
				count++
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		res := readAll(t, NewReader(bytes.NewReader(b.Bytes()), ReaderOptions{}), true)
		if len(res.damage) > 0 || len(res.flows) != count {
			t.Errorf("%s: %d flows of %d, %v", m.name, len(res.flows), count, res.damage)
		}
		x, err := ReadIndex(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil || x.Complete || len(x.Blocks) != (len(all)+1)/2+1 {
			t.Errorf("%s: index %+v %v", m.name, x, err)
		}
		if places := x.Lookup(entries[0].ID); len(places) != 1 {
			t.Errorf("%s: %v", m.name, places)
		}
	}

	bad := bytes.Clone(data)
	bad[ends[0]-3] ^= 1 // in the last body segment of the first block
	blk, err := ReadBlockAt(bytes.NewReader(bad), 0)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := NewWriter(&b, WriterOptions{}).CopyBlock(blk); !errors.Is(err, ErrBadBody) || b.Len() > 0 {
		t.Errorf("copy of a damaged block: %v", err)
	}
}

func TestOpenAppendRefuses(t *testing.T) {
	dir := t.TempDir()
	picture := filepath.Join(dir, "a.png")
	if err := os.WriteFile(picture, []byte("\x89PNG\r\n\x1a\n and so on"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenAppend(picture, WriterOptions{}, true); !errors.Is(err, ErrNotFlow) {
		t.Errorf("picture: %v", err)
	}
	if _, _, err := OpenAppend(dir, WriterOptions{}, true); err == nil {
		t.Error("folder opened")
	}
	if _, _, err := OpenAppend(os.DevNull, WriterOptions{}, true); !errors.Is(err, ErrNotRegular) {
		t.Errorf("device: %v", err)
	}
	zeros := filepath.Join(dir, "zeros")
	if err := os.WriteFile(zeros, make([]byte, 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	w, tail, err := OpenAppend(zeros, WriterOptions{}, true)
	if err != nil || tail.Torn != 5000 || !tail.Trimmed {
		t.Fatalf("zeros: %+v %v", tail, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(zeros); err != nil || st.Size() != 0 {
		t.Errorf("%v %v", st, err)
	}
}

func TestDamageText(t *testing.T) {
	d := &DamageError{Offset: 4096, Skipped: 100, Kind: Corrupt, Records: 3, Cause: errSegmentCRC}
	if s := d.Error(); strings.Contains(s, "\n") || !strings.Contains(s, "byte 4096") || !strings.Contains(s, "3 entries") {
		t.Error(s)
	}
	for k := Torn; k <= Gap; k++ {
		d := &DamageError{Kind: k}
		if !errors.Is(d, k.err()) || errors.Is(d, Kind(0).err()) {
			t.Errorf("kind %v", k)
		}
	}
}

// Long contents are looked for by their places; they are the same only if all of them is.
func TestDedupeLong(t *testing.T) {
	one := noise(rand.New(rand.NewPCG(3, 3)), 300_000)
	two := bytes.Clone(one)
	two[hashSize+1]++ // between the places
	b := newBuilder(WriterOptions{}.withDefaults())
	if b.content.hash(one) != b.content.hash(two) {
		t.Fatal("a place was hit")
	}
	at := b.addContent(&Part{Data: one})
	if got := b.addContent(&Part{Data: two}); got == at {
		t.Error("another content is taken for the same")
	}
	if _, ok := b.content.find(b.raw, two, b.content.hash(two)); !ok {
		t.Error("the last of one hash is not found")
	}
}

// What is called incompressible is stored as it is, unless it is not what it is called.
func TestStored(t *testing.T) {
	c := &encoders{o: WriterOptions{}.withDefaults()}
	text := bytes.Repeat([]byte("a picture that is a page of text, "), 10_000)
	dense := noise(rand.New(rand.NewPCG(4, 4)), 300_000)
	for name, x := range map[string]struct {
		raw    []byte
		stored bool
	}{
		"dense": {dense, true}, "text": {text, false}, "short": {dense[:1000], false},
		"text behind a dense head": {append(bytes.Clone(dense[:5000]), text...), false},
	} {
		frame := c.frame(nil, x.raw, true)
		if stored := bytes.Contains(frame, x.raw[:min(len(x.raw), 100_000)]) && frame[4] == 0xa4; stored != x.stored {
			t.Errorf("%s: stored %v", name, stored)
		}
		got, err := (&decoder{}).segment(Segment{Comp: len(frame), Raw: len(x.raw), CRC: castagnoli(frame)}, frame)
		if err != nil || !bytes.Equal(got, x.raw) {
			t.Errorf("%s: %v", name, err)
		}
		if x.stored {
			frame[len(frame)-1]++ // zstd -t has something to check
			if _, err := zstdDecode(frame); err == nil {
				t.Errorf("%s: the checksum is not one", name)
			}
		}
	}
}

func zstdDecode(frame []byte) ([]byte, error) {
	d, err := zstd.NewReader(nil)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(frame, nil)
}
