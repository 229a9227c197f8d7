package block

import (
	"bytes"
	"testing"
)

func lookup(t *testing.T, x *Index, data []byte, e *Entry) bool {
	t.Helper()
	for _, p := range x.Lookup(e.ID) {
		b, err := x.ReadBlock(bytes.NewReader(data), p.Offset)
		if err != nil {
			t.Fatal(err)
		}
		it, err := b.Entries()
		if err != nil {
			t.Fatal(err)
		}
		for it.Next() {
			if it.Index() == p.Entry && bytes.Equal(it.Record(), e.Record) {
				return true
			}
		}
	}
	return false
}

func TestIndex(t *testing.T) {
	a, ae := small(t, 1, WriterOptions{})
	b, be := small(t, 2, WriterOptions{})
	n, ne := small(t, 3, WriterOptions{NoIndex: true})
	ends, _ := blockEnds(t, a)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	wrong := bytes.Clone(a)
	wrong[ends[len(ends)-1]-40] ^= 1 // in the index segment

	for _, c := range []struct {
		name     string
		data     []byte
		complete bool
		ids      [][]*Entry // flows that Lookup must find
		all      [][]*Entry // flows in the blocks
	}{
		{"one", a, true, [][]*Entry{ae}, [][]*Entry{ae}},
		{"cat a b", join(a, b), true, [][]*Entry{ae, be}, [][]*Entry{ae, be}},
		{"cat b a", join(b, a), true, [][]*Entry{ae, be}, [][]*Entry{ae, be}},
		{"none", n, false, nil, [][]*Entry{ne}},
		{"none in front", join(n, a), false, [][]*Entry{ae}, [][]*Entry{ne, ae}},
		{"none behind", join(a, n), false, [][]*Entry{ae}, [][]*Entry{ae, ne}},
		{"none between", join(a, n, b), false, [][]*Entry{ae, be}, [][]*Entry{ae, ne, be}},
		{"torn tail", join(a, b, n[:50]), true, [][]*Entry{ae, be}, [][]*Entry{ae, be}},
		{"torn between", join(a, n[:50], b), true, [][]*Entry{ae, be}, [][]*Entry{ae, be}},
		{"wrong index", wrong, false, nil, [][]*Entry{ae}},
		{"wrong index in front", join(wrong, b), false, [][]*Entry{be}, [][]*Entry{ae, be}},
		{"index of another file", join(n, a[ends[len(ends)-2]:]), false, nil, [][]*Entry{ne}},
		{"empty", nil, true, nil, nil},
	} {
		x, err := ReadIndex(bytes.NewReader(c.data), int64(len(c.data)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if x.Complete != c.complete {
			t.Errorf("%s: complete is %v", c.name, x.Complete)
		}
		for _, entries := range c.ids {
			for _, e := range entries {
				if !lookup(t, x, c.data, e) {
					t.Errorf("%s: %s not found", c.name, e.ID)
				}
			}
		}
		flows, last := 0, int64(-1)
		for _, b := range x.Blocks {
			if b.Offset <= last {
				t.Errorf("%s: blocks out of order", c.name)
			}
			last = b.Offset
			flows += b.Flows
		}
		sum := 0
		for _, entries := range c.all {
			sum += len(entries)
		}
		if flows != sum {
			t.Errorf("%s: %d flows of %d", c.name, flows, sum)
		}
		if len(x.Lookup("no such flow")) > 0 {
			t.Errorf("%s: found what is not there", c.name)
		}
	}
}

func TestIndexIsWrittenBetween(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, WriterOptions{Workers: 1})
	entries := sample(1, 20, 100)
	for i, e := range entries {
		if err := w.Add(e); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if i%6 == 5 {
			w.out.writeIndex()
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	x, err := ReadIndex(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || !x.Complete || len(x.parts) != 5 || len(x.Blocks) != 20 {
		t.Fatalf("%d parts, %d blocks, %v", len(x.parts), len(x.Blocks), err)
	}
	for _, e := range entries {
		if !lookup(t, x, b.Bytes(), e) {
			t.Errorf("%s not found", e.ID)
		}
	}
}
