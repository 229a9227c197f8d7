package starlark_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/mitm"
	"flowkit/replay"
	"flowkit/transform/script"
	"flowkit/transform/starlark"
)

// pythonNames are what flowkit has predeclared.
const pythonNames = "from mitmproxy.http import Response, Request, Headers\nfrom mitmproxy.flow import Error\n"

// deviations are the edits, or those of a base, in which flowkit means to differ from
// mitmproxy 8.1.1.
var deviations = map[string]string{
	"host_set/port": "since version 10 mitmproxy writes the port into the Host header",
	"port_set":      "since version 10 mitmproxy takes the Host header along",
	"url_set_port":  "the same",
	"url_set":       "the same",

	"header_items/port":       "mitmproxy cannot save a comment with bytes that are not UTF-8",
	"header_items_multi/port": "the same",
	"query_clear/absolute":    `an empty query is taken away with its "?"`,
}

// bases are the flows that every edit is tried on.
func bases() map[string]flowfile.Head {
	fields := func(kv ...string) []flowfile.Field {
		var all []flowfile.Field
		for i := 0; i < len(kv); i += 2 {
			all = append(all, flowfile.Field{Name: kv[i], Value: kv[i+1]})
		}
		return all
	}
	const at = flowfile.Time(1_700_000_000_250_000_000)
	head := func(req flowfile.RequestHead, resp flowfile.ResponseHead) flowfile.Head {
		req.Start, req.End, resp.Start, resp.End = at, at+1e9, at+2e9, at+3e9
		return flowfile.Head{Created: at, Request: flowfile.NewRequest(req), Response: flowfile.NewResponse(resp)}
	}
	zipped, err := coding.Encode([]byte("a cat, zipped"), "gzip")
	if err != nil {
		panic(err)
	}
	plain := flowfile.RequestHead{
		MessageHead: flowfile.MessageHead{
			Version: "HTTP/1.1", Body: flowfile.StringBody(""),
			Headers: fields("Host", "shop.example", "User-Agent", "curl", "Accept", "*/*", "Cookie", `a=b; c="d e;f"; g; h=i=j`),
		},
		Method: "GET", Scheme: "http", Host: "shop.example", Port: 80, Path: "/p/a%20b/?a=1&b=%C3%A9+x&a=2&blank=&bare&bad=%zz%4#frag",
	}
	ok := flowfile.ResponseHead{
		MessageHead: flowfile.MessageHead{
			Version: "HTTP/1.1", Body: flowfile.StringBody("a cat sat"),
			Headers: fields("Server", "nginx", "Set-Cookie", "a=1", "set-cookie", "b=2", "Content-Type", "text/plain; charset=utf-8", "Content-Length", "9"),
		},
		Status: 200, Reason: "OK",
	}
	all := map[string]flowfile.Head{"plain": head(plain, ok)}

	gzip := ok
	gzip.Headers = fields("Content-Encoding", "gzip", "Content-Type", "text/html; charset=utf-8", "X-\xe9", "latin \xe9")
	gzip.Body = flowfile.BytesBody(zipped)
	trailers := flowfile.NewHeaders(fields("Expires", "never", "Digest", "x"))
	gzip.Trailers = &trailers
	form := plain
	form.Method, form.Path = "POST", "/form"
	form.Headers = fields("Host", "10.0.0.1:8080", "Content-Type", "application/x-www-form-urlencoded; charset=utf-8", "Content-Length", "22")
	form.Body = flowfile.StringBody("a=1&b=%C3%A9+x&bare&a=2")
	form.Host, form.Port = "10.0.0.1", 8080
	all["port"] = head(form, gzip)

	h2 := plain
	h2.Version, h2.Scheme, h2.Authority, h2.Port, h2.Path = "HTTP/2.0", "https", "shop.example", 443, "/"
	h2.Headers = fields("user-agent", "x")
	empty := ok
	empty.Version, empty.Reason, empty.Status, empty.Headers, empty.Body = "HTTP/2.0", "", 204, nil, flowfile.StringBody("")
	all["h2"] = head(h2, empty)

	absolute := plain
	absolute.Authority, absolute.Path = "shop.example", "http"
	absolute.Path = "/?"
	absolute.Headers = nil
	all["absolute"] = head(absolute, ok)
	return all
}

