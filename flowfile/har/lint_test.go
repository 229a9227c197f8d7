package har

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/mitm"
)

// soundHAR breaks no rule.
const soundHAR = `{"log":{"version":"1.2","creator":{"name":"c","version":"1"},"browser":{"name":"b","version":"2"},"pages":[
{"startedDateTime":"2026-01-02T03:04:05.678Z","id":"p1","title":"t","pageTimings":{"onLoad":5}},
{"startedDateTime":"2026-01-02T03:04:05Z","id":"p2","title":"u","pageTimings":{}}],"entries":[
{"pageref":"p1","startedDateTime":"2026-01-02T03:04:05.678+01:00","time":7,
"request":{"method":"POST","url":"https://x.example/a?b=c","httpVersion":"HTTP/2","cookies":[{"name":"qc","value":"1","httpOnly":true}],
"headers":[{"name":"Content-Type","value":"application/x-www-form-urlencoded"}],"queryString":[{"name":"b","value":"c"}],
"postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"e","value":"f"}],"text":"e=f"},"headersSize":-1,"bodySize":3},
"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/2","cookies":[{"name":"ac","value":"2","expires":"2026-01-02T03:04:05Z","secure":false}],
"headers":[{"name":"Server","value":"s"}],"content":{"size":2,"compression":0,"mimeType":"text/plain","text":"aGk=","encoding":"base64"},
"redirectURL":"","headersSize":-1,"bodySize":2,"_transferSize":9},
"cache":{"afterRequest":{"lastAccess":"2026-01-02T03:04:05Z","eTag":"x","hitCount":1}},
"timings":{"blocked":-1,"dns":0,"connect":3,"ssl":2,"send":0,"wait":3,"receive":1},"serverIPAddress":"192.0.2.1","connection":"443",
"_initiator":{"type":"other"},"_resourceType":"websocket","_webSocketMessages":[{"type":"send","time":1767323045.7,"opcode":1,"data":"hi"}]}
]}}`

const (
	urlencoded = `"value":"application/x-www-form-urlencoded"}],"queryString":[{"name":"b","value":"c"}],
"postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"e","value":"f"}]`
	multiparts = `"value":"multipart/form-data; boundary=x"}],"queryString":[{"name":"b","value":"c"}],
"postData":{"mimeType":"multipart/form-data; boundary=x","params":`
)

