package exec_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/transform/exec"
)

// TestMain lets the test binary be a program of its own: respell.
func TestMain(m *testing.M) {
	if os.Getenv("EXEC_TEST_RESPELL") != "" {
		respell()
		return
	}
	os.Exit(m.Run())
}

// respell writes each line with other spaces, escapes and orders of keys.
func respell() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		dec := json.NewDecoder(bytes.NewReader(in.Bytes()))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			panic(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		fmt.Printf("  %s\r\n\n", strings.ReplaceAll(string(b), `,"`, ` , "`))
	}
}

func respellCommand(t testing.TB) string {
	t.Setenv("EXEC_TEST_RESPELL", "1")
	bin, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return "'" + bin + "'"
}

// source yields flows and errors in batches of ten.
type source struct {
	items  []any
	closed atomic.Bool
}

func (s *source) Next() (*flowfile.Batch, error) {
	b := &flowfile.Batch{}
	for len(s.items) > 0 && len(b.Flows) < 10 {
		if err, ok := s.items[0].(error); ok {
			if len(b.Flows) == 0 {
				s.items = s.items[1:]
				return nil, err
			}
			break
		}
		b.Flows = append(b.Flows, s.items[0].(*flowfile.Flow))
		s.items = s.items[1:]
	}
	if len(b.Flows) == 0 {
		return nil, io.EOF
	}
	return b, nil
}

func (s *source) Close() error {
	s.closed.Store(true)
	return nil
}

func sourceOf(flows []*flowfile.Flow) *source {
	s := &source{}
	for _, f := range flows {
		s.items = append(s.items, f)
	}
	return s
}

// request returns n plain flows.
func requests(n int) []*flowfile.Flow {
	flows := make([]*flowfile.Flow, n)
	for i := range flows {
		flows[i] = request(i)
	}
	return flows
}

func request(i int) *flowfile.Flow {
	return flowfile.New(flowfile.Head{
		ID: fmt.Sprintf("id-%d", i),
		Request: flowfile.NewRequest(flowfile.RequestHead{
			Method: "GET", Scheme: "http", Host: "shop.example", Port: 80, Path: fmt.Sprintf("/%d", i),
			MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Body: flowfile.StringBody("")},
		}),
		Response: flowfile.NewResponse(flowfile.ResponseHead{
			Status: 200, Reason: "OK", MessageHead: flowfile.MessageHead{
				Version: "HTTP/1.1", Headers: []flowfile.Field{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}},
				Body: flowfile.StringBody(fmt.Sprintf("body %d ü", i)),
			},
		}),
	})
}

// result is what came out of a program.
type result struct {
	flows  []*flowfile.Flow
	damage []string
	err    error
}

func run(t testing.TB, in flowfile.Source, command string, o exec.Options) result {
	t.Helper()
	s := exec.Source(t.Context(), in, command, o)
	defer s.Close()
	return drain(s)
}

func drain(s flowfile.Source) (r result) {
	for f, err := range flowfile.Flows(s) {
		var d *flowfile.Damage
		switch {
		case errors.As(err, &d):
			r.damage = append(r.damage, d.Error())
		case err != nil:
			r.err = err
		default:
			r.flows = append(r.flows, f)
		}
	}
	return r
}

// good is run for programs that nothing is wrong with.
func good(t testing.TB, in flowfile.Source, command string, o exec.Options) []*flowfile.Flow {
	t.Helper()
	r := run(t, in, command, o)
	if r.err != nil || len(r.damage) > 0 {
		t.Fatalf("%s: %v, damage %q", command, r.err, r.damage)
	}
	return r.flows
}

func ids(flows []*flowfile.Flow) string {
	var out []string
	for _, f := range flows {
		out = append(out, strings.TrimPrefix(f.ID(), "id-"))
	}
	return strings.Join(out, " ")
}

func modes(t testing.TB) map[string]exec.Bodies {
	return map[string]exec.Bodies{
		"none": {}, "text": {Mode: exec.Text}, "base64": {Mode: exec.Base64},
		"file": {Mode: exec.Files, Dir: filepath.Join(t.TempDir(), "bodies")},
	}
}

// The stream is a source like any other.
func TestConformance(t *testing.T) {
	flows := flowtest.Flows(300, 5)
	for name := range modes(t) {
		t.Run(name, func(t *testing.T) {
			flowtest.TestSource(t, func() flowfile.Source {
				return exec.Source(t.Context(), sourceOf(flows), "cat", exec.Options{Bodies: modes(t)[name]})
			}, flows)
		})
	}
}

// What was only spelled in another way is not changed.
func TestSpellingIsNothing(t *testing.T) {
	flows := flowtest.Flows(120, 6)
	command := respellCommand(t)
	for name, bodies := range modes(t) {
		t.Run(name, func(t *testing.T) {
			got := good(t, sourceOf(flows), command, exec.Options{Bodies: bodies})
			if len(got) != len(flows) {
				t.Fatalf("%d flows", len(got))
			}
			for i, f := range got {
				if f.Changed() != 0 {
					t.Errorf("flow %d: changed %b", i, f.Changed())
				}
				if d := cmp.Diff(flowtest.Tree(flows[i]), flowtest.Tree(f)); d != "" {
					t.Errorf("flow %d: %s", i, d)
				}
			}
		})
	}
}

// Programs may hold back, drop, repeat, reorder and add lines, and stop reading at any time.
func TestPrograms(t *testing.T) {
	for _, c := range []struct{ command, want string }{
		{"cat", "0 1 2 3 4 5 6 7 8 9 10 11"},
		{"grep -v shop.example || true", ""},
		{"grep '/1[01]*\"'", "1 10 11"},
		{"head -n 3", "0 1 2"},
		{"tail -n 3", "9 10 11"},
		{"tac", "11 10 9 8 7 6 5 4 3 2 1 0"},
		{"sort -r", "9 8 7 6 5 4 3 2 11 10 1 0"},
		{"sed p", "0 0 1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 9 9 10 10 11 11"},
		{"jq -c 'select(.request.path > \"/5\")'", "6 7 8 9"},
		{"jq -c '., .' | sort -u | tac", "9 8 7 6 5 4 3 2 11 10 1 0"},
		{"true", ""},
		{"exec >&-; sleep 0.05", ""},
		{"cat >/dev/null; echo '{\"type\":\"http\",\"id\":\"new\"}'", "new"},
		{"printf '{\"type\":\"tcp\",\"id\":\"no newline\"}'; cat >/dev/null", "no newline"},
	} {
		flows := requests(12)
		in := sourceOf(flows)
		got := good(t, in, c.command, exec.Options{})
		if ids(got) != c.want {
			t.Errorf("%s: %s, want %s", c.command, ids(got), c.want)
		}
		for _, f := range got {
			if !strings.HasPrefix(f.ID(), "id-") {
				continue
			}
			if b, err := f.Response().Body().Bytes(-1); f.Changed() != 0 || err != nil || string(b) != "body "+ids([]*flowfile.Flow{f})+" ü" {
				t.Errorf("%s: %s is changed (%b), body %q", c.command, f.ID(), f.Changed(), b)
			}
		}
	}
}
