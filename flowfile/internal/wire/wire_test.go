package wire

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/internal/mp"
)

func Example() {
	var enc Encoder
	var dec Decoder
	f := flowfile.New(flowfile.Head{
		ID: "5f0c8a52-0c59-4d0e-8a4b-0123456789ab", Created: 1_790_000_000_000_000_000,
		Request: flowfile.NewRequest(flowfile.RequestHead{Method: "GET", Scheme: "https", Host: "shop.example", Port: 443, Path: "/"}),
	})
	record := enc.Flow(f, false)
	typ, err := dec.Begin(record)
	if err != nil {
		fmt.Println(err)
		return
	}
	kind, _ := flowfile.ParseKind(typ)
	g, err := dec.Flow(kind, Parts{})
	fmt.Println(len(record), typ, g.Finish().Request().URL(), err)
	// Output: 115 http https://shop.example/ <nil>
}

// obj builds a map of the values given: key, value, key, value.
func obj(kv ...any) []byte {
	var w mp.Writer
	w.MapLen(len(kv) / 2)
	for i := 0; i < len(kv); i += 2 {
		w.Str(kv[i].(string))
		put(&w, kv[i+1])
	}
	return bytes.Clone(w.Bytes())
}

type list []any

func put(w *mp.Writer, v any) {
	switch v := v.(type) {
	case nil:
		w.Nil()
	case bool:
		w.Bool(v)
	case int:
		w.Int(int64(v))
	case int64:
		w.Int(v)
	case float64:
		w.Float(v)
	case string:
		w.Str(v)
	case []byte:
		w.Raw(v)
	case list:
		w.ArrayLen(len(v))
		for _, x := range v {
			put(w, x)
		}
	default:
		panic("no such value")
	}
}

// decode reads a record of any type and returns what it is as plain values.
func decode(record []byte) (any, error) {
	var d Decoder
	typ, err := d.Begin(record)
	if err != nil {
		return nil, err
	}
	switch typ {
	case TypeConn:
		c, err := d.Conn(cert)
		if err != nil {
			return nil, err
		}
		return flowtest.Tree(flowfile.New(flowfile.Head{Client: c})), nil
	case TypeMsg, TypePart, TypeEnd:
		id, err := d.FlowID()
		if err != nil {
			return nil, err
		}
		switch typ {
		case TypeMsg:
			m, n, err := d.Msg()
			return []any{id, m, n}, err
		case TypePart:
			p, err := d.Part()
			return []any{id, p}, err
		}
		g, err := flowOf(obj("type", "http", "ts", 1000))
		if err != nil {
			return nil, err
		}
		err = d.Update(&g, Parts{})
		return []any{id, flowtest.Tree(g.Finish()), g.Cut}, err
	}
	g, err := flowOf(record)
	if err != nil {
		return nil, err
	}
	return flowtest.Tree(g.Finish()), nil
}

func flowOf(record []byte) (Growing, error) {
	var d Decoder
	typ, err := d.Begin(record)
	if err != nil {
		return Growing{}, err
	}
	kind, _ := flowfile.ParseKind(typ)
	return d.Flow(kind, Parts{})
}

func cert(part int) flowfile.Body {
	if part == PartMitmCert {
		return flowfile.Body{}
	}
	return flowfile.StringBody(fmt.Sprint("certificate ", part-PartCert))
}

func TestFlows(t *testing.T) {
	var enc Encoder
	var dec Decoder
	for i, f := range flowtest.Flows(500, 1) {
		for _, open := range []bool{false, true} {
			p := Parts{Client: f.Client(), Server: f.Server()}
			if r := f.Request(); r != nil {
				p.Request = r.Body()
			}
			if r := f.Response(); r != nil {
				p.Response = r.Body()
			}
			record := bytes.Clone(enc.Flow(f, open))
			if err := enc.Err(); err != nil {
				t.Fatal(err)
			}
			typ, err := dec.Begin(record)
			if err != nil || typ != f.Kind().String() {
				t.Fatalf("flow %d: %q, %v", i, typ, err)
			}
			g, err := dec.Flow(f.Kind(), p)
			if err != nil || g.Open != open {
				t.Fatalf("flow %d: open %v, %v", i, g.Open, err)
			}
			got, want := flowtest.Tree(g.Finish()), flowtest.Tree(f)
			delete(got, "messages")
			delete(want, "messages")
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("flow %d:\n%s", i, d)
			}
		}
		testConn(t, f.Client())
		testConn(t, f.Server())
		n := 0
		for m, err := range f.Messages().All() {
			if err != nil {
				t.Fatal(err)
			}
			testMsg(t, f.ID(), n, m)
			n++
		}
	}
}

