package block

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// small returns a file of about 5 KB of several blocks, and where its blocks begin.
func small(t testing.TB, seed uint64, o WriterOptions) (data []byte, entries []*Entry) {
	t.Helper()
	entries = sample(seed, 18, 500)
	o.BlockSize, o.SegmentSize, o.Workers = 1500, 1024, 1
	o.Session = seed
	return write(t, o, entries), entries
}

// blockEnds returns the offset behind each block of a sound file.
func blockEnds(t testing.TB, data []byte) (ends []int64, kinds []uint8) {
	t.Helper()
	for off := int64(0); off < int64(len(data)); {
		n, err := headerLen(data[off:])
		if err != nil {
			t.Fatal(err)
		}
		h, err := parseHeader(data[off : off+int64(n)])
		if err != nil {
			t.Fatal(err)
		}
		off += h.total()
		ends = append(ends, off)
		kinds = append(kinds, h.Kind)
	}
	return ends, kinds
}

// modes are the ways to read an input.
var modes = []struct {
	name   string
	bodies bool
	open   func(data []byte) *Reader
}{
	{"seek", true, func(d []byte) *Reader { return NewReader(bytes.NewReader(d), ReaderOptions{}) }},
	{"seek heads", false, func(d []byte) *Reader { return NewReader(bytes.NewReader(d), ReaderOptions{}) }},
	{"pipe", true, func(d []byte) *Reader { return NewReader(pipe{bytes.NewReader(d)}, ReaderOptions{}) }},
	{"pipe heads", false, func(d []byte) *Reader {
		return NewReader(pipe{bytes.NewReader(d)}, ReaderOptions{SkipBodies: true})
	}},
}

// checkSubset fails unless the flows are among those written, in order, each at most once.
func checkSubset(t *testing.T, what string, res result, written []flow) bool {
	t.Helper()
	i := 0
	for _, f := range res.flows {
		for i < len(written) && written[i].record != f.record {
			i++
		}
		if i == len(written) || !f.in(map[string]flow{f.record: written[i]}) {
			t.Errorf("%s: wrong or misplaced flow %.60q", what, f.record)
			return false
		}
		i++
	}
	return true
}

func TestEveryPrefix(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	ends, _ := blockEnds(t, data)
	all := want(entries)
	fresh := sample(99, 3, 300)
	session := write(t, WriterOptions{Workers: 1, Session: 5}, fresh)
	step := 7
	if long() {
		step = 1
	}
	for n := 0; n <= len(data); n += step {
		cut := data[:n]
		last, inside := int64(0), n > 0
		for _, e := range ends {
			if e <= int64(n) {
				last = e
				inside = e != int64(n)
			}
		}
		for _, m := range modes {
			res := readAll(t, m.open(cut), m.bodies)
			if !checkSubset(t, m.name, res, all) {
				t.Fatalf("prefix of %d bytes", n)
			}
			torn := 0
			for _, d := range res.damage {
				switch {
				case d.Kind == Torn && d.Offset == last:
					torn++
				case d.Kind != BadBody:
					t.Fatalf("prefix of %d, %s: %v", n, m.name, d)
				}
			}
			if inside != (torn == 1) {
				t.Fatalf("prefix of %d, %s: %d torn tails reported: %v", n, m.name, torn, res.damage)
			}
			// A fresh session behind the torn tail is found whole.
			res = readAll(t, m.open(append(bytes.Clone(cut), session...)), m.bodies)
			if len(res.flows) < 3 {
				t.Fatalf("prefix of %d, %s: session behind it not found: %v", n, m.name, res.damage)
			}
			tail := res.flows[len(res.flows)-3:]
			if m.bodies {
				if d := cmp.Diff(want(fresh), tail, cmpFlow); d != "" {
					t.Fatalf("prefix of %d, %s: %s", n, m.name, d)
				}
			}
			if inside != (len(res.damage) > 0) {
				t.Fatalf("prefix of %d, %s, appended: %v", n, m.name, res.damage)
			}
			res.flows = res.flows[:len(res.flows)-3]
			checkSubset(t, m.name, res, all)
		}
	}
}

