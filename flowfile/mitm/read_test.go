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

// expectation is a file of expected/: what mitmproxy 11.0.2 read from a dump, and where it failed.
type expectation struct {
	Flows        []map[string]any `json:"flows"`
	RecordErrors []struct {
		Record int    `json:"record"`
		Error  string `json:"error"`
	} `json:"record_errors"`
	Records int `json:"records"`
}

func expected(t *testing.T, path string) *expectation {
	t.Helper()
	x := new(expectation)
	name := filepath.Join(filepath.Dir(path), "expected", filepath.Base(path)+".flows1102.json")
	if err := json.Unmarshal(load(t, name), x); err != nil {
		t.Fatal(err)
	}
	return x
}

// deviations are where flowkit reads other than mitmproxy 11.0.2, on purpose. What is not
// listed must be equal.
var deviations = []deviation{
	{
		path: "request.ts_start", got: nil, want: 0.0,
		why: "a WebSocket up to version 11 without its handshake: nobody knows when that was, mitmproxy says 1970",
	},
	{
		path: "request.ts_end", got: nil, want: 0.0,
		why: "likewise",
	},
}

// deviation is one place in a flow. It holds where both sides are as said.
type deviation struct {
	path      string
	got, want any
	why       string
	seen      bool
}

// deviate puts what flowkit reads in the place of what mitmproxy does.
func deviate(got, want map[string]any) {
	for i := range deviations {
		d := &deviations[i]
		g, w := got, want
		keys := strings.Split(d.path, ".")
		for _, k := range keys[:len(keys)-1] {
			g, _ = g[k].(map[string]any)
			w, _ = w[k].(map[string]any)
		}
		k := keys[len(keys)-1]
		x, there := w[k]
		if there && x == d.want && g[k] == d.got {
			w[k] = d.got
			d.seen = true
		}
	}
}

// TestReadCorpus compares every field of every flow with what mitmproxy 11 read. Where it
// failed, the record must come out too.
func TestReadCorpus(t *testing.T) {
	for _, path := range allDumps(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want := expected(t, path)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			flows := readAll(t, f)
			if len(flows) != want.Records {
				t.Fatalf("%d flows, want %d", len(flows), want.Records)
			}
			if len(want.Flows)+len(want.RecordErrors) != want.Records {
				t.Fatalf("%d flows and %d errors are expected of %d records", len(want.Flows), len(want.RecordErrors), want.Records)
			}
			for _, w := range want.Flows {
				i := int(w["record"].(float64))
				got := shape(t, flows[i], i)
				if l, ok := w["file_version"].([]any); ok { // mitmproxy's own, up to 2.0
					w["file_version"] = l[0]
				}
				deviate(got, w)
				walk(t, fmt.Sprintf("record %d", i), got, w)
			}
		})
	}
	for _, d := range deviations {
		if !d.seen {
			t.Errorf("%s is not read as it is said to be (%s)", d.path, d.why)
		}
	}
}

// unread are the dumps of which mitmproxy 11.0.2 could not read all, why, and a dump of the
// same flows that it could.
var unread = []struct{ dump, twin, why string }{
	{"fmt0-18-3_v0.18.3_nullts.mitm", "fmt0-18-3_v0.18.3.mitm", "Expected <class 'float'> for timestamp_start"},
	{"fmt1-0-2_v1.0.2_nullts.mitm", "fmt1-0-2_v1.0.2.mitm", "Expected <class 'float'> for timestamp_start"},
	{"fmt04_517aef155_nullts.mitm", "fmt04_517aef155.mitm", "Expected <class 'float'> for timestamp_start"},
	{"fmt2-0-2_v2.0.2.mitm", "fmt1-0-2_v1.0.2.mitm", "KeyError: 0"}, // addresses are still dictionaries
	{"fmt2-0-2_v2.0.2_nullts.mitm", "fmt1-0-2_v1.0.2.mitm", "KeyError: 0"},
	{"fmt08_22eb492a1.mitm", "fmt08_v5.2.mitm", "missing 1 required positional argument: 'trailers'"},
	{"fmt06_d9e3fcf5e-p.mitm", "fmt12_c6ba97eab-p.mitm", "AssertionError"}, // TCP, which has no request to be replayed
	{"fmt07_v3.0.4.mitm", "fmt12_c6ba97eab-p.mitm", "AssertionError"},
	{"fmt07_v4.0.4.mitm", "fmt12_c6ba97eab-p.mitm", "AssertionError"},
	{"fmt07_v5.1.1.mitm", "fmt12_c6ba97eab-p.mitm", "AssertionError"},
	{"fmt08_22eb492a1.mitm", "fmt12_c6ba97eab-p.mitm", "AssertionError"},
	{"fmt08_v5.2.mitm", "fmt12_c6ba97eab-p.mitm", "AssertionError"},
	{"fmt09_v5.3.0.mitm", "fmt12_c6ba97eab-p.mitm", "AssertionError"},
	{"fmt10_v6.0.2.mitm", "fmt12_c6ba97eab-p.mitm", "AssertionError"},
	{"fmt11_eb65bc748-p.mitm", "fmt12_c6ba97eab-p.mitm", "AssertionError"},
}

