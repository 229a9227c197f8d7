package exec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/mitm"
	"flowkit/transform/exec"
)

func dump(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.mitm")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := flowtest.Dump(f, n, 1); err != nil {
		t.Fatal(err)
	}
	return path
}

func openDump(t testing.TB, path string) flowfile.Source {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return mitm.NewReader(f, mitm.ReaderOptions{Name: path})
}

func dumpOf(t testing.TB, flows []*flowfile.Flow) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := mitm.NewWriter(&buf, mitm.WriterOptions{})
	if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// From dump to dump what a program did not change stays to the byte, also when all flows
// are out before the first comes back; and a change leaves the rest of its record alone.
func TestDumpKeepsItsBytes(t *testing.T) {
	path := dump(t, 600)
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"cat", "tac | tac", "sponge() { x=$(mktemp); cat >$x; cat $x; rm $x; }; sponge"} {
		got := good(t, openDump(t, path), command, exec.Recent(exec.Options{}, 50))
		if b := dumpOf(t, got); !bytes.Equal(b, want) {
			t.Errorf("%s: %d bytes, want %d", command, len(b), len(want))
		}
	}
	for _, command := range []string{`sed 's/"status":200/"status":299/'`, `sed 's/"status":200/"status":299/' | tac | tac`} {
		got := good(t, openDump(t, path), command, exec.Recent(exec.Options{}, 50))
		changed := drain(openDump(t, path)).flows
		for _, f := range changed {
			if f.Response() != nil && f.Response().Status() == 200 {
				f.Response().SetStatus(299)
			}
		}
		if !bytes.Equal(dumpOf(t, got), dumpOf(t, changed)) {
			t.Errorf("%s is not what setting the status is", command)
		}
	}
}

// Flows of all kinds come back from the temporary file as they were.
func TestFarFlows(t *testing.T) {
	flows := flowtest.Flows(140, 7)
	command := respellCommand(t) + " | tac"
	for name, bodies := range modes(t) {
		t.Run(name, func(t *testing.T) {
			got := good(t, sourceOf(flows), command, exec.Recent(exec.Options{Bodies: bodies}, 20))
			if len(got) != len(flows) {
				t.Fatalf("%d flows", len(got))
			}
			slices.Reverse(got)
			for i, f := range got {
				if d := cmp.Diff(flowtest.Tree(flows[i]), flowtest.Tree(f)); d != "" || f.Changed() != 0 {
					t.Errorf("flow %d: changed %b: %s", i, f.Changed(), d)
				}
			}
		})
	}
}

// made is a source that makes its flows on the way.
type made struct {
	n, of int
	made  atomic.Int64
	look  func() // called now and then
}

func (m *made) Next() (*flowfile.Batch, error) {
	if m.look != nil && m.n%5120 == 0 {
		m.look()
	}
	b := &flowfile.Batch{}
	for ; m.n < m.of && len(b.Flows) < flowfile.BatchFlows; m.n++ {
		f := request(m.n)
		f.Response().InitBody(flowfile.BytesBody(bytes.Repeat([]byte(fmt.Sprintf("%08d", m.n)), 512)))
		b.Flows = append(b.Flows, f)
	}
	m.made.Store(int64(m.n))
	if len(b.Flows) == 0 {
		return nil, io.EOF
	}
	return b, nil
}

func (m *made) Close() error { return nil }

// 50,000 flows with 200 MB of bodies go through programs that hold none of them and all
// of them back.
func TestMemory(t *testing.T) {
	const n = 50_000
	for _, command := range []string{"cat", "tac", "grep -v shop.example; true"} {
		var mu sync.Mutex
		peak := uint64(0)
		look := func() {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			mu.Lock()
			defer mu.Unlock()
			peak = max(peak, m.HeapAlloc)
		}
		s := exec.Source(t.Context(), &made{of: n, look: look}, command, exec.Options{TempDir: t.TempDir()})
		count := 0
		for f, err := range flowfile.Flows(s) {
			if err != nil {
				t.Fatal(err)
			}
			want := count
			if command == "tac" {
				want = n - 1 - count
			}
			b, err := f.Response().Body().Bytes(-1)
			if err != nil || f.ID() != fmt.Sprintf("id-%d", want) || len(b) != 4096 || string(b[:8]) != fmt.Sprintf("%08d", want) {
				t.Fatalf("%s: flow %d is %s, body %.8q, %v", command, count, f.ID(), b, err)
			}
			if count++; count%10_000 == 0 {
				look()
			}
		}
		s.Close()
		if count != n && !strings.HasPrefix(command, "grep") {
			t.Errorf("%s: %d flows", command, count)
		}
		if peak > 100<<20 {
			t.Errorf("%s: %d MB live", command, peak>>20)
		}
		t.Logf("%s: %d MB", command, peak>>20)
	}
}

