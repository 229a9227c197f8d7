package mitm_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/mitm"
)

func TestConformance(t *testing.T) {
	all := func(t *testing.T, s flowfile.Source) (flows []*flowfile.Flow) {
		for f, err := range flowfile.Flows(s) {
			if err != nil {
				t.Fatal(err)
			}
			flows = append(flows, f)
		}
		return flows
	}
	for _, n := range []int{0, 1, 100} {
		var buf bytes.Buffer
		w := mitm.NewWriter(&buf, mitm.WriterOptions{})
		if err := w.Write(&flowfile.Batch{Flows: flowtest.Flows(n, 31)}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "a.mitm")
		if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		// A dump cannot hold all that a flow has: the flows are those that it holds.
		want := all(t, mitm.NewReader(bytes.NewReader(buf.Bytes()), mitm.ReaderOptions{}))
		t.Run("pipe", func(t *testing.T) {
			flowtest.TestSource(t, func() flowfile.Source {
				return mitm.NewReader(struct{ io.Reader }{bytes.NewReader(buf.Bytes())}, mitm.ReaderOptions{})
			}, want)
		})
		t.Run("file", func(t *testing.T) {
			flowtest.TestSource(t, func() flowfile.Source {
				f, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { f.Close() })
				return mitm.NewReader(f, mitm.ReaderOptions{})
			}, want)
		})
	}
	flowtest.TestSink(t, func(w io.Writer) flowfile.Sink {
		return mitm.NewWriter(w, mitm.WriterOptions{})
	}, func(t *testing.T, data []byte) []*flowfile.Flow {
		return all(t, mitm.NewReader(bytes.NewReader(data), mitm.ReaderOptions{}))
	})
}
