package jsonl_test

import (
	"bytes"
	"io"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/jsonl"
)

func TestConformance(t *testing.T) {
	for _, n := range []int{0, 1, 100} {
		flows := flowtest.Flows(n, 31)
		var buf bytes.Buffer
		w := jsonl.NewWriter(&buf, jsonl.Options{})
		if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		flowtest.TestSource(t, func() flowfile.Source {
			return jsonl.NewReader(bytes.NewReader(buf.Bytes()), jsonl.Options{})
		}, flows)
	}
	flowtest.TestSink(t, func(w io.Writer) flowfile.Sink {
		return jsonl.NewWriter(w, jsonl.Options{})
	}, func(t *testing.T, data []byte) []*flowfile.Flow {
		return all(t, jsonl.NewReader(bytes.NewReader(data), jsonl.Options{}))
	})
}

func all(t *testing.T, s flowfile.Source) (flows []*flowfile.Flow) {
	for f, err := range flowfile.Flows(s) {
		if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, f)
	}
	return flows
}