func TestAppendBehindEveryPrefix(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	ends, _ := blockEnds(t, data)
	fresh := sample(99, 3, 300)
	path := filepath.Join(t.TempDir(), "a.flow")
	step := 41
	if long() {
		step = 1
	}
	for n := 0; n <= len(data); n += step {
		last := int64(0)
		for _, e := range ends {
			if e <= int64(n) {
				last = e
			}
		}
		for _, trim := range []bool{false, true} {
			if err := os.WriteFile(path, data[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			w, tail, err := OpenAppend(path, WriterOptions{Workers: 1}, trim)
			if err != nil {
				t.Fatalf("prefix of %d: %v", n, err)
			}
			if tail.Offset != last || tail.Torn != int64(n)-last || tail.Trimmed != (trim && tail.Torn > 0) {
				t.Fatalf("prefix of %d: tail %+v, want %d", n, tail, last)
			}
			for _, e := range fresh {
				if err := w.Add(e); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			res := readAll(t, NewReader(bytes.NewReader(got), ReaderOptions{}), true)
			tailFlows := res.flows[len(res.flows)-3:]
			if d := cmp.Diff(want(fresh), tailFlows, cmpFlow); d != "" {
				t.Fatalf("prefix of %d: %s", n, d)
			}
			if trim && len(res.damage) > 0 {
				t.Fatalf("prefix of %d, trimmed: %v", n, res.damage)
			}
			res.flows = res.flows[:len(res.flows)-3]
			checkSubset(t, "append", res, want(entries))
		}
	}
}

func TestEveryFlippedBit(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	ends, kinds := blockEnds(t, data)
	index := ends[len(ends)-2]
	if kinds[len(kinds)-1] != kindIndex {
		t.Fatal("no index block at the end")
	}
	all := want(entries)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		bits := []int{r.IntN(8)}
		if long() {
			bits = []int{0, 1, 2, 3, 4, 5, 6, 7}
		}
		for _, bit := range bits {
			bad := bytes.Clone(data)
			bad[i] ^= 1 << bit
			for _, m := range modes {
				if !m.bodies && i%4 != 0 {
					continue
				}
				res := readAll(t, m.open(bad), m.bodies)
				if !checkSubset(t, m.name, res, all) {
					t.Fatalf("bit %d of byte %d", bit, i)
				}
				lost := len(all) - len(res.flows)
				if lost > 4 { // no block has more
					t.Fatalf("bit %d of byte %d, %s: %d flows lost: %v", bit, i, m.name, lost, res.damage)
				}
				if m.bodies && len(res.damage) == 0 && int64(i) < index {
					t.Fatalf("bit %d of byte %d, %s: not noticed", bit, i, m.name)
				}
				if lost > 0 && len(res.damage) == 0 {
					t.Fatalf("bit %d of byte %d, %s: %d flows lost in silence", bit, i, m.name, lost)
				}
				if m.bodies && missing(res) && len(res.damage) == 0 {
					t.Fatalf("bit %d of byte %d, %s: bodies lost in silence", bit, i, m.name)
				}
				for _, d := range res.damage {
					if !m.bodies && d.Kind == BadBody {
						continue
					}
					if d.Offset > int64(i) || d.Offset < before(ends, int64(i)) {
						t.Fatalf("bit %d of byte %d, %s: misplaced: %v", bit, i, m.name, d)
					}
				}
			}
		}
	}
}

// missing reports whether bodies are missing from the flows.
func missing(res result) bool {
	for _, f := range res.flows {
		for _, p := range f.parts {
			if p == "?" {
				return true
			}
		}
	}
	return false
}

// before returns where the block begins that byte i is in.
func before(ends []int64, i int64) int64 {
	start := int64(0)
	for _, e := range ends {
		if e <= i {
			start = e
		}
	}
	return start
}

func TestMangle(t *testing.T) {
	n := 200
	if long() {
		n = 10_000
	}
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		data, entries := small(t, uint64(seed%7+1), WriterOptions{})
		all := byRecord(want(entries))
		for range 1 + r.IntN(3) {
			i, size := r.IntN(len(data)), r.IntN(1500)
			j := min(len(data), i+size)
			switch r.IntN(5) {
			case 0: // insert
				data = append(data[:i:i], append(noise(r, size), data[i:]...)...)
			case 1: // delete
				data = append(data[:i:i], data[j:]...)
			case 2: // duplicate
				data = append(data[:j:j], data[i:]...)
			case 3: // zero
				clear(data[i:j])
			case 4: // overwrite
				copy(data[i:j], noise(r, j-i))
			}
			if len(data) == 0 {
				break
			}
		}
		for _, m := range modes {
			res := readAll(t, m.open(data), m.bodies)
			for _, f := range res.flows {
				if !f.in(all) {
					t.Fatalf("seed %d, %s: wrong flow %.60q", seed, m.name, f.record)
				}
			}
		}
		if _, err := ReadIndex(bytes.NewReader(data), int64(len(data))); err != nil {
			t.Fatalf("seed %d: index: %v", seed, err)
		}
	}
}

func TestTrailingZeros(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	for _, n := range []int{1, 7, 8, 15, 16, 100, 4096, 100_000, 700_000} {
		for _, m := range modes {
			res := readAll(t, m.open(append(bytes.Clone(data), make([]byte, n)...)), m.bodies)
			if len(res.flows) != len(entries) || len(res.damage) != 1 {
				t.Fatalf("%d zeros, %s: %d flows, %v", n, m.name, len(res.flows), res.damage)
			}
			d := res.damage[0]
			if d.Kind != Torn || d.Offset != int64(len(data)) || d.Skipped != int64(n) || d.Cause != errZeros {
				t.Errorf("%d zeros, %s: %v", n, m.name, d)
			}
		}
	}
}

func TestGap(t *testing.T) {
	data, _ := small(t, 1, WriterOptions{})
	ends, _ := blockEnds(t, data)
	without := append(bytes.Clone(data[:ends[1]]), data[ends[2]:]...)
	for _, m := range modes {
		res := readAll(t, m.open(without), m.bodies)
		if len(res.damage) != 1 || res.damage[0].Kind != Gap || res.damage[0].Offset != ends[1] {
			t.Errorf("%s: %v", m.name, res.damage)
		}
		// A part of a file, and the same file twice, miss nothing.
		for _, good := range [][]byte{data[ends[1]:], append(bytes.Clone(data), data...), append(bytes.Clone(data[ends[1]:]), data[:ends[0]]...)} {
			if res := readAll(t, m.open(good), m.bodies); len(res.damage) > 0 {
				t.Errorf("%s: %v", m.name, res.damage)
			}
		}
	}
}
