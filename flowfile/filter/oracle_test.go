package filter

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"flowkit/flowfile"
)

const python = "/usr/bin/python3"

// dump is a flow as the oracle wants it.
func dump(f *flowfile.Flow) map[string]any {
	addr := func(a *flowfile.Addr) any {
		if a == nil {
			return nil
		}
		return []any{a.Host, a.Port}
	}
	out := map[string]any{
		"kind": f.Kind().String(), "error": f.Error() != nil, "marked": f.Marked(), "comment": f.Comment(),
		"replay": f.Replay(), "websocket": f.WebSocket() != nil, "response": nil, "src": nil, "dst": nil,
	}
	if f.Client() != nil {
		out["src"] = addr(f.Client().Peer)
	}
	if f.Server() != nil {
		out["dst"] = addr(f.Server().Address)
	}
	meta := [][]any{}
	for _, e := range f.Metadata() {
		meta = append(meta, []any{e.Key, e.Value})
	}
	out["metadata"] = meta
	msgs := [][]any{}
	for m := range f.Messages().All() {
		b, _ := m.Body.Bytes(-1)
		msgs = append(msgs, []any{m.FromClient, b})
	}
	out["messages"] = msgs
	message := func(m *flowfile.Message) map[string]any {
		headers := [][]string{}
		for _, h := range m.Headers().Fields() {
			headers = append(headers, []string{h.Name, h.Value})
		}
		j := map[string]any{"version": m.Version(), "headers": headers, "body": nil}
		if m.Body().State() != flowfile.BodyAbsent {
			b, _ := m.Body().Bytes(-1)
			j["body"] = append([]byte{}, b...)
		}
		return j
	}
	if r := f.Request(); r != nil {
		j := message(&r.Message)
		j["method"], j["scheme"], j["host"], j["port"] = r.Method(), r.Scheme(), r.Host(), r.Port()
		j["authority"], j["path"] = r.Authority(), r.Path()
		out["request"] = j
	}
	if r := f.Response(); r != nil {
		j := message(&r.Message)
		j["status"] = r.Status()
		out["response"] = j
	}
	if q := f.DNSRequest(); q != nil {
		names := []string{}
		for _, x := range q.Questions {
			names = append(names, x.Name)
		}
		out["questions"], out["answered"] = names, f.DNSResponse() != nil
	}
	return out
}

// pieces make random expressions, valid and not.
var pieces = []string{
	"~q", "~s", "~e", "~a", "~http", "~tcp", "~dns", "~websocket", "~all", "~marked", "~replay", "~replayq", "~replays",
	"~u foo", "~u", "~d ^example", "~m get", "~c 200", "~c 404", "~c 2.", "~t json", "~tq json", "~ts css", "~h x-a", "~hq upg",
	"~hs type", "~b foo", "~bq foo", "~bs bar", "~b needle", "~src 50001", "~dst example", "~meta k", "~marker red", "~comment ^second",
	"foo", "a|b", "x&y", `"foo"`, "'a.c'", `"\\."`, "~u 'a\\\\?x'", `""`, "!", "&", "|", "(", ")", "!", "&", "|", "(", ")", "~h '^content-type: text'",
}

func randomExprs(n int) []string {
	r := rand.New(rand.NewPCG(7, 7))
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for range 1 + r.IntN(9) {
			b.WriteString(pieces[r.IntN(len(pieces))])
			if r.IntN(4) > 0 {
				b.WriteByte(' ')
			}
		}
		out[i] = b.String()
	}
	return out
}

// What mitmproxy's own filter takes means the same here.
func TestAgainstMitmproxy(t *testing.T) {
	if err := exec.Command(python, "-c", "import mitmproxy.flowfilter").Run(); err != nil {
		if os.Getenv("FLOWKIT_CI") != "" {
			t.Fatal("python3 cannot import mitmproxy:", err)
		}
		t.Skip("python3 cannot import mitmproxy")
	}
	flows := testFlows(t)
	var dumps []any
	for _, f := range flows {
		dumps = append(dumps, dump(f.f))
	}
	exprs := append([]string{
		"! foo", "!!foo", "!", "foo !", "foo &", "foo |", "& foo", "foo & & a", "foo &a", "foo& a", "(foo)&(a)", "~q | ~s & foo",
		"foo | a b", "~m GET|~m POST", "~c 200|~c 404", "~c 2.", `"a" "b"`, `~u "a b"`, `"\x"`, "(~q )", "~c 200b", "foo~q",
		"foo(a)", "(foo)a", "! (foo)", "!(foo)", "a !b", "~h x: y", "~a foo", "~b 'needle.*second'", "~comment '^second foo$'",
		"~meta '^n: 7$'", "~b foo$", "~b '\\\\x66oo'", "~u \\.com", "~u \"a\\tb\"", "~hq 'host: pretty'", "~d pretty", "~u 8080",
	}, randomExprs(1200)...)
	job, err := json.Marshal(map[string]any{"flows": dumps, "exprs": exprs})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "testdata/oracle.py")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(job), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Version string
		Results [][]bool
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	valid := 0
	for i, want := range answer.Results {
		if want == nil {
			continue
		}
		valid++
		x, err := Parse(exprs[i])
		if err != nil {
			t.Errorf("%q: mitmproxy takes it: %v", exprs[i], err)
			continue
		}
		for k, f := range flows {
			if got, err := x.Match(f.f); got != want[k] || err != nil {
				t.Errorf("%q: %s: %v, %v; mitmproxy %s: %v (%s)", exprs[i], f.name, got, err, answer.Version, want[k], x)
			}
		}
	}
	t.Logf("mitmproxy %s: %d expressions agree", answer.Version, valid)
	if valid < 300 {
		t.Errorf("only %d expressions were valid", valid)
	}
}
