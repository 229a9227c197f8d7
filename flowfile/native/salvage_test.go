package native_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
	"flowkit/flowfile/native"
)

func salvage(t testing.TB, data []byte) ([]*flowfile.Flow, native.Salvaged, []*flowfile.Damage) {
	t.Helper()
	var s native.Salvage
	flows, damage := read(t, bytes.NewReader(data), native.ReaderOptions{Need: needAll, Workers: 1 + len(data)%3, Salvage: &s})
	lossy := damage[:0]
	for _, d := range damage {
		if !s.Harmless(d) {
			lossy = append(lossy, d)
		}
	}
	return flows, s.Counts(bytes.NewReader(data)), lossy
}

// checkSalvage fails if what is salvaged is less than what a plain reader gives, was not
// written, or is not counted as it is.
func checkSalvage(t *testing.T, what string, data []byte, want map[string]map[string]any) {
	t.Helper()
	plain, _ := read(t, bytes.NewReader(data), native.ReaderOptions{Need: needAll, Workers: 1})
	flows, c, damage := salvage(t, data)
	if len(flows) < len(plain) {
		t.Fatalf("%s: %d flows, %d without salvage", what, len(flows), len(plain))
	}
	whole := 0
	for _, f := range flows {
		w, ok := want[f.ID()]
		if !ok {
			t.Fatalf("%s: invented %s", what, f.ID())
		}
		switch d := cmp.Diff(w, flowtest.Tree(f)); {
		case d == "":
			whole++
		case !lostSomething(f) && len(damage) == 0:
			t.Fatalf("%s: %s", what, d)
		}
	}
	if c.Whole+c.Cut+c.Open != len(flows) || c.Whole > whole || len(damage) == 0 && (c.Cut > 0 || c.Lost > 0) {
		t.Fatalf("%s: %+v of %d flows, %d whole, %v", what, c, len(flows), whole, damage)
	}
	if len(flows) < len(want) && len(damage) == 0 && c.Open == 0 && c.Lost == 0 && len(data) > 0 && !strings.HasPrefix(what, "cut") {
		t.Fatalf("%s: %d of %d flows, and not a word", what, len(flows), len(want))
	}
}

func TestSalvageCuts(t *testing.T) {
	data, want, _ := small(t)
	for n := 0; n < len(data); n += steps(37) {
		checkSalvage(t, fmt.Sprint("cut at ", n), data[:n], want)
	}
}

// One wrong byte, at any place, costs nothing.
func TestSalvageFlips(t *testing.T) {
	data, want, _ := small(t)
	for n := 0; n < len(data); n += steps(41) {
		bad := bytes.Clone(data)
		bad[n] ^= byte(1 + n%255)
		flows, c, damage := salvage(t, bad)
		if len(flows) != len(want) || len(damage) > 0 || c.Cut+c.Lost > 0 || c.Whole+c.Open != len(flows) {
			t.Fatalf("byte %d: %+v, %v", n, c, damage)
		}
		for _, f := range flows {
			if d := cmp.Diff(want[f.ID()], flowtest.Tree(f)); d != "" {
				t.Fatalf("byte %d: %s", n, d)
			}
		}
	}
}

// Holes of any kind: zeros, noise, bytes taken out.
func TestSalvageHoles(t *testing.T) {
	data, want, _ := small(t)
	for n := 0; n < len(data)-20; n += steps(97) {
		for _, size := range []int{2, 300, 2500} {
			end := min(n+size, len(data))
			zeros, noise := bytes.Clone(data), bytes.Clone(data)
			clear(zeros[n:end])
			for i := n; i < end; i++ {
				noise[i] ^= byte(1 + (i*31)%255)
			}
			checkSalvage(t, fmt.Sprintf("zeros %d+%d", n, size), zeros, want)
			checkSalvage(t, fmt.Sprintf("noise %d+%d", n, size), noise, want)
			checkSalvage(t, fmt.Sprintf("out %d+%d", n, size), append(bytes.Clone(data[:n]), data[end:]...), want)
		}
	}
}

// A block of which only the index tells is counted, and what was open meanwhile is no longer whole.
func TestSalvageCounts(t *testing.T) {
	r := &raw{t: t}
	r.w = block.NewWriter(&r.buf, block.WriterOptions{Workers: 1})
	r.head(get("long"), true).msg("long", 0, "x")
	r.block()
	ends := []int{r.buf.Len()}
	for i := range 3 {
		r.head(getOK(fmt.Sprint(i)), false, block.Part{N: 1, Data: bytes.Repeat([]byte("body"), 100), Total: 400})
	}
	r.block()
	ends = append(ends, r.buf.Len())
	r.msg("long", 1, "y").end("long", wire.End{Messages: 2})
	r.head(getOK("last"), false)
	data := r.close()
	// All of it.
	if flows, c, damage := salvage(t, data); len(flows) != 5 || c.Whole != 5 || c.Cut+c.Open+c.Lost != 0 || len(damage) > 0 {
		t.Errorf("%+v %v", c, damage)
	}
	// The header of the second block is no more: nothing but the index knows what was in it.
	bad := bytes.Clone(data)
	clear(bad[ends[0] : ends[0]+60])
	flows, c, damage := salvage(t, bad)
	if want := (native.Salvaged{Whole: 1, Cut: 1, Lost: 3}); len(flows) != 2 || c != want || len(damage) != 1 {
		t.Errorf("%+v %v", c, damage)
	}
	// Its bodies are: the heads come out.
	bad = bytes.Clone(data)
	for i := ends[1] - 20; i < ends[1]-10; i++ {
		bad[i] ^= 0xff
	}
	flows, c, damage = salvage(t, bad)
	if want := (native.Salvaged{Whole: 2, Cut: 3}); len(flows) != 5 || c != want || len(damage) != 1 {
		t.Errorf("%d flows, %+v %v", len(flows), c, damage)
	}
}

