package exec_test

import (
	"testing"

	"flowkit/flowfile"
	"flowkit/transform/exec"
)

func BenchmarkSource(b *testing.B) {
	for _, c := range []struct{ name, command string }{
		{"untouched", "cat"},
		{"marked", `sed 's/,"client"/,"comment":"x","client"/'`},
		{"dropped", "grep -v type; true"},
		{"reordered", "tac"},
	} {
		b.Run(c.name, func(b *testing.B) {
			const n = 20_000
			path := dump(b, n)
			b.ReportAllocs()
			for b.Loop() {
				s := exec.Source(b.Context(), openDump(b, path), c.command, exec.Options{})
				for _, err := range flowfile.Flows(s) {
					if err != nil {
						b.Fatal(err)
					}
				}
				s.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "us/flow")
		})
	}
}
