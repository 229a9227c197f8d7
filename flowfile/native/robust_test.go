package native_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
	"flowkit/flowfile/native"
)

// faulty takes left bytes and then fails, in the middle of a write.
type faulty struct {
	bytes.Buffer
	left int
}

var errFull = errors.New("no space left")

func (f *faulty) Write(p []byte) (int, error) {
	n := min(len(p), f.left)
	f.Buffer.Write(p[:n])
	f.left -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// A writer that fails after any number of bytes: the error comes back, and again, and what
// was written is readable up to there.
func TestWriterFails(t *testing.T) {
	data, want, _ := small(t)
	flows, _ := read(t, bytes.NewReader(data), native.ReaderOptions{Need: needAll})
	step := steps(150)
	for _, workers := range []int{1, 3} {
		for n := 0; n < len(data); n += step * workers {
			out := &faulty{left: n}
			w := native.NewWriter(out, native.WriterOptions{Workers: workers})
			errs := 0
			for i, f := range flows {
				err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}})
				if err == nil && i%4 == 3 {
					err = w.Flush()
				}
				if err != nil && !errors.Is(err, errFull) {
					t.Fatalf("after %d bytes: %v", n, err)
				}
				if errs > 0 && err == nil && i%4 == 3 {
					t.Fatalf("after %d bytes: the error is forgotten", n)
				}
				if err != nil {
					errs++
				}
			}
			// The index is shorter by chance or not: ids of the session are random, sizes are not.
			if err := w.Close(); out.left == 0 && !errors.Is(err, errFull) && out.Len() < len(data)-8 {
				t.Fatalf("after %d bytes: Close returned %v", n, err)
			}
			if err := w.Close(); err != nil && !errors.Is(err, errFull) {
				t.Fatalf("after %d bytes: the second Close returned %v", n, err)
			}
			got, damage := read(t, bytes.NewReader(out.Bytes()), native.ReaderOptions{Need: needAll, Workers: 1})
			if len(damage) > 1 {
				t.Fatalf("after %d bytes: %v", n, damage)
			}
			for _, f := range got {
				tree := flowtest.Tree(f)
				if d := cmp.Diff(want[f.ID()], tree); d != "" && !lostSomething(f) && !strings.Contains(fmt.Sprint(tree), "error: ") {
					t.Fatalf("after %d bytes: %s", n, d)
				}
			}
		}
	}
}

// unreadable is a content that fails behind its first bytes.
type unreadable struct{ n int }

var errDisk = errors.New("bad disk")

func (u unreadable) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(bytes.NewReader(make([]byte, u.n)), badReader{})), nil
}
func (u unreadable) Size() int64 { return int64(u.n) + 1000 }

type badReader struct{}

func (badReader) Read([]byte) (int, error) { return 0, errDisk }