// faults are what breaks each rule, and no other: a part of soundHAR, and what stands in
// its place. What is kept cannot be mended, because it is what was recorded.
var faults = []struct {
	rule, old, new string
	kept           bool
}{
	{rule: "json", old: `"time":7,`, new: `"time":7,,`},
	{rule: "json", old: `"time":7,`, new: `"time":NaN,`},
	{rule: "json", old: `"time":7,`, new: `"time":07,`},
	{rule: "json", old: "\n]}}", new: "\n]},}"},
	{rule: "json", old: "\n]}}", new: "\n]}"},
	{rule: "json", old: "\n]}}", new: "\n]}} x"},
	{rule: "json", old: `{"log":`, new: `load({"log":`},
	{rule: "bom", old: `{"log":`, new: "\ufeff" + `{"log":`},
	{rule: "log-version", old: `"version":"1.2",`, new: ``},
	{rule: "creator", old: `"creator":{"name":"c","version":"1"},`, new: ``},
	{rule: "creator", old: `"creator":{"name":"c","version":"1"},`, new: `"creator":null,`},
	{rule: "page", old: `{"startedDateTime":"2026-01-02T03:04:05Z","id":"p2","title":"u","pageTimings":{}}`, new: `7`},
	{rule: "page-id", old: `"id":"p2",`, new: ``},
	{rule: "page-id-empty", old: `"id":"p2"`, new: `"id":""`},
	{rule: "page-id-twice", old: `"id":"p2"`, new: `"id":"p1"`},
	{rule: "page-timings", old: `"pageTimings":{}`, new: `"pageTimings":null`},
	{rule: "page-date", old: `"startedDateTime":"2026-01-02T03:04:05Z","id"`, new: `"startedDateTime":"yesterday","id"`},
	{rule: "entry", old: "{\"pageref\"", new: "7,\n{\"pageref\""},
	{rule: "cache", old: `"cache":{"afterRequest":{"lastAccess":"2026-01-02T03:04:05Z","eTag":"x","hitCount":1}},`, new: ``},
	{rule: "cache-null", old: `"cache":{"afterRequest":{"lastAccess":"2026-01-02T03:04:05Z","eTag":"x","hitCount":1}},`, new: `"cache":null,`},
	{rule: "cache-entry", old: `"eTag":"x",`, new: ``},
	{rule: "timings-type", old: `"timings":{"blocked":-1,"dns":0,"connect":3,"ssl":2,"send":0,"wait":3,"receive":1}`, new: `"timings":"fast"`},
	{rule: "timings", old: `"timings":{"blocked":-1,"dns":0,"connect":3,"ssl":2,"send":0,"wait":3,"receive":1},`, new: ``},
	{rule: "list-missing", old: `"queryString":[{"name":"b","value":"c"}],`, new: ``},
	{rule: "list-type", old: `"queryString":[{"name":"b","value":"c"}]`, new: `"queryString":{"b":"c"}`},
	{rule: "response-list-type", old: `"headers":[{"name":"Server","value":"s"}]`, new: `"headers":{"Server":"s"}`},
	{rule: "item", old: `"queryString":[{`, new: `"queryString":["b",{`},
	{rule: "response-item", old: `"headers":[{"name":"Server"`, new: `"headers":[null,{"name":"Server"`},
	{rule: "object-type", old: `"browser":{"name":"b","version":"2"}`, new: `"browser":7`},
	{rule: "null", old: `"browser":{"name":"b","version":"2"}`, new: `"browser":null`},
	{rule: "null", old: `"httpOnly":true`, new: `"httpOnly":null`},
	{rule: "method", old: `"method":"POST",`, new: ``, kept: true},
	{rule: "method-empty", old: `"method":"POST"`, new: `"method":""`, kept: true},
	{rule: "url", old: `"url":"https://x.example/a?b=c"`, new: `"url":"/a?b=c"`},
	{rule: "url", old: `"url":"https://x.example/a?b=c"`, new: `"url":""`},
	{rule: "url-scheme", old: `"url":"https://x.example/a?b=c"`, new: `"url":"data:,x"`, kept: true},
	{rule: "url-host", old: `"url":"https://x.example/a?b=c"`, new: `"url":"https://a%20b/"`},
	{rule: "url-host", old: `"url":"https://x.example/a?b=c"`, new: `"url":"https://x.example:99999/"`},
	{rule: "url-host", old: `"url":"https://x.example/a?b=c"`, new: `"url":"https:///"`},
	{rule: "url-host", old: `"url":"https://x.example/a?b=c"`, new: `"url":"https://1.2.3.999/a"`},
	{rule: "url-space", old: `"url":"https://x.example/a?b=c"`, new: `"url":"https://x.example/a b"`},
	{rule: "header-name", old: `"headers":[{"name":"Content-Type",`, new: `"headers":[{"value":"v"},{"name":"Content-Type",`},
	{rule: "header-name-empty", old: `"headers":[{"name":"Content-Type",`, new: `"headers":[{"name":"","value":"v"},{"name":"Content-Type",`},
	{rule: "header-pseudo", old: `"headers":[{"name":"Content-Type",`, new: `"headers":[{"name":":path","value":"/"},{"name":"Content-Type",`},
	{rule: "content-type-twice", old: `"headers":[{"name":"Content-Type",`, new: `"headers":[{"name":"content-type","value":"application/x-www-form-urlencoded"},{"name":"Content-Type",`, kept: true},
	{rule: "cookie-name", old: `{"name":"qc",`, new: `{`},
	{rule: "cookie-name-empty", old: `{"name":"qc",`, new: `{"name":"",`},
	{rule: "text-missing", old: `"redirectURL":"",`, new: ``},
	{rule: "text-undefined", old: `"statusText":"OK",`, new: ``},
	{rule: "text-undefined", old: `"statusText":"OK",`, new: `"statusText":null,`},
	{rule: "text-null", old: `"connection":"443"`, new: `"connection":null`},
	{rule: "text-false", old: `"name":"b","value":"c"`, new: `"name":"b","value":0`},
	{rule: "text-type", old: `"name":"b","value":"c"`, new: `"name":"b","value":1`},
	{rule: "response-text-type", old: `"connection":"443"`, new: `"connection":443`},
	{rule: "server-ip", old: `"192.0.2.1"`, new: `""`},
	{rule: "server-ip", old: `"192.0.2.1"`, new: `"[::1]"`},
	{rule: "cookie-flag", old: `"httpOnly":true`, new: `"httpOnly":"yes"`},
	{rule: "cookie-flag-type", old: `"secure":false`, new: `"secure":0`},
	{rule: "date", old: `"2026-01-02T03:04:05.678+01:00"`, new: `"yesterday"`},
	{rule: "date", old: `"startedDateTime":"2026-01-02T03:04:05.678+01:00",`, new: ``},
	{rule: "date-form", old: `"2026-01-02T03:04:05.678+01:00"`, new: `"2026-01-02T03:04:05"`},
	{rule: "date-form", old: `"2026-01-02T03:04:05.678+01:00"`, new: `null`},
	{rule: "cookie-expires", old: `"expires":"2026-01-02T03:04:05Z"`, new: `"expires":"292269009-01-01T00:00:00.000+0000"`},
	{rule: "cookie-expires-form", old: `"expires":"2026-01-02T03:04:05Z"`, new: `"expires":"Fri, 02 Jan 2026 03:04:05 GMT"`},
	{rule: "cookie-expires-form", old: `"expires":"2026-01-02T03:04:05Z"`, new: `"expires":""`},
	{rule: "number", old: `"time":7,`, new: ``},
	{rule: "number", old: `"status":200`, new: `"status":"error"`},
	{rule: "number-type", old: `"status":200`, new: `"status":"200"`},
	{rule: "number-type", old: `"bodySize":2`, new: `"bodySize":null`},
	{rule: "number-optional", old: `"dns":0`, new: `"dns":"x"`},
	{rule: "number-optional-type", old: `"dns":0`, new: `"dns":null`},
	{rule: "number-chrome", old: `"_transferSize":9`, new: `"_transferSize":"x"`},
	{rule: "integer", old: `"bodySize":2`, new: `"bodySize":1.5`},
	{rule: "time-negative", old: `"dns":0`, new: `"dns":-5`},
	{rule: "ssl-in-connect", old: `"connect":3,"ssl":2`, new: `"connect":3,"ssl":4`},
	{rule: "post-text", old: `,"text":"e=f"`, new: ``},
	{rule: "post-mime", old: `"postData":{"mimeType":"application/x-www-form-urlencoded",`, new: `"postData":{`},
	{rule: "post-params", old: `"params":[{"name":"e","value":"f"}]`, new: `"params":"e"`},
	{rule: "post-param", old: `"params":[`, new: `"params":[null,`},
	{rule: "post-param-text", old: urlencoded, new: multiparts + `[{"name":"e","value":7}]`},
	{rule: "post-param-undefined", old: `"name":"e","value":"f"`, new: `"name":"e"`},
	{rule: "post-param-percent", old: `"name":"e","value":"f"`, new: `"name":"e","value":"100%"`},
	{rule: "post-param-value", old: urlencoded, new: multiparts + `[{"name":"e","fileName":"f"}]`},
	{rule: "post-boundary", old: `"postData":{"mimeType":"application/x-www-form-urlencoded"`, new: `"postData":{"mimeType":"multipart/form-data; boundary=x"`},
	{rule: "post-params-mime", old: `"postData":{"mimeType":"application/x-www-form-urlencoded"`, new: `"postData":{"mimeType":"text/plain"`},
	{rule: "content-encoding", old: `"encoding":"base64"`, new: `"encoding":"Base64"`},
	{rule: "initiator", old: `{"type":"other"}`, new: `null`},
	{rule: "ws-message", old: `"data":"hi"`, new: `"more":"hi"`, kept: true},
	{rule: "ws-message", old: `"type":"send","time"`, new: `"type":"text","time"`, kept: true},
	{rule: "ws-number", old: `"opcode":1`, new: `"opcode":"text"`, kept: true},
	{rule: "ws-type", old: `"_resourceType":"websocket"`, new: `"_resourceType":"other"`},
	{rule: "pages", old: `"pages":[`, new: `"_pages":[`},
	{rule: "page-first", old: `"pages":[`, new: `"pages":[],"_pages":[`},
	{rule: "connection", old: `"connection":"443"`, new: `"connection":"c17"`, kept: true},
	{rule: "entries-type", old: `"entries":[`, new: `"entries":{},"_entries":[`},
	{rule: "pages-null", old: `"pages":[`, new: `"pages":null,"_pages":[`},
	{rule: "pages-type", old: `"pages":[`, new: `"pages":{},"_pages":[`},
	{rule: "entries", old: `"entries":[`, new: `"_entries":[`},
	{rule: "log", old: `{"log":{`, new: `{"lag":1,`},
	{rule: "request", old: `"request":{`, new: `"_request":{`},
	{rule: "response", old: `"response":{`, new: `"_response":{`},
	{rule: "content", old: `"content":{`, new: `"_content":{`},
	{rule: "cookies-twice", old: `"headers":[{"name":"Content-Type",`, new: `"headers":[{"name":"cookie","value":"qc=1"},{"name":"Content-Type",`, kept: true},
	{rule: "get-body", old: `"method":"POST"`, new: `"method":"get"`, kept: true},
	{rule: "post-type", old: `"headers":[{"name":"Content-Type","value":"application/x-www-form-urlencoded"}`, new: `"headers":[{"name":"Content-Type","value":"text/plain"}`, kept: true},
	{rule: "name-empty", old: `"queryString":[{"name":"b"`, new: `"queryString":[{"name":""`, kept: true},
	{rule: "post-file", old: `"name":"e","value":"f"`, new: `"name":"e","fileName":"f"`, kept: true},
}