// A recording that was killed between two blocks has lost nothing that was in the file.
func TestSalvageOpen(t *testing.T) {
	r := newRaw(t)
	r.head(get("open"), true).msg("open", 0, "x")
	r.head(getOK("done"), false)
	r.block()
	flows, c, damage := salvage(t, r.buf.Bytes())
	if want := (native.Salvaged{Whole: 1, Open: 1}); len(flows) != 2 || c != want || len(damage) != 0 {
		t.Errorf("%+v %v", c, damage)
	}
	if !flows[1].Incomplete() || flows[1].Messages().Len() != 1 {
		t.Error(say(flows[1]))
	}
}

// Of a body in parts, and of the part that is cut, the beginning comes out.
func TestSalvageLargeBody(t *testing.T) {
	big := make([]byte, 3<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(big)
	f := getOK("big")
	f.Response().InitBody(flowfile.BytesBody(big))
	data := encode(t, []*flowfile.Flow{f, getOK("small")}, native.WriterOptions{Workers: 1, NoIndex: true})
	flows, c, _ := salvage(t, data[:len(data)/2])
	if len(flows) != 2 || c != (native.Salvaged{Whole: 1, Cut: 1}) {
		t.Fatalf("%d flows, %+v", len(flows), c)
	}
	b := flows[0].Response().Body()
	if flows[0].ID() != "big" {
		b = flows[1].Response().Body()
	}
	got, err := b.Bytes(-1)
	if err != nil || b.State() != flowfile.BodyTruncated || !bytes.HasPrefix(big, got) || len(got) < 1<<20 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestIndexRebuilt(t *testing.T) {
	flows := flowtest.Flows(40, 9)
	indexed := encode(t, flows[:20], native.WriterOptions{Workers: 1})
	plain := encode(t, flows[20:], native.WriterOptions{Workers: 1, NoIndex: true})
	wrong := bytes.Clone(indexed)
	wrong[len(wrong)-60] ^= 1
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, c := range map[string]struct {
		data  []byte
		right bool
		find  []*flowfile.Flow
	}{
		"empty":                {nil, true, nil},
		"indexed":              {indexed, true, flows[:20]},
		"two indexed":          {join(indexed, indexed), true, flows[:20]},
		"no index":             {plain, false, flows[20:]},
		"one of two":           {join(indexed, plain), false, flows},
		"the other of two":     {join(plain, indexed), false, flows},
		"damaged index":        {wrong, false, flows[:20]},
		"torn":                 {join(indexed, plain[:len(plain)-100]), false, flows},
		"torn in records":      {join(indexed, plain[:120]), false, flows[:20]},
		"garbage first":        {join([]byte("garbage"), plain), false, flows[20:]},
		"garbage":              {join(plain, []byte("garbage"), indexed), false, flows},
		"torn between":         {join(plain[:len(plain)-100], indexed), false, flows},
		"torn between indexed": {join(indexed, plain[:120], indexed), true, flows[:20]},
	} {
		path := filepath.Join(t.TempDir(), "x.flow")
		if err := os.WriteFile(path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		check := func() *native.IndexState {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(b, c.data) {
				t.Fatalf("%s: the file was changed", name)
			}
			st, err := native.CheckIndex(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(name, err)
			}
			return st
		}
		if st := check(); (len(st.Problems) == 0) != c.right {
			t.Errorf("%s: %v", name, st.Problems)
		}
		re, err := native.RebuildIndex(path)
		if err != nil || (re.Written == 0) != c.right {
			t.Errorf("%s: %+v, %v", name, re, err)
		}
		if st := check(); len(st.Problems) != 0 {
			t.Errorf("%s, rebuilt: %v", name, st.Problems)
		}
		if re, err := native.RebuildIndex(path); err != nil || re.Written != 0 {
			t.Errorf("%s, again: %+v, %v", name, re, err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range c.find {
			if at, complete, err := native.Find(bytes.NewReader(b), int64(len(b)), f.ID()); err != nil || len(at) == 0 || !complete {
				t.Errorf("%s: flow %s: %v %v %v", name, f.ID(), at, complete, err)
			}
		}
		before, _ := read(t, bytes.NewReader(c.data), native.ReaderOptions{Need: needAll})
		after, _ := read(t, bytes.NewReader(b), native.ReaderOptions{Need: needAll})
		if len(before) != len(after) {
			t.Errorf("%s: %d flows, %d before", name, len(after), len(before))
		}
	}
}

// An index that lies is found out.
func TestIndexLies(t *testing.T) {
	data := encode(t, flowtest.Flows(20, 9), native.WriterOptions{Workers: 1})
	other := encode(t, flowtest.Flows(20, 10), native.WriterOptions{Workers: 1})
	st, err := native.CheckIndex(bytes.NewReader(data), int64(len(data)))
	if err != nil || st.Flows != 20 || len(st.Problems) > 0 {
		t.Fatal(st, err)
	}
	mixed := append(bytes.Clone(data), other[len(other)-200:]...)
	if st, err = native.CheckIndex(bytes.NewReader(mixed), int64(len(mixed))); err != nil || len(st.Problems) != 1 {
		t.Error(st, err)
	}
}

func TestIndexLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.flow")
	w, _, err := native.OpenAppend(path, native.WriterOptions{}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := native.RebuildIndex(path); err == nil || !strings.Contains(err.Error(), native.ErrLocked.Error()) {
		t.Error(err)
	}
}
