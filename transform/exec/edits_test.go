package exec

import (
	"encoding/json"
	"testing"

	"flowkit/flowfile"
)

func TestMembersOf(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{"a":1}`, `a=1`},
		{` {"a":1,"b":"x"} `, `a=1 b="x"`},
		{`{ "a" : {"b":[1,",}"]} , "c": "\"}" }`, `a= {"b":[1,",}"]}  c= "\"}" `},
		{`{"a":"\\","b":2}`, `a="\\" b=2`},
	} {
		ms, ok := membersOf([]byte(c.line))
		got := ""
		for i, m := range ms {
			if i > 0 {
				got += " "
			}
			got += m.key + "=" + string(m.value)
		}
		if !ok || got != c.want {
			t.Errorf("%s: %s, %v", c.line, got, ok)
		}
	}
	for _, line := range []string{
		``, `{`, `{}`, `[]`, `x`, `{"a"}`, `{"a":1,}`, `{"a":1,"a":2}`, `{"\u0061":1}`, `{a:1}`, `{"a" 1}`, `{,"a":1}`, `{"a":1 "b"`,
	} {
		if ms, ok := membersOf([]byte(line)); ok {
			t.Errorf("%s: %v", line, ms)
		}
	}
}

func TestSameJSON(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`1`, `1`, true},
		{` 1 `, `1`, true},
		{`{"a": [1, 2 ], "b":" x"}`, `{"a":[1,2],"b":" x"}`, true},
		{`{"a": [1, 2 ], "b":"x"}`, `{"a":[1,2],"b":" x"}`, false},
		{`"a b"`, `"ab"`, false},
		{`"ab"`, `"a b"`, false},
		{`"a\" b"`, `"a\" b"`, true},
		{`[1,2]`, `[1,2,3]`, false},
		{`[1, 2]`, `[1,2`, false},
		{`[1,2`, `[1,2]`, false},
		{``, `1`, false},
		{` `, ``, true},
	} {
		if got := sameJSON([]byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

// What is taken apart is what a JSON decoder finds, or the line is left to it.
func FuzzMembersOf(f *testing.F) {
	f.Add([]byte(`{"a": {"b":[1,",}"]} , "c": "\"}" }`))
	f.Add([]byte(`{"type":"http","id":"x","request":{"headers":[["a","b"]],"body":null}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		ms, ok := membersOf(line)
		if !ok || !json.Valid(line) {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(line, &want); err != nil {
			return
		}
		if len(ms) != len(want) {
			t.Fatalf("%s: %d members, want %d", line, len(ms), len(want))
		}
		for _, m := range ms {
			var a, b any
			w, there := want[m.key]
			if !there && !json.Valid([]byte(m.key)) { // not UTF-8: the decoder replaces it
				return
			}
			if json.Unmarshal(m.value, &a) != nil || json.Unmarshal(w, &b) != nil {
				t.Fatalf("%s: %q is %q, want %q", line, m.key, m.value, w)
			}
			if !sameJSON(m.value, m.value) {
				t.Fatalf("%q is not itself", m.value)
			}
		}
	})
}

func TestSame(t *testing.T) {
	x, y := flowfile.Extra{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}, flowfile.Extra{{Key: "b", Value: "2"}, {Key: "a", Value: "1"}}
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{x, y, true},
		{x, x[:1], false},
		{x, flowfile.Extra{x[0], x[0]}, false},
		{flowfile.Map{{Key: "a", Value: 1.0}}, flowfile.Map{{Key: "a", Value: int64(1)}}, true},
		{flowfile.Map{{Key: "a", Value: 1.5}}, flowfile.Map{{Key: "a", Value: int64(1)}}, false},
		{flowfile.Map{{Key: "a", Value: 1e30}}, flowfile.Map{{Key: "a", Value: flowfile.BigInt("1000000000000000019884624838656")}}, true},
		{flowfile.Map{{Key: "a", Value: "1"}}, flowfile.Map{{Key: "a", Value: int64(1)}}, false},
		{flowfile.Map{{Key: "a", Value: nil}}, flowfile.Map{{Key: "a", Value: nil}}, true},
		{flowfile.Map{{Key: "a", Value: nil}}, flowfile.Map{{Key: "a", Value: false}}, false},
		{flowfile.Map(nil), flowfile.Map{}, true},
		{(*flowfile.Error)(nil), &flowfile.Error{}, false},
		{(*flowfile.Error)(nil), (*flowfile.Error)(nil), true},
		{&flowfile.Conn{Ciphers: nil}, &flowfile.Conn{Ciphers: []string{}}, true},
		{&flowfile.Conn{Certificates: []flowfile.Body{flowfile.StringBody("a")}}, &flowfile.Conn{Certificates: []flowfile.Body{flowfile.StringBody("b")}}, false},
		{flowfile.StringBody(""), flowfile.Body{}, false},
		{flowfile.StringBody("a").Truncate(3), flowfile.StringBody("a").Truncate(4), false},
	} {
		if got := same(c.a, c.b); got != c.want {
			t.Errorf("%#v and %#v: %v", c.a, c.b, got)
		}
	}
}

func TestPack(t *testing.T) {
	long := string(make([]byte, 70_000))
	for _, s := range []string{"", "a", long[:31], long[:32], long[:255], long[:256], long[:65535], long} {
		if got, ok := unpackStr(packStr(s)); !ok || got != s {
			t.Errorf("a string of %d bytes: %v", len(s), ok)
		}
	}
	for _, n := range []int{0, 127, 128, 255, 256, 65535, 65536, 1 << 30} {
		if got, ok := unpackInt(packInt(n)); !ok || got != n {
			t.Errorf("%d: %d, %v", n, got, ok)
		}
	}
	for _, v := range []string{"", "\xc0", "\xd9", "\xa2a", "\xa1ab", "\xff", "\xd9\x01a", "\xce\x00\x00\x00\x01", "\xce\x00\x00\x00\x01\x00"} {
		if s, ok := unpackStr(v); ok {
			t.Errorf("%q is the string %q", v, s)
		}
		if n, ok := unpackInt(v); ok {
			t.Errorf("%q is the number %d", v, n)
		}
	}
}
