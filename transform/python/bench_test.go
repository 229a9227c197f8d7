package python_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/mitm"
	"flowkit/replay"
	"flowkit/transform/python"
	"flowkit/transform/script"
)

// BenchmarkScripts runs scripts over a dump and throws the result away; whole commands
// against mitmdump are in testdata/bench.
func BenchmarkScripts(b *testing.B) {
	const flows = 5000
	in := filepath.Join(b.TempDir(), "in.mitm")
	f, err := os.Create(in)
	if err != nil {
		b.Fatal(err)
	}
	if err := flowtest.Dump(f, flows, 1); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ name, src string }{
		{"Noop", "def response(flow): pass\n"},
		{"Header", "def response(flow): flow.response.headers['newheader'] = 'foo'\n"},
		{"Body", "def response(flow): flow.response.content = flow.response.content.replace(b'e', b'E')\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx := context.Background()
			session, err := python.Engine{}.Load(ctx, []script.Spec{{
				Path: c.name + ".py", Source: []byte(c.src), Output: io.Discard, Log: slog.New(slog.DiscardHandler),
			}})
			if err != nil {
				b.Skip(err)
			}
			defer session.Close()
			b.ReportAllocs()
			for b.Loop() {
				file, err := os.Open(in)
				if err != nil {
					b.Fatal(err)
				}
				w := mitm.NewWriter(io.Discard, mitm.WriterOptions{})
				p := replay.Pipeline{Source: mitm.NewReader(file, mitm.ReaderOptions{}), Stages: []replay.Stage{session}, Sink: w}
				if err := p.Run(ctx); err != nil {
					b.Fatal(err)
				}
				file.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/flows, "ns/flow")
		})
	}
}
