package block

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The bugs of the prototype, one test each.

// A marker that straddles the end of the part searched was missed.
func TestRegressMarkerStraddlesEndOfSearch(t *testing.T) {
	h := &Header{Kind: kindSeam, Len: headerSize}
	head := make([]byte, headerSize)
	h.put(head)
	junk := bytes.Repeat([]byte{0xee}, 9*readChunk)
	for _, edge := range []int{4 * readChunk, 8 * readChunk} {
		for i := edge - 30; i < edge+30; i++ {
			data := append(bytes.Clone(junk[:i]), head...)
			for _, src := range []source{fixedSource(bytes.NewReader(data), int64(len(data))), &streamSource{r: bytes.NewReader(data)}} {
				w := walker{src: src, dec: &decoder{}}
				if q, found, _, err := w.search(0, int64(i)+1); !found || q != int64(i) || err != nil {
					t.Fatalf("header at %d: %d %v %v", i, q, found, err)
				}
			}
			w := walker{src: fixedSource(bytes.NewReader(data), int64(len(data))), dec: &decoder{}}
			if q, found, _, _ := w.search(0, int64(i)); found || q != int64(i) {
				t.Fatalf("header at %d found in front of %d: %d", i, i, q)
			}
		}
	}
}

// A heads-only reader that seeks jumped over a session behind a torn block.
func TestRegressSeekOverAppendedSession(t *testing.T) {
	data, _ := small(t, 1, WriterOptions{})
	ends, _ := blockEnds(t, data)
	fresh := sample(99, 1, 10)
	session := write(t, WriterOptions{Workers: 1, NoIndex: true}, fresh)
	torn := data[:ends[0]-600] // a part of the bodies is missing
	for _, tail := range [][]byte{nil, session, data[ends[0]:ends[1]]} {
		all := append(append(bytes.Clone(torn), session...), tail...)
		res := readAll(t, NewReader(bytes.NewReader(all), ReaderOptions{}), false)
		if !bytes.Contains([]byte(res.flows[len(res.flows)-1].record), []byte("99-flow0")) && tail == nil {
			t.Errorf("session not found: %v", res.damage)
		}
		found := 0
		for _, f := range res.flows {
			if f.record == string(fresh[0].Record) {
				found++
			}
		}
		if found == 0 || len(res.damage) != 1 || res.damage[0].Kind != Cut {
			t.Errorf("found %d times, %v", found, res.damage)
		}
	}
}

// The same when the appended bytes end just where the torn block would have ended, so that
// a good header, or the end of the file, stands at the declared end.
func TestRegressSeekOverExactFit(t *testing.T) {
	body := noise(rand.New(rand.NewPCG(1, 1)), 5000)
	long := write(t, WriterOptions{Workers: 1, NoIndex: true}, []*Entry{{Record: record("torn"), Parts: []Part{{Data: body, Incompressible: true}}}})
	fresh := write(t, WriterOptions{Workers: 1, NoIndex: true}, sample(99, 1, 10))
	data := append(bytes.Clone(long[:len(long)-len(fresh)]), fresh...)
	for _, tail := range [][]byte{nil, long} {
		res := readAll(t, NewReader(bytes.NewReader(append(bytes.Clone(data), tail...)), ReaderOptions{}), false)
		if len(res.flows) < 2 || len(res.damage) != 1 || res.damage[0].Kind != Cut {
			t.Errorf("%d flows, %v", len(res.flows), res.damage)
		}
	}
}

// A flipped bit in the length of a header near the end looked like a torn header, and the
// good blocks behind it were given up.
func TestRegressLengthBeyondEnd(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	ends, _ := blockEnds(t, data)
	bad := bytes.Clone(data)
	bad[ends[0]+5] |= 0x40 // user_len + 16384: beyond the end
	for _, m := range modes {
		res := readAll(t, m.open(bad), m.bodies)
		if len(res.flows) < len(entries)-4 || len(res.damage) != 1 || res.damage[0].Kind != Corrupt {
			t.Errorf("%s: %d flows of %d, %v", m.name, len(res.flows), len(entries), res.damage)
		}
	}
}