func testConn(t *testing.T, c *flowfile.Conn) {
	t.Helper()
	var enc Encoder
	var dec Decoder
	if typ, err := dec.Begin(enc.Conn(c)); typ != TypeConn || err != nil || enc.Err() != nil {
		t.Fatal(typ, err, enc.Err())
	}
	got, err := dec.Conn(func(part int) flowfile.Body {
		if part == PartMitmCert {
			return c.MitmCert
		}
		return c.Certificates[part-PartCert]
	})
	if err != nil {
		t.Fatal(err)
	}
	tree := func(c *flowfile.Conn) any { return flowtest.Tree(flowfile.New(flowfile.Head{Client: c}))["client"] }
	if d := cmp.Diff(tree(c), tree(got)); d != "" {
		t.Fatal(d)
	}
}

func testMsg(t *testing.T, id string, n int, m flowfile.Msg) {
	t.Helper()
	var enc Encoder
	var dec Decoder
	if typ, err := dec.Begin(enc.Msg(id, n, &m)); typ != TypeMsg || err != nil || enc.Err() != nil {
		t.Fatal(typ, err, enc.Err())
	}
	if got, err := dec.FlowID(); got != id || err != nil {
		t.Fatal(got, err)
	}
	got, gotN, err := dec.Msg()
	got.Body = m.Body
	if d := cmp.Diff(fmt.Sprintf("%+v", m), fmt.Sprintf("%+v", got)); d != "" || gotN != n || err != nil {
		t.Fatal(gotN, err, d)
	}
}

func TestPartEndMeta(t *testing.T) {
	var enc Encoder
	var dec Decoder
	begin := func(record []byte, want string) {
		t.Helper()
		if typ, err := dec.Begin(record); typ != want || err != nil {
			t.Fatal(typ, err)
		}
	}
	begin(enc.Part("x", 1, 1<<40, true), TypePart)
	if id, err := dec.FlowID(); id != "x" || err != nil {
		t.Error(id, err)
	}
	if p, err := dec.Part(); p != (Part{1, 1 << 40, true}) || err != nil {
		t.Error(p, err)
	}
	begin(enc.End("x", End{Messages: 7, Incomplete: true, Truncated: [2]int64{-1, 1 << 40}}), TypeEnd)
	if id, err := dec.FlowID(); id != "x" || err != nil {
		t.Error(id, err)
	}
	g, err := flowOf(obj("type", "http"))
	if err != nil {
		t.Fatal(err)
	}
	if err := dec.Update(&g, Parts{}); err != nil || !g.Head.Incomplete || g.Cut != [2]int64{-1, 1 << 40} {
		t.Errorf("%+v, %v", g, err)
	}
	begin(enc.Meta("flowkit 1"), TypeMeta)
}

