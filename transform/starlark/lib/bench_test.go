package lib

import (
	"fmt"
	"strings"
	"testing"

	starjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"
)

// bench runs f(), which loops n times, as often as it takes.
func bench(b *testing.B, src string, extra starlark.StringDict) {
	b.Helper()
	globals, err := exec(new(starlark.Thread), "bench.star", src, extra)
	if err != nil {
		b.Fatal(backtrace(err))
	}
	globals.Freeze()
	thread := new(starlark.Thread)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := starlark.Call(thread, globals["f"], nil, nil); err != nil {
			b.Fatal(backtrace(err))
		}
	}
}

func BenchmarkReSearch(b *testing.B) {
	page := strings.Repeat("<p>Lorem ipsum dolor</p>\n", 40) + `<a href="/x?id=42">`
	for _, bb := range []struct{ name, src string }{
		{"loop100/module", `
def f():
    for path in ["/a/12", "/b/x", "/api/v1/users/7", "/"] * 25:
        re.search(r"/(\w+)/(\d+)$", path)`},
		{"loop100/compiled", `
p = re.compile(r"/(\w+)/(\d+)$")
def f():
    for path in ["/a/12", "/b/x", "/api/v1/users/7", "/"] * 25:
        p.search(path)`},
		{"page/str", "def f(): re.search(r'href=\"([^\"]*)\"', page).group(1)"},
		{"page/bytes", "def f(): re.search(rb'href=\"([^\"]*)\"', bpage).group(1)"},
		{"page/latin", "def f(): re.search(rb'href=\"([^\"]*)\"', b\"\\xff\" + bpage).group(1)"},
		{"page/findall", "def f(): re.findall(r'\\w+', page)"},
		{"page/sub", "def f(): re.sub(r'<p>(\\w+)', r'<b>\\1', page)"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			bench(b, bb.src, starlark.StringDict{"page": starlark.String(page), "bpage": Bytes(page)})
		})
	}
}

// document is an API answer of about 10 kB.
func document() string {
	var s strings.Builder
	s.WriteString(`{"page": 1, "total": 1234.5, "items": [`)
	for i := range 50 {
		if i > 0 {
			s.WriteString(", ")
		}
		fmt.Fprintf(&s, `{"id": %d, "name": "User Name %d", "email": "user%d@example.com", "active": true, "score": %d.25, `+
			`"tags": ["alpha", "beta"], "address": {"city": "Z\u00fcrich", "zip": "%05d", "geo": [47.37%d, 8.54%d]}, "parent": null}`, 100000+i, i, i, i, 8000+i, i, i)
	}
	s.WriteString("]}")
	return s.String()
}

func BenchmarkJSON(b *testing.B) {
	doc := starlark.String(document())
	for _, bb := range []struct {
		name string
		json starlark.Value
	}{{"flowkit", newJSON()}, {"starlark-go", starjson.Module}} {
		extra := starlark.StringDict{"doc": doc, "json": bb.json}
		for _, op := range []struct{ name, src string }{
			{"decode", "def f(): json.decode(doc)"},
			{"encode", "v = json.decode(doc)\ndef f(): json.encode(v)"},
			{"roundtrip", "def f(): json.encode(json.decode(doc))"},
		} {
			b.Run(op.name+"/"+bb.name, func(b *testing.B) {
				b.SetBytes(int64(len(doc)))
				bench(b, op.src, extra)
			})
		}
	}
}

func BenchmarkBytesReplace(b *testing.B) {
	body := strings.Repeat("some text, and then the word foo and more text\n", 220) // 10 kB
	for _, bb := range []struct{ name, src string }{
		{"hits", `def f(): body.replace(b"foo", b"barbar")`},
		{"none", `def f(): body.replace(b"zzz", b"y")`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			bench(b, bb.src, starlark.StringDict{"body": Bytes(body)})
		})
	}
}

func BenchmarkMultiDict(b *testing.B) {
	var l PairList
	for i := range 10 {
		l = append(l, [2]string{fmt.Sprintf("X-Header-%d", i), "value"})
	}
	bench(b, `def f():
    h["x-header-7"] = h["X-HEADER-3"]`, starlark.StringDict{"h": NewMultiDict(&l, Options{FoldCase: true, FoldJoin: ", "})})
}