// lint returns the findings in a HAR.
func lint(t testing.TB, har string, set Importers) []*Finding {
	t.Helper()
	var found []*Finding
	sum, err := Lint(strings.NewReader(har), LintOptions{For: set, Found: func(f *Finding) error {
		found = append(found, f)
		return nil
	}})
	if err != nil {
		t.Fatalf("%v in %.1000s", err, har)
	}
	if sum.Findings != len(found) {
		t.Error("counted", sum.Findings, "of", len(found))
	}
	return found
}

func ids(found []*Finding) []string {
	var out []string
	for _, f := range found {
		out = append(out, f.Rule.ID)
	}
	return out
}

func say(found []*Finding) string {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "\nentry %d, byte %d, %s: %s %s (%s)", f.Entry, f.Offset, f.Rule.ID, f.Path, f.What, Effect(f.Rejects, f.Misreads))
	}
	return b.String()
}

// mended is what a Reader and a Writer make of a HAR.
func mended(t testing.TB, har string) string {
	t.Helper()
	r := NewReader(strings.NewReader(har), ReaderOptions{})
	var out bytes.Buffer
	w := NewWriter(&out, Options{Mend: true})
	for {
		b, err := r.Next()
		switch {
		case err == io.EOF:
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return out.String()
		case errors.As(err, new(*flowfile.Damage)):
			continue
		case err != nil:
			t.Fatal(err)
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
}

func breakHAR(t testing.TB, old, with string) string {
	t.Helper()
	if strings.Count(soundHAR, old) != 1 {
		t.Fatalf("%s is there %d times", old, strings.Count(soundHAR, old))
	}
	return strings.Replace(soundHAR, old, with, 1)
}

func TestLint(t *testing.T) {
	if found := lint(t, soundHAR, AllImporters&^Insomnia); len(found) > 0 {
		t.Fatal("the sound one:", say(found))
	}
	seen := map[string]bool{}
	for _, c := range faults {
		t.Run(c.rule, func(t *testing.T) {
			seen[c.rule] = true
			har := breakHAR(t, c.old, c.new)
			i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == c.rule })
			if i < 0 {
				t.Fatal("there is no such rule")
			}
			r := &rules[i]
			set := Importers(0)
			if r.OnRequest {
				if got := ids(lint(t, har, 0)); slices.Contains(got, c.rule) {
					t.Error("found without being asked for:", got)
				}
				set = r.Importers()
			}
			found := lint(t, har, set)
			if !slices.Contains(ids(found), c.rule) {
				t.Fatalf("not found in %s; but: %s", c.new, say(found))
			}
			for _, f := range found {
				if f.Rule == r && (f.What == "" || f.Rejects != r.Rejects || f.Misreads != r.Misreads) {
					t.Errorf("%+v", f)
				}
			}
			for one := Importers(1); one < AllImporters; one <<= 1 {
				if got := slices.Contains(ids(lint(t, har, one)), c.rule); got != (r.Importers()&one != 0) {
					t.Errorf("for %s: %v", one, got)
				}
			}
			out := mended(t, har)
			if left := lint(t, out, set); len(left) > 0 != c.kept {
				t.Errorf("left: %s\nin %s", say(left), out)
			}
		})
	}
	for i := range rules {
		if !seen[rules[i].ID] {
			t.Errorf("no test of %s", rules[i].ID)
		}
	}
}

