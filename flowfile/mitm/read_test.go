package mitm_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"flowkit/flowfile"
	"flowkit/flowfile/mitm"
)

// TestReadCorpus compares every field of every flow with what mitmproxy 11 read.
func TestReadCorpus(t *testing.T) {
	for _, path := range dumps(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var want struct {
				Flows []map[string]any `json:"flows"`
			}
			name := filepath.Join(filepath.Dir(path), "expected", filepath.Base(path)+".flows1102.json")
			if err := json.Unmarshal(load(t, name), &want); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			byRecord := map[float64]map[string]any{}
			for i, flow := range readAll(t, f) {
				byRecord[float64(i)] = shape(t, flow, i)
			}
			if len(want.Flows) != len(byRecord) {
				t.Errorf("%d flows, want %d", len(byRecord), len(want.Flows))
			}
			for _, w := range want.Flows {
				got, ok := byRecord[w["record"].(float64)]
				if !ok {
					t.Errorf("record %v was not read", w["record"])
					continue
				}
				walk(t, fmt.Sprintf("record %v", w["record"]), got, w)
			}
		})
	}
}

// walk compares two JSON values.
func walk(t *testing.T, path string, got, want any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: %v, want %v", path, got, want)
			return
		}
		for k := range g {
			if _, ok := w[k]; !ok {
				t.Errorf("%s.%s: %v, want nothing", path, k, g[k])
			}
		}
		for k := range w {
			walk(t, path+"."+k, g[k], w[k])
		}
	case []any:
		if got == nil && len(w) == 0 {
			return
		}
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			t.Errorf("%s: %v, want %v", path, got, want)
			return
		}
		for i := range w {
			walk(t, fmt.Sprintf("%s[%d]", path, i), g[i], w[i])
		}
	default:
		// How an encoding is broken is said in Python's words.
		if s, ok := want.(string); ok && strings.HasPrefix(s, "!") {
			if g, ok := got.(string); ok && strings.HasPrefix(g, "!") {
				return
			}
		}
		// The model does not tell empty from null where mitmproxy does for no reason.
		if got == nil && want == "" {
			return
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

// shape builds the JSON of the expected files from the model.
func shape(t *testing.T, f *flowfile.Flow, record int) map[string]any {
	t.Helper()
	o := f.Origin().(*mitm.Record)
	m := map[string]any{
		"id": f.ID(), "type": f.Kind().String(), "marked": f.Marked(), "comment": f.Comment(),
		"is_replay": orNull(f.Replay()), "intercepted": f.Intercepted(), "error": nil,
		"record": float64(record), "offset": float64(o.Offset()), "file_version": float64(o.Version()),
	}
	if f.Error() != nil {
		m["error"] = f.Error().Msg
	}
	c, s := f.Client(), f.Server()
	m["client"] = map[string]any{
		"peer": address(c.Peer), "tls": orNull(c.TLSVersion), "sni": orNull(c.SNI), "alpn": orNull(c.ALPN),
	}
	m["server"] = map[string]any{
		"addr": address(s.Address), "ip": address(s.Peer), "tls": orNull(s.TLSVersion), "sni": orNull(s.SNI),
		"alpn": orNull(s.ALPN), "ncerts": float64(len(s.Certificates)),
	}
	switch f.Kind() {
	case flowfile.HTTP:
		m["request"], m["response"] = nil, nil
		if r := f.Request(); r != nil {
			q := message(t, &r.Message)
			q["method"], q["url"], q["pretty_url"] = str(r.Method()), str(r.URL()), str(r.PrettyURL())
			q["host"], q["port"], q["scheme"] = r.Host(), float64(r.Port()), r.Scheme()
			q["authority"], q["path"] = r.Authority(), str(r.Path())
			if r.Method() == "CONNECT" { // mitmproxy leaves out the host even if it is all there is
				q["pretty_url"] = r.Authority()
			}
			m["request"] = q
		}
		if r := f.Response(); r != nil {
			p := message(t, &r.Message)
			p["status"], p["reason"] = float64(r.Status()), str(r.Reason())
			m["response"] = p
		}
		if w := f.WebSocket(); w != nil {
			x := map[string]any{
				"n": float64(f.Messages().Len()), "close_code": nil, "close_reason": w.CloseReason,
				"closed_by_client": nil, "messages": messages(t, f),
			}
			if w.CloseCode != 0 {
				x["close_code"] = float64(w.CloseCode)
			}
			if w.ClosedByClient != nil {
				x["closed_by_client"] = *w.ClosedByClient
			}
			m["websocket"] = x
		}
	case flowfile.TCP, flowfile.UDP:
		m["messages"] = messages(t, f)
	}
	return m
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// str is how the expected files show bytes that are not UTF-8.
func str(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

func address(a *flowfile.Addr) any {
	if a == nil {
		return nil
	}
	l := []any{a.Host, float64(a.Port)}
	for _, n := range a.Extra {
		l = append(l, float64(n))
	}
	return l
}

func seconds(t flowfile.Time) any {
	if !t.Known() {
		return nil
	}
	return t.Seconds()
}

func fields(h *flowfile.Headers) any {
	l := []any{}
	for _, f := range h.Fields() {
		l = append(l, []any{str(f.Name), str(f.Value)})
	}
	return l
}

func message(t *testing.T, m *flowfile.Message) map[string]any {
	t.Helper()
	q := map[string]any{
		"http_version": m.Version(), "headers": fields(m.Headers()), "raw_body": nil, "decoded_body": nil,
		"ts_start": seconds(m.Start()), "ts_end": seconds(m.End()),
	}
	if m.Trailers() != nil {
		q["trailers"] = fields(m.Trailers())
	}
	if m.Body().State() == flowfile.BodyAbsent {
		return q
	}
	raw := bodyBytes(t, m.Body())
	q["raw_body"] = digest(raw)
	decoded, err := decode(raw, m.Headers().Get("Content-Encoding"))
	if err != nil {
		q["decoded_body"] = "!" + err.Error()
	} else {
		q["decoded_body"] = digest(decoded)
	}
	return q
}

func bodyBytes(t *testing.T, b flowfile.Body) []byte {
	t.Helper()
	p, err := b.Bytes(-1)
	if err != nil {
		t.Fatal(err)
	}
	if x, ok := b.Extent(); ok {
		data := load(t, x.File)[x.Offset : x.Offset+x.Len]
		if !bytes.Equal(data, p) {
			t.Errorf("%s, %d bytes at %d are not the body", x.File, x.Len, x.Offset)
		}
	}
	return p
}

func digest(b []byte) map[string]any {
	h := sha256.Sum256(b)
	return map[string]any{"len": float64(len(b)), "sha256": hex.EncodeToString(h[:])}
}

func messages(t *testing.T, f *flowfile.Flow) any {
	t.Helper()
	l := []any{}
	for m, err := range f.Messages().All() {
		if err != nil {
			t.Fatal(err)
		}
		x := digest(bodyBytes(t, m.Body))
		x["from_client"], x["ts"] = m.FromClient, seconds(m.Time)
		if f.Kind() == flowfile.HTTP {
			x["type"] = float64(m.Opcode)
		}
		l = append(l, x)
	}
	return l
}

// decode takes off a content encoding as mitmproxy does.
func decode(b []byte, encoding string) ([]byte, error) {
	if len(b) == 0 {
		return b, nil
	}
	var r io.Reader
	var err error
	switch encoding {
	case "", "identity", "none":
		return b, nil
	case "gzip":
		r, err = gzip.NewReader(bytes.NewReader(b))
	case "deflate":
		if r, err = zlib.NewReader(bytes.NewReader(b)); err != nil {
			r, err = flate.NewReader(bytes.NewReader(b)), nil
		}
	case "br":
		r = brotli.NewReader(bytes.NewReader(b))
	case "zstd":
		r, err = zstd.NewReader(bytes.NewReader(b))
	default:
		return nil, fmt.Errorf("unknown encoding %q", encoding)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// TestReadLater reads versions that do not exist yet.
func TestReadLater(t *testing.T) {
	data := load(t, dumpOf(t, 21))
	later := bytes.ReplaceAll(data, []byte("7:version;2:21#"), []byte("7:version;2:99#"))
	flows := readAll(t, bytes.NewReader(later))
	if want := readAll(t, bytes.NewReader(data)); len(flows) != len(want) {
		t.Fatalf("%d flows, want %d", len(flows), len(want))
	}
	if got, _ := write(t, 0, flows...); !bytes.Equal(got, later) {
		t.Error("the copy differs")
	}
	if f := flows[0]; f.Origin().Kept(f).Head == "" {
		t.Error("nothing was kept of a record that the writer cannot give back")
	}
}

// TestReadEarlier reads versions that are not supported: each record is damage.
func TestReadEarlier(t *testing.T) {
	data := load(t, filepath.Join(corpus(t), "fmt16_362c19056-p.mitm"))
	flows, damage := read(t, bytes.NewReader(data))
	if n := len(parseAll(t, data)); len(flows) != 0 || len(damage) != n {
		t.Fatalf("%d flows and %d errors, want %d errors", len(flows), len(damage), n)
	}
	if got, want := damage[0].Err.Error(), "format version 16 is not supported yet"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSniff(t *testing.T) {
	for _, path := range dumps(t) {
		data := load(t, path)
		for n := 1; n < 40; n++ {
			if !mitm.Sniff(data[:n]) {
				t.Errorf("%q is the beginning of a dump", data[:n])
			}
		}
	}
	for _, s := range []string{"", "{", "PK\x03\x04", "12", "1234567890123:", "10:30 o'clock", "2:ab,", "99:3:a b,"} {
		if got := mitm.Sniff([]byte(s)); got != (s == "12") {
			t.Errorf("Sniff(%q) = %v", s, got)
		}
	}
}
