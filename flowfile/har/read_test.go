package har

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/flowfile/flowtest"
)

// har makes a HAR of entries.
func har(entries ...string) string {
	return `{"log":{"version":"1.2","creator":{"name":"t","version":"1"},"pages":[],"entries":[` + strings.Join(entries, ",\n") + `]}}`
}

// plain is an entry that nothing is wrong with.
const plain = `{"startedDateTime":"2026-01-02T03:04:05.678+01:00","time":6,
"request":{"method":"GET","url":"http://x.example/p?q=1","httpVersion":"HTTP/1.1","cookies":[],"headers":[{"name":"Host","value":"x.example"}],"queryString":[{"name":"q","value":"1"}],"headersSize":-1,"bodySize":0},
"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","cookies":[],"headers":[{"name":"Content-Type","value":"text/plain"}],"content":{"size":2,"mimeType":"text/plain","text":"ok"},"redirectURL":"","headersSize":-1,"bodySize":2},
"cache":{},"timings":{"send":1,"wait":2,"receive":3}}`

// with replaces parts of plain, which must be there.
func with(t testing.TB, replace ...string) string {
	t.Helper()
	s := plain
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(s, replace[i]) {
			t.Fatalf("no %s in the entry", replace[i])
		}
		s = strings.Replace(s, replace[i], replace[i+1], 1)
	}
	return s
}

func contentOf(t testing.TB, m *flowfile.Message) string {
	t.Helper()
	if m.Body().State() == flowfile.BodyAbsent {
		return "(absent)"
	}
	s, err := coding.Text(m, -1)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	if m.Body().State() == flowfile.BodyTruncated {
		s += fmt.Sprintf("(truncated of %d)", m.Body().Total())
	}
	return s
}

// facts are what the tests below look at in a flow.
func facts(t testing.TB, f *flowfile.Flow) map[string]string {
	q := f.Request()
	h := func(h *flowfile.Headers) string {
		var s []string
		for _, x := range h.Fields() {
			s = append(s, x.Name+": "+x.Value)
		}
		return strings.Join(s, "|")
	}
	m := map[string]string{
		"id": f.ID(), "start": f.Start().RFC3339(), "comment": f.Comment(), "method": q.Method(), "url": q.URL(),
		"authority": q.Authority(), "path": q.Path(), "qversion": q.Version(), "qheaders": h(q.Headers()), "qbody": contentOf(t, &q.Message),
		"messages": fmt.Sprint(f.Messages().Len()),
	}
	if e := f.Error(); e != nil {
		m["error"] = e.Msg
	}
	if a := f.Response(); a != nil {
		m["status"], m["reason"], m["aversion"] = fmt.Sprint(a.Status()), a.Reason(), a.Version()
		m["aheaders"], m["abody"] = h(a.Headers()), contentOf(t, &a.Message)
	}
	if a := f.Response(); a != nil && q.End() != 0 {
		m["phases"] = fmt.Sprint(int64(q.End()-q.Start())/1e6, int64(a.Start()-q.End())/1e6, int64(a.End()-a.Start())/1e6)
	}
	if s := f.Server(); s != nil {
		m["server"] = s.Peer.String() + " " + s.Address.String() + " " + s.ID
		if s.Start != 0 {
			m["connect"] = fmt.Sprint(int64(s.Start-q.Start())/1e6, int64(s.TCPSetup-s.Start)/1e6)
			if s.TLSSetup != 0 {
				m["connect"] += fmt.Sprint(" ", int64(s.TLSSetup-s.TCPSetup)/1e6)
			}
		}
	}
	for k, v := range m {
		if v == "" {
			delete(m, k)
		}
	}
	return m
}

