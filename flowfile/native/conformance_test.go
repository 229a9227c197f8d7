package native_test

import (
	"bytes"
	"io"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/native"
)

func TestConformance(t *testing.T) {
	for _, n := range []int{0, 1, 40} {
		flows := flowtest.Flows(n, 31)
		data := encode(t, flows, native.WriterOptions{})
		for _, m := range modes {
			if m.file {
				continue
			}
			t.Run(m.name, func(t *testing.T) {
				flowtest.TestSource(t, func() flowfile.Source {
					var in io.Reader = bytes.NewReader(data)
					if m.pipe {
						in = onlyReader{in}
					}
					return native.NewReader(in, native.ReaderOptions{Need: needAll, Workers: m.workers, TempDir: t.TempDir()})
				}, flows)
			})
		}
	}
	for _, workers := range []int{1, 3} {
		flowtest.TestSink(t, func(w io.Writer) flowfile.Sink {
			return native.NewWriter(w, native.WriterOptions{Workers: workers})
		}, func(t *testing.T, data []byte) []*flowfile.Flow {
			flows, damage := read(t, bytes.NewReader(data), native.ReaderOptions{Need: needAll})
			if len(damage) > 0 {
				t.Fatal(damage)
			}
			return flows
		})
	}
}
