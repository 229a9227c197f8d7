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

const benchFlows = 2000

// benchDump returns the path and the size of a generated dump.
func benchDump(b *testing.B) (string, int64) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bench.mitm")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := flowtest.Dump(f, benchFlows, 1); err != nil {
		b.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path, info.Size()
}

// benchmark runs each over all flows of a dump, batch by batch.
func benchmark(b *testing.B, each func(*flowfile.Batch, *mitm.Writer)) {
	path, size := benchDump(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		r := mitm.NewReader(f, mitm.ReaderOptions{})
		w := mitm.NewWriter(io.Discard, mitm.WriterOptions{})
		for {
			batch, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			each(batch, w)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*benchFlows), "µs/flow")
}

func BenchmarkRead(b *testing.B) { benchmark(b, func(*flowfile.Batch, *mitm.Writer) {}) }

func BenchmarkCopy(b *testing.B) {
	benchmark(b, func(batch *flowfile.Batch, w *mitm.Writer) {
		if err := w.Write(batch); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkHeaderEdit(b *testing.B) {
	benchmark(b, func(batch *flowfile.Batch, w *mitm.Writer) {
		for _, f := range batch.Flows {
			f.Request().Headers().Set("X-Trace", "1")
		}
		if err := w.Write(batch); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkModel(b *testing.B) {
	benchmark(b, func(batch *flowfile.Batch, w *mitm.Writer) {
		for _, f := range batch.Flows {
			f.SetOrigin(nil)
		}
		if err := w.Write(batch); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkKept(b *testing.B) {
	benchmark(b, func(batch *flowfile.Batch, _ *mitm.Writer) {
		for _, f := range batch.Flows {
			if k := f.Origin().Kept(f); k.Head != "" {
				b.Fatal("more was kept than the version")
			}
		}
	})
}

func BenchmarkReadPipe(b *testing.B) {
	path, size := benchDump(b)
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		r := mitm.NewReader(bytes.NewBuffer(data), mitm.ReaderOptions{})
		for _, err := range flowfile.Flows(r) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*benchFlows), "µs/flow")
}

// BenchmarkReadOld reads records that climb the whole ladder.
func BenchmarkReadOld(b *testing.B) {
	for _, version := range []string{"0.11", "7", "16"} {
		b.Run(version, func(b *testing.B) {
			i := era(version)
			data := bytes.Repeat(recordBytes(record(i, "id"), !since(i, "0.19")), benchFlows)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range flowfile.Flows(mitm.NewReader(bytes.NewReader(data), mitm.ReaderOptions{})) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*benchFlows), "µs/flow")
		})
	}
}