// What an entry becomes, and that it comes out again as it was and as har-validator takes it.
func TestEntries(t *testing.T) {
	gzipped, _ := coding.Encode([]byte("hello"), "gzip")
	var files []string
	check := func(name, entry string, want map[string]string) {
		t.Helper()
		flows, damage := readAll(t, har(entry))
		if len(damage) > 0 || len(flows) != 1 {
			t.Errorf("%s: %d flows, %v", name, len(flows), damage)
			return
		}
		got := facts(t, flows[0])
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s: %s is %q, want %q", name, k, got[k], v)
			}
		}
		for how, flows := range map[string][]*flowfile.Flow{"direct": flows, "native": through(t, flows), "jsonl": throughJSON(t, flows)} {
			out := export(t, Options{}, flows...)
			var strict any
			if json.Unmarshal([]byte(har(entry)), &strict) == nil {
				for _, d := range compare(har(entry), out) {
					t.Errorf("%s, %s: %s", name, how, d)
				}
			}
			again, _ := readAll(t, out)
			if len(again) != 1 {
				t.Errorf("%s: %d flows the second time", name, len(again))
				continue
			}
			now := facts(t, again[0])
			delete(now, "id")
			for k := range now {
				if now[k] != got[k] && got[k] != "" && name != "nothing" {
					t.Errorf("%s, %s: read again %s is %q, was %q", name, how, k, now[k], got[k])
				}
			}
			file := filepath.Join(t.TempDir(), strings.ReplaceAll(name, " ", "_")+"-"+how+".har")
			if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
	}
	type m = map[string]string
	request := `"method":"GET"`
	headers := `"headers":[{"name":"Content-Type","value":"text/plain"}]`
	body := `"content":{"size":2,"mimeType":"text/plain","text":"ok"}`
	check("plain", plain, m{
		"start": "2026-01-02T02:04:05.678000000Z", "method": "GET", "url": "http://x.example/p?q=1", "path": "/p?q=1", "qversion": "HTTP/1.1",
		"qheaders": "Host: x.example", "status": "200", "reason": "OK", "aheaders": "Content-Type: text/plain", "abody": "ok", "phases": "1 2 3",
	})

	// URLs.
	url := func(name, url string, want m) {
		t.Helper()
		u, _ := json.Marshal(url)
		check(name, with(t, `"http://x.example/p?q=1"`, string(u)), want)
	}
	url("port", "https://x.example:8443/#top", m{"url": "https://x.example:8443/", "path": "/"})
	url("no path", "https://x.example", m{"path": "/"})
	url("query alone", "http://x.example?a", m{"path": "/?a"})
	url("user", "http://u:p@x.example/a@b", m{"url": "http://x.example/a@b"})
	url("IPv6", "http://[::1]:81/", m{"url": "http://[::1]:81/"})
	url("WebSocket", "wss://x.example/s", m{"url": "https://x.example/s"})
	url("data", "data:text/html,<b>hi</b>", m{"path": "text/html,<b>hi</b>"})
	url("blob", "blob:https://x.example/1-2", m{"path": "https://x.example/1-2"})
	url("not escaped", "http://x.example/a|b?c={d} é", m{"path": "/a|b?c={d} é"})
	url("no scheme", "x.example/p", m{"url": "http://x.example/p"})
	url("empty", "", m{})
	url("extension", "chrome-extension://abc/x.js", m{"path": "/x.js"})
	url("file", "file:///etc/hosts", m{"path": "/etc/hosts"})
	check("CONNECT", with(t, request, `"method":"CONNECT"`, `"http://x.example/p?q=1"`, `"x.example:443"`), m{"authority": "x.example:443", "url": "x.example:443"})

	// Versions.
	for was, want := range map[string]string{"http/2.0": "HTTP/2.0", "h2": "HTTP/2.0", "HTTP/2": "HTTP/2.0", "h3": "HTTP/3", "1.0": "HTTP/1.0", "unknown": "HTTP/1.1", "ori": "HTTP/1.1", "": "HTTP/1.1", "spdy/3": "spdy/3"} {
		check("version "+strings.ReplaceAll(was, "/", "_"), strings.ReplaceAll(plain, `"HTTP/1.1"`, `"`+was+`"`), m{"qversion": want, "aversion": want})
	}
	check("one version", with(t, `"httpVersion":"HTTP/1.1"`, `"httpVersion":"h2"`, `"OK","httpVersion":"HTTP/1.1"`, `"OK"`), m{"aversion": "HTTP/2.0"})

	// Headers.
	check("pseudo headers", with(t, `{"name":"Host","value":"x.example"}`, `{"name":":authority","value":"y.example"},{"name":":method","value":"GET"},{"name":"a","value":"b"}`), m{"qheaders": "a: b", "authority": "y.example"})
	check("joined lines", with(t, headers, `"headers":[{"name":"Set-Cookie","value":"a=1\nb=2"}]`), m{"aheaders": "Set-Cookie: a=1|Set-Cookie: b=2"})
	check("list of values", with(t, headers, `"headers":[{"name":"A","value":["1","2"]},{"name":"B","value":null},{"name":"C","value":3}]`), m{"aheaders": "A: 1|A: 2|B: |C: 3"})
	check("object of headers", with(t, headers, `"headers":{"A":"1","B":["2","3"]}`), m{"aheaders": "A: 1|B: 2|B: 3"})
	check("null headers", with(t, headers, `"headers":null`), m{"aheaders": ""})
	check("trailers", with(t, headers, headers+`,"_trailers":[{"name":"grpc-status","value":"0"}]`), m{})

	// Bodies of responses.
	check("base64", with(t, body, `"content":{"size":5,"mimeType":"text/plain","text":"aGVsbG8=","encoding":"base64"}`), m{"abody": "hello"})
	check("shouted base64", with(t, body, `"content":{"size":5,"mimeType":"text/plain","text":"aGVsbG8=","encoding":"BASE64"}`), m{"abody": "hello"})
	check("loose base64", with(t, body, `"content":{"size":5,"mimeType":"text/plain","text":" aGVs\r\nbG8 ","encoding":"base64"}`), m{"abody": "hello"})
	check("URL base64", with(t, headers, `"headers":[]`, body, `"content":{"size":2,"mimeType":"x","text":"__8","encoding":"base64"}`), m{"abody": "ÿÿ"})
	check("no base64", with(t, body, `"content":{"size":5,"mimeType":"text/plain","text":"*not*","encoding":"base64"}`), m{"abody": "*not*"})
	check("no text", with(t, body, `"content":{"size":5,"mimeType":"text/plain"}`), m{"abody": "(absent)"})
	check("empty", with(t, body, `"content":{"size":0,"mimeType":"text/plain"}`, `"bodySize":2`, `"bodySize":0`), m{"abody": ""})
	check("empty text", with(t, body, `"content":{"size":0,"mimeType":"text/plain","text":""}`), m{"abody": ""})
	check("null content", with(t, body, `"content":null`), m{"abody": "(absent)"})
	check("string content", with(t, body, `"content":"ok"`), m{"abody": "(absent)"})
	check("no content", with(t, body+",", ""), m{"abody": "(absent)"})
	check("attached file", with(t, body, `"content":{"size":5,"mimeType":"text/plain","_file":"a.bin"}`), m{"abody": "(absent)"})
	check("surrogates", with(t, headers, `"headers":[{"name":"Content-Type","value":"text/plain; charset=utf-8"}]`, `"text":"ok"`, `"text":"\ud83d\ude00 \ud800"`), m{"abody": "😀 \ufffd"})
	gzip := `"headers":[{"name":"Content-Encoding","value":"gzip"},{"name":"Content-Type","value":"text/plain; charset=utf-8"}]`
	check("decoded already", with(t, headers, gzip, `"content":{"size":2`, `"content":{"size":2,"compression":-33`), m{"abody": "ok", "aheaders": "Content-Encoding: gzip|Content-Type: text/plain; charset=utf-8"})
	for _, c := range []string{"br", "zstd", "deflate", "gzip, br", "GZIP", "identity"} {
		check("decoded "+c, with(t, headers, strings.Replace(gzip, "gzip", c, 1)), m{"abody": "ok"})
	}
	check("decoded unknown", with(t, headers, strings.Replace(gzip, "gzip", "sdch", 1)), m{})
	check("not decoded", with(t, headers, gzip, `"text":"ok"`, `"text":"`+b64(gzipped)+`","encoding":"base64"`), m{"abody": "hello"})
	check("decoded binary", with(t, headers, gzip, `"text":"ok"`, `"text":"aGVsbG8=","encoding":"base64"`), m{"abody": "hello"})
	check("charset", with(t, headers, `"headers":[{"name":"Content-Type","value":"text/html; charset=shift_jis"}]`, `"text":"ok"`, `"text":"日本"`), m{"abody": "日本"})
	check("charset and gzip", with(t, headers, strings.Replace(gzip, "utf-8", "windows-1251", 1), `"text":"ok"`, `"text":"Привет"`), m{"abody": "Привет"})
	check("charset that cannot say it", with(t, headers, `"headers":[{"name":"Content-Type","value":"text/html; charset=latin-1"}]`, `"text":"ok"`, `"text":"日本"`), m{})
	check("truncated", with(t, `"text":"ok"`, `"text":"ok","comment":"c","_flowkit":{"truncated":true,"total":9}`), m{"abody": "ok(truncated of 9)"})

	// Bodies of requests.
	post := func(name, postData, want string) {
		t.Helper()
		check(name, with(t, request, `"method":"POST","postData":`+postData), m{"qbody": want})
	}
	post("post text", `{"mimeType":"text/plain","text":"a"}`, "a")
	post("post empty", `{"mimeType":"","params":[],"text":""}`, "")
	post("post params", `{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a b","value":"c&d"},{"name":"e"}]}`, "a+b=c%26d&e")
	post("post both", `{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a","value":"1"}],"text":"a=%31"}`, "a=%31")
	post("post base64", `{"mimeType":"x","text":"aGVsbG8=","encoding":"base64"}`, "hello")
	post("post null", `null`, "")
	post("post of nothing", `{}`, "")
	post("post null members", `{"mimeType":null,"text":null,"params":null}`, "")
	check("post _content", with(t, request, `"method":"POST","_content":{"text":"aGVsbG8=","size":5,"encoding":"base64"},"_requestBodyStatus":"discarded:not-representable"`), m{"qbody": "hello"})
	check("post not recorded", with(t, `"bodySize":0`, `"bodySize":7`), m{"qbody": "(absent)"})
	check("raw params", with(t, `"headersSize":-1,"bodySize":0`, `"headersSize":-1,"bodySize":5,"postData":{"mimeType":"","params":[{"name":"a","value":"%31"}]}`), m{"qbody": "a=%31"})
	check("form", with(t, `{"name":"Host","value":"x.example"}`, `{"name":"Content-Type","value":"multipart/form-data; boundary=X"}`, request,
		`"method":"POST","postData":{"mimeType":"multipart/form-data","params":[{"name":"a","value":"1"},{"name":"f","fileName":"x","contentType":"text/plain","value":"file"}]}`),
		m{"qbody": "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\nContent-Type: text/plain\r\n\r\nfile\r\n--X--\r\n"})
	check("form without file", with(t, `{"name":"Host","value":"x.example"}`, `{"name":"Content-Type","value":"multipart/form-data; boundary=X"}`, request,
		`"method":"POST","postData":{"mimeType":"multipart/form-data","params":[{"name":"f","fileName":"x"}]}`), m{"qbody": "(absent)"})

	// Responses that did not come.
	status := `"status":200`
	blocked := []string{`"headers":[{"name":"Content-Type","value":"text/plain"}]`, `"headers":[]`, `,"text":"ok"`, ``, `"OK"`, `""`}
	for _, s := range []string{"0", "null", "-2", `"error"`} {
		check("status "+strings.Trim(s, `"`), with(t, append(blocked, status, `"_error":"net::ERR_FAILED","status":`+s)...), m{"error": "net::ERR_FAILED", "status": ""})
	}
	check("status 0 and text", with(t, status, `"status":0`), m{"status": "0", "abody": "ok"})
	check("status text", with(t, status, `"status":"404"`), m{"status": "404"})
	check("null error", with(t, status, `"_error":null,"status":200`), m{"error": ""})
	i, k := strings.Index(plain, `"response"`), strings.Index(plain, `"cache"`)
	check("no response", plain[:i]+plain[k:], m{"error": "no response was recorded"})
	check("null response", plain[:i]+`"response":null,`+plain[k:], m{"error": "no response was recorded"})
	check("list response", plain[:i]+`"response":[],`+plain[k:], m{"error": "no response was recorded"})

	// Times and connections.
	start := `"2026-01-02T03:04:05.678+01:00"`
	for was, want := range map[string]string{
		`"2026-01-02T03:04:05.1234567Z"`: "2026-01-02T03:04:05.123456700Z", `"NaN-NaN-NaNTNaN:NaN:NaNZ"`: "", `null`: "", `""`: "",
		`"2026-01-02T03:04:05"`: "2026-01-02T03:04:05.000000000Z", `"2026-01-02 03:04:05+0200"`: "2026-01-02T01:04:05.000000000Z", `1767323045000`: "2026-01-02T03:04:05.000000000Z",
		`"2026-01-02T03:04:05.5+0100"`: "2026-01-02T02:04:05.500000000Z",
	} {
		check("start "+strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
				return r
			}
			return '_'
		}, was), with(t, start, was), m{"start": want})
	}
	timings := `"timings":{"send":1,"wait":2,"receive":3}`
	check("all timings", with(t, timings, `"timings":{"blocked":10,"dns":20,"connect":30,"ssl":12,"send":1,"wait":2.5,"receive":3,"_queued":1.25,"comment":"c"},"serverIPAddress":"10.0.0.1","connection":"80"`),
		m{"phases": "61 2 3", "connect": "30 18 12", "server": "10.0.0.1:80 x.example:80 "})
	check("unknown timings", with(t, timings, `"timings":{"blocked":-1,"dns":-1,"connect":-1,"ssl":-1,"send":-1,"wait":2,"receive":3}`), m{"phases": "0 2 3"})
	check("null timings", with(t, timings, `"timings":null`), m{})
	check("timings list", with(t, timings, `"timings":[]`), m{})
	check("NaN", with(t, timings, `"timings":{"send":NaN,"wait":-Infinity,"receive":+3}`, `"time":6`, `"time":NaN`), m{"phases": "0 0 3"})
	check("negative time", with(t, `"time":6`, `"time":-5`), m{})
	server := func(name, members, want string) {
		t.Helper()
		check(name, with(t, `"cache":{}`, `"cache":{},`+members), m{"server": want})
	}
	server("port", `"serverIPAddress":"1.2.3.4","connection":"80"`, "1.2.3.4:80 x.example:80 ")
	server("id", `"serverIPAddress":"1.2.3.4","connection":"4711"`, "1.2.3.4:80 x.example:80 4711")
	server("Chrome", `"serverIPAddress":"[::1]","connection":"8080","_connectionId":"77"`, "[::1]:8080 x.example:80 77")
	server("number", `"serverIPAddress":"1.2.3.4:99","connection":80`, "1.2.3.4:80 x.example:80 ")
	server("no address", `"serverIPAddress":"","connection":null`, "")

	// WebSocket.
	check("messages", with(t, status, `"status":101`, `"cache":{}`, `"cache":{},"_resourceType":"websocket","_webSocketMessages":[{"type":"send","time":1700000000.123,"opcode":1,"data":"hé"},{"type":"receive","time":1700000000.5,"opcode":2,"data":"AP8="}]`), m{"messages": "2"})
	check("odd messages", with(t, status, `"status":101`, `"cache":{}`, `"cache":{},"_webSocketMessages":[{"type":"send","time":1700000000.123,"opcode":1,"data":"h","_x":1},{"type":"error","time":1,"opcode":-1,"data":"gone"},null]`), m{"messages": "1", "error": "gone"})
	exact := `{"type":"send","time":1700000000.5,"opcode":1,"data":"` + strings.Repeat("x", 100) + `"}`
	check("mixed messages", with(t, `"cache":{}`, `"cache":{},"_webSocketMessages":[`+exact+`,`+exact+`,{"type":"receive","time":1,"opcode":1,"data":"odd","_x":1},"5",`+exact+`]`), m{"messages": "4"})
	check("null messages", with(t, `"cache":{}`, `"cache":{},"_webSocketMessages":null`), m{"messages": "0"})

	// All else.
	check("unknown keys", with(t, `"cache":{}`, `"cache":{"_c":[1,{"a":null}]},"_initiator":"other","_priority":"High","x":1e3,"_long":12345678901234567890,"_big":1E400`,
		`"method":"GET"`, `"_q":{"\u0000\"":"\u2028/\/"},"method":"GET"`, `"status":200`, `"_transferSize":12.5,"status":200`, `"size":2`, `"_n":null,"size":2`), m{})
	check("comment", with(t, `"time":6`, `"time":6,"comment":"note"`), m{"comment": "note"})
	check("null comment", with(t, `"time":6`, `"time":6,"comment":null`), m{"comment": ""})
	check("id", with(t, `"time":6`, `"time":6,"_id":"my id"`), m{"id": "my id"})
	check("nothing", `{"request":{}}`, m{"error": "no response was recorded"})
	check("sizes", with(t, `"headersSize":-1,"bodySize":2`, `"headersSize":null,"bodySize":-550`, `"size":2`, `"size":"2"`), m{})
	check("cookies", with(t, `"cookies":[]`, `"cookies":[{"name":"","value":"","expires":"Fri, 31 Dec 292269009 23:59:59 GMT","httpOnly":null,"domain":null},{"name":"a","value":"b","expires":null},{"name":"c","value":"d","expires":"2026-01-02T03:04:05Z"}]`), m{})
	check("duplicates", with(t, `"time":6`, `"time":7,"time":6`), m{})
	check("trailing commas", with(t, `"cache":{}`, `"cache":{"a":[1,2,],}`), m{})
	validate(t, files...)
}

