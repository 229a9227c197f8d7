package har

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

type fields = []flowfile.Field

const second = flowfile.Time(1e9)

// start is when the flows of the tests begin.
const start = 1_700_000_000*second + 123_456_789

// export writes flows as a HAR and returns it.
func export(t testing.TB, o Options, flows ...*flowfile.Flow) string {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, o)
	if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// entries decodes the entries of a HAR.
func entries(t testing.TB, har string) []any {
	t.Helper()
	var v struct{ Log struct{ Entries []any } }
	if err := json.Unmarshal([]byte(har), &v); err != nil {
		t.Fatalf("%v in %.2000s", err, har)
	}
	return v.Log.Entries
}

// at returns a part of JSON, as JSON: "response.content.text", "headers.0.name".
func at(v any, path string) string {
	for k := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[k]
			if _, ok := x[k]; !ok {
				return "(none)"
			}
		case []any:
			var i int
			if _, err := fmt.Sscan(k, &i); err != nil || i >= len(x) {
				return "(none)"
			}
			v = x[i]
		default:
			return "(none)"
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

func request(body flowfile.Body, headers ...flowfile.Field) flowfile.RequestHead {
	return flowfile.RequestHead{
		MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: headers, Body: body, Start: start, End: start + 2e6},
		Method:      "GET", Scheme: "http", Host: "example.com", Port: 80, Path: "/",
	}
}

func response(body flowfile.Body, headers ...flowfile.Field) flowfile.ResponseHead {
	return flowfile.ResponseHead{
		MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: headers, Body: body, Start: start + 10e6, End: start + 15e6},
		Status:      200, Reason: "OK",
	}
}

func flow(q flowfile.RequestHead, r flowfile.ResponseHead) *flowfile.Flow {
	return flowfile.New(flowfile.Head{ID: "id-1", Request: flowfile.NewRequest(q), Response: flowfile.NewResponse(r)})
}

var empty = flowfile.StringBody("")

func simple() *flowfile.Flow { return flow(request(empty), response(empty)) }

func ExampleWriter() {
	w := NewWriter(os.Stdout, Options{Version: "1.0"})
	_ = w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{flowfile.New(flowfile.Head{Kind: flowfile.TCP})}})
	_ = w.Close()
	fmt.Println(w.Skipped())
	// Output:
	// {"log":{"version":"1.2","creator":{"name":"flowkit","version":"1.0"},"pages":[{"startedDateTime":"1970-01-01T00:00:00.000Z","id":"page_1","title":"flowkit","pageTimings":{"onContentLoad":-1,"onLoad":-1}}],"entries":[]}}
	// map[tcp:1]
}

// A whole entry, so that every field is seen once.
func TestEntry(t *testing.T) {
	q := request(flowfile.StringBody("a=1&b=%20x"), flowfile.Field{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}, flowfile.Field{Name: "Cookie", Value: "s=1"})
	q.Method, q.Path = "POST", "/p?x=%C3%A9"
	r := response(flowfile.StringBody("héllo"), flowfile.Field{Name: "Content-Type", Value: "text/plain"}, flowfile.Field{Name: "Location", Value: "/next"})
	f := flowfile.New(flowfile.Head{
		ID: "id-1", Comment: "note", Marked: ":red:", Request: flowfile.NewRequest(q), Response: flowfile.NewResponse(r),
		Server: &flowfile.Conn{
			ID: "c1", Peer: &flowfile.Addr{Host: "2001:db8::1", Port: 443}, TLS: true, TLSVersion: "TLSv1.3", Cipher: "X", SNI: "example.com", ALPN: "h2",
		},
	})
	const want = `{
  "pageref": "page_1",
  "startedDateTime": "2023-11-14T22:13:20.123Z",
  "time": 15,
  "request": {
    "method": "POST",
    "url": "http://example.com/p?x=%C3%A9",
    "httpVersion": "HTTP/1.1",
    "cookies": [{"name":"s","value":"1"}],
    "headers": [{"name":"Content-Type","value":"application/x-www-form-urlencoded"},{"name":"Cookie","value":"s=1"}],
    "queryString": [{"name":"x","value":"é"}],
    "postData": {"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a","value":"1"},{"name":"b","value":" x"}],"text":"a=1&b=%20x"},
    "headersSize": 91,
    "bodySize": 10
  },
  "response": {
    "status": 200,
    "statusText": "OK",
    "httpVersion": "HTTP/1.1",
    "cookies": [],
    "headers": [{"name":"Content-Type","value":"text/plain"},{"name":"Location","value":"/next"}],
    "content": {"size":6,"compression":0,"mimeType":"text/plain","text":"héllo"},
    "redirectURL": "/next",
    "headersSize": 62,
    "bodySize": 6,
    "_transferSize": 68
  },
  "cache": {},
  "timings": {"blocked":-1,"dns":-1,"connect":-1,"ssl":-1,"send":2,"wait":8,"receive":5},
  "serverIPAddress": "2001:db8::1",
  "connection": "443",
  "_connectionId": "c1",
  "_tls": {"version":"TLSv1.3","cipher":"X","sni":"example.com","alpn":"h2"},
  "comment": "note",
  "_id": "id-1",
  "_marked": ":red:"
}`
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(want)); err != nil {
		t.Fatal(err)
	}
	got := export(t, Options{}, f)
	got = got[strings.Index(got, `"entries":[`)+len(`"entries":[`) : len(got)-len("]}}\n")]
	if got != compact.String() {
		t.Errorf("got  %s\nwant %s", got, compact.String())
	}
	if n := int64(len("POST /p?x=%C3%A9 HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nCookie: s=1\r\n\r\n")); at(entries(t, export(t, Options{}, f))[0], "request.headersSize") != fmt.Sprint(n) {
		t.Error("headersSize is not", n)
	}
}

