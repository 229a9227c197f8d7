package formats_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/formats"
)

const needAll = flowfile.NeedBodies | flowfile.NeedMessages

// write returns n flows in a format.
func write(t testing.TB, format string, n int) []byte {
	t.Helper()
	f, err := formats.ByName(format)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w := f.Write(&buf, formats.WriteOptions{})
	if err := w.Write(&flowfile.Batch{Flows: flowtest.Flows(n, 41)}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zstded(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(b, nil)
}

func save(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// count reads a source to its end.
func count(s flowfile.Source) (flows int, damage []error, final error) {
	for f, err := range flowfile.Flows(s) {
		var d *flowfile.Damage
		switch {
		case errors.As(err, &d):
			damage = append(damage, d)
		case err != nil:
			return flows, damage, err
		default:
			flows++
			flowtest.Tree(f)
		}
	}
	return flows, damage, nil
}

func TestOpen(t *testing.T) {
	const n = 30
	for _, format := range []string{"flow", "mitm", "jsonl"} {
		data := write(t, format, n)
		for compression, b := range map[string][]byte{"": data, "gzip": gzipped(t, data), "zstd": zstded(t, data)} {
			name := format + " " + compression
			in, err := formats.Open(save(t, "no.har", b), formats.ReadOptions{Need: needAll, TempDir: t.TempDir()})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if in.Format.Name != format || in.Compression != compression {
				t.Errorf("%s: taken for %s %q", name, in.Format.Name, in.Compression)
			}
			flows, damage, err := count(in)
			if flows != n || len(damage) > 0 || err != nil {
				t.Errorf("%s: %d flows, %v, %v", name, flows, damage, err)
			}
			for range 2 {
				if err := in.Close(); err != nil {
					t.Errorf("%s: Close: %v", name, err)
				}
			}
		}
	}
}

// HARs are told by their content in all their shapes; what begins likewise is something else.
func TestOpenHAR(t *testing.T) {
	const har = `{"log": {"version": "1.2", "entries": [{"request":{"method":"GET","url":"http://x.example/"}}]}}`
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, _ = io.WriteString(w, har)
	w.Close()
	for _, c := range []struct{ name, data, format, compression string }{
		{"plain", har, "har", ""},
		{"a mark", "\xef\xbb\xbf \r\n" + har, "har", ""},
		{"JSONP", "callback(" + har + ");", "har", ""},
		{"a bare log", har[len(`{"log":`) : len(har)-1], "har", ""},
		{"zlib", z.String(), "har", "zlib"},
		{"gzip", string(gzipped(t, []byte(har))), "har", "gzip"},
		{"zstd", string(zstded(t, []byte(har))), "har", "zstd"},
		{"JSON lines", `{"type":"http","log":{}}`, "jsonl", ""},
	} {
		in, err := formats.Open(save(t, "a", []byte(c.data)), formats.ReadOptions{Need: needAll, TempDir: t.TempDir()})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if in.Format.Name != c.format || in.Compression != c.compression {
			t.Errorf("%s: taken for %s %q", c.name, in.Format.Name, in.Compression)
		}
		if flows, damage, err := count(in); flows != 1 || len(damage) > 0 || err != nil {
			t.Errorf("%s: %d flows, %v, %v", c.name, flows, damage, err)
		}
		in.Close()
	}
}

// Flows outlive the input they came from.
func TestFlowsOutliveInput(t *testing.T) {
	want := flowtest.Flows(30, 41)
	for _, format := range []string{"flow", "jsonl"} {
		for _, b := range [][]byte{write(t, format, 30), gzipped(t, write(t, format, 30))} {
			in, err := formats.Open(save(t, "a", b), formats.ReadOptions{Need: needAll, TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			var flows []*flowfile.Flow
			for f, err := range flowfile.Flows(in) {
				if err != nil {
					t.Fatal(err)
				}
				flows = append(flows, f)
			}
			in.Close()
			runtime.GC()
			for i, f := range flows {
				if s := flowtest.Body(body(f)); s != flowtest.Body(body(want[i])) {
					t.Errorf("%s, flow %d: %v", format, i, s)
				}
			}
		}
	}
}

func body(f *flowfile.Flow) flowfile.Body {
	if r := f.Response(); r != nil {
		return r.Body()
	}
	return flowfile.Body{}
}

func TestNotOpened(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"zip", "PK\x03\x04rest of it", "ZIP archive"},
		{"pcap", "\xd4\xc3\xb2\xa1\x02\x00", "packet capture"},
		{"pcapng", "\x0a\x0d\x0d\x0a\x00\x00", "packet capture"},
		{"text", "hello world, this is no format", "unknown format"},
		{"one byte", "\x00", "unknown format"},
		{"zeros", strings.Repeat("\x00", 5000), "unknown format"},
		{"gzip of text", string(gzipped(t, []byte("hello world"))), "unknown format"},
		{"gzip of gzip", string(gzipped(t, gzipped(t, []byte("hello")))), "unknown format"},
		{"zstd of text", string(zstded(t, []byte("hello world"))), "unknown format"},
		{"gzip cut short", "\x1f\x8b\x08", "EOF"},
		{"zlib broken", "\x78\x9c\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "zlib"},
		{"gzip broken", "\x1f\x8b\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "gzip"},
		{"zstd broken", "\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "zstd"},
	} {
		path := save(t, "a", []byte(c.data))
		in, err := formats.Open(path, formats.ReadOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if in != nil {
			t.Errorf("%s: an input beside an error", c.name)
		}
	}
	if _, err := formats.Open(filepath.Join(t.TempDir(), "none"), formats.ReadOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := formats.Open(t.TempDir(), formats.ReadOptions{}); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Error(err)
	}
}

func TestEmpty(t *testing.T) {
	for name, b := range map[string][]byte{"nothing": nil, "gzip of nothing": gzipped(t, nil), "zstd of nothing": zstded(t, nil)} {
		if name == "zstd of nothing" && len(b) == 0 {
			continue // the encoder made nothing of nothing
		}
		in, err := formats.Open(save(t, "a", b), formats.ReadOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if flows, damage, err := count(in); flows+len(damage) > 0 || err != nil {
			t.Errorf("%s: %d flows, %v, %v", name, flows, damage, err)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A format that was cut short or damaged is still that format, and gives what it has.
func TestCutShort(t *testing.T) {
	for _, format := range []string{"flow", "mitm", "jsonl"} {
		data := write(t, format, 30)
		for name, b := range map[string][]byte{"plain": data[:len(data)-200], "gzip": gzipped(t, data[:len(data)-200]), "zstd": zstded(t, data[:len(data)-200])} {
			in, err := formats.Open(save(t, "a", b), formats.ReadOptions{Need: needAll, TempDir: t.TempDir()})
			if err != nil {
				t.Errorf("%s %s: %v", format, name, err)
				continue
			}
			flows, damage, err := count(in)
			if flows < 1 && format != "flow" || len(damage) != 1 || err != nil {
				t.Errorf("%s %s: %d flows, %v, %v", format, name, flows, damage, err)
			}
			in.Close()
		}
		// The compressed bytes end early: what came before comes out.
		z := gzipped(t, data)
		in, err := formats.Open(save(t, "a", z[:len(z)-100]), formats.ReadOptions{Need: needAll, TempDir: t.TempDir()})
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if _, damage, err := count(in); len(damage) == 0 || err != nil {
			t.Errorf("%s: a gzip that ends early: %v, %v", format, damage, err)
		}
		in.Close()
	}
}

func TestFiles(t *testing.T) {
	a, b, c := save(t, "a.flow", write(t, "flow", 10)), save(t, "b.mitm", write(t, "mitm", 20)), save(t, "c.gz", gzipped(t, write(t, "jsonl", 30)))
	bad := save(t, "bad", []byte("no format of ours"))
	z := gzipped(t, write(t, "flow", 30))
	cut := save(t, "cut.gz", z[:len(z)/2])
	empty := save(t, "empty", nil)
	gone := save(t, "gone", write(t, "flow", 3))
	size := func(paths ...string) (n int64) {
		for _, p := range paths {
			fi, err := os.Stat(p)
			if err != nil {
				t.Fatal(err)
			}
			n += fi.Size()
		}
		return n
	}
	var opened []string
	s := &formats.Files{
		Paths: []string{a, bad, b, empty, cut, gone, c}, Options: formats.ReadOptions{Need: needAll, TempDir: t.TempDir()},
		Opened: func(in *formats.Input) { opened = append(opened, in.Format.Name+in.Compression) },
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	total := size(s.Paths...)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	last := int64(0)
	flows := 0
	var failed []string
	for f, err := range flowfile.Flows(s) {
		done, all := s.Progress()
		if done < last || all != total {
			t.Errorf("%d of %d behind %d of %d", done, all, last, total)
		}
		last = done
		var d *flowfile.Damage
		switch {
		case errors.As(err, &d):
			if !errors.As(err, new(*formats.InputError)) != d.Torn {
				t.Error(err)
			}
			failed = append(failed, filepath.Base(d.File))
		case err != nil:
			t.Fatal(err)
		case f != nil:
			flows++
		}
	}
	if got := strings.Join(failed, " "); got != "bad cut.gz gone" {
		t.Errorf("failed: %s", got)
	}
	if flows < 60 {
		t.Errorf("%d flows", flows)
	}
	if got := strings.Join(opened, " "); got != "flow mitm flow flowgzip jsonlgzip" {
		t.Errorf("opened: %s", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Next(); err != io.EOF {
		t.Errorf("behind Close: %v", err)
	}

	for _, paths := range [][]string{{bad, a}, {gone, a}, {a, gone}} { // before any output is opened
		if err := (&formats.Files{Paths: paths}).Start(); err == nil {
			t.Errorf("%v: Start says nothing", paths)
		}
	}
	alone := &formats.Files{Paths: []string{cut}, Options: formats.ReadOptions{Need: needAll}}
	if err := alone.Start(); err != nil {
		t.Fatal(err)
	}
	if _, damage, err := count(alone); len(damage) != 1 || err != nil {
		t.Error(damage, err)
	}
	flowtest.TestSource(t, func() flowfile.Source {
		s := &formats.Files{Paths: []string{a, a}, Options: formats.ReadOptions{Need: needAll}}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		return s
	}, append(flowtest.Flows(10, 41), flowtest.Flows(10, 41)...))
}

func TestStdin(t *testing.T) {
	f, err := os.Open(save(t, "a", write(t, "flow", 10)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := &formats.Files{Paths: []string{"-"}, Stdin: f, Options: formats.ReadOptions{Need: needAll}}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if flows, damage, err := count(s); flows != 10 || len(damage) > 0 || err != nil {
		t.Error(flows, damage, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Stat(); err != nil {
		t.Error("standard input was closed")
	}
}

func TestByName(t *testing.T) {
	for _, f := range formats.Formats() {
		if g, err := formats.ByName(f.Name); err != nil || g.Title != f.Title {
			t.Error(f.Name, err)
		}
		for _, e := range f.Extensions {
			if g, ok := formats.ByExtension("x/Y" + strings.ToUpper(e)); !ok || g.Name != f.Name {
				t.Error(e, g.Name)
			}
		}
	}
	if _, err := formats.ByName("xml"); err == nil || !strings.Contains(err.Error(), "flow, mitm, har, jsonl") {
		t.Error(err)
	}
	if _, ok := formats.ByExtension("flow"); ok {
		t.Error("a name without extension has a format")
	}
}

// A few bytes that decompress to a lot give an error or damage in bounded memory.
func TestBomb(t *testing.T) {
	size := 40 << 20
	if os.Getenv("FLOWKIT_LONG") == "1" {
		size = 5 << 30
	}
	flow := write(t, "flow", 1)
	for _, c := range []struct {
		name, head string
		fill       byte
		limit      int64 // of memory
	}{
		{"zeros", "", 0, 64 << 20},
		{"flow", string(flow[:60]), 0, 64 << 20},
		{"whole flow", string(flow), 0, 64 << 20},
		{"mitm", "5000000000:3:abc,", '1', 64 << 20},
		{"mitm record", "5000000000:9:websocket;0:~", '1', 64 << 20},
		{"jsonl, one line", `{"type":"http","comment":"`, 'x', int64(min(8*size, 800<<20))}, // a line is in memory, up to its limit
		{"jsonl, empty lines", "{}\n", '\n', 64 << 20},
	} {
		path := save(t, "bomb", bomb(t, c.head, c.fill, size))
		base := heap()
		peak, stop := watch(base)
		in, err := formats.Open(path, formats.ReadOptions{Need: needAll, TempDir: t.TempDir()})
		var damage []error
		if err == nil {
			_, damage, err = count(in)
			in.Close()
		}
		stop()
		if err == nil && len(damage) == 0 && c.name != "jsonl, empty lines" {
			t.Errorf("%s: neither an error nor damage", c.name)
		}
		if n := peak.Load(); n > c.limit {
			t.Errorf("%s: %d MB of memory", c.name, n>>20)
		} else {
			t.Logf("%s: %d MB of memory, %d places of damage, %v", c.name, n>>20, len(damage), err)
		}
	}
}

// bomb returns the gzip of head and size bytes.
func bomb(t *testing.T, head string, fill byte, size int) []byte {
	t.Helper()
	const piece = 10 << 20
	out := gzipped(t, []byte(head))
	member := gzipped(t, bytes.Repeat([]byte{fill}, piece))
	for range size / piece {
		out = append(out, member...)
	}
	return out
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// watch returns the most memory over base while it runs.
func watch(base int64) (peak *atomic.Int64, stop func()) {
	peak = new(atomic.Int64)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), int64(m.HeapInuse)-base))
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return peak, func() { close(done); <-ended }
}
