package filter_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/filter"
	"flowkit/flowfile/mitm"
)

const vectors = "../../testdata/filter/"

// vector is a line of vectors.jsonl; record.py, which wrote it, says what the fields mean.
type vector struct {
	Expr   string
	Error  string
	Match  string
	NoCase string
	Go     *struct {
		Why   string
		Match *string
	}
}

// mitmproxy are the answers of one that ignores case, nil if it refuses the expression.
func (v vector) mitmproxy() *string {
	switch {
	case v.Error != "":
		return nil
	case v.NoCase != "":
		return &v.NoCase
	}
	return &v.Match
}

// The expressions whose answers mitmproxy gave mean the same here, except where the vectors
// tell why not. The Python shim passes the same ones.
func TestVectors(t *testing.T) {
	flows := readDump(t, vectors+"flows.mitm")
	file, err := os.Open(vectors + "vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Scan()
	n := 0
	for ; lines.Scan(); n++ {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		want := v.mitmproxy()
		if v.Go != nil {
			if same(want, v.Go.Match) {
				t.Errorf("%q: no difference from mitmproxy: %s", v.Expr, v.Go.Why)
			}
			want = v.Go.Match
		}
		if got := answers(t, v.Expr, flows); !same(got, want) {
			t.Errorf("%q:\n%s, want\n%s", v.Expr, show(got), show(want))
		}
	}
	if err := lines.Err(); err != nil || n < 400 {
		t.Errorf("%d vectors: %v", n, err)
	}
}

func same(a, b *string) bool { return show(a) == show(b) }

func show(answers *string) string {
	if answers == nil {
		return "an error"
	}
	return *answers
}

// answers are a 0 or 1 for each flow, nil if expr is refused.
func answers(t *testing.T, expr string, flows []*flowfile.Flow) *string {
	t.Helper()
	x, err := filter.Parse(expr)
	if err != nil {
		return nil
	}
	var b []byte
	for _, f := range flows {
		ok, err := x.Match(f)
		if err != nil {
			t.Errorf("%q: %s: %v", expr, f.ID(), err)
		}
		if ok {
			b = append(b, '1')
		} else {
			b = append(b, '0')
		}
	}
	s := string(b)
	return &s
}

func readDump(t *testing.T, path string) []*flowfile.Flow {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	r := mitm.NewReader(file, mitm.ReaderOptions{})
	t.Cleanup(func() { r.Close(); file.Close() })
	var flows []*flowfile.Flow
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return flows
		}
		if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, b.Flows...)
	}
}