func TestTimings(t *testing.T) {
	ms := func(n float64) flowfile.Time { return start + flowfile.Time(n*1e6) }
	conn := func(id string, from, tcp, tls float64) *flowfile.Conn {
		c := &flowfile.Conn{ID: id, Start: ms(from), TCPSetup: ms(tcp)}
		if tls != 0 {
			c.TLSSetup = ms(tls)
		}
		return c
	}
	build := func(c *flowfile.Conn, q0, q1, r0, r1 float64) *flowfile.Flow {
		q, r := request(empty), response(empty)
		q.Start, q.End, r.Start, r.End = ms(q0), ms(q1), ms(r0), ms(r1)
		f := flow(q, r)
		f.SetServer(c)
		return f
	}
	shared := conn("c2", 2, 4, 7)
	flows := []*flowfile.Flow{
		build(nil, 0, 1, 3, 6),
		build(conn("c1", -30, -20, -10), 0, 1, 3, 6),
		build(shared, 0, 1, 10, 12), // connected while it waited
		build(shared, 0, 1, 10, 12), // and used again
		build(nil, 5, 1, 0, -3),     // in the wrong order
		build(conn("c3", 0, 5, 0), 6, 7, 8, 9.5),
	}
	want := []string{
		`6 {"blocked":-1,"connect":-1,"dns":-1,"receive":3,"send":1,"ssl":-1,"wait":2}`,
		`26 {"blocked":-1,"connect":20,"dns":-1,"receive":3,"send":1,"ssl":10,"wait":2}`,
		`12 {"blocked":-1,"connect":5,"dns":-1,"receive":2,"send":1,"ssl":3,"wait":4}`,
		`12 {"blocked":-1,"connect":-1,"dns":-1,"receive":2,"send":1,"ssl":-1,"wait":9}`,
		`0 {"blocked":-1,"connect":-1,"dns":-1,"receive":0,"send":0,"ssl":-1,"wait":0}`,
		`8.5 {"blocked":-1,"connect":5,"dns":-1,"receive":1.5,"send":1,"ssl":-1,"wait":1}`,
	}
	for i, e := range entries(t, export(t, Options{}, flows...)) {
		if got := at(e, "time") + " " + at(e, "timings"); got != want[i] {
			t.Errorf("%d: %s, want %s", i, got, want[i])
		}
	}
}