func b64(b []byte) string {
	var s strings.Builder
	e, _ := json.Marshal(b)
	s.Write(bytes.Trim(e, `"`))
	return s.String()
}

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		name, data string
		flows      int
		damage     string
	}{
		{"mark", "\xef\xbb\xbf \r\n" + har(plain), 1, ""},
		{"JSONP", "onInputData(" + har(plain) + ");\n", 1, ""},
		{"bare log", `{"version":"1.2","entries":[` + plain + `]}`, 1, ""},
		{"two", har(plain) + "\n" + har(plain, plain), 3, ""},
		{"log last", `{"_x":1,"log":{"entries":[` + plain + `],"pages":[],"version":"1.2"}}`, 1, ""},
		{"no entries", har(), 0, ""},
		{"null entries", `{"log":{"entries":null}}`, 0, "log.entries is no array"},
		{"object entries", `{"log":{"entries":{"0":` + plain + `}}}`, 0, "log.entries is no array"},
		{"null log", `{"log":null}`, 0, "log is no object"},
		{"empty log", `{"log":{}}`, 0, ""},
		{"text creator", `{"log":{"creator":"x","browser":7,"entries":[` + plain + `]}}`, 1, ""},
		{"nothing", ``, 0, ""},
		{"garbage behind", har(plain) + " <html>", 1, "behind the HAR"},
		{"a list", "[" + plain + "]", 0, "an object is wanted"},
		{"commas", `{"log":{"entries":[,` + plain + `,,` + plain + `,],},}`, 2, ""},
		{"comma missing", `{"log":{"entries":[` + plain + ` ` + plain + `]}}`, 2, ""},
		{"lost pages", `{"log":{"pages":[{"id":"p"}],"entries":[]}}`, 0, "no entry that could keep them"},
		{"lost comment", `{"log":{"entries":[],"comment":"c"}}`, 0, "no entry that could keep them"},
		{"null bytes behind", har(plain) + "\x00\x00\n", 1, ""},
	} {
		flows, damage := readAll(t, c.data)
		if len(flows) != c.flows {
			t.Errorf("%s: %d flows, want %d", c.name, len(flows), c.flows)
		}
		if c.damage == "" && len(damage) > 0 || c.damage != "" && (len(damage) != 1 || !strings.Contains(damage[0].Error(), c.damage)) {
			t.Errorf("%s: %v", c.name, damage)
		}
	}
}