// growing is a file that is being written.
type growing struct {
	data []byte
	size int
}

func (g *growing) Size() int64              { return int64(g.size) }
func (g *growing) Read([]byte) (int, error) { return 0, io.EOF }
func (g *growing) ReadAt(b []byte, off int64) (int, error) {
	return bytes.NewReader(g.data[:g.size]).ReadAt(b, off)
}

// A follower trusted the records segment alone and jumped into the next block.
func TestRegressFollowerWaitsForAllSegments(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	g := &growing{data: data}
	r := NewReader(g, ReaderOptions{Tail: true})
	var res result
	for ; g.size <= len(data); g.size++ {
		for {
			b, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("size %d: %v", g.size, err)
			}
			res.add(t, b, true)
		}
	}
	if d := cmp.Diff(want(entries), res.flows, cmpFlow); d != "" || len(res.damage) > 0 {
		t.Error(res.damage, d)
	}

	// All bytes are there, but those of the bodies do not yet hold what was written.
	ends, _ := blockEnds(t, data)
	g = &growing{data: bytes.Clone(data[:ends[0]]), size: int(ends[0])}
	clear(g.data[ends[0]-300:])
	r = NewReader(g, ReaderOptions{Tail: true})
	for range 2 {
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("half-written block: %v", err)
		}
	}
	copy(g.data, data)
	if _, err := r.Next(); err != nil {
		t.Errorf("block written at last: %v", err)
	}

	// The torn tail is cut off and something else is written there.
	other, others := small(t, 2, WriterOptions{})
	g = &growing{data: bytes.Clone(data), size: int(ends[1]) - 10}
	r = NewReader(g, ReaderOptions{Tail: true})
	res = result{}
	for range 2 {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		res.add(t, b, true)
	}
	n := len(res.flows)
	g.data = append(g.data[:ends[0]:ends[0]], other...)
	g.size = len(g.data)
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		res.add(t, b, true)
	}
	if d := cmp.Diff(want(others), res.flows[n:], cmpFlow); d != "" {
		t.Error(d)
	}
}

// After recovering from a block that claimed too much, the reader returned io.EOF although
// the search had succeeded.
func TestRegressOversizeClaim(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	ends, _ := blockEnds(t, data)
	n, err := headerLen(data)
	if err != nil {
		t.Fatal(err)
	}
	h, err := parseHeader(data[:n])
	if err != nil {
		t.Fatal(err)
	}
	last := &h.Segments[len(h.Segments)-1]
	last.Comp, last.Raw = last.Comp+100_000, last.Raw+100_000
	h.Payload += 100_000
	bad := bytes.Clone(data)
	h.put(bad[:n])
	for _, m := range modes {
		res := readAll(t, m.open(bad), m.bodies)
		cuts := 0
		for _, d := range res.damage {
			if d.Kind == Cut && d.Offset == 0 && d.Skipped == ends[0] {
				cuts++
			}
		}
		if len(res.flows) != len(entries) || cuts != 1 {
			t.Errorf("%s: %d flows of %d, %v", m.name, len(res.flows), len(entries), res.damage)
		}
	}
}

// Two open body segments were numbered in the order they closed.
func TestRegressSegmentNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var entries []*Entry
	for i := range 40 {
		a, b := text(r, 300+r.IntN(500)), noise(r, 10+r.IntN(300))
		entries = append(entries, &Entry{Record: record(string(rune('A' + i))), Parts: []Part{
			{N: 0, Data: a}, {N: 1, Data: b, Incompressible: true},
		}})
	}
	data := write(t, WriterOptions{SegmentSize: 2048, Workers: 1}, entries)
	res := readAll(t, NewReader(bytes.NewReader(data), ReaderOptions{}), true)
	if d := cmp.Diff(want(entries), res.flows, cmpFlow); d != "" {
		t.Error(d)
	}
}
