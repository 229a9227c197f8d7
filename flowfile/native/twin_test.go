package native_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/jsonl"
	"flowkit/flowfile/native"
)

// records returns every record of a native file, in order.
func records(t *testing.T, data []byte) (all []string) {
	t.Helper()
	r := block.NewReader(bytes.NewReader(data), block.ReaderOptions{})
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		entries, err := b.Entries()
		if err != nil {
			t.Fatal(err)
		}
		for entries.Next() {
			all = append(all, string(entries.Record()))
		}
		if err := entries.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// The text twin keeps all: a file that went through JSON lines has the same records.
func TestTextTwin(t *testing.T) {
	first := encode(t, flowtest.Flows(300, 21), native.WriterOptions{Workers: 1})
	var text bytes.Buffer
	w := jsonl.NewWriter(&text, jsonl.Options{})
	flows, _ := read(t, bytes.NewReader(first), native.ReaderOptions{Need: needAll})
	if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var back []*flowfile.Flow
	for f, err := range flowfile.Flows(jsonl.NewReader(&text, jsonl.Options{})) {
		if err != nil {
			t.Fatal(err)
		}
		back = append(back, f)
	}
	second := encode(t, back, native.WriterOptions{Workers: 1})
	if diff := cmp.Diff(records(t, first), records(t, second)); diff != "" {
		t.Error(diff)
	}
}