// TestReadUnread: what mitmproxy could not read is as in the dump of the same flows that it
// could, but for what differs from run to run.
func TestReadUnread(t *testing.T) {
	dir := corpus(t)
	read := map[string]int{}
	for _, u := range unread {
		path := filepath.Join(dir, u.dump)
		flows := readAll(t, bytes.NewReader(load(t, path)))
		twins := readAll(t, bytes.NewReader(load(t, filepath.Join(dir, u.twin))))
		for _, e := range expected(t, path).RecordErrors {
			if !strings.Contains(e.Error, u.why) {
				continue
			}
			read[u.dump]++
			i := e.Record
			got := shape(t, flows[i], i)
			if q := flows[i].Request(); strings.Contains(u.dump, "nullts") && (q.Start() != 0 || q.End() != 0) {
				t.Errorf("%s: record %d: null timestamps are %d and %d", u.dump, i, q.Start(), q.End())
			}
			var want map[string]any
			for j := range twins { // TCP stands elsewhere: the last is the last
				if w := shape(t, twins[j], j); flows[i].Kind() == flowfile.HTTP && j == i ||
					flows[i].Kind() == flowfile.TCP && len(twins)-j == len(flows)-i {
					want = w
				}
			}
			for _, m := range []map[string]any{got, want} {
				for _, k := range []string{"id", "record", "offset", "file_version"} {
					delete(m, k)
				}
				withoutTimes(m)
			}
			walk(t, fmt.Sprintf("%s: record %d", u.dump, i), got, want)
		}
	}
	for _, path := range allDumps(t) {
		if n := len(expected(t, path).RecordErrors); n != read[filepath.Base(path)] {
			t.Errorf("%s: %d records were compared of %d that mitmproxy could not read", path, read[filepath.Base(path)], n)
		}
	}
}

// withoutTimes removes what a clock has a part in: gzip writes the time too.
func withoutTimes(v any) {
	switch v := v.(type) {
	case map[string]any:
		raw, _ := v["raw_body"].(map[string]any)
		if decoded, ok := v["decoded_body"].(map[string]any); ok && raw["len"] != decoded["len"] {
			delete(raw, "sha256")
		}
		for k, x := range v {
			if k == "ts_start" || k == "ts_end" || k == "ts" {
				delete(v, k)
			}
			withoutTimes(x)
		}
	case []any:
		for _, x := range v {
			withoutTimes(x)
		}
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
				"n": float64(f.Messages().Len()), "close_code": nil, "close_reason": orNull(w.CloseReason),
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
	var said []string
	r := mitm.NewReader(bytes.NewReader(later), mitm.ReaderOptions{Name: "x.mitm", Notice: func(s string) { said = append(said, s) }})
	for _, err := range flowfile.Flows(r) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(said) != 1 || !strings.HasPrefix(said[0], "x.mitm: format version 99 is newer than 21: ") {
		t.Errorf("said %q", said)
	}
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

// TestReadLaterFields reads a version that moved, added and left out fields.
func TestReadLaterFields(t *testing.T) {
	v := record(len(eras)-1, "id")
	v.put("version", num(22))
	v.put("novelty", dict("deep", list(num(1))))
	v.drop("intercepted", "error", "marked")
	v.at("request").drop("timestamp_end", "authority")
	v.at("request").put("novelty", text("x"))
	v.at("client_conn").put("novelty", list(dict()))
	v.at("server_conn").drop("state", "error")
	data := appendTnet(nil, v)
	f := readAll(t, bytes.NewReader(data))[0]
	if f.Request().URL() != "https://a.example:8443/p?q=1" || f.Client().SNI != "a.example" {
		t.Errorf("%s of %s", f.Request().URL(), f.Client().SNI)
	}
	f.SetComment("changed")
	out, _ := write(t, 0, f)
	if d := differ(v, parseAll(t, out)[0], ""); len(d) != 1 || d[0] != ".comment" && d[0] != "" {
		t.Errorf("%v differ", d)
	}
}

func TestSniff(t *testing.T) {
	for _, path := range allDumps(t) {
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

func TestFind(t *testing.T) {
	good := recordBytes(record(era("7"), "id"), false)
	for in, want := range map[string]bool{
		"":                                  false,
		"what is this?":                     false,
		"x" + string(good):                  true,
		"12:" + string(good):                true,
		string(good[3:]) + string(good):     true,
		string(good[3:]):                    false,
		string(good[:len(good)-1]):          false,
		"\n\n" + string(good[:len(good)-1]): false,
	} {
		if got := mitm.Find([]byte(in)); got != want {
			t.Errorf("Find(%.40q…) = %v", in, got)
		}
	}
}
