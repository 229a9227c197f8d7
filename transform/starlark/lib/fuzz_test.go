package lib

import (
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

// FuzzTranslate holds that whatever the translator accepts is RE2 with the same
// number of groups, in both spellings, or is only too large for it.
func FuzzTranslate(f *testing.F) {
	for _, s := range []string{
		`(?P<a>\w+)[^\W\d]{,3}$`, `(?i)[\d-z]`, "(?x) a # b\n c", `\0\101\x41\u00e9`, "a{2}{3}", "(?i-s:.)|[]^]",
		`(?ai:[k-s])`, "(?#x)*", `[\b\]]`, "\xff[\x80-\xfe]",
	} {
		f.Add(s, false, 0)
		f.Add(s, true, flagI|flagX)
	}
	f.Fuzz(func(t *testing.T, pattern string, isBytes bool, flags int) {
		if len(pattern) > 200 {
			return
		}
		flags &= flagI | flagM | flagS | flagX | flagA
		for _, wide := range []bool{false, true} {
			tr, err := translate(pattern, isBytes, flags, wide)
			if err != nil {
				return
			}
			re, err := regexp.Compile(tr.expr)
			if err != nil {
				if !strings.Contains(err.Error(), "repeat count") && !strings.Contains(err.Error(), "too large") && !strings.Contains(err.Error(), "too deeply") {
					t.Fatalf("%q became %q: %v", pattern, tr.expr, err)
				}
				return
			}
			if re.NumSubexp() != len(tr.names)-1 || len(tr.closed) != re.NumSubexp() {
				t.Fatalf("%q became %q: %d groups, want %d", pattern, tr.expr, re.NumSubexp(), len(tr.names)-1)
			}
		}
		p, err := compilePattern(pattern, isBytes, flags)
		if err != nil {
			return
		}
		// Any offset must do, also inside a character.
		s := sameKind(pattern+"\né\xff k", isBytes)
		for pos := range 8 {
			sub, err := p.subject(s, optInt{n: pos, set: true}, optInt{})
			if err != nil {
				t.Fatal(err)
			}
			for m := range inContext {
				if _, err := sub.find(pos, m); err != nil && !strings.HasPrefix(err.Error(), "re: ") {
					t.Fatal(err)
				}
			}
			last := -1
			_ = sub.each(-1, func(loc []int) bool {
				if loc[0] < last || loc[1] < loc[0] || loc[1] > len(sub.full) {
					t.Fatalf("%q: match at %v after %d", pattern, loc, last)
				}
				last = loc[1]
				return true
			})
		}
	})
}

// FuzzJSON compares the decoder with encoding/json, and what it decodes with
// what it decodes again from its encoding.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-0.5e3,"\u00e9\ud83d\ude00\ud800"],"b":{}}`, ` [ true , false , null ] `, `"\b\f\n\r\t\/\\\""`,
		`[NaN,-Infinity]`, `123456789012345678901`, `[1,]`, `{"a":1,"a":2}`, "\"\xff\"", `01`, `1.`, `1e`, `-`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := decodeJSON(s, false, true)
		var std any
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		valid := json.Valid([]byte(s)) && d.Decode(&std) == nil
		switch {
		case err != nil && valid && !strings.Contains(err.Error(), "exceeds the limit") && !strings.Contains(err.Error(), "deep"):
			t.Fatalf("%q: %v, but it is valid", s, err)
		case err == nil && !valid && !strings.Contains(s, "NaN") && !strings.Contains(s, "Infinity"):
			t.Fatalf("%q: got %s, but it is not valid", s, v)
		case err != nil:
			return
		case valid && !sameJSON(v, std):
			t.Fatalf("%q: got %s, want %v", s, v, std)
		}
		for _, e := range []*jsonEncoder{{ascii: true, nan: true}, {nan: true}, {ascii: true, nan: true, sorted: true}} {
			if err := e.layout(nil, nil); err != nil {
				t.Fatal(err)
			}
			if err := e.value(v, 0); err != nil {
				t.Fatalf("%q: encode: %v", s, err)
			}
			again, err := decodeJSON(string(e.out), false, true)
			if err != nil {
				t.Fatalf("%q: encoded as %q: %v", s, e.out, err)
			}
			if got := again.String(); got != v.String() && !e.sorted && strings.ToValidUTF8(s, "") == s {
				t.Fatalf("%q: decoded as %s, and again as %s", s, v, got)
			}
		}
	})
}

// sameJSON compares a decoded value with encoding/json's, which has U+FFFD for
// lone surrogates and broken UTF-8.
func sameJSON(v starlark.Value, std any) bool {
	switch v := v.(type) {
	case starlark.NoneType:
		return std == nil
	case starlark.Bool:
		return std == bool(v)
	case starlark.Int:
		n, ok := new(big.Int).SetString(string(std.(json.Number)), 10)
		return ok && n.Cmp(v.BigInt()) == 0
	case starlark.Float:
		f, _ := std.(json.Number).Float64()
		return f == float64(v) || math.IsInf(float64(v), 0)
	case starlark.String:
		return sameText(string(v), std.(string))
	case *starlark.List:
		list := std.([]any)
		if v.Len() != len(list) {
			return false
		}
		for i := range list {
			if !sameJSON(v.Index(i), list[i]) {
				return false
			}
		}
		return true
	case *starlark.Dict:
		want := make(map[string]bool)
		for k := range std.(map[string]any) {
			want[k] = true
		}
		for k, elem := range v.Entries() {
			name := string(k.(starlark.String))
			if member, ok := std.(map[string]any)[name]; ok {
				if !sameJSON(elem, member) {
					return false
				}
				delete(want, name)
			} else if strings.ToValidUTF8(name, "") == name {
				return false
			}
		}
		return len(want) == 0 || v.Len() > 0 && reflect.ValueOf(std).Len() <= v.Len()
	}
	return false
}

func sameText(got, want string) bool {
	return got == want || strings.ToValidUTF8(got, "") == strings.ReplaceAll(want, "\ufffd", "") || strings.Contains(got, "\ufffd")
}
