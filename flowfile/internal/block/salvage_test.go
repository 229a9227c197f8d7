package block

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func salvaging(d []byte) *Reader {
	return NewReader(bytes.NewReader(d), ReaderOptions{Salvage: true})
}

// A byte that is wrong, wherever it is, costs nothing.
func TestSalvageFlips(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	all := want(entries)
	ends, kinds := blockEnds(t, data)
	step := 3
	if long() {
		step = 1
	}
	for n := 0; n < len(data); n += step {
		bad := bytes.Clone(data)
		bad[n] ^= byte(1 + n%255)
		res := readAll(t, salvaging(bad), true)
		if kinds[blockAt(ends, n)] != kindData {
			if len(res.flows) != len(all) {
				t.Fatalf("byte %d, outside of data: %d flows", n, len(res.flows))
			}
			continue
		}
		if d := cmp.Diff(all, res.flows, cmpFlow); d != "" {
			t.Errorf("byte %d: %v\n%s", n, res.damage, d)
		}
		for _, d := range res.damage {
			if !errors.Is(d, ErrMended) {
				t.Errorf("byte %d: %v", n, d)
			}
		}
	}
}

func blockAt(ends []int64, n int) int {
	for i, e := range ends {
		if int64(n) < e {
			return i
		}
	}
	return len(ends)
}

// A file that is cut anywhere gives all that a plain reader gives, and never what was not written.
func TestSalvagePrefixes(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	all := want(entries)
	step := 3
	if long() {
		step = 1
	}
	for n := 0; n <= len(data); n += step {
		for what, cut := range map[string][]byte{
			"cut": data[:n], "zeros": append(bytes.Clone(data[:n]), make([]byte, len(data)-n)...),
			"appended": append(bytes.Clone(data[:n]), data[:min(n, 1800)]...),
		} {
			plain := readAll(t, NewReader(bytes.NewReader(cut), ReaderOptions{}), true)
			res := readAll(t, salvaging(cut), true)
			if len(res.flows) < len(plain.flows) {
				t.Fatalf("%s at %d: %d flows, %d without salvage", what, n, len(res.flows), len(plain.flows))
			}
			for _, f := range res.flows {
				if !f.in(byRecord(all)) {
					t.Fatalf("%s at %d: invented %.60q", what, n, f.record)
				}
			}
		}
	}
}

