package native_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/native"
)

const needAll = flowfile.NeedBodies | flowfile.NeedMessages

func encode(t testing.TB, flows []*flowfile.Flow, o native.WriterOptions) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := native.NewWriter(&buf, o)
	for len(flows) > 0 {
		n := min(len(flows), 100)
		if err := w.Write(&flowfile.Batch{Flows: flows[:n]}); err != nil {
			t.Fatal(err)
		}
		flows = flows[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// read returns the flows and the damage that a reader meets.
func read(t testing.TB, r io.Reader, o native.ReaderOptions) (flows []*flowfile.Flow, damage []*flowfile.Damage) {
	t.Helper()
	src := native.NewReader(r, o)
	defer src.Close()
	for f, err := range flowfile.Flows(src) {
		var d *flowfile.Damage
		switch {
		case errors.As(err, &d):
			damage = append(damage, d)
		case err != nil:
			t.Fatal(err)
		default:
			flows = append(flows, f)
		}
	}
	return flows, damage
}

func trees(flows []*flowfile.Flow) []map[string]any {
	out := make([]map[string]any, len(flows))
	for i, f := range flows {
		out[i] = flowtest.Tree(f)
	}
	return out
}

// onlyReader hides everything but Read: a pipe.
type onlyReader struct{ io.Reader }

func TestRoundTrip(t *testing.T) {
	flows := flowtest.Flows(100, 7)
	want := trees(flows)
	data := encode(t, flows, native.WriterOptions{Creator: "test"})
	for _, workers := range []int{1, 3} {
		for _, pipe := range []bool{false, true} {
			var r io.Reader = bytes.NewReader(data)
			if pipe {
				r = onlyReader{r}
			}
			got, damage := read(t, r, native.ReaderOptions{Need: needAll, Workers: workers, TempDir: t.TempDir()})
			if len(damage) != 0 {
				t.Fatalf("workers %d, pipe %v: %v", workers, pipe, damage)
			}
			if diff := cmp.Diff(want, trees(got)); diff != "" {
				t.Fatalf("workers %d, pipe %v:\n%s", workers, pipe, diff)
			}
			for _, f := range got {
				if f.Changed() != 0 {
					t.Fatalf("flow %s is marked as changed: %b", f.ID(), f.Changed())
				}
			}
		}
	}
}

// What is written again from what was read is the same, and so are the records.
func TestRewriteIsIdentical(t *testing.T) {
	first := encode(t, flowtest.Flows(200, 8), native.WriterOptions{Workers: 1})
	flows, _ := read(t, bytes.NewReader(first), native.ReaderOptions{Need: needAll})
	second := encode(t, flows, native.WriterOptions{Workers: 1})
	again, _ := read(t, bytes.NewReader(second), native.ReaderOptions{Need: needAll})
	if diff := cmp.Diff(trees(flows), trees(again)); diff != "" {
		t.Fatal(diff)
	}
	if len(first) != len(second) {
		t.Errorf("%d bytes became %d", len(first), len(second))
	}
}

// Heads alone: the same flows, and no byte of a body is read.
func TestHeadsTouchNoBody(t *testing.T) {
	flows := flowtest.Flows(300, 9)
	data := encode(t, flows, native.WriterOptions{})
	src := native.NewReader(bytes.NewReader(data), native.ReaderOptions{Need: flowfile.NeedMessages})
	defer src.Close()
	n := 0
	for f, err := range flowfile.Flows(src) {
		if err != nil {
			t.Fatal(err)
		}
		if got, want := f.ID(), flows[n].ID(); got != want {
			t.Fatalf("flow %d is %s, want %s", n, got, want)
		}
		if r := f.Request(); r != nil {
			if got, want := r.Body().Size(), flows[n].Request().Body().Size(); got != want {
				t.Errorf("flow %d: request of %d bytes, want %d", n, got, want)
			}
		}
		if got, want := f.Messages().Len(), flows[n].Messages().Len(); got != want {
			t.Errorf("flow %d: %d messages, want %d", n, got, want)
		}
		n++
	}
	if n != len(flows) {
		t.Errorf("%d flows, want %d", n, len(flows))
	}
	if s := src.Stats(); s.BodySegments != 0 || s.BodyBytes != 0 {
		t.Errorf("%d body segments, %d bytes of bodies were read", s.BodySegments, s.BodyBytes)
	}
}

// A pipe of which only heads are wanted: the same sizes, without the bodies.
func TestHeadsOfAPipe(t *testing.T) {
	flows := flowtest.Flows(300, 9)
	data := encode(t, flows, native.WriterOptions{})
	got, damage := read(t, onlyReader{bytes.NewReader(data)}, native.ReaderOptions{Need: flowfile.NeedMessages, TempDir: t.TempDir()})
	if len(damage) > 0 || len(got) != len(flows) {
		t.Fatalf("%d flows of %d, damage %v", len(got), len(flows), damage)
	}
	for i, f := range got {
		if r := f.Response(); r != nil && r.Body().Size() != flows[i].Response().Body().Size() {
			t.Errorf("flow %d: %d bytes, want %d", i, r.Body().Size(), flows[i].Response().Body().Size())
		}
		if f.Messages().Len() != flows[i].Messages().Len() {
			t.Errorf("flow %d: %d messages, want %d", i, f.Messages().Len(), flows[i].Messages().Len())
		}
	}
}

func TestCatIsAFile(t *testing.T) {
	a, b := flowtest.Flows(50, 1), flowtest.Flows(60, 2)
	data := append(encode(t, a, native.WriterOptions{}), encode(t, b, native.WriterOptions{})...)
	got, damage := read(t, bytes.NewReader(data), native.ReaderOptions{Need: needAll})
	if len(damage) != 0 {
		t.Fatal(damage)
	}
	if diff := cmp.Diff(trees(append(a, b...)), trees(got)); diff != "" {
		t.Fatal(diff)
	}
}

func TestAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.flow")
	var want []*flowfile.Flow
	for i := range 3 {
		flows := flowtest.Flows(20, uint64(i))
		w, tail, err := native.OpenAppend(path, native.WriterOptions{}, false)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && tail.Torn == 0 {
			t.Error("the torn end was not seen")
		}
		if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		want = append(want, flows...)
		// Somebody is killed while writing a block.
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		block := encode(t, flowtest.Flows(5, 99), native.WriterOptions{NoIndex: true})
		if _, err := f.Write(block[:len(block)-100]); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, damage := read(t, f, native.ReaderOptions{Need: needAll})
	if len(damage) == 0 {
		t.Error("the torn blocks were not reported")
	}
	// Torn blocks may give up flows whose heads are whole; ours are all there, in order.
	have := map[string]*flowfile.Flow{}
	for _, f := range got {
		have[f.ID()] = f
	}
	for _, f := range want {
		g := have[f.ID()]
		if g == nil {
			t.Fatalf("flow %s is lost", f.ID())
		}
		if diff := cmp.Diff(flowtest.Tree(f), flowtest.Tree(g)); diff != "" {
			t.Fatal(diff)
		}
	}
}

// damaged reads what became of a file and checks that nothing in it is wrong: the flows
// are among those that were written, but for bodies that say that they are not whole.
func damaged(t *testing.T, name string, data []byte, want map[string]map[string]any, whole int) {
	t.Helper()
	got, damage := read(t, bytes.NewReader(data), native.ReaderOptions{Need: needAll, Workers: 1})
	missing := whole != len(got)
	for _, f := range got {
		tree := flowtest.Tree(f)
		orig := want[f.ID()]
		if orig == nil {
			t.Fatalf("%s: flow %s was never written", name, f.ID())
		}
		if reflect.DeepEqual(tree, orig) {
			continue
		}
		missing = true
		if !lostSomething(f) && !strings.Contains(fmt.Sprint(tree), "error: ") {
			t.Fatalf("%s: a wrong flow without a word:\n%s", name, cmp.Diff(orig, tree))
		}
	}
	if missing && len(damage) == 0 && !anyIncomplete(got) {
		t.Fatalf("%s: something is missing, and no damage is reported", name)
	}
}

func lostSomething(f *flowfile.Flow) bool {
	if f.Incomplete() {
		return true
	}
	if r := f.Request(); r != nil && r.Body().State() == flowfile.BodyTruncated {
		return true
	}
	if r := f.Response(); r != nil && r.Body().State() == flowfile.BodyTruncated {
		return true
	}
	for m, err := range f.Messages().All() {
		if err != nil || m.Body.State() == flowfile.BodyTruncated {
			return true
		}
	}
	return f.Messages().Len() > 0
}

func anyIncomplete(flows []*flowfile.Flow) bool {
	for _, f := range flows {
		if f.Incomplete() {
			return true
		}
	}
	return false
}

// small returns a small file of several blocks.
func small(t *testing.T) ([]byte, map[string]map[string]any, int) {
	flows := flowtest.Flows(12, 3)
	var buf bytes.Buffer
	w := native.NewWriter(&buf, native.WriterOptions{Workers: 1})
	want := map[string]map[string]any{}
	for _, f := range flows {
		if r := f.Response(); r != nil && r.Body().Size() > 300 {
			r.InitBody(flowfile.StringBody("short"))
		}
		if r := f.Request(); r != nil && r.Body().Size() > 300 {
			r.InitBody(flowfile.StringBody("short too"))
		}
		want[f.ID()] = flowtest.Tree(f)
		if err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); err != nil {
			t.Fatal(err)
		}
		if len(want)%4 == 0 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), want, len(flows)
}

// steps is the distance of the places that a test tries: n, or 1 in the long form.
func steps(n int) int {
	if os.Getenv("FLOWKIT_LONG") == "1" {
		return 1
	}
	return n
}

func TestEveryPrefix(t *testing.T) {
	data, want, n := small(t)
	step := steps(29)
	for i := 0; i < len(data); i += step {
		got, damage := read(t, bytes.NewReader(data[:i]), native.ReaderOptions{Need: needAll, Workers: 1})
		if len(damage) > 1 {
			t.Fatalf("cut at %d: %d reports: %v", i, len(damage), damage)
		}
		if len(got) > n {
			t.Fatalf("cut at %d: %d flows of %d", i, len(got), n)
		}
		for _, f := range got {
			if tree := flowtest.Tree(f); !reflect.DeepEqual(tree, want[f.ID()]) && !lostSomething(f) && !strings.Contains(fmt.Sprint(tree), "error: ") {
				t.Fatalf("cut at %d: a wrong flow\n%s", i, cmp.Diff(want[f.ID()], tree))
			}
		}
	}
}

func TestEveryFlippedByte(t *testing.T) {
	data, want, n := small(t)
	step := steps(61)
	for i := 0; i < len(data); i += step {
		bad := bytes.Clone(data)
		bad[i] ^= 1 << (i % 8)
		damaged(t, fmt.Sprintf("bit of byte %d", i), bad, want, n)
		bad[i] = ^data[i]
		damaged(t, fmt.Sprintf("byte %d", i), bad, want, n)
	}
}

func TestNotOurs(t *testing.T) {
	for _, s := range []string{"", "x", "1:a,", "{}", "\x28\xb5\x2f\xfd"} {
		got, damage := read(t, bytes.NewReader([]byte(s)), native.ReaderOptions{Need: needAll})
		if len(got) != 0 || (s != "") != (len(damage) > 0) {
			t.Errorf("%q: %d flows, damage %v", s, len(got), damage)
		}
	}
}
