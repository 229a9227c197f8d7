package flowtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"testing"

	"flowkit/flowfile"
)

// TestSource checks that sources which open returns keep the contract of flowfile.Source
// and give the flows want, by their trees, without damage.
func TestSource(t *testing.T, open func() flowfile.Source, want []*flowfile.Flow) {
	t.Helper()
	trees := make([]map[string]any, len(want))
	for i, f := range want {
		trees[i] = Tree(f)
	}
	t.Run("flows", func(t *testing.T) {
		s := open()
		flows := drain(t, s)
		same(t, "before Close", flows, trees)
		for range 3 {
			if b, err := s.Next(); b != nil || err != io.EOF {
				t.Errorf("behind the end: %v, %v", b, err)
			}
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if b, err := s.Next(); b != nil || err == nil {
			t.Errorf("behind Close: %v, %v", b, err)
		}
		runtime.GC()
		same(t, "behind Close", flows, trees)
		for i, f := range flows {
			if f.Changed() != 0 || f.Dropped() {
				t.Errorf("flow %d is changed (%b) or dropped (%v)", i, f.Changed(), f.Dropped())
			}
			reopen(t, f)
			if d := differs(trees[i], Tree(f.Clone())); d != "" {
				t.Errorf("the clone of flow %d: %s", i, d)
			}
		}
	})
	t.Run("closed early", func(t *testing.T) {
		s := open()
		b, err := s.Next()
		if cerr := s.Close(); cerr != nil {
			t.Errorf("Close: %v", cerr)
		}
		if err != nil && (len(want) > 0 || err != io.EOF) {
			t.Fatal(err)
		}
		if err == nil {
			same(t, "behind an early Close", b.Flows, trees[:len(b.Flows)])
		}
	})
	t.Run("closed at once", func(t *testing.T) {
		if err := open().Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	t.Run("two at once", func(t *testing.T) {
		a, b := open(), open()
		defer a.Close()
		defer b.Close()
		if _, err := a.Next(); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		same(t, "the second", drain(t, b), trees)
	})
	t.Run("progress", func(t *testing.T) {
		s := open()
		defer s.Close()
		p, ok := s.(flowfile.Progress)
		if !ok {
			t.Skip("it has none")
		}
		last, total := p.Progress()
		for {
			_, err := s.Next()
			done, n := p.Progress()
			if done < last || n != total || total > 0 && done > total {
				t.Errorf("%d of %d, and before it %d of %d", done, n, last, total)
			}
			last = done
			if err != nil {
				break
			}
		}
	})
}

// drain reads all of s and checks the limits of batches.
func drain(t *testing.T, s flowfile.Source) []*flowfile.Flow {
	t.Helper()
	var flows []*flowfile.Flow
	for {
		b, err := s.Next()
		if err == io.EOF {
			return flows
		}
		if err != nil {
			t.Fatalf("behind %d flows: %v", len(flows), err)
		}
		if len(b.Flows) == 0 || len(b.Flows) > flowfile.BatchFlows {
			t.Errorf("a batch of %d flows", len(b.Flows))
		}
		flows = append(flows, b.Flows...)
	}
}

func same(t *testing.T, when string, flows []*flowfile.Flow, want []map[string]any) {
	t.Helper()
	if len(flows) != len(want) {
		t.Fatalf("%s: %d flows, want %d", when, len(flows), len(want))
	}
	for i, f := range flows {
		if d := differs(want[i], Tree(f)); d != "" {
			t.Fatalf("%s: flow %d: %s", when, i, d)
		}
	}
}

// differs names the first keys that differ.
func differs(want, got map[string]any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	for _, m := range []map[string]any{want, got} {
		for k := range m {
			w, ok1 := want[k].(map[string]any)
			g, ok2 := got[k].(map[string]any)
			if ok1 && ok2 {
				if d := differs(w, g); d != "" {
					return k + "." + d
				}
				continue
			}
			if !reflect.DeepEqual(want[k], got[k]) {
				return fmt.Sprintf("%s:\nwant %.300v\ngot  %.300v", k, want[k], got[k])
			}
		}
	}
	return "they differ"
}

// reopen opens each body twice at once, and reads only a part of the first.
func reopen(t *testing.T, f *flowfile.Flow) {
	t.Helper()
	check := func(what string, b flowfile.Body) {
		if b.State() == flowfile.BodyAbsent {
			return
		}
		r1, err := b.Open()
		if err != nil {
			t.Fatalf("flow %s, %s: %v", f.ID(), what, err)
		}
		r2, err := b.Open()
		if err != nil {
			t.Fatalf("flow %s, %s, opened twice: %v", f.ID(), what, err)
		}
		head := make([]byte, 5)
		n, _ := io.ReadFull(r1, head)
		if err := r1.Close(); err != nil {
			t.Errorf("flow %s, %s: close a part: %v", f.ID(), what, err)
		}
		all, err := io.ReadAll(r2)
		if cerr := r2.Close(); err == nil {
			err = cerr
		}
		if err != nil || !bytes.HasPrefix(all, head[:n]) || b.Size() >= 0 && int64(len(all)) != b.Size() {
			t.Errorf("flow %s, %s: %d bytes of %d, %v", f.ID(), what, len(all), b.Size(), err)
		}
	}
	if r := f.Request(); r != nil {
		check("request", r.Body())
	}
	if r := f.Response(); r != nil {
		check("response", r.Body())
	}
	n := 0
	for m, err := range f.Messages().All() {
		if err != nil {
			t.Errorf("flow %s: message %d: %v", f.ID(), n, err)
		}
		check(fmt.Sprint("message ", n), m.Body)
		n++
	}
	if n != f.Messages().Len() {
		t.Errorf("flow %s: %d messages, Len says %d", f.ID(), n, f.Messages().Len())
	}
}

// TestSink checks that sinks which open returns keep the contract of flowfile.Sink: read
// returns the flows of an output, as far as the format can tell them, and fails for an
// output that is not valid.
func TestSink(t *testing.T, open func(w io.Writer) flowfile.Sink, read func(t *testing.T, data []byte) []*flowfile.Flow) {
	t.Helper()
	flows := func(n int) []*flowfile.Flow { // that every format can hold
		var out []*flowfile.Flow
		for i := range n {
			out = append(out, flowfile.New(flowfile.Head{
				ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Created: epoch,
				Request: flowfile.NewRequest(flowfile.RequestHead{
					Method: "GET", Scheme: "http", Host: "example.com", Port: 80, Path: fmt.Sprint("/", i),
					MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Start: epoch, End: epoch + 1000, Body: flowfile.StringBody("")},
				}),
				Response: flowfile.NewResponse(flowfile.ResponseHead{
					Status:      200,
					MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Start: epoch + 2000, End: epoch + 3000, Body: flowfile.StringBody("text")},
				}),
			}))
		}
		return out
	}
	paths := func(data []byte) []string {
		var out []string
		for _, f := range read(t, data) {
			out = append(out, f.Request().Path())
		}
		return out
	}
	expect := func(data []byte, want ...string) {
		t.Helper()
		if got := paths(data); !reflect.DeepEqual(got, want) {
			t.Errorf("flows %v, want %v", got, want)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	t.Run("empty", func(t *testing.T) {
		for _, batches := range [][]*flowfile.Batch{nil, {{}}, {{}, {}}} {
			var buf bytes.Buffer
			s := open(&buf)
			for _, b := range batches {
				must(s.Write(b))
			}
			must(s.Close())
			must(s.Close())
			expect(buf.Bytes())
		}
	})
	t.Run("order", func(t *testing.T) {
		var buf bytes.Buffer
		s := open(&buf)
		fs := flows(5)
		must(s.Write(&flowfile.Batch{Flows: fs[:2]}))
		must(s.Write(&flowfile.Batch{}))
		must(s.Flush())
		must(s.Flush())
		must(s.Write(&flowfile.Batch{Flows: fs[2:]}))
		must(s.Close())
		expect(buf.Bytes(), "/0", "/1", "/2", "/3", "/4")
		for i, f := range fs {
			if f.Changed() != 0 {
				t.Errorf("flow %d was changed: %b", i, f.Changed())
			}
		}
	})
	t.Run("dropped", func(t *testing.T) {
		var buf bytes.Buffer
		s := open(&buf)
		fs := flows(3)
		fs[0].Drop()
		fs[2].Drop()
		must(s.Write(&flowfile.Batch{Flows: fs}))
		must(s.Write(&flowfile.Batch{Flows: fs[2:]}))
		must(s.Close())
		expect(buf.Bytes(), "/1")
	})
	t.Run("flush", func(t *testing.T) {
		var buf bytes.Buffer
		s := open(&buf)
		must(s.Write(&flowfile.Batch{Flows: flows(1)}))
		must(s.Flush())
		if !bytes.Contains(buf.Bytes(), []byte("example.com")) && len(paths(buf.Bytes())) != 1 {
			t.Error("what was flushed is not there")
		}
		n := buf.Len()
		must(s.Flush())
		if buf.Len() != n {
			t.Error("a Flush of nothing wrote something")
		}
		must(s.Close())
	})
	t.Run("write errors", func(t *testing.T) {
		var buf bytes.Buffer
		s := open(&buf)
		for _, f := range flows(20) {
			must(s.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}))
			must(s.Flush())
		}
		must(s.Close())
		for n := 0; n < buf.Len(); n += 1 + buf.Len()/50 {
			s := open(&limited{left: n})
			var failed error
			for _, f := range flows(40) {
				err := s.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}})
				if err == nil {
					err = s.Flush()
				}
				if failed != nil && err == nil {
					t.Fatalf("after %d bytes: the error is forgotten", n)
				}
				failed = err
			}
			if !errors.Is(failed, errLimit) {
				t.Errorf("after %d bytes: %v", n, failed)
			}
			if err := s.Close(); err != nil && !errors.Is(err, errLimit) {
				t.Errorf("after %d bytes: Close: %v", n, err)
			}
		}
	})
}

// limited is a writer that fails after left bytes.
type limited struct{ left int }

var errLimit = errors.New("no space left on device")

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	if n < len(p) {
		return n, errLimit
	}
	return n, nil
}