func TestURL(t *testing.T) {
	check := func(change func(*flowfile.RequestHead), uri, original string) {
		t.Helper()
		q := request(empty)
		change(&q)
		e := entries(t, export(t, Options{}, flow(q, response(empty))))[0]
		if got, was := at(e, "request.url"), at(e, "request._url"); got != `"`+uri+`"` || was != original && was != `"`+original+`"` {
			t.Errorf("%s, %s, want %s, %s", got, was, uri, original)
		}
	}
	path := func(p string) func(*flowfile.RequestHead) { return func(q *flowfile.RequestHead) { q.Path = p } }
	check(path("/a?b=c%20d"), "http://example.com/a?b=c%20d", "(none)")
	check(path("/a b"), "http://example.com/a%20b", "http://example.com/a b")
	check(path("/?a[]=%zz|\\^"), "http://example.com/?a%5B%5D=%25zz%7C%5C%5E", `http://example.com/?a[]=%zz|\\^`)
	check(path("/#x"), "http://example.com/%23x", "http://example.com/#x")
	check(path("/é"), "http://example.com/%C3%A9", "http://example.com/é")
	check(path("/\xe9"), "http://example.com/%E9", "http://example.com/é")
	check(path("*"), "http://example.com/", "(none)")
	check(path(""), "http://example.com/", "(none)")
	check(func(q *flowfile.RequestHead) {
		q.Method, q.Path, q.Authority = "CONNECT", "", "example.com:443"
		q.Port = 443
	}, "https://example.com:443/", "example.com:443")
	check(func(q *flowfile.RequestHead) { q.Host, q.Port = "::1", 8080 }, "http://[::1]:8080/", "(none)")
	check(func(q *flowfile.RequestHead) { q.Host = "fe80::1%eth0" }, "http://[fe80::1]/", "http://[fe80::1%eth0]/")
	check(func(q *flowfile.RequestHead) { q.Host = "a b" }, "http://unknown.invalid/", "http://a b/")
	check(func(q *flowfile.RequestHead) { q.Host = "a:b" }, "http://unknown.invalid/", "http://[a:b]/")
	check(func(q *flowfile.RequestHead) { q.Scheme = "" }, "http://example.com:80/", "://example.com:80/")
	check(func(q *flowfile.RequestHead) { q.Headers = fields{{Name: "Host", Value: "meant.example"}} }, "http://meant.example/", "(none)")
}

func TestQuery(t *testing.T) {
	q := request(empty)
	q.Path = "/?a=1&b&&c=%zz&d=%E9&e=x+y=z"
	e := entries(t, export(t, Options{}, flow(q, response(empty))))[0]
	want := `[{"name":"a","value":"1"},{"name":"b","value":""},{"name":"c","value":"%zz"},{"name":"d","value":"%E9"},{"name":"e","value":"x y=z"}]`
	if got := at(e, "request.queryString"); got != want {
		t.Error(got)
	}
}