// Bodies that cannot be read become truncated ones, and are told of; a flow that no block
// can hold is left out.
func TestWriterDamage(t *testing.T) {
	small, large, huge := getOK("small"), getOK("large"), getOK("huge")
	small.Response().InitBody(flowfile.ContentBody(unreadable{100}))
	large.Response().InitBody(flowfile.ContentBody(unreadable{3 << 20}))
	huge.SetComment(string(make([]byte, 9<<20)))
	msgs := get("msgs")
	log := &flowfile.MessageLog{}
	log.Append(flowfile.Msg{Body: flowfile.StringBody("x")})
	log.Append(flowfile.Msg{Body: flowfile.ContentBody(unreadable{10})})
	log.Append(flowfile.Msg{Extra: flowfile.Extra{{Key: "k", Value: "\x92"}}})
	log.Append(flowfile.Msg{Body: flowfile.StringBody("z")})
	msgs.Messages().Replace(log)
	conn := get("conn")
	conn.SetClient(&flowfile.Conn{ID: "c", Extra: flowfile.Extra{{Key: "k", Value: ""}}})
	flows := []*flowfile.Flow{small, large, huge, msgs, conn, get("last")}
	var said []error
	data := encode(t, flows, native.WriterOptions{OnDamage: func(d *flowfile.Damage) { said = append(said, d) }})
	got, damage := read(t, bytes.NewReader(data), native.ReaderOptions{Need: needAll})
	var lines []string
	for _, f := range got {
		lines = append(lines, say(f))
	}
	want := []string{
		`last req -`, `small req - 200 ""/1100`, fmt.Sprintf(`large req - 200 %d/%d`, 3<<20, 3<<20+1000), `msgs req - <"x"> <""/1010> <"z">`, `conn req -`,
	}
	sortFlows := func(s []string) map[string]bool {
		m := map[string]bool{}
		for _, x := range s {
			m[x] = true
		}
		return m
	}
	if d := cmp.Diff(sortFlows(want), sortFlows(lines)); d != "" || len(damage) != 0 {
		t.Error(d, damage)
	}
	if len(said) != 6 {
		t.Errorf("%d reports: %v", len(said), said)
	}
	for _, f := range flows[:5] {
		w := native.NewWriter(io.Discard, native.WriterOptions{})
		if err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); err == nil {
			t.Errorf("flow %s was written without a word", f.ID())
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestEmpty(t *testing.T) {
	data := encode(t, nil, native.WriterOptions{})
	if len(data) == 0 {
		t.Error("a file without flows does not say what it is")
	}
	each(t, data, func(t *testing.T, name string, flows []*flowfile.Flow, damage []*flowfile.Damage) {
		if len(flows)+len(damage) > 0 {
			t.Error(name, flows, damage)
		}
	})
	path := filepath.Join(t.TempDir(), "a.flow")
	for range 3 {
		w, _, err := native.OpenAppend(path, native.WriterOptions{}, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if fi, err := os.Stat(path); err != nil || fi.Size() != 0 {
		t.Error("appending nothing wrote something", err)
	}
}

// A reader that is closed early leaves no goroutine behind.
func TestNoGoroutineStays(t *testing.T) {
	data := encode(t, flowtest.Flows(300, 4), native.WriterOptions{})
	before := runtime.NumGoroutine()
	for i := range 20 {
		var in io.Reader = bytes.NewReader(data)
		if i%2 == 0 {
			in = onlyReader{in}
		}
		src := native.NewReader(in, native.ReaderOptions{Need: needAll, Workers: 4, TempDir: t.TempDir()})
		for range i % 5 {
			if _, err := src.Next(); err != nil {
				t.Fatal(err)
			}
		}
		if i%3 == 0 { // beside Next
			go src.Close()
			for {
				if _, err := src.Next(); err != nil {
					break
				}
			}
		}
		src.Close()
		src.Close()
		if _, err := src.Next(); err == nil {
			t.Error("a closed reader gives flows")
		}
	}
	// A pipe that gives nothing holds its reader until it is closed.
	r, w := io.Pipe()
	src := native.NewReader(r, native.ReaderOptions{Workers: 4})
	src.Close()
	w.Close()
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i > 500 {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// What is flushed into a pipe comes out of it without waiting for more.
func TestPipeDoesNotWait(t *testing.T) {
	for _, need := range []flowfile.Need{flowfile.NeedHeads, needAll} {
		for _, workers := range []int{1, 3} {
			r, w := io.Pipe()
			src := native.NewReader(r, native.ReaderOptions{Need: need, Workers: workers, TempDir: t.TempDir()})
			out := native.NewWriter(w, native.WriterOptions{})
			for i := range 3 {
				written := make(chan error, 1)
				go func() {
					err := out.Write(&flowfile.Batch{Flows: []*flowfile.Flow{getOK(fmt.Sprint(i))}})
					if err == nil {
						err = out.Flush()
					}
					written <- err
				}()
				got := make(chan *flowfile.Batch, 1)
				go func() {
					b, _ := src.Next()
					got <- b
				}()
				select {
				case b := <-got:
					if b == nil || len(b.Flows) != 1 || b.Flows[0].ID() != fmt.Sprint(i) {
						t.Fatalf("%+v", b)
					}
				case <-time.After(5 * time.Second):
					t.Fatalf("need %d, workers %d: flow %d is held back", need, workers, i)
				}
				if err := <-written; err != nil {
					t.Fatal(err)
				}
			}
			w.Close()
			src.Close()
		}
	}
}

// A flow that is open from the first block to the last holds none of them in memory.
func TestOpenFlowHoldsNoBlocks(t *testing.T) {
	const blocks = 150
	r := newRaw(t)
	r.head(get("long"), true)
	noise := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	for i := range blocks {
		copy(noise, fmt.Sprint(i))
		f := getOK(fmt.Sprint(i))
		r.msg("long", i, "tick").part("long", 0, int64(8*i), "upload, ", i == blocks-1)
		r.add(&block.Entry{Record: r.enc.Flow(f, false), Parts: []block.Part{{N: 1, Data: noise, Total: int64(len(noise))}}})
		r.block()
	}
	r.end("long", wire.End{Messages: blocks})
	data := r.close()
	for _, pipe := range []bool{false, true} {
		before := heap()
		var in io.Reader = bytes.NewReader(data)
		if pipe {
			in = onlyReader{in}
		}
		src := native.NewReader(in, native.ReaderOptions{Need: needAll, Workers: 1, TempDir: t.TempDir()})
		n, most := 0, int64(0)
		for f, err := range flowfile.Flows(src) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n%25 == 0 {
				most = max(most, heap()-before)
			}
			if f.ID() == "long" && (f.Messages().Len() != blocks || f.Request().Body().Size() != 8*blocks) {
				t.Error(say(f))
			}
		}
		src.Close()
		if n != blocks+1 {
			t.Errorf("%d flows", n)
		}
		if most > 20<<20 {
			t.Errorf("pipe %v: %d MB are held", pipe, most>>20)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Flows are read by several goroutines at once, long after their reader was closed.
func TestFlowsOutliveTheirReader(t *testing.T) {
	flows := flowtest.Flows(60, 12)
	want := trees(flows)
	data := encode(t, flows, native.WriterOptions{})
	for _, m := range modes {
		var in io.Reader = bytes.NewReader(data)
		if m.pipe {
			in = onlyReader{in}
		}
		got, _ := read(t, in, native.ReaderOptions{Need: needAll, Workers: m.workers, TempDir: t.TempDir()})
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := g; i < len(got); i += 2 { // each by two of them
					if d := cmp.Diff(want[i%len(want)], flowtest.Tree(got[i])); d != "" {
						t.Errorf("%s, flow %d: %s", m.name, i, d)
						return
					}
				}
			})
		}
		wg.Wait()
		runtime.GC()
	}
}

// Messages of many flows that are interleaved cost no more than their blocks.
func TestInterleavedMessages(t *testing.T) {
	const conns, rounds = 60, 100
	r := newRaw(t)
	for i := range conns {
		r.head(get(fmt.Sprint(i)), true)
	}
	for n := range rounds {
		for i := range conns {
			r.msg(fmt.Sprint(i), n, fmt.Sprintf("%d of %d", n, i))
		}
		if n%5 == 0 {
			r.block()
		}
	}
	for i := range conns {
		r.end(fmt.Sprint(i), wire.End{Messages: rounds})
	}
	data := r.close()
	each(t, data, func(t *testing.T, name string, flows []*flowfile.Flow, damage []*flowfile.Damage) {
		if len(flows) != conns || len(damage) > 0 {
			t.Fatal(name, len(flows), damage)
		}
		for i, f := range flows {
			n := 0
			for m, err := range f.Messages().All() {
				b, berr := m.Body.Bytes(-1)
				if err != nil || berr != nil || string(b) != fmt.Sprintf("%d of %d", n, i) {
					t.Fatalf("%s: flow %d, message %d: %q %v %v", name, i, n, b, err, berr)
				}
				n++
			}
			if n != rounds {
				t.Fatalf("%s: flow %d: %d messages", name, i, n)
			}
		}
	})
}

// Of a pipe of which bodies are not wanted, sizes are known, and what is asked for all the
// same is an error, not a wrong answer.
func TestPassed(t *testing.T) {
	r := newRaw(t)
	r.head(getOK("a"), true, block.Part{N: 0, Data: []byte("inline"), Total: 6}, continues(1, 6))
	r.part("a", 1, 0, "one", false).part("a", 1, 3, "two", true).msg("a", 0, "x").end("a", wire.End{Messages: 1})
	r.head(getOK("b"), false, block.Part{N: 1, Data: []byte("body"), Total: 4})
	data := r.close()
	got, damage := read(t, onlyReader{bytes.NewReader(data)}, native.ReaderOptions{TempDir: t.TempDir()})
	if len(got) != 2 || len(damage) > 0 {
		t.Fatal(len(got), damage)
	}
	for _, b := range []flowfile.Body{got[0].Request().Body(), got[0].Response().Body(), got[1].Response().Body()} {
		if b.Size() < 4 || b.State() != flowfile.BodyPresent {
			t.Errorf("state %d, %d bytes", b.State(), b.Size())
		}
		if _, err := b.Bytes(-1); err == nil {
			t.Error("a body that was passed over can be read")
		}
	}
	if got[0].Messages().Len() != 1 {
		t.Error("messages are not counted")
	}
	for _, err := range got[0].Messages().All() {
		if err == nil {
			t.Error("a message that was passed over can be read")
		}
	}
	// With messages, but without bodies.
	got, _ = read(t, onlyReader{bytes.NewReader(data)}, native.ReaderOptions{Need: flowfile.NeedMessages, TempDir: t.TempDir()})
	for m, err := range got[0].Messages().All() {
		if b, _ := m.Body.Bytes(-1); err != nil || string(b) != "x" {
			t.Errorf("%q %v", b, err)
		}
	}
}
