package jsonl_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/jsonl"
)

func ExampleWriter() {
	f := flowfile.New(flowfile.Head{ID: "1", Request: flowfile.NewRequest(flowfile.RequestHead{
		MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: []flowfile.Field{{Name: "Host", Value: "a.example"}}},
		Method:      "GET", Scheme: "http", Host: "a.example", Port: 80, Path: "/",
	})})
	w := jsonl.NewWriter(os.Stdout, jsonl.Options{})
	_ = w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}})
	_ = w.Close()
	// Output: {"type":"http","id":"1","url":"http://a.example/","request":{"method":"GET","scheme":"http","host":"a.example","port":80,"path":"/","http_version":"HTTP/1.1","headers":[["Host","a.example"]],"body":null}}
}

func write(t testing.TB, flows []*flowfile.Flow, o jsonl.Options) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := jsonl.NewWriter(&buf, o)
	if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func read(t testing.TB, r io.Reader) (flows []*flowfile.Flow, damage []*flowfile.Damage) {
	t.Helper()
	for f, err := range flowfile.Flows(jsonl.NewReader(r, jsonl.Options{Name: "x"})) {
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

func TestRoundTrip(t *testing.T) {
	flows := flowtest.Flows(200, 4)
	for _, o := range []jsonl.Options{{}, {Decoded: true}} {
		data := write(t, flows, o)
		got, damage := read(t, bytes.NewReader(data))
		if len(damage) > 0 || len(got) != len(flows) {
			t.Fatalf("%d flows of %d, damage %v", len(got), len(flows), damage)
		}
		for i := range got {
			if diff := cmp.Diff(flowtest.Tree(flows[i]), flowtest.Tree(got[i])); diff != "" {
				t.Fatal(diff)
			}
		}
		if again := write(t, got, o); !bytes.Equal(again, data) {
			t.Error("written again it differs")
		}
	}
}

func TestUnknownKeysAreKept(t *testing.T) {
	line := `{"type":"http","id":"1","request":{"method":"GET","path":"/","headers":[],"body":null,"x-note":{"a":[1,-2.5,null,true,"é"]}},"error":{"msg":"m","why":7},"origin":{"format":"har","lane":"b"},"color":"red","big":123456789012345678901234567890}` + "\n"
	flows, damage := read(t, strings.NewReader(line))
	if len(damage) > 0 || len(flows) != 1 {
		t.Fatal(damage)
	}
	got := string(write(t, flows, jsonl.Options{}))
	for _, want := range []string{`"x-note":{"a":[1,-2.5,null,true,"é"]}`, `"why":7`, `"lane":"b"`, `"color":"red"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
	again, _ := read(t, strings.NewReader(got))
	if diff := cmp.Diff(flowtest.Tree(flows[0]), flowtest.Tree(again[0])); diff != "" {
		t.Error(diff)
	}
}

func TestKept(t *testing.T) {
	k := &flowfile.Kept{
		Format: "mitm", Version: 19, Head: "5:\xffhello", Holes: []flowfile.Hole{{Pos: 2, Part: 1}, {Pos: 3, Part: 0}},
		Changed: flowfile.PartComment, Extra: flowfile.Extra{{Key: "k", Value: "\xc4\x01\xff"}},
	}
	f := flowfile.New(flowfile.Head{ID: "1", Origin: flowfile.KeptOrigin("flow", k)})
	flows, damage := read(t, bytes.NewReader(write(t, []*flowfile.Flow{f}, jsonl.Options{})))
	if len(damage) > 0 {
		t.Fatal(damage)
	}
	if diff := cmp.Diff(k, flows[0].Origin().Kept(flows[0])); diff != "" {
		t.Error(diff)
	}
}

func TestDamage(t *testing.T) {
	good := `{"type":"http"}` + "\n"
	for _, c := range []struct {
		in    string
		flows int
		want  string // of the only damage; "" for none
	}{
		{"", 0, ""},
		{"\n\n  \n" + good, 1, ""},
		{"\xef\xbb\xbf" + good, 1, ""},
		{strings.TrimSpace(good), 1, ""}, // no newline at the end
		{good + "garbage\n" + good, 2, "x: line 2: invalid character"},
		{good + `{"type":"http","id":` + "\n" + good, 2, "x: line 2: "},
		{good + `{"type":"ht`, 1, "line 2: the line is not complete; the input ends here"},
		{`{"id":"1"}` + "\n", 0, `the key "type" is missing`},
		{`{"type":"http","request":{"headers":[["a"]]}}` + "\n", 0, "request.headers: a pair of name and value"},
		{`{"type":"http"} {"type":"http"}` + "\n", 0, "more than one value"},
		{`{"type":"http","created":"yesterday"}` + "\n", 0, "created: parsing time"},
		{`{"type":"http","created":"9999-01-01T00:00:00Z"}` + "\n", 0, "year 9999"},
		{"{\"type\":\"http\",\"id\":\"\xff\"}\n", 0, "not UTF-8"},
		{`{"type":"http","id":"\ud800"}` + "\n", 0, "half of a surrogate pair"},
		{`{"type":"http","id":"\ud83d\ude00 \\ud800"}` + "\n", 1, ""},
		{`{"type":"http","id":"\udc00\ud800"}` + "\n", 0, "half of a surrogate pair"},
		{`[]` + "\n", 0, "an object is wanted"},
		{`{"type":"http","metadata":{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}` + "\n", 0, "too deeply"},
	} {
		flows, damage := read(t, strings.NewReader(c.in))
		if len(flows) != c.flows {
			t.Errorf("%q: %d flows, want %d", c.in, len(flows), c.flows)
		}
		switch {
		case c.want == "" && len(damage) > 0:
			t.Errorf("%q: %v", c.in, damage)
		case c.want != "" && (len(damage) != 1 || !strings.Contains(damage[0].Error(), c.want)):
			t.Errorf("%q: %v, want %s", c.in, damage, c.want)
		}
	}
}

func TestSniff(t *testing.T) {
	for s, want := range map[string]bool{`{"type"`: true, "\n {": true, "12:": false, "": false, "[": false, "\xef\xbb\xbf{": true} {
		if got := jsonl.Sniff([]byte(s)); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// What can be read can be written and read again, and is the same.
func FuzzReader(f *testing.F) {
	f.Add([]byte(`{"type":"http","x":{"y":[1,2.0,"z"]},"_msgpack":[["k","wA=="]]}`))
	f.Add(write(f, flowtest.Flows(5, 2), jsonl.Options{}))
	f.Fuzz(func(t *testing.T, data []byte) {
		flows, _ := read(t, bytes.NewReader(data))
		if len(flows) == 0 {
			return
		}
		again, damage := read(t, bytes.NewReader(write(t, flows, jsonl.Options{})))
		if len(damage) > 0 || len(again) != len(flows) {
			t.Fatalf("%d flows became %d: %v", len(flows), len(again), damage)
		}
		for i := range flows {
			if diff := cmp.Diff(fmt.Sprint(flowtest.Tree(flows[i])), fmt.Sprint(flowtest.Tree(again[i]))); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	flows := flowtest.Flows(300, 4)
	n := len(write(b, flows, jsonl.Options{}))
	b.SetBytes(int64(n))
	for b.Loop() {
		w := jsonl.NewWriter(io.Discard, jsonl.Options{})
		if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	data := write(b, flowtest.Flows(300, 4), jsonl.Options{})
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		read(b, bytes.NewReader(data))
	}
}