// One bad entry costs that entry.
func TestDamage(t *testing.T) {
	first := strings.Index(har("@"), "@")
	for _, c := range []struct {
		name, entry string
		flows       int // of three
		want        string
	}{
		{"number", `17`, 2, "entry 1: an object is wanted"},
		{"null", `null`, 2, "entry 1: an object is wanted"},
		{"text", `"x"`, 2, "entry 1: an object is wanted"},
		{"no request", `{"response":{}}`, 2, "entry 1: it has no request"},
		{"null request", `{"request":null}`, 2, "entry 1: it has no request"},
		{"bare word", with(t, `"time":6`, `"time":six`), 2, `entry 1: "six" instead of a value at byte `},
		{"missing colon", with(t, `"time":6`, `"time" 6`), 2, "entry 1: '6' instead of a colon at byte "},
		{"missing comma", with(t, `"time":6,`, `"time":6 `), 2, "instead of a comma"},
		{"missing value", with(t, `"time":6`, `"time":`), 2, "instead of a value"},
		{"missing brace", strings.TrimSuffix(plain, "}"), 2, "instead of a key"},
		{"missing braces", strings.TrimSuffix(plain, "}}"), 2, "instead of a key"},
		{"missing quote", with(t, `"OK"`, `"OK`), 2, "entry 1: "},
		{"missing quote at the end", with(t, `"cache"`, `"cache`), 2, "entry 1: "},
		{"wrong bracket", with(t, `"cookies":[]`, `"cookies":[}`), 2, "entry 1: '}' instead of a value"},
		{"control character", with(t, `"ok"`, "\"o\x01k\""), 2, `entry 1: '\x01' within a string`},
		{"bad escape", with(t, `"ok"`, `"o\xk"`), 2, "behind a backslash"},
		{"bad unicode", with(t, `"ok"`, `"o\u12k"`), 2, `behind \u`},
		{"too deep", with(t, `"cache":{}`, `"cache":`+strings.Repeat("[", 600)+strings.Repeat("]", 600)), 2, "nested too deeply"},
		{"single quotes", with(t, `"time":6`, `'time':6`), 2, "instead of a key"},
		{"bad number", with(t, `"time":6`, `"time":6-6`), 2, "is no number"},
	} {
		for _, sep := range []string{",\n", ","} {
			data := strings.ReplaceAll(har("@"), "@", plain+sep+c.entry+sep+plain)
			flows, damage := readAll(t, data)
			if len(flows) != c.flows || len(damage) != 1 {
				t.Errorf("%s: %d flows, %v", c.name, len(flows), damage)
				continue
			}
			d := damage[0]
			at := int64(first + len(plain) + len(sep))
			if d.Offset != at || d.Flows != 1 || d.Torn || d.File != "x.har" || !strings.Contains(d.Error(), c.want) {
				t.Errorf("%s: %+v at %d, want %s at %d", c.name, d, d.Offset, c.want, at)
			}
			if end := at + int64(len(c.entry)); d.Length < int64(len(c.entry))-1 || d.Length > int64(len(c.entry)+len(sep)) {
				t.Errorf("%s: %d bytes skipped, the entry ends at %d", c.name, d.Length, end)
			}
		}
	}
	flows, damage := readAll(t, strings.Replace(har(plain, plain), `"pages":[`, `"pages":[oops`, 1))
	if len(flows) != 2 || len(damage) != 1 || !strings.Contains(damage[0].Error(), `the log: "oops" instead of a value`) {
		t.Errorf("in the log: %d flows, %v", len(flows), damage)
	}
	// The last one, and what stands behind it.
	flows, damage = readAll(t, har(plain, `{"request":{"a":}}`))
	if len(flows) != 1 || len(damage) != 1 || damage[0].Torn {
		t.Errorf("the last: %d flows, %v", len(flows), damage)
	}
}

