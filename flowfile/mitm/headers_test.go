package mitm

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"flowkit/flowfile"
)

// element returns a tnetstring.
func element(tag byte, parts ...string) string {
	p := strings.Join(parts, "")
	return fmt.Sprintf("%d:%s%c", len(p), p, tag)
}

// TestSpliceHeaders: a change of headers alone gives the bytes of the general way, which
// is taken where a record is not as mitmproxy writes them.
func TestSpliceHeaders(t *testing.T) {
	key := func(s string) string { return element(';', s) }
	head := func(name string) string {
		return element(']', element(']', element(',', name), element(',', "v")))
	}
	common := key("version") + element('#', "21") + key("type") + element(';', "http")
	request := key("request") + element('}', key("method"), element(',', "GET"), key("headers"), head("a"), key("content"), element(',', "body"))
	response := key("response") + element('}', key("content"), element(',', strings.Repeat("x", 5000)), key("headers"), head("b"))
	for name, c := range map[string]struct {
		record string
		fast   [3]bool // an edit of the request, of the response, of both
	}{
		"as mitmproxy":   {element('}', response, request, common), [3]bool{true, true, true}},
		"request first":  {element('}', request, response, common), [3]bool{true, true, true}},
		"version first":  {element('}', common, request, response), [3]bool{true, true, true}},
		"response null":  {element('}', key("response"), "0:~", request, common), [3]bool{true, false, false}},
		"no response":    {element('}', request, common), [3]bool{true, false, false}},
		"no request":     {element('}', response, common), [3]bool{false, true, false}},
		"request null":   {element('}', response, key("request"), "0:~", common), [3]bool{false, true, false}},
		"headers null":   {element('}', key("response"), element('}', key("headers"), "0:~"), request, common), [3]bool{true, true, true}},
		"no headers":     {element('}', key("response"), element('}', key("reason"), element(',', "OK")), request, common), [3]bool{true, false, false}},
		"empty response": {element('}', key("response"), "0:}", request, common), [3]bool{true, false, false}},
		"request twice":  {element('}', request, response, request, common), [3]bool{}},
		"response twice": {element('}', key("response"), "0:~", response, request, common), [3]bool{}},
		"headers twice":  {element('}', key("response"), element('}', key("headers"), head("a"), key("headers"), head("b")), request, common), [3]bool{}},
		"bytes as keys":  {element('}', strings.Replace(request, "7:request;", "7:request,", 1), response, common), [3]bool{true, true, true}},
		"zeros in length": {
			element('}', "0"+key("request")+"000"+element('}', "007:headers;"+head("a")), "00"+response, common),
			[3]bool{true, true, true},
		},
	} {
		data := []byte(c.record)
		for i, changed := range [3]flowfile.Parts{1 << 16, 1 << 32, 1<<16 | 1<<32} {
			var p parser
			f, err := p.record(&chunk{data: data}, 0, len(data))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			changed *= flowfile.PartHeaders
			if changed.OfRequest() != 0 {
				if f.Request() == nil {
					continue
				}
				f.Request().Headers().Set("X-New", strings.Repeat("1", 12))
			}
			if changed.OfResponse() != 0 {
				if f.Response() == nil {
					continue
				}
				f.Response().Headers().Set("X-New", strings.Repeat("2", 345))
			}
			if f.Changed() != changed {
				t.Fatalf("%s: changed is %x, want %x", name, f.Changed(), changed)
			}
			r := f.Origin().(*Record)
			var e, x encoder
			e.reset(21)
			x.reset(21)
			if got := e.spliceHeaders(f, r, changed); got != c.fast[i] {
				t.Errorf("%s, edit %d: the short way is %v, want %v", name, i, got, c.fast[i])
			} else if !got {
				if e.size() != 0 {
					t.Errorf("%s: something was written", name)
				}
				continue
			}
			if err := x.splice(f, r.skeleton(), changed); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(e.flat(), x.flat()) {
				t.Errorf("%s, edit %d:\n%s\nwant\n%s", name, i, e.flat(), x.flat())
			}
		}
	}
}

// FuzzSpliceHeaders: where the short way is taken it gives the bytes of the general one.
func FuzzSpliceHeaders(f *testing.F) {
	f.Add([]byte(element('}',
		element(';', "response"), element('}', element(';', "headers"), element(']', element(']', "1:a,", "1:b,"))),
		element(';', "request"), element('}', element(';', "content"), "3:abc,", element(';', "headers"), "0:]"),
		element(';', "type"), "4:http;", element(';', "version"), "2:21#",
	)), true, true)
	f.Fuzz(func(t *testing.T, data []byte, request, response bool) {
		var p parser
		f, err := p.record(&chunk{data: data}, 0, len(data))
		if err != nil {
			return
		}
		if q := f.Request(); q != nil && request {
			q.Headers().Set("X-New", "1")
		}
		if q := f.Response(); q != nil && response {
			q.Headers().Set("X-New", "1")
		}
		r := f.Origin().(*Record)
		version := min(r.version, maxVersion)
		var e, x encoder
		e.reset(version)
		x.reset(version)
		if !e.spliceHeaders(f, r, f.Changed()) {
			return
		}
		if err := x.splice(f, r.skeleton(), f.Changed()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(e.flat(), x.flat()) {
			t.Errorf("%q\nwant\n%q", e.flat(), x.flat())
		}
	})
}