func TestCookies(t *testing.T) {
	q := request(empty, flowfile.Field{Name: "cookie", Value: "a=1; b=2=3;; c"}, flowfile.Field{Name: "Cookie", Value: "a=4"})
	r := response(empty,
		flowfile.Field{Name: "Set-Cookie", Value: "s=1; Path=/; domain=.x; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly; Secure; SameSite=Lax"},
		flowfile.Field{Name: "set-cookie", Value: "t=2; expires=Thu, 01-Jan-1970 00:00:01 GMT"},
		flowfile.Field{Name: "Set-Cookie", Value: "u=3; expires=Fri, 31 Dec 292269009 23:59:59 GMT"},
		flowfile.Field{Name: "Set-Cookie", Value: "v; expires=0"})
	e := entries(t, export(t, Options{}, flow(q, r)))[0]
	check := func(path, want string) {
		t.Helper()
		if got := at(e, path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	check("request.cookies", `[{"name":"a","value":"1"},{"name":"b","value":"2=3"},{"name":"c","value":""},{"name":"a","value":"4"}]`)
	check("response.cookies.0", `{"domain":".x","expires":"2026-10-21T07:28:00.000Z","httpOnly":true,"name":"s","path":"/","sameSite":"Lax","secure":true,"value":"1"}`)
	check("response.cookies.1", `{"expires":"1970-01-01T00:00:01.000Z","httpOnly":false,"name":"t","secure":false,"value":"2"}`)
	check("response.cookies.2", `{"httpOnly":false,"name":"u","secure":false,"value":"3"}`)
	check("response.cookies.3", `{"httpOnly":false,"name":"v","secure":false,"value":""}`)
}

func TestContent(t *testing.T) {
	gzipped, _ := coding.Encode([]byte("hello hello hello hello hello hello hello hello"), "gzip")
	check := func(body flowfile.Body, ct, encoding, want string) {
		t.Helper()
		r := response(body)
		for _, h := range []flowfile.Field{{Name: "Content-Type", Value: ct}, {Name: "Content-Encoding", Value: encoding}} {
			if h.Value != "" {
				r.Headers = append(r.Headers, h)
			}
		}
		e := entries(t, export(t, Options{}, flow(request(empty), r)))[0]
		if got := at(e, "response.content") + " " + at(e, "response.bodySize"); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	s := flowfile.StringBody
	check(s(""), "", "", `{"compression":0,"mimeType":"x-unknown","size":0,"text":""} 0`)
	check(s("é"), "text/html; charset=utf-8", "", `{"compression":0,"mimeType":"text/html; charset=utf-8","size":2,"text":"é"} 2`)
	check(s("\xe9"), "text/plain", "", `{"compression":0,"mimeType":"text/plain","size":1,"text":"é"} 1`)
	check(s("é"), "text/plain; charset=iso-8859-1", "", `{"compression":0,"mimeType":"text/plain; charset=iso-8859-1","size":2,"text":"Ã©"} 2`)
	check(s("\x93\xfa"), "text/plain; charset=shift_jis", "", `{"compression":0,"mimeType":"text/plain; charset=shift_jis","size":2,"text":"日"} 2`)
	check(s("a\x00"), "text/plain; charset=utf-16le", "", `{"compression":0,"mimeType":"text/plain; charset=utf-16le","size":2,"text":"a"} 2`)
	check(s("\xe9"), "text/plain; charset=utf-8", "", `{"compression":0,"encoding":"base64","mimeType":"text/plain; charset=utf-8","size":1,"text":"6Q=="} 1`)
	check(s("\x89PNG"), "image/png", "", `{"compression":0,"encoding":"base64","mimeType":"image/png","size":4,"text":"iVBORw=="} 4`)
	check(s("\uffff"), "text/plain", "", `{"compression":0,"mimeType":"text/plain","size":3,"text":"ï¿¿"} 3`)
	check(s("\uffff"), "application/json", "", `{"compression":0,"encoding":"base64","mimeType":"application/json","size":3,"text":"77+/"} 3`)
	check(flowfile.BytesBody(gzipped), "text/plain", "gzip", fmt.Sprintf(`{"compression":%d,"mimeType":"text/plain","size":47,"text":"hello hello hello hello hello hello hello hello"} %d`, 47-len(gzipped), len(gzipped)))
	check(s("plain"), "text/plain", "gzip", `{"_flowkit":{"undecoded":true},"comment":"the content-encoding could not be undone: gzip: invalid header","compression":0,"mimeType":"text/plain","size":5,"text":"plain"} 5`)
	check(flowfile.Body{}, "text/plain", "", `{"_flowkit":{"absent":true},"comment":"the body was not recorded","mimeType":"text/plain","size":0} -1`)
	check(s("part").Truncate(99), "text/plain", "", `{"_flowkit":{"total":99,"truncated":true},"comment":"the body is truncated: 4 bytes of 99","mimeType":"text/plain","size":99,"text":"part"} 99`)
	check(s("part").Truncate(-1), "text/plain", "", `{"_flowkit":{"truncated":true},"comment":"the body is truncated: 4 bytes of an unknown number","mimeType":"text/plain","size":4,"text":"part"} -1`)
}

func TestPostData(t *testing.T) {
	check := func(body flowfile.Body, ct, want string) {
		t.Helper()
		q := request(body)
		if ct != "" {
			q.Headers = fields{{Name: "Content-Type", Value: ct}}
		}
		e := entries(t, export(t, Options{}, flow(q, response(empty))))[0]
		if got := at(e, "request.postData") + " " + at(e, "request._content"); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	s := flowfile.StringBody
	check(s(""), "", "(none) (none)")
	check(flowfile.Body{}, "", "(none) (none)")
	check(s("{}"), "", `{"mimeType":"application/octet-stream","text":"{}"} (none)`)
	check(s("\xff"), "application/grpc", `(none) {"encoding":"base64","size":1,"text":"/w=="}`)
	check(s("a=b+c&d\r\n"), "application/x-www-form-urlencoded", `{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a","value":"b c"},{"name":"d","value":""}],"text":"a=b+c&d\r\n"} (none)`)
	form := "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nfile\r\n--X--\r\n"
	text, _ := json.Marshal(form)
	check(s(form), "multipart/form-data; boundary=X", `{"mimeType":"multipart/form-data; boundary=X","params":[{"name":"a","value":"1"},{"contentType":"text/plain","fileName":"x.txt","name":"f","value":"file"}],"text":`+string(text)+`} (none)`)
	check(s("--X\r\ntorn"), "multipart/form-data; boundary=X", `{"mimeType":"multipart/form-data; boundary=X","text":"--X\r\ntorn"} (none)`)
}

func TestNoResponse(t *testing.T) {
	f := flowfile.New(flowfile.Head{Request: flowfile.NewRequest(request(empty)), Error: &flowfile.Error{Msg: "refused", Time: start + 20e6}})
	g := flowfile.New(flowfile.Head{Request: flowfile.NewRequest(request(empty))})
	torn := simple()
	torn.SetError(&flowfile.Error{Msg: "reset"})
	es := entries(t, export(t, Options{}, f, g, flowfile.New(flowfile.Head{}), torn))
	want := `{"_error":"refused","bodySize":-1,"content":{"mimeType":"x-unknown","size":0},"cookies":[],"headers":[],"headersSize":-1,"httpVersion":"","redirectURL":"","status":0,"statusText":""}`
	if got := at(es[0], "response"); got != want {
		t.Error(got)
	}
	if got := at(es[0], "time"); got != "20" {
		t.Error(got)
	}
	if got := at(es[1], "response._error"); got != `"no response was recorded"` {
		t.Error(got)
	}
	if got := at(es[2], "request.url") + at(es[2], "request._url"); got != `"http://unknown.invalid/""about:blank"` {
		t.Error(got)
	}
	if got := at(es[3], "response.status") + at(es[3], "response._error"); got != `200"reset"` {
		t.Error(got)
	}
}

func webSocketFlow() *flowfile.Flow {
	l := new(flowfile.MessageLog)
	l.Append(flowfile.Msg{FromClient: true, Opcode: 1, Time: start, Body: flowfile.StringBody("hé")})
	l.Append(flowfile.Msg{Opcode: 2, Time: start, Body: flowfile.StringBody("\x00\xff")})
	l.Append(flowfile.Msg{Opcode: 1, Dropped: true, Injected: true, Body: flowfile.StringBody("\xff")})
	closed := true
	return flowfile.New(flowfile.Head{
		Request: flowfile.NewRequest(request(empty)), Response: flowfile.NewResponse(response(empty)), Messages: l,
		WebSocket: &flowfile.WebSocket{ClosedByClient: &closed, CloseCode: 1000, CloseReason: "bye", End: start + second/2},
	})
}

func TestWebSocket(t *testing.T) {
	e := entries(t, export(t, Options{}, webSocketFlow()))[0]
	check := func(path, want string) {
		t.Helper()
		if got := at(e, path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	check("_resourceType", `"websocket"`)
	check("_webSocketMessages.0", `{"data":"hé","opcode":1,"time":1700000000.1234567,"type":"send"}`)
	check("_webSocketMessages.1", `{"data":"AP8=","opcode":2,"time":1700000000.1234567,"type":"receive"}`)
	check("_webSocketMessages.2", `{"_base64":"/w==","_dropped":true,"_injected":true,"data":"�","opcode":1,"time":1700000000.1234567,"type":"receive"}`)
	check("_webSocketClose", `{"_closedByClient":true,"code":1000,"reason":"bye","timestamp":1700000000.6234567}`)
}

func TestHeads(t *testing.T) {
	q := request(empty, flowfile.Field{Name: ":method", Value: "GET"}, flowfile.Field{Name: "X-\xe9", Value: "\xff"}, flowfile.Field{Name: "x", Value: "1"}, flowfile.Field{Name: "X", Value: "2"})
	q.Version = "HTTP/2.0"
	trailers := flowfile.NewHeaders(fields{{Name: "grpc-status", Value: "0"}})
	r := response(empty)
	r.Version, r.Trailers = "h3", &trailers
	f := flow(q, r)
	f.SetServer(&flowfile.Conn{Peer: &flowfile.Addr{Host: "name.example", Port: 1}, Address: &flowfile.Addr{Host: "[::1]", Port: 2}})
	e := entries(t, export(t, Options{}, f))[0]
	check := func(path, want string) {
		t.Helper()
		if got := at(e, path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	check("request.headers", `[{"name":"X-é","value":"ÿ"},{"name":"x","value":"1"},{"name":"X","value":"2"}]`)
	check("request.httpVersion", `"HTTP/2"`)
	check("response.httpVersion", `"HTTP/3"`)
	check("response._trailers", `[{"name":"grpc-status","value":"0"}]`)
	check("serverIPAddress", `"::1"`)
	check("connection", `"1"`)
}

// broken is a content that cannot be read to its end.
type broken struct{ n int64 }

func (b broken) Size() int64 { return b.n }
func (b broken) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(strings.NewReader("part"), errReader{})), nil
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

func TestUnreadable(t *testing.T) {
	f := flow(request(flowfile.ContentBody(broken{100})), response(flowfile.ContentBody(broken{100})))
	for _, told := range []bool{false, true} {
		var out bytes.Buffer
		var damage []*flowfile.Damage
		o := Options{}
		if told {
			o.OnDamage = func(d *flowfile.Damage) { damage = append(damage, d) }
		}
		w := NewWriter(&out, o)
		err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f, simple()}})
		if told != (err == nil) || told != (len(damage) == 2) {
			t.Error(err, damage)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		es := entries(t, out.String())
		if len(es) != 2 || at(es[0], "response.content._flowkit") != `{"unreadable":true}` {
			t.Error(out.String())
		}
	}
}

// letters is a content of n bytes of UTF-8 text or, if odd, of none.
type letters struct {
	n    int64
	text bool
}

func (l letters) Size() int64 { return l.n }
func (l letters) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.LimitReader(repeat{l.text}, l.n)), nil
}

type repeat struct{ text bool }

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	if !r.text {
		p[0] = 0xff
	}
	return len(p), nil
}

func TestLargeBodies(t *testing.T) {
	const n = 70 << 20
	for _, text := range []bool{true, false} {
		f := flow(request(empty), response(flowfile.ContentBody(letters{n, text}), flowfile.Field{Name: "Content-Type", Value: "image/x"}))
		var out counter
		w := NewWriter(&out, Options{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if m := after.TotalAlloc - before.TotalAlloc; m > 8<<20 {
			t.Errorf("text %v: %d MiB allocated", text, m>>20)
		}
		if err := w.Close(); err != nil || int64(out) < n {
			t.Error(out, err)
		}
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

func TestMediumBody(t *testing.T) {
	text := strings.Repeat("é", keepBody)
	gzipped, _ := coding.Encode([]byte(text), "gzip")
	for _, c := range []string{"gzip", ""} {
		body, headers := flowfile.StringBody(text), fields(nil)
		if c != "" {
			body, headers = flowfile.BytesBody(gzipped), fields{{Name: "Content-Encoding", Value: c}}
		}
		e := entries(t, export(t, Options{}, flow(request(empty), response(body, headers...))))[0]
		if got := at(e, "response.content.text"); got != `"`+text+`"` {
			t.Error(c, len(got))
		}
	}
}

func TestRecent(t *testing.T) {
	var r recent
	for i := range recentMax + 10 {
		if !r.add(fmt.Sprint(i)) {
			t.Fatal(i)
		}
	}
	if len(r.known) != recentMax || r.add(fmt.Sprint(recentMax)) || !r.add("0") {
		t.Error(len(r.known))
	}
}

// Everything above at once, as har-validator sees it.
func TestHarValidator(t *testing.T) {
	flows := []*flowfile.Flow{simple(), webSocketFlow(), flowfile.New(flowfile.Head{})}
	for _, path := range []string{"", "*", "/?a[]=1|2", "/\xff\x00 ", "//x//", "/%", "http://x/"} {
		for _, host := range []string{"example.com", "::1", "fe80::1%eth0", "a b", "", "bücher.example", "1.2.3.4"} {
			q := request(flowfile.StringBody(path), flowfile.Field{Name: "Content-Type", Value: "\xff"}, flowfile.Field{Name: "", Value: ""})
			q.Path, q.Host, q.Port = path, host, 8080
			r := response(flowfile.StringBody("\xff"), flowfile.Field{Name: "Set-Cookie", Value: "a=b; expires=never"})
			f := flow(q, r)
			f.SetServer(&flowfile.Conn{Peer: &flowfile.Addr{Host: host, Port: 1}, Start: 5, TCPSetup: 7})
			flows = append(flows, f)
		}
	}
	file := filepath.Join(t.TempDir(), "x.har")
	if err := os.WriteFile(file, []byte(export(t, Options{Pretty: true}, flows...)), 0o600); err != nil {
		t.Fatal(err)
	}
	validate(t, file)
}

func BenchmarkWrite(b *testing.B) {
	body := bytes.Repeat([]byte(`{"key":"value","n":12345},`+"\n"), 500)
	gzipped, _ := coding.Encode(body, "gzip")
	f := flow(request(empty), response(flowfile.BytesBody(gzipped), flowfile.Field{Name: "Content-Encoding", Value: "gzip"}))
	w := NewWriter(io.Discard, Options{})
	batch := &flowfile.Batch{Flows: []*flowfile.Flow{f}}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(batch); err != nil {
			b.Fatal(err)
		}
	}
}
