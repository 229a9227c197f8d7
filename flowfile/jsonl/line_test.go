package jsonl_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/jsonl"
)

func TestParseLine(t *testing.T) {
	for i, f := range flowtest.Flows(20, 8) {
		line := write(t, []*flowfile.Flow{f}, jsonl.Options{})
		got, err := jsonl.ParseLine(line)
		if err != nil {
			t.Fatal(err)
		}
		want := flowtest.Tree(f)
		clear(line)
		if d := cmp.Diff(want, flowtest.Tree(got)); d != "" {
			t.Errorf("flow %d: %s", i, d)
		}
	}
	for _, line := range [][]byte{nil, []byte("\n"), []byte("{}"), []byte("[1]"), bytes.Repeat([]byte("{"), 100), []byte("\xff")} {
		if f, err := jsonl.ParseLine(line); err == nil {
			t.Errorf("%q gives %v", line, f)
		}
	}
}