// Cut anywhere, all whole entries come out, and one damage.
func TestTruncated(t *testing.T) {
	data := har(plain, plain, plain)
	ends := []int{}
	for at := 0; ; {
		i := strings.Index(data[at:], plain)
		if i < 0 {
			break
		}
		at += i + len(plain)
		ends = append(ends, at)
	}
	for cut := range len(data) {
		flows, damage := readAll(t, data[:cut])
		want := 0
		for _, e := range ends {
			if cut >= e {
				want++
			}
		}
		if len(flows) != want {
			t.Fatalf("cut at %d: %d flows, want %d", cut, len(flows), want)
		}
		if cut > 0 && (len(damage) != 1 || !damage[0].Torn) {
			t.Fatalf("cut at %d: %v", cut, damage)
		}
	}
}

// What was not changed stays, what was changed is the model's.
func TestChanges(t *testing.T) {
	entry := with(t, `"time":6`, `"_k":1,"time":6`, `"cookies":[]`, `"cookies":[{"name":"c","value":"1","_c":1}]`,
		`{"name":"Host","value":"x.example"}`, `{"name":"Host","value":"x.example"},{"name":"Cookie","value":"c=1"}`)
	check := func(name string, change func(*flowfile.Flow), want ...string) {
		t.Helper()
		for _, native := range []bool{false, true} {
			flows, _ := readAll(t, har(entry))
			if native {
				flows = through(t, flows)
			}
			change(flows[0])
			if native {
				flows = through(t, flows)
			}
			e := entries(t, export(t, Options{}, flows...))[0]
			for i := 0; i < len(want); i += 2 {
				if got := at(e, want[i]); got != want[i+1] {
					t.Errorf("%s (native %v): %s is %s, want %s", name, native, want[i], got, want[i+1])
				}
			}
			if at(e, "_k") != "1" {
				t.Errorf("%s: _k is lost", name)
			}
		}
	}
	check("nothing", func(f *flowfile.Flow) {}, "_id", "(none)", "request.cookies.0._c", "1", "timings", `{"receive":3,"send":1,"wait":2}`)
	check("a header", func(f *flowfile.Flow) { f.Request().Headers().Set("X-A", "1") },
		"request.headers.2", `{"name":"X-A","value":"1"}`, "request.cookies.0._c", "1", "request.url", `"http://x.example/p?q=1"`, "response.headersSize", "-1", "request.headersSize", "-1")
	check("cookies", func(f *flowfile.Flow) { f.Request().Headers().Set("Cookie", "d=2") }, "request.cookies", `[{"name":"d","value":"2"}]`)
	check("host", func(f *flowfile.Flow) { f.Request().Headers().Set("Host", "y.example") }, "request.url", `"http://y.example/p?q=1"`)
	check("path", func(f *flowfile.Flow) { f.Request().SetPath("/r?s=2") }, "request.url", `"http://x.example/r?s=2"`, "request.queryString", `[{"name":"s","value":"2"}]`)
	check("body", func(f *flowfile.Flow) { _ = coding.SetText(&f.Response().Message, "longer") },
		"response.content.text", `"longer"`, "response.content.size", "6", "response.bodySize", "6", "response.status", "200")
	check("request body", func(f *flowfile.Flow) { f.Request().SetBody(flowfile.StringBody("new")) }, "request.postData.text", `"new"`, "request.bodySize", "3")
	check("status", func(f *flowfile.Flow) { f.Response().SetStatus(404) }, "response.status", "404", "response.statusText", `"OK"`)
	check("comment", func(f *flowfile.Flow) { f.SetComment("mine") }, "comment", `"mine"`)
	check("id", func(f *flowfile.Flow) { f.SetID("7") }, "_id", `"7"`)
	check("no response", func(f *flowfile.Flow) { f.SetResponse(nil); f.SetError(&flowfile.Error{Msg: "killed"}) }, "response.status", "0", "response._error", `"killed"`)
	check("new response", func(f *flowfile.Flow) { f.SetResponse(flowfile.NewResponse(response(flowfile.StringBody("mine")))) }, "response.content.text", `"mine"`)
	check("server", func(f *flowfile.Flow) {
		f.SetServer(&flowfile.Conn{Peer: &flowfile.Addr{Host: "9.9.9.9", Port: 9}})
	}, "serverIPAddress", `"9.9.9.9"`, "connection", `"9"`)
	check("times", func(f *flowfile.Flow) { f.Response().SetEnd(f.Response().Start() + 50e6) }, "timings.receive", "50", "time", "53")
}