// Of a block whose records take several zstd blocks, those in front of the cut come out.
func TestSalvagePrefixOfRecords(t *testing.T) {
	r := rng(3)
	var entries []*Entry
	for i := range 3000 {
		entries = append(entries, &Entry{Record: record(string(noise(r, 8)), string(text(r, 200))), ID: "x", Starts: true, Time: int64(i)})
	}
	data := write(t, WriterOptions{Workers: 1, Session: 3, MaxEntries: 4000}, entries)
	h, err := (&walker{src: fixedSource(bytes.NewReader(data), int64(len(data)))}).headerAt(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []int{2, 4, 8} {
		n := h.Len + h.Segments[0].Comp - h.Segments[0].Comp/part
		for _, pipes := range []bool{false, true} {
			rd := salvaging(data[:n])
			if pipes {
				rd = NewReader(pipe{bytes.NewReader(data[:n])}, ReaderOptions{Salvage: true})
			}
			res := readAll(t, rd, true)
			if len(res.flows) < 300 || len(res.flows) == 3000 || len(res.damage) != 1 || res.damage[0].Records != 3000-len(res.flows) {
				t.Errorf("cut at %d of %d: %d flows, %v", n, h.total(), len(res.flows), res.damage)
			}
			if d := cmp.Diff(want(entries[:len(res.flows)]), res.flows, cmpFlow); d != "" {
				t.Error(d)
			}
		}
	}
}

// Contents in front of the place where a body segment is cut come out, of the one at that place the
// beginning.
func TestSalvageBodies(t *testing.T) {
	r := rng(5)
	for _, dense := range []bool{false, true} {
		var entries []*Entry
		for range 20 {
			b := text(r, 40<<10)
			if dense {
				b = noise(r, 40<<10)
			}
			entries = append(entries, &Entry{Record: record(string(noise(r, 8))), Parts: []Part{{N: 1, Data: b, Total: int64(len(b)), Incompressible: dense}}})
		}
		data := write(t, WriterOptions{Workers: 1, NoIndex: true}, entries)
		cut := data[:len(data)*2/3]
		b, err := salvaging(cut).Next()
		if err != nil {
			t.Fatal(err)
		}
		// Behind the tear stands another session: nothing of the segment that it stands in is believed.
		for _, rd := range []*Reader{
			salvaging(append(bytes.Clone(cut), data[:len(data)/5]...)),
			NewReader(pipe{bytes.NewReader(append(bytes.Clone(cut), data[:len(data)/5]...))}, ReaderOptions{Salvage: true}),
		} {
			res := readAll(t, rd, true)
			for i, f := range res.flows {
				if w := want(entries)[i%20]; f.record != w.record || f.parts[0] != "?" && f.parts[0] != w.parts[0] {
					t.Fatalf("dense %v: flow %d is not as it was", dense, i)
				}
			}
		}
		whole, partly := 0, 0
		e, err := b.Entries()
		if err != nil {
			t.Fatal(err)
		}
		for e.Next() {
			at := e.Refs()[0].Ranges[0]
			want := entries[e.Index()].Parts[0].Data
			got, err := b.Content(at)
			switch {
			case err == nil && bytes.Equal(got, want):
				whole++
			case err == nil:
				t.Fatal("wrong content")
			}
			head := b.Head(at)
			if !bytes.HasPrefix(want, head) {
				t.Fatal("wrong beginning of a content")
			}
			if err != nil && len(head) > 0 {
				partly++
			}
		}
		if whole < 8 || whole > 14 || partly > 1 {
			t.Errorf("dense %v: %d whole, %d in part", dense, whole, partly)
		}
		b.Release()
		if got := b.Head(Range{1, 0, 100}); len(got) != 100 {
			t.Error("forgotten by Release")
		}
	}
}

func TestOneByte(t *testing.T) {
	r := rng(8)
	for _, n := range []int{1, 4, 100, 5000} {
		b := noise(r, n)
		sum := castagnoli(b)
		for at := 0; at < n; at += 1 + n/100 {
			bad := bytes.Clone(b)
			flip := byte(1 + r.IntN(255))
			bad[at] ^= flip
			found := false
			for _, c := range oneByte(castagnoli(bad)^sum, n) {
				found = found || c == change{at, flip}
			}
			if !found {
				t.Fatalf("byte %d of %d is not found", at, n)
			}
		}
	}
}

// Whatever the bytes, salvage comes to an end, gives what fits the limits, and no less than a plain reader.
func FuzzSalvage(f *testing.F) {
	data, _ := small(f, 1, WriterOptions{})
	f.Add(data, 500, byte(1), len(data))
	f.Add(data, 100, byte(0), 900)
	f.Add(data, 30, byte(7), 1700)
	f.Fuzz(func(t *testing.T, b []byte, at int, flip byte, n int) {
		if n >= 0 && n < len(b) {
			b = b[:n]
		}
		b = bytes.Clone(b)
		if at >= 0 && at < len(b) {
			b[at] ^= flip
		}
		plain := readAll(t, NewReader(bytes.NewReader(b), ReaderOptions{}), true)
		res := readAll(t, salvaging(b), true)
		stream := readAll(t, NewReader(pipe{bytes.NewReader(b)}, ReaderOptions{Salvage: true}), true)
		if len(res.flows) < len(plain.flows) || len(stream.flows) < len(plain.flows) {
			t.Errorf("%d flows, %d of a stream, %d without salvage", len(res.flows), len(stream.flows), len(plain.flows))
		}
	})
}

// Whatever damages make of a file, salvage gives no less than a plain reader and nothing
// that was not written.
func TestSalvageMutants(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	all := byRecord(want(entries))
	n := 400
	if long() {
		n = 40_000
	}
	for i := range n {
		r := rng(uint64(i))
		b := bytes.Clone(data)
		// Torn off, or one or two damages of another kind: of a segment that is torn off and wrong as well,
		// nobody can tell that it is wrong.
		torn := r.IntN(4) == 0
		for range 1 + r.IntN(2) {
			at := r.IntN(len(b))
			kind := r.IntN(3)
			if kind++; kind == 1 {
				kind = 0
			}
			if torn {
				kind = 1
			}
			switch kind {
			case 0:
				b[at] ^= byte(1 + r.IntN(255))
			case 1:
				b = b[:at+1]
			case 2:
				b = append(bytes.Clone(b[:at]), b[min(len(b)-1, at+r.IntN(200)):]...)
			default:
				b = append(bytes.Clone(b[:at]), append(noise(r, r.IntN(100)), b[at:]...)...)
			}
		}
		plain := readAll(t, NewReader(bytes.NewReader(b), ReaderOptions{}), true)
		for what, rd := range map[string]*Reader{
			"file": salvaging(b), "pipe": NewReader(pipe{bytes.NewReader(b)}, ReaderOptions{Salvage: true}),
		} {
			res := readAll(t, rd, true)
			if len(res.flows) < len(plain.flows) {
				t.Fatalf("mutant %d, %s: %d flows, %d without salvage", i, what, len(res.flows), len(plain.flows))
			}
			for _, f := range res.flows {
				if !f.in(all) {
					t.Fatalf("mutant %d, %s: invented %.60q", i, what, f.record)
				}
			}
		}
	}
}
