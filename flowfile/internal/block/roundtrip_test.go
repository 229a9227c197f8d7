package block

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var cmpFlow = cmp.AllowUnexported(flow{})

func TestRoundTrip(t *testing.T) {
	entries := sample(1, 300, 3000)
	var first int
	for _, workers := range []int{1, 2, 4} {
		data := write(t, WriterOptions{Workers: workers, BlockSize: 20_000, SegmentSize: 8000, Session: 7}, entries)
		if first == 0 {
			first = len(data)
		}
		if len(data) != first {
			t.Errorf("%d workers: %d bytes, one worker: %d", workers, len(data), first)
		}
		res := readAll(t, NewReader(bytes.NewReader(data), ReaderOptions{}), true)
		if len(res.damage) > 0 {
			t.Errorf("%d workers: %v", workers, res.damage)
		}
		if d := cmp.Diff(want(entries), res.flows, cmpFlow); d != "" {
			t.Errorf("%d workers: %s", workers, d)
		}
		res = readAll(t, NewReader(pipe{bytes.NewReader(data)}, ReaderOptions{}), true)
		if d := cmp.Diff(want(entries), res.flows, cmpFlow); d != "" || len(res.damage) > 0 {
			t.Errorf("%d workers, pipe: %v %s", workers, res.damage, d)
		}
		r := NewReader(pipe{bytes.NewReader(data)}, ReaderOptions{SkipBodies: true})
		res = readAll(t, r, false)
		if len(res.flows) != len(entries) || len(res.damage) > 0 {
			t.Errorf("%d workers, pipe without bodies: %d flows, %v", workers, len(res.flows), res.damage)
		}
		if s := r.Stats(); s.BodySegments != 0 || s.BodyBytes != 0 || s.Blocks < 5 {
			t.Errorf("stats without bodies: %+v", s)
		}
	}
}

func TestAppendSessions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.flow")
	entries := sample(2, 60, 500)
	for i := 0; i < 60; i += 20 {
		w, tail, err := OpenAppend(path, WriterOptions{BlockSize: 3000}, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := OpenAppend(path, WriterOptions{}, false); err == nil {
			t.Error("two writers at a time")
		}
		if tail.Torn != 0 {
			t.Errorf("tail %+v", tail)
		}
		for _, e := range entries[i : i+20] {
			if err := w.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	res := readAll(t, NewReader(f, ReaderOptions{}), true)
	if d := cmp.Diff(want(entries), res.flows, cmpFlow); d != "" || len(res.damage) > 0 {
		t.Error(res.damage, d)
	}
	st, _ := f.Stat()
	x, err := ReadIndex(f, st.Size())
	if err != nil || !x.Complete {
		t.Fatal(err, x)
	}
	for i, e := range entries {
		places := x.Lookup(e.ID)
		if len(places) != 1 {
			t.Fatalf("flow %d: %v", i, places)
		}
		b, err := x.ReadBlock(f, places[0].Offset)
		if err != nil {
			t.Fatal(err)
		}
		it, err := b.Entries()
		if err != nil {
			t.Fatal(err)
		}
		for it.Next() && it.Index() < places[0].Entry {
		}
		if !bytes.Equal(it.Record(), e.Record) {
			t.Errorf("flow %d: found %q", i, it.Record())
		}
	}
}