// opinion is what other programs say of a file.
type opinion struct {
	File      string
	Validator []string `json:"har-validator"`
	K6        []string
}

// ask runs har-validator and har-to-k6 on HARs.
func ask(t *testing.T, hars []string) []opinion {
	t.Helper()
	args := []string{"--json"}
	dir := t.TempDir()
	for i, h := range hars {
		name := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(name, []byte(h), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	c := harCheck(t, args...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil && c.ProcessState.ExitCode() != 1 {
		t.Fatal(err)
	}
	var all []opinion
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var o opinion
		if err := d.Decode(&o); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	if len(all) != len(hars) {
		t.Fatal(len(all), "opinions of", len(hars))
	}
	return all
}

// What is said of har-validator and k6 is true: they reject a file if and only if we say so.
func TestLintAgrees(t *testing.T) {
	hars := []string{soundHAR}
	for _, c := range faults {
		hars = append(hars, breakHAR(t, c.old, c.new))
	}
	for i, o := range ask(t, hars) {
		var rejects Importers
		found := lint(t, hars[i], AllImporters)
		for _, f := range found {
			rejects |= f.Rejects
		}
		what := "the sound one"
		if i > 0 {
			what = faults[i-1].rule + ": " + faults[i-1].new
		}
		if rejects&Validator != 0 != (len(o.Validator) > 0) {
			t.Errorf("%s: har-validator says %q, we %s", what, o.Validator, say(found))
		}
		if rejects&K6 != 0 != (len(o.K6) > 0) {
			t.Errorf("%s: k6 says %q, we %s", what, o.K6, say(found))
		}
	}
}

// What the Writer makes breaks no rule, and har-validator and k6 take it.
func TestLintOwn(t *testing.T) {
	var hars, names []string
	add := func(name, har string) {
		hars, names = append(hars, har), append(names, name)
	}
	add("demo", export(t, Options{}, dumped(t, "../../testdata/demo/demo.mitm")...))
	// Two Content-Types that were sent are the one thing that k6 rejects for good.
	add("shapes", export(t, Options{}, slices.DeleteFunc(flowtest.Flows(200, 7), func(f *flowfile.Flow) bool {
		return f.Request() != nil && len(f.Request().Headers().Values("Content-Type")) > 1
	})...))
	add("odd", export(t, Options{}, oddFlows()...))
	add("none", export(t, Options{}))
	for _, c := range faults {
		if !c.kept {
			add("mended "+c.rule, mended(t, breakHAR(t, c.old, c.new)))
		}
	}
	for i, h := range hars {
		if found := lint(t, h, 0); len(found) > 0 {
			t.Errorf("%s: %s", names[i], say(found))
		}
	}
	for i, o := range ask(t, hars) {
		if len(o.Validator)+len(o.K6) > 0 {
			t.Errorf("%s: har-validator %q, k6 %q", names[i], o.Validator, o.K6)
		}
	}
}

// dumped returns the flows of a dump that can be read.
func dumped(t *testing.T, path string) []*flowfile.Flow {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	var flows []*flowfile.Flow
	for f, err := range flowfile.Flows(mitm.NewReader(in, mitm.ReaderOptions{})) {
		switch {
		case errors.As(err, new(*flowfile.Damage)):
		case err != nil:
			t.Fatal(err)
		default:
			flows = append(flows, f)
		}
	}
	return flows
}

// oddFlows are flows such as nobody should send.
func oddFlows() []*flowfile.Flow {
	flows := []*flowfile.Flow{simple(), webSocketFlow(), flowfile.New(flowfile.Head{})}
	for _, path := range []string{"", "*", "/?a[]=1|2", "/\xff\x00 ", "//x//", "/%", "http://x/"} {
		for _, host := range []string{"example.com", "::1", "fe80::1%eth0", "a b", "", "bücher.example", "1.2.3.4", "1.2.3.999", "a%b", "a@b", "x^y"} {
			q := request(flowfile.StringBody("a=b"), flowfile.Field{Name: "Content-Type", Value: "Application/X-WWW-Form-URLencoded ; a"},
				flowfile.Field{Name: "", Value: ""}, flowfile.Field{Name: ":path", Value: "/"}, flowfile.Field{Name: "Cookie", Value: "=x; y; z=1; z=2"})
			q.Method, q.Path, q.Host, q.Port = "POST", path, host, 8080
			r := response(flowfile.StringBody("\xff"), flowfile.Field{Name: "Set-Cookie", Value: "a=b; expires=never"}, flowfile.Field{Name: "Set-Cookie", Value: "=b"})
			f := flow(q, r)
			f.SetServer(&flowfile.Conn{Peer: &flowfile.Addr{Host: host, Port: 1}, Start: 5, TCPSetup: 7})
			flows = append(flows, f)
		}
	}
	return flows
}

func TestLintCorpus(t *testing.T) {
	var hars, names []string
	for _, file := range corpus(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		hars, names = append(hars, mended(t, string(data))), append(names, filepath.Base(file))
		// What is only copied keeps what is right, though some misread it.
		flows, _ := readAll(t, string(data))
		for _, f := range lint(t, export(t, Options{}, flows...), 0) {
			if f.Rejects != 0 {
				t.Errorf("%s, copied: %s", filepath.Base(file), say([]*Finding{f}))
			}
		}
	}
	dumps, _ := filepath.Glob("../../../shared/corpus/mitm/*.mitm")
	for _, file := range dumps {
		hars, names = append(hars, export(t, Options{}, dumped(t, file)...)), append(names, filepath.Base(file))
	}
	for i, h := range hars {
		for _, f := range lint(t, h, 0) {
			t.Errorf("%s: %s", names[i], say([]*Finding{f}))
		}
	}
	for i, o := range ask(t, hars) {
		if len(o.Validator)+len(o.K6) > 0 {
			t.Errorf("%s: har-validator %q, k6 %q", names[i], o.Validator, o.K6)
		}
	}
}

// strictJSON agrees with encoding/json, wherever the bytes are cut.
func TestStrictJSON(t *testing.T) {
	for _, s := range []string{
		``, ` `, `1`, `-`, `-0`, `01`, `1.`, `1.5e+3`, `1e`, `.5`, `+1`, `"a`, `"a"`, `"\u12g4"`, `"\u12F4"`, `"\x"`, "\"\n\"", `true`, `tru`, `trux`, `nul`,
		`[]`, `[1,]`, `[,1]`, `[1 2]`, `[1,2]`, `{}`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{a:1}`, `{"a":}`, `[}`, `{]`, `{"a":[{"b":[null,false]}],"c":-1.0E-2}`, `1 2`, `[1]]`, `{"a":1 "b":2}`,
	} {
		for cut := range len(s) + 1 {
			var j strictJSON
			_, _ = j.Write([]byte(s[:cut]))
			_, _ = j.Write([]byte(s[cut:]))
			j.end()
			if want := json.Valid([]byte(s)); want != (j.msg == "") && !(want && len(s) > 0 && strings.Trim(s, "0123456789.eE+-") == "") {
				t.Errorf("%q: %q at %d", s, j.msg, j.off)
			}
		}
	}
}

func TestLintPlaces(t *testing.T) {
	har := strings.Replace(soundHAR, "\n]}}", ",\n"+strings.TrimSuffix(soundHAR[strings.Index(soundHAR, "{\"pageref\""):], "]}}")+"]}}", 1)
	har = strings.Replace(har, "\n]}}", "]}}", 1)
	i := strings.LastIndex(har, `"192.0.2.1"`)
	har = har[:i] + `"x.example"` + har[i+len(`"192.0.2.1"`):]
	j := strings.LastIndex(har, `"headers":[`)
	har = har[:j] + `"headers":[1,2,` + har[j+len(`"headers":[`):]
	found := lint(t, har, 0)
	want := fmt.Sprintf("\nentry 2, byte %d, response-item: log.entries[1].response.headers[0] is 1, not an object (rejected by chrome, har-validator)", strings.LastIndex(har, "{\"pageref\"")) +
		fmt.Sprintf("\nentry 2, byte %d, server-ip: log.entries[1].serverIPAddress is \"x.example\", not an IP address (rejected by har-validator)", strings.LastIndex(har, `"x.example"`))
	if say(found) != want || found[0].More != 1 {
		t.Errorf("%s\nwant%s", say(found), want)
	}
	// Behind what cannot be read it goes on.
	found = lint(t, strings.Replace(har, `"time":7`, `"time":!`, 1), 0)
	if got := ids(found); !slices.Equal(got, []string{"json", "response-item", "server-ip"}) || found[0].Entry != 1 || found[1].Entry != 2 {
		t.Error(say(found))
	}
	for _, s := range []string{"", "x", "[]", `{"a":1}`} {
		if _, err := Lint(strings.NewReader(s), LintOptions{}); !errors.Is(err, ErrNotHAR) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// Whatever the file says, it is found to be no JSON if and only if it is none.
func FuzzLint(f *testing.F) {
	f.Add(soundHAR)
	for _, c := range faults {
		f.Add(strings.Replace(soundHAR, c.old, c.new, 1))
	}
	f.Fuzz(func(t *testing.T, s string) {
		isJSON := true
		_, err := Lint(strings.NewReader(s), LintOptions{For: AllImporters, Found: func(f *Finding) error {
			if f.Offset < 0 || f.Offset > int64(len(s)) || f.What == "" {
				t.Errorf("%+v", f)
			}
			isJSON = isJSON && f.Rule.ID != "json"
			return nil
		}})
		if want := json.Valid([]byte(strings.TrimPrefix(s, "\ufeff"))); err == nil && isJSON != want {
			t.Errorf("%v of %q", isJSON, s)
		}
	})
}