func logOf(t testing.TB, s string) map[string]any {
	t.Helper()
	var v struct{ Log map[string]any }
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	return v.Log
}

func TestPages(t *testing.T) {
	page := func(id, title string) string {
		return `{"startedDateTime":"2026-01-02T03:04:05Z","id":"` + id + `","title":"` + title + `","pageTimings":{"onLoad":5,"_x":1},"_p":1}`
	}
	on := func(id string) string { return with(t, `"time":6`, `"pageref":"`+id+`","time":6`) }
	log := func(before, entries, behind string) string {
		return `{"log":{"version":"1.1","creator":{"name":"A","version":"1","_c":2},"browser":{"name":"B","version":"2"}` + before + `,"entries":[` + entries + `]` + behind + `}}`
	}
	pages := `,"pages":[` + page("p1", "one") + "," + page("p2", "two") + `],"comment":"c","_l":[1]`
	for name, data := range map[string]string{
		"before": log(pages, on("p1")+","+on("p2"), ""),
		"behind": log("", on("p1")+","+on("p2"), pages),
	} {
		flows, damage := readAll(t, data)
		if len(damage) > 0 {
			t.Error(name, damage)
		}
		flows = through(t, flows)
		for _, d := range compare(data, export(t, Options{}, flows...)) {
			t.Errorf("%s: %s", name, d)
		}
		// The second flow alone still has its page.
		l := logOf(t, export(t, Options{}, flows[1]))
		if got := at(l, "pages"); !strings.Contains(got, `"two"`) || at(l, "creator.name") != `"A"` {
			t.Errorf("%s: %s", name, got)
		}
	}
	// Pages of two HARs with the same ids.
	a, _ := readAll(t, log(`,"pages":[`+page("p1", "one")+`]`, on("p1"), ""))
	b, _ := readAll(t, log(`,"pages":[`+page("p1", "other")+`]`, on("p1"), ""))
	l := logOf(t, export(t, Options{}, a[0], b[0], simple()))
	if got := at(l, "entries.0.pageref") + at(l, "entries.1.pageref") + at(l, "entries.2.pageref") + at(l, "pages.1.id") + at(l, "pages.1.title"); got != `"p1""p1-2""page_1""p1-2""other"` {
		t.Error(got)
	}
	// Behind a flow from elsewhere they have no place, which is said.
	var said []string
	w := NewWriter(io.Discard, Options{OnDamage: func(d *flowfile.Damage) { said = append(said, d.Error()) }})
	drain(t, w, []*flowfile.Flow{simple(), a[0], b[0]})
	if len(said) != 1 || !strings.Contains(said[0], "pages") {
		t.Error(said)
	}
}

// Ids are the same every time and differ from entry to entry.
func TestIDs(t *testing.T) {
	a, _ := readAll(t, har(plain, plain))
	b, _ := readAll(t, har(plain, plain))
	if a[0].ID() != b[0].ID() || a[0].ID() == a[1].ID() || len(a[0].ID()) != 36 {
		t.Error(a[0].ID(), a[1].ID(), b[0].ID())
	}
}

func TestSource(t *testing.T) {
	var flows []*flowfile.Flow
	for _, f := range flowtest.Flows(700, 5) {
		if f.Kind() == flowfile.HTTP {
			flows = append(flows, f)
		}
	}
	data := export(t, Options{OnDamage: func(*flowfile.Damage) {}}, flows...)
	want, damage := readAll(t, data)
	if len(damage) > 0 || len(want) != len(flows) {
		t.Fatal(len(want), damage)
	}
	flowtest.TestSource(t, func() flowfile.Source { return NewReader(strings.NewReader(data), ReaderOptions{}) }, want)
}

// Strings of any length, in a reader that gives them byte by byte.
func TestPieces(t *testing.T) {
	long := strings.Repeat(`é\ud83d\ude00\n`, 200_000)
	data := har(with(t, `"ok"`, `"`+long+`"`), with(t, `"ok"`, `"`+strings.Repeat("AAECAw", 300_000)+`","encoding":"base64"`), plain)
	want, damage := readAll(t, data)
	if len(damage) > 0 || len(want) != 3 || want[0].Response().Body().Size() != 7*200_000 || want[1].Response().Body().Size() != 1_350_000 {
		t.Fatal(len(want), damage, want[1].Response().Body().Size())
	}
	if d := compare(data, export(t, Options{}, through(t, want)...)); len(d) > 0 {
		t.Error(d)
	}
	r := NewReader(&dribble{s: data}, ReaderOptions{})
	i := 0
	for f, err := range flowfile.Flows(r) {
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(flowtest.Tree(want[i]), flowtest.Tree(f)); diff != "" {
			t.Fatal(diff)
		}
		i++
	}
}