func TestFailure(t *testing.T) {
	for _, c := range []struct{ command, want, stderr string }{
		{"cat; echo one >&2; echo two >&2; exit 3", "exec cat; echo one >&2; echo two >&2; exit 3: exit status 3", "one\ntwo\n"},
		{"kill -9 $$", "exec kill -9 $$: signal: killed", ""},
		{"cat >/dev/null; false", "exec cat >/dev/null; false: exit status 1", ""},
		{"no-such-program-anywhere 2>/dev/null", "exec no-such-program-anywhere 2>/dev/null: exit status 127", ""},
	} {
		var stderr bytes.Buffer
		r := run(t, sourceOf(requests(5)), c.command, exec.Options{Stderr: &stderr})
		var e *exec.Error
		if !errors.As(r.err, &e) || e.Error() != c.want || e.Stderr != c.stderr || stderr.String() != c.stderr {
			t.Errorf("%s: %v, stderr %q", c.command, r.err, stderr.String())
		}
		if strings.HasPrefix(c.command, "cat;") && ids(r.flows) != "0 1 2 3 4" {
			t.Errorf("%s: what came before: %s", c.command, ids(r.flows))
		}
	}
	long := "true " + strings.Repeat("x", 1000) + "; exit 1"
	if r := run(t, sourceOf(nil), long, exec.Options{}); len(r.err.Error()) > 100 {
		t.Errorf("%v", r.err)
	}
}

// Lines that are no flows cost themselves alone.
func TestGarbage(t *testing.T) {
	r := run(t, sourceOf(requests(3)), `sed '2s/.*/what?/;$a {"type":"http"'`, exec.Options{})
	want := []string{
		`output of sed '2s/.*/what?/;$a {"type":"http"': line 2: invalid character 'w' looking for beginning of value; 6 bytes skipped`,
		`output of sed '2s/.*/what?/;$a {"type":"http"': line 4: EOF; 15 bytes skipped`,
	}
	if r.err != nil || ids(r.flows) != "0 2" {
		t.Errorf("%v, %s", r.err, ids(r.flows))
	}
	if d := cmp.Diff(want, r.damage); d != "" {
		t.Error(d)
	}
	// Too many are not told one by one.
	r = run(t, sourceOf(requests(3)), `seq 1000; cat`, exec.Options{})
	if len(r.damage) != 11 || !strings.HasSuffix(r.damage[10], "990 more lines are no flows either") || ids(r.flows) != "0 1 2" || r.err != nil {
		t.Errorf("%v, %s, %q", r.err, ids(r.flows), r.damage)
	}
	r = run(t, sourceOf(requests(3)), `head -c 300000000 /dev/zero; echo; cat`, exec.Options{})
	if len(r.damage) != 1 || !strings.Contains(r.damage[0], "256 MiB") || ids(r.flows) != "0 1 2" || r.err != nil {
		t.Errorf("%v, %s, %q", r.err, ids(r.flows), r.damage)
	}
}

// A program that never reads does not hold anything up.
func TestNeverReads(t *testing.T) {
	in := &made{of: 50_000}
	got := good(t, in, `sleep 0.1; echo '{"type":"http","id":"x"}'`, exec.Options{})
	if ids(got) != "x" || in.made.Load() == int64(in.of) {
		t.Errorf("%s, %d flows were read", ids(got), in.made.Load())
	}
}

// blocked is a source that waits.
type blocked chan *flowfile.Batch

func (b blocked) Next() (*flowfile.Batch, error) {
	batch, ok := <-b
	if !ok {
		return nil, io.EOF
	}
	return batch, nil
}

func (b blocked) Close() error { return nil }

// A flow that came in goes out, whether more come or not.
func TestLive(t *testing.T) {
	in := make(blocked)
	s := exec.Source(t.Context(), in, "cat", exec.Options{})
	defer s.Close()
	for i := range 3 {
		in <- &flowfile.Batch{Flows: []*flowfile.Flow{request(i)}}
		b, err := s.Next()
		if err != nil || ids(b.Flows) != fmt.Sprint(i) {
			t.Fatalf("%v, %v", b, err)
		}
	}
	close(in)
	if b, err := s.Next(); err != io.EOF {
		t.Errorf("%v, %v", b, err)
	}
}

