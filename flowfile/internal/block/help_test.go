package block

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"flowkit/flowfile/internal/mp"
)

// long reports whether the exhaustive forms of the tests are asked for.
func long() bool { return os.Getenv("FLOWKIT_LONG") == "1" }

// flow is an entry as the tests compare it.
type flow struct {
	record string
	parts  []string
	shared []string
}

func record(id string, extra ...string) []byte {
	var w mp.Writer
	w.MapLen(1 + len(extra))
	w.Str("id")
	w.Str(id)
	for i, s := range extra {
		w.Str(fmt.Sprint("k", i))
		w.Str(s)
	}
	return bytes.Clone(w.Bytes())
}

// text returns n bytes that compress well, noise n that do not.
func text(r *rand.Rand, n int) []byte {
	words := []string{"<div class=", "function ", "return ", "\"name\": ", "true, ", "the ", "of ", "</a>\n"}
	var b []byte
	for len(b) < n {
		b = append(b, words[r.IntN(len(words))]...)
		if r.IntN(4) == 0 {
			b = append(b, byte('a'+r.IntN(26)), byte('0'+r.IntN(10)))
		}
	}
	return b[:n]
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// sample returns n entries of all kinds: without parts, with text, noise, repeated content,
// empty content and a shared connection with a certificate.
func sample(seed uint64, n, size int) []*Entry {
	r := rand.New(rand.NewPCG(seed, 1))
	cert := noise(r, 100)
	conns := make([]*Entry, 3)
	for i := range conns {
		conns[i] = &Entry{Record: record(fmt.Sprint("conn", i)), Parts: []Part{{N: 16, Data: cert, Total: int64(len(cert))}}}
	}
	again := text(r, 200)
	entries := make([]*Entry, n)
	for i := range entries {
		id := fmt.Sprintf("%d-flow%d", seed, i)
		e := &Entry{Record: record(id, "GET", "/"+string(text(r, 30))), ID: id, Starts: true, Time: int64(1e18) + int64(i)}
		if i%5 != 4 {
			b := text(r, r.IntN(size+1))
			e.Parts = append(e.Parts, Part{N: 1, Data: b, Total: int64(len(b))})
		}
		if i%3 == 1 {
			b := noise(r, r.IntN(size+1))
			e.Parts = append(e.Parts, Part{N: 0, Data: b, Total: -1, Flags: 1, Incompressible: true})
		}
		if i%4 == 2 {
			e.Parts = append(e.Parts, Part{N: 2, Data: again, Total: 200})
		}
		e.Parts = append(e.Parts, Part{N: 32, Shared: conns[r.IntN(len(conns))]})
		entries[i] = e
	}
	return entries
}

// want is what reading entries back must give, without the shared entries themselves.
func want(entries []*Entry) []flow {
	flows := make([]flow, 0, len(entries))
	for _, e := range entries {
		f := flow{record: string(e.Record)}
		for _, p := range e.Parts {
			if p.Shared != nil {
				f.shared = append(f.shared, string(p.Shared.Record)+string(p.Shared.Parts[0].Data))
				continue
			}
			f.parts = append(f.parts, fmt.Sprint(p.N, p.Total, p.Flags, string(p.Data)))
		}
		flows = append(flows, f)
	}
	return flows
}

func write(t testing.TB, o WriterOptions, entries []*Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, o)
	for _, e := range entries {
		if err := w.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pipe hides everything but Read.
type pipe struct{ r io.Reader }

func (p pipe) Read(b []byte) (int, error) { return p.r.Read(b) }

// result is all that reading an input gave.
type result struct {
	flows  []flow // of bodies that could not be read, "?" stands in parts
	damage []*DamageError
	blocks int
}

// readAll reads the input to its end. It fails on errors that are no damage, and on readers
// that do not come to an end.
func readAll(t testing.TB, r *Reader, bodies bool) result {
	t.Helper()
	var res result
	for range 1 << 20 {
		b, err := r.Next()
		var d *DamageError
		switch {
		case errors.Is(err, io.EOF):
			return res
		case errors.As(err, &d):
			res.damage = append(res.damage, d)
			continue
		case err != nil:
			t.Fatal(err)
		}
		res.blocks++
		res.add(t, b, bodies)
	}
	t.Fatal("reading does not end")
	return res
}

func (res *result) add(t testing.TB, b *Block, bodies bool) {
	t.Helper()
	e, err := b.Entries()
	if err != nil {
		res.note(t, err)
		return
	}
	if bodies {
		if err := b.Prefetch(); err != nil {
			res.note(t, err)
		}
	}
	for e.Next() {
		f := flow{record: string(e.Record())}
		for _, ref := range e.Refs() {
			for _, r := range ref.Ranges {
				if r.Seg == 0 {
					f.shared = append(f.shared, res.shared(t, b, r, bodies))
					continue
				}
				s := "?"
				if bodies {
					if data, err := b.Content(r); err == nil {
						s = fmt.Sprint(ref.Part, ref.Total, ref.Flags, string(data))
					}
				}
				f.parts = append(f.parts, s)
			}
		}
		if bytes.Contains(e.Record(), []byte("conn")) {
			continue // a shared entry
		}
		res.flows = append(res.flows, f)
	}
	if err := e.Err(); err != nil {
		res.note(t, err)
	}
}

func (res *result) shared(t testing.TB, b *Block, r Range, bodies bool) string {
	t.Helper()
	rec, refs, err := b.Shared(r)
	if err != nil {
		res.note(t, err)
		return "?"
	}
	if !bodies {
		return "?"
	}
	data, err := b.Content(refs[0].Ranges[0])
	if err != nil {
		return "?"
	}
	return string(rec) + string(data)
}

func (res *result) note(t testing.TB, err error) {
	t.Helper()
	var d *DamageError
	if !errors.As(err, &d) {
		t.Fatal(err)
	}
	res.damage = append(res.damage, d)
}

// in reports whether f, of which some bodies may be "?", was written.
func (f flow) in(all map[string]flow) bool {
	w, ok := all[f.record]
	if !ok || len(w.parts) != len(f.parts) || len(w.shared) != len(f.shared) {
		return false
	}
	for i, p := range f.parts {
		if p != "?" && p != w.parts[i] {
			return false
		}
	}
	for i, s := range f.shared {
		if s != "?" && s != w.shared[i] {
			return false
		}
	}
	return true
}

func byRecord(flows []flow) map[string]flow {
	m := make(map[string]flow)
	for _, f := range flows {
		m[f.record] = f
	}
	return m
}

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