type dribble struct{ s string }

func (d *dribble) Read(p []byte) (int, error) {
	if d.s == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 1+len(d.s)%7)], d.s)
	d.s = d.s[n:]
	return n, nil
}

// generated is a HAR of about n bytes, made while it is read.
type generated struct {
	n, done int64
	entry   func(i int) string
	i       int
	rest    string
}

func (g *generated) Read(p []byte) (int, error) {
	if g.rest == "" {
		switch {
		case g.i == 0:
			g.rest = `{"log":{"entries":[`
		case g.i < 0:
			return 0, io.EOF
		case g.done > g.n:
			g.rest, g.i = "]}}", -2
		default:
			g.rest = g.entry(g.i) + ","
		}
		g.i++
		g.done += int64(len(g.rest))
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

// A HAR of any size takes little memory.
func TestMemory(t *testing.T) {
	size := int64(64 << 20)
	if os.Getenv("FLOWKIT_LONG") != "" {
		size = 2 << 30
	}
	body := strings.Repeat("0123456789abcde\\n", 30_000>>4)
	many := with(t, `"text":"ok"`, `"text":"`+body+`"`, `"value":"text/plain"`, `"value":"text/plain"},{"name":"Content-Encoding","value":"gzip"`)
	before, behind, _ := strings.Cut(har(with(t, `"text":"ok"`, `"encoding":"base64","text":"@"`)), "@")
	for name, g := range map[string]io.Reader{
		"many":  &generated{n: size, entry: func(i int) string { return strings.Replace(many, "q=1", fmt.Sprint("q=", i), 1) }},
		"large": io.MultiReader(strings.NewReader(before), io.LimitReader(letters64{}, size), strings.NewReader(behind)),
	} {
		base := heap()
		s := &flowfile.Spool{Dir: t.TempDir()}
		r := NewReader(g, ReaderOptions{Spool: s})
		w := NewWriter(io.Discard, Options{})
		most, flows := uint64(0), 0
		for {
			b, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			flows += len(b.Flows)
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
			most = max(most, heap()-min(base, heap()))
		}
		if flows == 0 || most > 64<<20 {
			t.Errorf("%s: %d flows, %d MiB", name, flows, most>>20)
		}
	}
}

// letters64 is base64 without end.
type letters64 struct{}

func (letters64) Read(p []byte) (int, error) {
	p = p[:len(p)&^7]
	for i := 0; i < len(p); i += copy(p[i:], "QUJDREVG") {
	}
	return len(p), nil
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestManyMessages(t *testing.T) {
	var list strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&list, `{"type":"receive","time":1700000000.%06d,"opcode":1,"data":"message %d"},`, i, i)
	}
	data := har(with(t, `"cache":{}`, `"cache":{},"_webSocketMessages":[`+list.String()+`]`), plain)
	flows, damage := readAll(t, data)
	if len(flows) != 2 || len(damage) > 0 || flows[0].Messages().Len() != 200_000 {
		t.Fatal(len(flows), damage)
	}
	out := export(t, Options{}, flows...)
	for _, d := range compare(strings.ReplaceAll(data, "},]", "}]"), out) {
		t.Error(d)
	}
}

func TestTooLarge(t *testing.T) {
	data := har(plain, with(t, `"cache":{}`, `"cache":{"a":[`+strings.TrimSuffix(strings.Repeat("0,", 700_000), ",")+`]}`), plain)
	flows, damage := readAll(t, data)
	if len(flows) != 2 || len(damage) != 1 || !strings.Contains(damage[0].Error(), "entry 1: it takes more than 64 MiB") {
		t.Error(len(flows), damage)
	}
	data = har(plain, with(t, `"cache":{}`, `"cache":{"a":"`+strings.Repeat("x", 5<<20)+`"}`), plain)
	flows, damage = readAll(t, data)
	if len(flows) != 3 || len(damage) != 1 || !strings.Contains(damage[0].Error(), "left out") {
		t.Error(len(flows), damage)
	}
}

func TestSniff(t *testing.T) {
	for s, want := range map[string]bool{
		`{"log":{`: true, "\xef\xbb\xbf\n{\t\"log\" : {": true, `{"log":`: true, `cb({"log":{`: true, `a.b$1( {"log":{`: true,
		`{"version":"1.2","creator":{"n`: true, `{"entries":[`: true, `{"_x":{"a":[1]},"log":{}}`: true,
		`{"type":"http","log":{}}`: false, `{"log":"x"}`: false, `{`: false, ``: false, `[`: false, `{"a":1}`: false, `x y({"log":{`: false,
		`{"id":"1","type":"http"}`: false, "12:34": false,
	} {
		if got := Sniff([]byte(s)); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// What can be read can be written, and means the same when it is read again.
func FuzzReader(f *testing.F) {
	f.Add([]byte(har(plain, plain)))
	f.Add([]byte(har(plain, `{"request":{"method":1,"headers":{"a":[1]},"postData":{"params":[{}]}},"response":{"status":"x","content":{"text":"AA=","encoding":"base64"}}}`)))
	f.Add([]byte(`{"log":{"pages":[{"id":"a"}],"entries":[{"pageref":"a","request":{"url":"ws://x"},"_webSocketMessages":[{"type":"send","time":1.5,"opcode":1,"data":"x"}]}],"comment":1}}`))
	f.Add([]byte(`{"log":{"entries":[{"request":{"url":"http://x/","a":"\ud800"` + "\n" + `,{"request":{}}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		flows, _ := readAll(t, string(data))
		if len(flows) == 0 {
			return
		}
		out := export(t, Options{OnDamage: func(*flowfile.Damage) {}}, flows...)
		again, damage := readAll(t, out)
		if len(damage) > 0 || len(again) != len(flows) {
			t.Fatalf("%d flows became %d: %v\n%s", len(flows), len(again), damage, out)
		}
		literal := func(s string) string { return strings.ReplaceAll(s, `\ufffd`, "\ufffd") }
		if twice := export(t, Options{OnDamage: func(*flowfile.Damage) {}}, again...); literal(twice) != literal(out) {
			t.Fatalf("written again it differs:\n%s\n%s", out, twice)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	data := har(plain, plain, plain, plain, plain, plain, plain, plain)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		readAll(b, data)
	}
}

// Bodies of any size under any coding are what they were when they are decoded.
func TestRecoded(t *testing.T) {
	for _, n := range []int{1000, 3 << 20} {
		body := strings.Repeat("tea and biscuits ", n/17)
		for _, c := range []string{"gzip", "x-gzip", "deflate", "deflateraw", "br", "zstd", "deflate, gzip", "identity"} {
			entry := with(t, `"headers":[{"name":"Content-Type","value":"text/plain"}]`, `"headers":[{"name":"Content-Encoding","value":"`+c+`"},{"name":"Content-Type","value":"text/plain; charset=utf-8"}]`, `"text":"ok"`, `"text":"`+body+`"`)
			flows, damage := readAll(t, har(entry))
			if len(damage) > 0 {
				t.Fatal(damage)
			}
			m := &flows[0].Response().Message
			done := make(chan int64, 2)
			for range 2 {
				go func() { done <- m.Body().Size() }()
			}
			if a, b := <-done, <-done; a != b || a <= 0 || c != "identity" && a >= int64(len(body)) {
				t.Errorf("%s, %d: sizes %d and %d", c, n, a, b)
			}
			if got := contentOf(t, m); got != body {
				t.Errorf("%s, %d: %d bytes, want %d", c, n, len(got), len(body))
			}
			for _, d := range compare(har(entry), export(t, Options{}, through(t, flows)...)) {
				t.Errorf("%s, %d: %s", c, n, d)
			}
		}
	}
}

// An error of the input is final and comes behind the flows before it.
func TestInputError(t *testing.T) {
	data := har(plain, plain, plain)
	for _, cut := range []int{0, 5, len(data) / 2, len(data) - 5, len(data)} {
		r := NewReader(io.MultiReader(strings.NewReader(data[:cut]), errReader{}), ReaderOptions{})
		flows := 0
		var final error
		for f, err := range flowfile.Flows(r) {
			if f != nil {
				flows++
			}
			final = err
		}
		if final == nil || !strings.Contains(final.Error(), "disk on fire") || flows != strings.Count(data[:cut], `"receive":3}}`) {
			t.Errorf("cut at %d: %d flows, %v", cut, flows, final)
		}
		if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "disk on fire") {
			t.Errorf("cut at %d: then %v", cut, err)
		}
	}
}

// A log whose own members are too long for a flow loses them, and says so.
func TestLongLog(t *testing.T) {
	data := strings.Replace(har(plain, plain), `"pages":[]`, `"_x":"`+strings.Repeat("x", 5<<20)+`"`, 1)
	flows, damage := readAll(t, data)
	if len(flows) != 2 || len(damage) != 1 || !strings.Contains(damage[0].Error(), "entry 0: the fields of the log are left out") {
		t.Fatal(len(flows), damage)
	}
	if e := entries(t, export(t, Options{}, flows...)); len(e) != 2 || at(e[0], "_id") != "(none)" {
		t.Error("what was kept of the entry is lost too")
	}
}

// Damage outside of the entries, before and behind them.
func TestDamagedLog(t *testing.T) {
	data := har(plain, plain)
	for _, c := range []struct {
		data  string
		flows int
		want  string
	}{
		{strings.Replace(data, `"log":{`, `"log":{oops,`, 1), 2, "'o' instead of a key at byte 8"},
		{strings.Replace(data, `"version"`, `"version`, 1), 2, "the log"},
		{strings.TrimSuffix(data, "}}") + `,"pages":[{]}}`, 2, "']' instead of a key"},
		{strings.TrimSuffix(data, "]}}") + `}}`, 2, "entry 2: '}' instead of a value"},
		{strings.TrimSuffix(data, "}"), 2, "the log is cut short"},
		{`{"log":{oops,"entries":[` + plain + `],"_x":[}}}`, 1, ""},
	} {
		flows, damage := readAll(t, c.data)
		if len(flows) != c.flows || len(damage) == 0 || c.want != "" && (len(damage) != 1 || !strings.Contains(damage[0].Error(), c.want)) {
			t.Errorf("%d flows, %v, want %s", len(flows), damage, c.want)
		}
	}
}

func TestCache(t *testing.T) {
	for was, want := range map[string]string{
		`{"beforeRequest":null}`: `{"beforeRequest":null}`,
		`{"beforeRequest":{"lastAccess":"2026-01-02T03:04:05Z","eTag":"","hitCount":1,"expires":"never","_x":1}}`: `{"beforeRequest":{"_x":1,"eTag":"","hitCount":1,"lastAccess":"2026-01-02T03:04:05Z"}}`,
		`{"afterRequest":{"eTag":""},"_y":2}`: `{"_y":2}`,
		`{"afterRequest":[],"comment":null}`:  `{}`,
		`null`:                                `{}`,
		`7`:                                   `{}`,
	} {
		flows, _ := readAll(t, har(with(t, `"cache":{}`, `"cache":`+was)))
		if got := at(entries(t, export(t, Options{}, flows...))[0], "cache"); got != want {
			t.Errorf("%s: %s, want %s", was, got, want)
		}
	}
}

func TestLooseBase64(t *testing.T) {
	for n := range 3000 {
		want := bytes.Repeat([]byte{0xfb, 0xef, 1}, n)[:n]
		s := strings.NewReplacer("+", "-", "/", "_", "=", "", "A", "A\n").Replace(b64(want))
		if got, ok := decodeBase64(s); !ok || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: %v, %d bytes", n, ok, len(got))
		}
	}
	if _, ok := decodeBase64("AAAAA"); ok {
		t.Error("five digits")
	}
}