// The end of the program is the end, even if the input has none.
func TestHeadOfEndlessInput(t *testing.T) {
	in := make(blocked)
	s := exec.Source(t.Context(), in, "head -n 1", exec.Options{})
	defer s.Close()
	in <- &flowfile.Batch{Flows: []*flowfile.Flow{request(0)}}
	if r := drain(s); r.err != nil || ids(r.flows) != "0" {
		t.Errorf("%v, %s", r.err, ids(r.flows))
	}
	close(in)
}

// Errors of the input come through.
func TestInputErrors(t *testing.T) {
	torn := &flowfile.Damage{Offset: 3, Err: errors.New("torn")}
	final := errors.New("disk is gone")
	r := run(t, &source{items: []any{torn, request(0), request(1), torn, request(2), final, request(3)}}, "tac", exec.Options{})
	if r.err != final || ids(r.flows) != "2 1 0" || len(r.damage) != 2 || r.damage[0] != torn.Error() {
		t.Errorf("%v, %s, %q", r.err, ids(r.flows), r.damage)
	}
	in := sourceOf(requests(1))
	if r := run(t, in, "cat", exec.Options{TempDir: "/nowhere"}); r.err != nil {
		t.Error(r.err)
	}
	eventually(t, "the input is not closed", in.closed.Load)
	if r := run(t, &made{of: 10_000}, "tac", exec.Options{TempDir: "/nowhere"}); !errors.Is(r.err, os.ErrNotExist) {
		t.Errorf("%v", r.err)
	}
}

// alive tells whether there is a process that has the marker on its command line.
func alive(t *testing.T, marker string) bool {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(all) == 0 {
		t.Skip("no /proc")
	}
	for _, p := range all {
		if b, err := os.ReadFile(p); err == nil && bytes.Contains(b, []byte(marker)) {
			return true
		}
	}
	return false
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error(what)
}

// Cancelling and closing end the program and what it started.
func TestCancel(t *testing.T) {
	for name, end := range map[string]func(s *exec.Stream, cancel func()){
		"cancel": func(_ *exec.Stream, cancel func()) { cancel() },
		"close":  func(s *exec.Stream, _ func()) { s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			marker := fmt.Sprintf("31415.%d", os.Getpid())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s := exec.Source(ctx, &made{of: 1 << 40}, "trap '' TERM INT; echo; sleep "+marker+" & sleep "+marker+" | cat", exec.Options{})
			eventually(t, "it does not start", func() bool { return alive(t, marker) })
			done := make(chan error)
			go func() {
				_, err := s.Next()
				done <- err
			}()
			time.Sleep(10 * time.Millisecond)
			end(s, cancel)
			select {
			case err := <-done:
				if name == "cancel" && err != context.Canceled || err == nil {
					t.Errorf("%v", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("Next goes on")
			}
			s.Close()
			eventually(t, "it still runs", func() bool { return !alive(t, marker) })
			eventually(t, "goroutines are left", func() bool { return runtime.NumGoroutine() <= before })
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := sourceOf(nil)
	s := exec.Source(ctx, in, "cat", exec.Options{})
	if _, err := s.Next(); err != context.Canceled || !in.closed.Load() || s.Close() != nil {
		t.Errorf("%v", err)
	}
}

// What a program leaves running behind its end is not waited for, nor ended.
func TestBackground(t *testing.T) {
	begin := time.Now()
	pidFile := filepath.Join(t.TempDir(), "pid")
	got := good(t, sourceOf(requests(2)), `sleep 100 >/dev/null </dev/null & echo $! >`+pidFile+`; cat`, exec.Options{})
	if ids(got) != "0 1" || time.Since(begin) > 20*time.Second {
		t.Errorf("%s after %v", ids(got), time.Since(begin))
	}
	var pid int
	if b, err := os.ReadFile(pidFile); err != nil {
		t.Fatal(err)
	} else if _, err := fmt.Sscan(string(b), &pid); err != nil {
		t.Fatal(err)
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		t.Errorf("it was ended: %v", err)
	}
}

func TestNoGoroutinesLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, command := range []string{"cat", "head -n 1", "exit 1", "true", "exec >&-; sleep 0.01"} {
		r := run(t, sourceOf(requests(50)), command, exec.Options{})
		_ = r
	}
	eventually(t, "goroutines are left", func() bool { return runtime.NumGoroutine() <= before })
}
