package mitm_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/mitm"
)

// corpus returns the folder of recorded dumps beside the module.
func corpus(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(filepath.Dir(moduleRoot(t)), "shared", "corpus", "mitm")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus: %v", err)
	}
	return dir
}

func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// allDumps returns the dumps of all versions.
func allDumps(t testing.TB) []string {
	t.Helper()
	m, err := filepath.Glob(filepath.Join(corpus(t), "*.mitm"))
	if err != nil || len(m) < 30 {
		t.Fatalf("%d dumps in the corpus (%v)", len(m), err)
	}
	return m
}

// dumps returns the dumps of the versions that are read without migration.
func dumps(t testing.TB) []string {
	t.Helper()
	dir := corpus(t)
	var out []string
	for _, p := range []string{"fmt17_*", "fmt18_*", "fmt19_*", "fmt20_*", "fmt21_*", "proxy.mitm", "tcp.mitm"} {
		m, err := filepath.Glob(filepath.Join(dir, p))
		if err != nil || len(m) == 0 {
			t.Fatalf("corpus has no %s (%v)", p, err)
		}
		out = append(out, m...)
	}
	return out
}

// dumpOf returns the path of the corpus file of a version.
func dumpOf(t testing.TB, version int) string {
	t.Helper()
	for _, p := range dumps(t) {
		if bytes.HasPrefix([]byte(filepath.Base(p)), fmt.Appendf(nil, "fmt%d_", version)) {
			return p
		}
	}
	t.Fatalf("no dump of version %d", version)
	return ""
}

func load(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read returns the flows of data and the damage in it.
func read(t testing.TB, r io.Reader) (flows []*flowfile.Flow, damage []*flowfile.Damage) {
	t.Helper()
	for f, err := range flowfile.Flows(mitm.NewReader(r, mitm.ReaderOptions{Name: "x.mitm"})) {
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

// readAll is read for data without damage.
func readAll(t testing.TB, r io.Reader) []*flowfile.Flow {
	t.Helper()
	flows, damage := read(t, r)
	for _, d := range damage {
		t.Fatal(d)
	}
	return flows
}

// write returns the dump of flows.
func write(t testing.TB, version int, flows ...*flowfile.Flow) ([]byte, mitm.Lost) {
	t.Helper()
	var buf bytes.Buffer
	w := mitm.NewWriter(&buf, mitm.WriterOptions{Version: version})
	if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), w.Lost()
}

// oneByOne reads from a pipe that gives little at a time.
func oneByOne(b []byte, n int) io.Reader { return &slow{b, n} }

type slow struct {
	b []byte
	n int
}

func (s *slow) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	k := copy(p[:min(len(p), s.n)], s.b)
	s.b = s.b[k:]
	return k, nil
}

// tnet is a value of a tnetstring, parsed without the package's own parser.
type tnet struct {
	tag  byte
	text string // of a scalar
	keys []string
	in   []tnet
}

// parseTnet parses the first value of b.
func parseTnet(t testing.TB, b []byte) (tnet, []byte) {
	t.Helper()
	colon := bytes.IndexByte(b, ':')
	if colon < 0 {
		t.Fatalf("no length: %.40q", b)
	}
	n, err := strconv.Atoi(string(b[:colon]))
	if err != nil || colon+1+n >= len(b) {
		t.Fatalf("bad length: %.40q", b)
	}
	payload, tag, rest := b[colon+1:colon+1+n], b[colon+1+n], b[colon+2+n:]
	v := tnet{tag: tag}
	switch tag {
	case ']':
		for len(payload) > 0 {
			var x tnet
			x, payload = parseTnet(t, payload)
			v.in = append(v.in, x)
		}
	case '}':
		for len(payload) > 0 {
			var k, x tnet
			k, payload = parseTnet(t, payload)
			x, payload = parseTnet(t, payload)
			v.keys, v.in = append(v.keys, k.text), append(v.in, x)
		}
	default:
		v.text = string(payload)
	}
	return v, rest
}

func parseAll(t testing.TB, b []byte) (out []tnet) {
	t.Helper()
	for len(b) > 0 {
		var v tnet
		v, b = parseTnet(t, b)
		out = append(out, v)
	}
	return out
}

// get returns the value at the keys.
func (v tnet) get(keys ...string) tnet {
	for _, k := range keys {
		i := slices.Index(v.keys, k)
		if i < 0 {
			return tnet{}
		}
		v = v.in[i]
	}
	return v
}

// at returns the value of key to be changed, nil if there is none.
func (v *tnet) at(key string) *tnet {
	i := slices.Index(v.keys, key)
	if i < 0 {
		return nil
	}
	return &v.in[i]
}

// add puts a key into the middle of a dictionary.
func (v *tnet) add(key string, x tnet) {
	n := len(v.keys) / 2
	v.keys, v.in = slices.Insert(v.keys, n, key), slices.Insert(v.in, n, x)
}

// appendTnet is the reverse of parseTnet.
func appendTnet(b []byte, vs ...tnet) []byte {
	for _, v := range vs {
		p := []byte(v.text)
		for i, x := range v.in {
			if v.tag == '}' {
				p = fmt.Appendf(p, "%d:%s;", len(v.keys[i]), v.keys[i])
			}
			p = appendTnet(p, x)
		}
		b = append(fmt.Appendf(b, "%d:%s", len(p), p), v.tag)
	}
	return b
}

// differ returns the paths at which a and b differ.
func differ(a, b tnet, path string) []string {
	if a.tag != b.tag || a.text != b.text || !slices.Equal(a.keys, b.keys) || len(a.in) != len(b.in) {
		return []string{path}
	}
	var out []string
	for i := range a.in {
		p := fmt.Sprintf("%s[%d]", path, i)
		if a.tag == '}' {
			p = path + "." + a.keys[i]
		}
		out = append(out, differ(a.in[i], b.in[i], p)...)
	}
	return out
}
