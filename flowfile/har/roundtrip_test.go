package har

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/flowfile/jsonl"
	"flowkit/flowfile/native"
)

// readAll reads a HAR.
func readAll(t testing.TB, data string) (flows []*flowfile.Flow, damage []*flowfile.Damage) {
	t.Helper()
	r := NewReader(strings.NewReader(data), ReaderOptions{Name: "x.har"})
	defer r.Close()
	for f, err := range flowfile.Flows(r) {
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

// through takes flows through flowkit's own format.
func through(t testing.TB, flows []*flowfile.Flow) []*flowfile.Flow {
	t.Helper()
	var buf bytes.Buffer
	w := native.NewWriter(&buf, native.WriterOptions{})
	drain(t, w, flows)
	return collect(t, native.NewReader(&buf, native.ReaderOptions{Need: flowfile.NeedBodies | flowfile.NeedMessages}))
}

// throughJSON takes flows through JSON lines.
func throughJSON(t testing.TB, flows []*flowfile.Flow) []*flowfile.Flow {
	t.Helper()
	var buf bytes.Buffer
	drain(t, jsonl.NewWriter(&buf, jsonl.Options{}), flows)
	return collect(t, jsonl.NewReader(&buf, jsonl.Options{}))
}

func drain(t testing.TB, w flowfile.Sink, flows []*flowfile.Flow) {
	t.Helper()
	for len(flows) > 0 {
		n := min(len(flows), flowfile.BatchFlows)
		if err := w.Write(&flowfile.Batch{Flows: flows[:n]}); err != nil {
			t.Fatal(err)
		}
		flows = flows[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func collect(t testing.TB, s flowfile.Source) (flows []*flowfile.Flow) {
	t.Helper()
	for f, err := range flowfile.Flows(s) {
		if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, f)
	}
	return flows
}

// compare returns how two HARs differ in what they mean. These are no differences:
//
//   - the order of members, how strings are escaped and numbers are written
//   - the version of the log, and the place of its members
//   - null, and what is of a type that the specification does not allow, against the
//     member's absence or what stands for "unknown" ("", -1, {}, [])
//   - a page that the writer adds to a HAR without pages
//   - base64 in another alphabet or with white space
//   - text beside the params that say the same
//   - dates that readers cannot take
func compare(a, b string) []string {
	c := &comparer{}
	x, y := c.parse(a), c.parse(b)
	c.log(x, y)
	return c.diffs
}

type comparer struct{ diffs []string }

func (c *comparer) differ(path string, a, b any) {
	c.diffs = append(c.diffs, fmt.Sprintf("%s: %.200s became %.200s", path, show(a), show(b)))
}

func show(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func (c *comparer) parse(s string) map[string]any {
	var v struct{ Log map[string]any }
	s = strings.TrimPrefix(s, "\ufeff")
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		c.diffs = append(c.diffs, err.Error())
	}
	return v.Log
}

func (c *comparer) log(a, b map[string]any) {
	x, _ := a["entries"].([]any)
	y, _ := b["entries"].([]any)
	if len(x) != len(y) {
		c.differ("number of entries", len(x), len(y))
		return
	}
	for i := range x {
		c.value(fmt.Sprintf("entries[%d]", i), "entry", x[i], y[i])
	}
	p, _ := a["pages"].([]any)
	if len(p) > 0 {
		c.value("pages", "pages", a["pages"], b["pages"])
	}
	if len(x) > 0 {
		if s, ok := a["creator"].(string); ok {
			a["creator"] = map[string]any{"name": s, "version": ""}
		}
		if a["creator"] != nil {
			c.value("creator", "", a["creator"], b["creator"])
		}
	}
	for k := range a {
		switch k {
		case "entries", "pages", "version", "creator":
		default:
			c.value(k, "", a[k], b[k])
		}
	}
}

// unknown are the values that stand for a member that is not there.
var unknown = map[string]string{
	"pageTimings": "{}", "title": `""`, "time": "any", "timings": "any", "cache": "{}", "request": "any", "response": "any",
	"startedDateTime": "any", "method": `""`, "url": "any", "httpVersion": `any`, "cookies": "any", "headers": "[]", "queryString": "[]",
	"headersSize": "-1", "bodySize": "-1", "mimeType": "any", "size": "any", "statusText": `""`, "status": "0",
	"redirectURL": "any", "content": "any", "name": `""`, "value": `""`, "version": `""`,
}

func (c *comparer) value(path, key string, a, b any) {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok && c.same(key, a, b) {
			return
		}
		if !ok {
			c.differ(path, a, b)
			return
		}
		c.object(path, x, y)
	case []any:
		y, ok := b.([]any)
		if key != "" && c.same(key, a, b) {
			return
		}
		if !ok || len(x) != len(y) {
			c.differ(path, a, b)
			return
		}
		for i := range x {
			c.value(fmt.Sprintf("%s[%d]", path, i), "", x[i], y[i])
		}
	default:
		if show(a) != show(b) && !c.same(key, a, b) {
			c.differ(path, a, b)
		}
	}
}

// same tells of values that differ and mean the same.
func (c *comparer) same(key string, a, b any) bool {
	switch key {
	case "expires":
		s, _ := a.(string)
		_, err := time.Parse(time.RFC3339, s)
		return a == nil || err != nil
	case "encoding":
		return isBase64(fmt.Sprint(a)) && b == "base64"
	case "url":
		s, _ := a.(string)
		return !validURI(s)
	case "startedDateTime":
		v, _ := parseBytes([]byte(show(a)))
		w, _ := parseBytes([]byte(show(b)))
		_, sound := soundDate(v)
		return !sound && readTime(v) == readTime(w)
	case "time":
		return fmt.Sprint(a) != fmt.Sprint(b) && strings.HasPrefix(show(a), "-") || a == nil
	case "status", "size", "headersSize", "bodySize", "connection":
		if s, ok := a.(string); ok {
			return s == fmt.Sprint(b) || b == 0.0 && readFloat(s) == nil
		}
		return a == nil || fmt.Sprint(a) == b
	case "headers":
		v, _ := parseBytes([]byte(show(a)))
		w, _ := parseBytes([]byte(show(b)))
		if _, sound := soundHeaders(v); sound && v.is(array) {
			return false
		}
		drop := func(flowfile.Field) {}
		return slices.Equal(readHeaders(v, drop), readHeaders(w, drop))
	case "content", "response", "timings":
		_, ok := a.(map[string]any)
		return !ok
	case "serverIPAddress":
		s, _ := a.(string)
		return readIP(s) == b || readIP(s) == "" && b == nil
	}
	return a == nil && (b == nil || unknown[key] == "any" || unknown[key] == show(b))
}

func readFloat(s string) any {
	v := &value{kind: text, s: s}
	if f, ok := v.float(); ok {
		return f
	}
	return nil
}

func (c *comparer) object(path string, a, b map[string]any) {
	if isBase64(fmt.Sprint(a["encoding"])) && b["encoding"] == "base64" {
		x, ok := decodeBase64(fmt.Sprint(a["text"]))
		y, err := base64.StdEncoding.DecodeString(fmt.Sprint(b["text"]))
		if ok && err == nil && bytes.Equal(x, y) {
			a["text"] = b["text"]
		}
	}
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		x, was := a[k]
		y, is := b[k]
		at := path + "." + k
		switch {
		case !was && k == "_url" && y == a["url"]:
		case !was && k == "text" && a["params"] != nil:
		case !was && !c.same(k, nil, y):
			c.differ(at, nil, y)
		case was && !is && !c.same(k, x, nil) && !(x == nil):
			c.differ(at, x, nil)
		case was && is:
			c.value(at, k, x, y)
		}
	}
}

func TestCompare(t *testing.T) {
	base := `{"log":{"creator":{"name":"a","version":"1"},"entries":[{"request":{"method":"GET","url":"http://x/","_k":1},"time":1}]}}`
	for _, c := range []struct{ from, to, want string }{
		{`"GET"`, `"PUT"`, "entries[0].request.method"},
		{`"_k":1`, `"_k":2`, "entries[0].request._k"},
		{`,"_k":1`, ``, "entries[0].request._k"},
		{`"_k":1`, `"_k":1,"_j":1`, "entries[0].request._j"},
		{`"time":1`, `"time":2`, "entries[0].time"},
		{`"time":1`, `"time":1.0`, ""},
		{`"name":"a"`, `"name":"b"`, "creator.name"},
	} {
		diffs := compare(base, strings.Replace(base, c.from, c.to, 1))
		if c.want == "" && len(diffs) > 0 || c.want != "" && (len(diffs) != 1 || !strings.HasPrefix(diffs[0], c.want+":")) {
			t.Errorf("%s to %s: %v", c.from, c.to, diffs)
		}
	}
}

// corpus returns the real HARs, which are no part of the project.
func corpus(t *testing.T) []string {
	t.Helper()
	files, _ := filepath.Glob("../../../shared/corpus/har/*")
	if len(files) == 0 {
		t.Skip("the corpus is not here: ../../../shared/corpus/har")
	}
	return files
}

func TestCorpus(t *testing.T) {
	var written []string
	dir := t.TempDir()
	for _, file := range corpus(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		flows, damage := readAll(t, string(data))
		for _, d := range damage {
			t.Errorf("%s: %v", file, d)
		}
		for how, flows := range map[string][]*flowfile.Flow{"direct": flows, "native": through(t, flows), "jsonl": throughJSON(t, flows)} {
			out := export(t, Options{}, flows...)
			for _, d := range compare(string(data), out) {
				t.Errorf("%s, %s: %s", filepath.Base(file), how, d)
			}
			name := filepath.Join(dir, how+"-"+filepath.Base(file))
			if err := os.WriteFile(name, []byte(out), 0o600); err != nil {
				t.Fatal(err)
			}
			written = append(written, name)
		}
	}
	validate(t, written...)
}