// TestEditsAsMitmdump runs the same edits in mitmdump and in flowkit.
func TestEditsAsMitmdump(t *testing.T) {
	if _, err := exec.LookPath("mitmdump"); err != nil {
		if os.Getenv("FLOWKIT_CI") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no mitmdump to compare with: ", err)
	}
	src, err := os.ReadFile("testdata/edits.star")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	in, py, want := filepath.Join(dir, "in.mitm"), filepath.Join(dir, "edits.py"), filepath.Join(dir, "want.mitm")
	writeEdits(t, in, src)
	if err := os.WriteFile(py, append([]byte(pythonNames), src...), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("mitmdump", "-q", "-n", "--set", "confdir="+dir, "-r", in, "-s", py, "-w", want)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("mitmdump: %v\n%s", err, out)
	}
	theirs := byID(t, want)
	ours := byID(t, runEdits(t, in, src))
	if len(ours) == 0 {
		t.Fatal("no flows came out")
	}
	differ := make(map[string]bool)
	for _, id := range slices.Sorted(maps.Keys(ours)) {
		edit, _, _ := strings.Cut(id, "/")
		diff := "  (mitmdump lost the flow)"
		if f := theirs[id]; f != nil {
			diff = cmp.Diff(tree(f, edit), tree(ours[id], edit))
		}
		if diff == "" {
			continue
		}
		differ[id], differ[edit] = true, true
		if deviations[id] == "" && deviations[edit] == "" {
			t.Errorf("%s: mitmdump -, flowkit +\n%s", id, diff)
		}
	}
	for id := range deviations {
		if !differ[id] {
			t.Errorf("%s is no deviation any more", id)
		}
	}
}

// writeEdits writes a dump of version 17 with a flow for every edit and base.
func writeEdits(t *testing.T, path string, src []byte) {
	t.Helper()
	var b flowfile.Batch
	for _, m := range regexp.MustCompile(`(?m)^def (\w+)\(flow\):`).FindAllSubmatch(src, -1) {
		edit := string(m[1])
		if edit == "response" {
			continue
		}
		all := bases() // new ones, which the others do not share
		for _, name := range slices.Sorted(maps.Keys(all)) {
			h := all[name]
			h.ID, h.Comment = edit+"/"+name, edit
			b.Flows = append(b.Flows, flowfile.New(h))
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := mitm.NewWriter(f, mitm.WriterOptions{Version: 17})
	for _, err := range []error{w.Write(&b), w.Close(), f.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// runEdits runs the edits in flowkit and returns the dump.
func runEdits(t *testing.T, in string, src []byte) string {
	t.Helper()
	ctx := context.Background()
	session, err := starlark.Engine{}.Load(ctx, []script.Spec{{Path: "edits.star", Source: src, Log: slog.New(slog.DiscardHandler)}})
	if err != nil {
		t.Fatal(err)
	}
	errs := script.Errors{Report: func(text string) { t.Log(text) }}
	session.OnError(errs.Handle)
	f, err := os.Open(in)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := in + ".out"
	o, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	w := mitm.NewWriter(o, mitm.WriterOptions{})
	p := replay.Pipeline{Source: mitm.NewReader(f, mitm.ReaderOptions{}), Stages: []replay.Stage{session}, Sink: w}
	for _, err := range []error{p.Run(ctx), w.Close(), o.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func byID(t *testing.T, path string) map[string]*flowfile.Flow {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := mitm.NewReader(bytes.NewReader(data), mitm.ReaderOptions{})
	defer r.Close()
	all := make(map[string]*flowfile.Flow)
	for f, err := range flowfile.Flows(r) {
		if err != nil {
			t.Fatal(err)
		}
		all[f.ID()] = f
	}
	return all
}

// tree is all of a flow, but for what cannot be equal: compressed bytes, which depend on
// the compressor, and the clock that made messages read.
func tree(f *flowfile.Flow, edit string) map[string]any {
	t := flowtest.Tree(f)
	if r := f.Request(); r != nil {
		normal(t["request"].(map[string]any), &r.Message, edit)
	}
	if r := f.Response(); r != nil {
		normal(t["response"].(map[string]any), &r.Message, edit)
	}
	return t
}

func normal(t map[string]any, m *flowfile.Message, edit string) {
	if strings.Contains(edit, "make") {
		delete(t, "start")
		delete(t, "end")
	}
	if m.Headers().Get("content-encoding") == "" {
		return
	}
	b, err := coding.DecodedBody(m, -1)
	if err != nil {
		return
	}
	t["body"] = fmt.Sprintf("decoded %q", b)
	fields := t["headers"].([]any)
	for i := 0; i < len(fields); i += 2 {
		if flowfile.EqualFold(fields[i].(string), "content-length") {
			fields[i+1] = "the length"
		}
	}
}