// Whatever a flow was and becomes, its head with what end and late records say of the
// difference is what it became.
func TestChanges(t *testing.T) {
	var enc Encoder
	var dec Decoder
	flows := flowtest.Flows(300, 2)
	for i, was := range flows {
		for _, f := range flows[i+1 : min(i+40, len(flows))] {
			if f.Kind() != was.Kind() {
				continue
			}
			before := bytes.Clone(enc.Flow(was, true))
			after := bytes.Clone(enc.FlowAt(f, true, Base(was)))
			record := bytes.Clone(enc.End(was.ID(), End{Before: before, After: after, Incomplete: f.Incomplete()}))
			if i%2 == 0 {
				late, differs := enc.Late(was.ID(), before, after)
				if record = bytes.Clone(late); !differs {
					t.Fatal("no difference")
				}
			}
			if _, err := dec.Begin(before); err != nil {
				t.Fatal(err)
			}
			g, err := dec.Flow(was.Kind(), Parts{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := dec.Begin(record); err != nil {
				t.Fatal(err)
			}
			if _, err := dec.FlowID(); err != nil {
				t.Fatal(err)
			}
			if err := dec.Update(&g, Parts{}); err != nil {
				t.Fatal(err)
			}
			g.Head.ID, g.Head.Incomplete = f.ID(), f.Incomplete()
			// Unknown keys are not taken back: they become nil.
			got := flowtest.Tree(g.Finish())
			want := flowtest.Tree(f)
			for _, x := range []map[string]any{got, want} {
				for _, k := range []string{"messages", "client", "server", "extra"} {
					delete(x, k)
				}
				for _, k := range []string{"request", "response"} {
					if m, ok := x[k].(map[string]any); ok {
						delete(m, "body")
					}
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatal(d)
			}
		}
	}
	f := flows[0]
	head := bytes.Clone(enc.Flow(f, true))
	if record, differs := enc.Late(f.ID(), head, bytes.Clone(head)); differs || len(record) == 0 {
		t.Errorf("a flow that did not change: %v, %d bytes", differs, len(record))
	}
}

// What an end record says takes the place of what the head said, and nothing else changes.
func TestLateEnd(t *testing.T) {
	g, err := flowOf(obj("type", "http", "id", "a", "ts", 1000, "created", nil, "open", true, "comment", "kept",
		"req", obj("method", "GET", "path", "/", "start", 5)))
	if err != nil {
		t.Fatal(err)
	}
	var d Decoder
	for _, end := range [][]byte{
		obj("type", "end", "flow", "a", "id", "b", "ts", 77, "open", false, "resp", obj("status", 204, "start", 9)),
		obj("type", "end", "flow", "a", "error", obj("msg", "reset", "at", 20), "ws", obj("code", 1001, "end", 30), "later", 1),
	} {
		if _, err := d.Begin(end); err != nil {
			t.Fatal(err)
		}
		if _, err := d.FlowID(); err != nil {
			t.Fatal(err)
		}
		if err := d.Update(&g, Parts{}); err != nil {
			t.Fatal(err)
		}
	}
	f := g.Finish()
	if f.ID() != "a" || f.Created() != 0 || f.Comment() != "kept" || f.Request().Start() != 1005 ||
		f.Response().Start() != 1009 || f.Error().Time != 1020 || f.WebSocket().End != 1030 || len(f.Extra()) != 1 {
		t.Errorf("%+v", flowtest.Tree(f))
	}
}

func TestIDs(t *testing.T) {
	var enc Encoder
	for _, id := range []string{
		"", "a", "5f0c8a52-0c59-4d0e-8a4b-0123456789ab", "5F0C8A52-0c59-4d0e-8a4b-0123456789ab",
		"5f0c8a52-0c59-4d0e-8a4b-0123456789a", "5f0c8a52-0c59-4d0e-8a4b-0123456789abc", "5f0c8a52+0c59-4d0e-8a4b-0123456789ab",
		"5f0c8a520-c59-4d0e-8a4b-0123456789ab", "0123456789abcdef", "\xff123456789abcde", "\xff", "\xff\xfe" + strings.Repeat("x", 15),
		"ü123456789abcde", strings.Repeat("x", 70_000), "00000000-0000-0000-0000-000000000000", "a\x00b",
	} {
		g, err := flowOf(enc.Flow(flowfile.New(flowfile.Head{ID: id}), false))
		if err != nil || g.Head.ID != id {
			t.Errorf("%.40q became %.40q, %v", id, g.Head.ID, err)
		}
	}
}

// Keys that are not known survive on every level, with whatever they hold.
func TestUnknownKeys(t *testing.T) {
	deep := list{1, "two", obj("three", nil), 4.5, true}
	x := []any{"x1", deep, "x2", nil, "type", 5, "x1", "again", "", -1}
	record := obj(append([]any{
		"type", "http", "id", "a", "ts", 1 << 60,
		"req", obj(append([]any{"method", "GET", "path", "/"}, x...)...),
		"resp", obj(append([]any{"status", 200, "headers", list{"a", "b"}, "trailers", list{}}, x...)...),
		"ws", obj(append([]any{"code", 1000}, x...)...),
		"q", obj(append([]any{"id", 7}, x...)...), "a", obj(append([]any{"id", 7}, x...)...),
		"error", obj(append([]any{"msg", "m"}, x...)...),
		"src", obj(append([]any{"format", "mitm", "version", 21, "head", "abc", "holes", list{1, 0, 3, 1}, "changed", 4}, x...)...),
	}, x...)...)
	g, err := flowOf(record)
	if err != nil {
		t.Fatal(err)
	}
	f := g.Finish()
	kept := f.Origin().Kept(f)
	for name, e := range map[string]flowfile.Extra{
		"flow": f.Extra(), "request": f.Request().Extra(), "response": f.Response().Extra(), "websocket": f.WebSocket().Extra,
		"question": f.DNSRequest().Extra, "answer": f.DNSResponse().Extra, "error": f.Error().Extra, "origin": kept.Extra,
	} {
		if len(e) != len(x)/2 {
			t.Errorf("%s: %d of %d unknown keys", name, len(e), len(x)/2)
		}
	}
	var enc Encoder
	first := bytes.Clone(enc.Flow(f, false))
	if enc.Err() != nil {
		t.Fatal(enc.Err())
	}
	again, err := flowOf(first)
	if err != nil {
		t.Fatal(err)
	}
	f2 := again.Finish()
	if d := cmp.Diff(flowtest.Tree(f), flowtest.Tree(f2)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(kept, f2.Origin().Kept(f2)); d != "" {
		t.Error(d)
	}
	if !bytes.Equal(first, enc.Flow(f2, false)) {
		t.Error("the second encoding differs from the first")
	}
	for _, record := range [][]byte{
		obj(append([]any{"type", "conn", "id", "c"}, x...)...),
		obj(append([]any{"type", "msg", "flow", "a", "n", 3}, x...)...),
		obj(append([]any{"type", "part", "flow", "a", "part", 1}, x...)...),
		obj(append([]any{"type", "end", "flow", "a"}, x...)...),
	} {
		if _, err := decode(record); err != nil {
			t.Errorf("%q: %v", record, err)
		}
	}
}

func TestOrder(t *testing.T) {
	for _, c := range []struct {
		name   string
		record []byte
		bad    string // part of the error; "": none
	}{
		{"type first", obj("type", "http", "id", "a"), ""},
		{"type later", obj("id", "a", "type", "http"), `begin with the key "type"`},
		{"no type", obj(), `begin with the key "type"`},
		{"flow second", obj("type", "msg", "flow", "a", "n", 1), ""},
		{"flow later", obj("type", "msg", "n", 1, "flow", "a"), `"flow" must follow`},
		{"no flow", obj("type", "end"), `"flow" must follow`},
		{"ts first", obj("type", "http", "ts", 5, "req", obj("start", 1)), ""},
		{"ts behind what has no time", obj("type", "http", "req", obj("method", "GET"), "ts", 5), ""},
		{"ts behind a time", obj("type", "http", "req", obj("start", 1), "ts", 5), `"ts" must come before`},
		{"bytes behind", append(obj("type", "http"), 0xc0), "behind the record"},
	} {
		_, err := decode(c.record)
		if (err == nil) != (c.bad == "") || err != nil && !strings.Contains(err.Error(), c.bad) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A nil in place of a map or list means that there is none.
func TestNil(t *testing.T) {
	all := []any{"type", "http", "id", "a"}
	for _, k := range []string{"req", "resp", "ws", "q", "a", "error", "meta", "src"} {
		all = append(all, k, nil)
	}
	got, err := decode(obj(all...))
	want, _ := decode(obj("type", "http", "id", "a"))
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
	got, err = decode(obj("type", "http", "resp", obj("headers", nil, "trailers", nil)))
	want, _ = decode(obj("type", "http", "resp", obj()))
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
	got, err = decode(obj("type", "conn", "peer", nil, "sock", nil, "addr", nil, "via", nil, "ciphers", nil))
	want, _ = decode(obj("type", "conn"))
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
}

// Times before 1970 and beyond what nanoseconds can tell apart come back as they were.
func TestTimes(t *testing.T) {
	var enc Encoder
	for _, created := range []flowfile.Time{0, 1, -1, -1 << 63, 1<<63 - 1, 1_790_000_000_000_000_000} {
		for _, at := range []flowfile.Time{0, 1, -1, -1 << 63, 1<<63 - 1, created} {
			f := flowfile.New(flowfile.Head{
				Created: created, Error: &flowfile.Error{Time: at},
				Request: flowfile.NewRequest(flowfile.RequestHead{MessageHead: flowfile.MessageHead{Start: at, End: at + 1}}),
			})
			g, err := flowOf(enc.Flow(f, false))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(flowtest.Tree(f), flowtest.Tree(g.Finish())); d != "" {
				t.Errorf("created %d, at %d: %s", created, at, d)
			}
		}
	}
}
