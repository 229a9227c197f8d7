package text_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/text"
)

func ExampleWriter() {
	r := flowfile.RequestHead{
		Method: "PUT", Scheme: "https", Host: "shop.example", Port: 443, Path: "/tea?name=green",
		MessageHead: flowfile.MessageHead{
			Version: "HTTP/1.1",
			Headers: []flowfile.Field{{Name: "Host", Value: "shop.example"}, {Name: "Content-Length", Value: "10"}, {Name: "X-Empty"}},
			Body:    flowfile.StringBody("it's green"),
		},
	}
	w := text.NewWriter(os.Stdout, text.Options{Form: text.Curl})
	_ = w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{flowfile.New(flowfile.Head{ID: "1", Request: flowfile.NewRequest(r)})}})
	_ = w.Close()
	// Output:
	// curl --http1.1 -X PUT 'https://shop.example/tea?name=green' \
	//   -H 'Content-Length: 10' \
	//   -H 'X-Empty;' \
	//   -H 'User-Agent:' \
	//   -H 'Accept:' \
	//   -H 'Content-Type:' \
	//   --data-raw 'it'\''s green'
}

// request is a flow of a GET that change changes.
func request(change func(*flowfile.RequestHead)) *flowfile.Flow {
	r := flowfile.RequestHead{
		Method: "GET", Scheme: "http", Host: "a.example", Port: 80, Path: "/",
		MessageHead: flowfile.MessageHead{
			Version: "HTTP/1.1", Body: flowfile.StringBody(""),
			Headers: []flowfile.Field{{Name: "Host", Value: "a.example"}, {Name: "User-Agent", Value: "x"}, {Name: "Accept", Value: "*/*"}},
		},
	}
	if change != nil {
		change(&r)
	}
	return flowfile.New(flowfile.Head{ID: "1", Request: flowfile.NewRequest(r)})
}

func write(t *testing.T, form text.Form, f *flowfile.Flow) (string, text.Counts) {
	t.Helper()
	var b bytes.Buffer
	w := text.NewWriter(&b, text.Options{Form: form})
	if err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.Counts()
}

func TestCommands(t *testing.T) {
	const fields = " \\\n  -H 'User-Agent: x' \\\n  -H 'Accept: */*'"
	const items = " \\\n  'User-Agent: x' \\\n  'Accept: */*' \\\n  'Accept-Encoding:' \\\n  'Connection:' \\\n  --ignore-stdin\n"
	ip := func(r *flowfile.RequestHead) {
		r.Scheme, r.Host, r.Port = "https", "192.0.2.7", 8443
		r.Headers[0].Value = "a.example:8443"
	}
	for name, c := range map[string]struct {
		change       func(*flowfile.RequestHead)
		server       *flowfile.Conn
		curl, httpie string
	}{
		"plain": {curl: "curl 'http://a.example/'" + fields + "\n", httpie: "http GET 'http://a.example/'" + items},
		"old": {
			change: func(r *flowfile.RequestHead) { r.Version = "HTTP/1.0" },
			curl:   "curl --http1.0 'http://a.example/'" + fields + "\n", httpie: "# flow 1: HTTPie speaks no HTTP/1.0\n",
		},
		"head": {
			change: func(r *flowfile.RequestHead) { r.Method = "HEAD" },
			curl:   "curl -I 'http://a.example/'" + fields + "\n", httpie: "http HEAD 'http://a.example/'" + items,
		},
		"odd method": {
			change: func(r *flowfile.RequestHead) { r.Method = "M-SEARCH" },
			curl:   "curl -X 'M-SEARCH' 'http://a.example/'" + fields + "\n", httpie: "# flow 1: HTTPie takes no method M-SEARCH\n",
		},
		"dots and brackets": {
			change: func(r *flowfile.RequestHead) { r.Path = "/a/../b?c[]=1" },
			curl:   "curl --path-as-is -g 'http://a.example/a/../b?c[]=1'" + fields + "\n", httpie: "# flow 1: HTTPie changes the path\n",
		},
		"small hexadecimal": {
			change: func(r *flowfile.RequestHead) { r.Path = "/%2f" },
			curl:   "curl --request-target '/%2f' 'http://a.example/'" + fields + "\n", httpie: "# flow 1: HTTPie changes the path\n",
		},
		"address and name": {
			change: ip,
			curl:   "curl --http1.1 --connect-to '::192.0.2.7:8443' 'https://a.example:8443/'" + fields + "\n",
			httpie: "# flow 1: HTTPie cannot connect to another host than that of the URL\n",
		},
		"name in TLS": {
			change: ip, server: &flowfile.Conn{SNI: "b.example"},
			curl:   "curl --http1.1 --connect-to '::192.0.2.7:8443' 'https://b.example:8443/' \\\n  -H 'Host: a.example:8443'" + fields + "\n",
			httpie: "# flow 1: HTTPie cannot connect to another host than that of the URL\n",
		},
		"IPv6": {
			change: func(r *flowfile.RequestHead) {
				r.Host, r.Port = "2001:db8::1", 81
				r.Headers[0].Value = "[2001:db8::1]:81"
			},
			curl: "curl 'http://[2001:db8::1]:81/'" + fields + "\n", httpie: "http GET 'http://[2001:db8::1]:81/'" + items,
		},
		"HTTP/2": {
			change: func(r *flowfile.RequestHead) {
				r.Version, r.Scheme, r.Port, r.Authority = "HTTP/2.0", "https", 443, "b.example"
				r.Headers = r.Headers[1:]
			},
			curl:   "curl --http2 'https://a.example/' \\\n  -H 'Host: b.example'" + fields + "\n",
			httpie: "# flow 1, note: HTTPie speaks HTTP/1.1\nhttp GET 'https://a.example/' \\\n  'Host: b.example'" + items,
		},
		"control characters": {
			change: func(r *flowfile.RequestHead) { r.Headers[1].Value = "\x1b[1m%'\\" },
			curl:   "curl 'http://a.example/' \\\n  -H \"$(printf 'User-Agent: \\033[1m%%\\047\\\\')\" \\\n  -H 'Accept: */*'\n",
			httpie: "# flow 1: a field's value has characters that HTTPie does not take\n",
		},
		"binary body": {
			change: func(r *flowfile.RequestHead) {
				r.Method, r.Body = "POST", flowfile.StringBody("-\x00%\n\xff")
				r.Headers = append(r.Headers, flowfile.Field{Name: "Content-Length", Value: "5"}, flowfile.Field{Name: "Content-Type", Value: "x"})
			},
			curl:   "printf '\\055\\000%%\\n\\377' |\n  curl 'http://a.example/' \\\n    -H 'User-Agent: x' \\\n    -H 'Accept: */*' \\\n    -H 'Content-Length: 5' \\\n    -H 'Content-Type: x' \\\n    --data-binary @-\n",
			httpie: "printf '\\055\\000%%\\n\\377' |\n  http POST 'http://a.example/' \\\n    'User-Agent: x' \\\n    'Accept: */*' \\\n    'Content-Type: x' \\\n    'Accept-Encoding:' \\\n    'Connection:'\n",
		},
	} {
		f := request(c.change)
		f.SetServer(c.server)
		if got, _ := write(t, text.Curl, f); got != c.curl {
			t.Errorf("%s: got\n%swant\n%s", name, got, c.curl)
		}
		if got, _ := write(t, text.HTTPie, f); got != c.httpie {
			t.Errorf("%s: got\n%swant\n%s", name, got, c.httpie)
		}
	}
}

func TestRaw(t *testing.T) {
	big := strings.Repeat("x", 64<<10)
	trailers := flowfile.NewHeaders([]flowfile.Field{{Name: "T", Value: "1"}})
	host := flowfile.Field{Name: "Host", Value: "a"}
	te := flowfile.Field{Name: "transfer-encoding", Value: "chunked"}
	for name, c := range map[string]struct {
		r    flowfile.RequestHead
		want string
		cut  bool
	}{
		"plain":    {flowfile.RequestHead{Method: "GET", Path: "/é?q", MessageHead: head("HTTP/1.1", "", host)}, "GET /é?q HTTP/1.1\r\nHost: a\r\n\r\n", false},
		"absolute": {flowfile.RequestHead{Method: "GET", Scheme: "http", Authority: "b:1", Path: "/", MessageHead: head("HTTP/1.0", "")}, "GET http://b:1/ HTTP/1.0\r\n\r\n", false},
		"CONNECT":  {flowfile.RequestHead{Method: "CONNECT", Host: "b", Port: 1, MessageHead: head("HTTP/1.1", "")}, "CONNECT b:1 HTTP/1.1\r\n\r\n", false},
		"chunked": {
			flowfile.RequestHead{Method: "PUT", Path: "/", MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: []flowfile.Field{te}, Body: flowfile.StringBody(big + "yz"), Trailers: &trailers}},
			"PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n10000\r\n" + big + "\r\n2\r\nyz\r\n0\r\nT: 1\r\n\r\n", false,
		},
		"HTTP/2": {flowfile.RequestHead{Method: "PUT", Scheme: "https", Authority: "b", Path: "/", MessageHead: head("HTTP/2.0", "yz")}, "PUT / HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\nyz", false},
		"absent": {
			flowfile.RequestHead{Method: "PUT", Path: "/", MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: []flowfile.Field{te}}},
			"PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", true,
		},
		"truncated": {
			flowfile.RequestHead{Method: "PUT", Path: "/", MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Body: flowfile.StringBody("y").Truncate(2)}},
			"PUT / HTTP/1.1\r\n\r\ny", true,
		},
	} {
		got, counts := write(t, text.RawRequest, flowfile.New(flowfile.Head{Request: flowfile.NewRequest(c.r)}))
		if got != c.want || counts.Cut > 0 != c.cut {
			t.Errorf("%s: got %q, %+v, want %q", name, got, counts, c.want)
		}
	}
	f := request(func(r *flowfile.RequestHead) { r.Method = "HEAD" })
	f.SetResponse(flowfile.NewResponse(flowfile.ResponseHead{Status: 200, Reason: "", MessageHead: flowfile.MessageHead{Version: "HTTP/1.1"}}))
	if got, counts := write(t, text.RawResponse, f); got != "HTTP/1.1 200 \r\n\r\n" || counts.Cut != 0 {
		t.Errorf("response to HEAD: %q, %+v", got, counts)
	}
}

func head(version, body string, fields ...flowfile.Field) flowfile.MessageHead {
	return flowfile.MessageHead{Version: version, Headers: fields, Body: flowfile.StringBody(body)}
}

// shells are those that are installed, of all that Quote is for.
func shells(t testing.TB) [][]string {
	var found [][]string
	for _, s := range [][]string{{"dash"}, {"bash"}, {"bash", "--posix"}, {"zsh"}, {"busybox", "sh"}} {
		if _, err := exec.LookPath(s[0]); err == nil {
			found = append(found, s)
		} else if os.Getenv("FLOWKIT_CI") != "" && s[0] != "zsh" && s[0] != "busybox" {
			t.Fatal(err)
		}
	}
	if len(found) == 0 {
		t.Skip("there is no shell")
	}
	return found
}

// echo has each shell print words, and compares.
func echo(t testing.TB, shells [][]string, words []string) {
	t.Helper()
	var script, want strings.Builder
	for _, w := range words {
		fmt.Fprintf(&script, "printf '%%s\\000' %s\n", text.Quote(w))
		want.WriteString(w + "\x00")
	}
	for _, shell := range shells {
		cmd := exec.Command(shell[0], shell[1:]...)
		cmd.Stdin = strings.NewReader(script.String())
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != want.String() {
			t.Fatalf("%v: %v\n%q\ngot  %q\nwant %q", shell, err, script.String(), out, want.String())
		}
	}
}

func TestQuote(t *testing.T) {
	words := []string{
		"", "'", "''", "a'b'", `\`, `\'`, `\\`, `\n`, `\0`, "$x", "$(id)", "`id`", "!", "!!", "-n", "-e", "--", "%", "%s", "%%", "~", "=ls", "#", "a b",
		"\n", "a\n", "\na", "\t", "é", "é\x1b", "\x1b7", "\x01\x02", "7\x7f7", "\xff", "\xc3", "\u202e", "\U000e0001", "*", "{a,b}", "[a]", "\"", "$'a'",
	}
	for c := 1; c < 256; c++ {
		words = append(words, string([]byte{byte(c)}), string([]byte{'a', byte(c), '7'}))
	}
	words = words[:len(words):len(words)]
	var ok []string
	for _, w := range words {
		if !quotable(w) {
			continue
		}
		ok = append(ok, w)
	}
	echo(t, shells(t), ok)
}

// quotable tells whether Quote promises anything for s.
func quotable(s string) bool {
	if strings.Contains(s, "\x00") {
		return false
	}
	return !strings.HasSuffix(s, "\n") || !strings.HasPrefix(text.Quote(s), `"`)
}

// FuzzQuote gives all words of an input to a shell at once, which is what takes time.
func FuzzQuote(f *testing.F) {
	f.Add("'\x00$(id)\x00%s\\\x00\xff\x1b")
	f.Add("-\x00-n\x00!\x00\"")
	all := shells(f)
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 64<<10 {
			return
		}
		var words []string
		for w := range strings.SplitSeq(s, "\x00") {
			if quotable(w) {
				words = append(words, w)
			}
		}
		echo(t, all, words)
	})
}

// FuzzCommand has whatever flow become one command or one comment, which sh accepts.
func FuzzCommand(f *testing.F) {
	f.Add("GET", "/a?b", "X", "y", "body", "1.2.3.4", "id")
	f.Add("$(", "/'", "@", "\n", "\x00", "::1", "\n$(touch x)")
	sh := shells(f)[0]
	f.Fuzz(func(t *testing.T, method, path, name, value, body, host, id string) {
		flow := request(func(r *flowfile.RequestHead) {
			r.Method, r.Path, r.Host, r.Body = method, path, host, flowfile.StringBody(body)
			r.Headers = append(r.Headers, flowfile.Field{Name: name, Value: value})
		})
		flow.SetID(id)
		for _, form := range []text.Form{text.Curl, text.HTTPie} {
			got, counts := write(t, form, flow)
			if counts.Written+counts.Refused != 1 || counts.Refused == 1 && (strings.Count(got, "\n") != 1 || got[0] != '#') {
				t.Fatalf("%+v %q", counts, got)
			}
			cmd := exec.Command(sh[0], append(sh[1:], "-c", "curl() { echo ran; }\nhttp() { echo ran; }\n"+got)...)
			cmd.Dir, cmd.Env = t.TempDir(), []string{"PATH=/nonexistent"}
			out, err := cmd.CombinedOutput()
			if want := strings.Repeat("ran\n", counts.Written); err != nil || string(out) != want {
				t.Fatalf("%v\n%s\nprints %q", err, got, out)
			}
		}
	})
}

// A request to a proxy is repeated as the server got it.
func TestProxied(t *testing.T) {
	r := flowfile.NewRequest(flowfile.RequestHead{
		Method: "GET", Scheme: "http", Host: "a.example", Port: 80, Authority: "a.example", Path: "/x",
		MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Body: flowfile.StringBody(""), Headers: []flowfile.Field{
			{Name: "Host", Value: "a.example"}, {Name: "Proxy-Connection", Value: "keep-alive"}, {Name: "Accept", Value: "*/*"},
		}},
	})
	var b strings.Builder
	w := text.NewWriter(&b, text.Options{Form: text.Curl})
	if err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{flowfile.New(flowfile.Head{ID: "1", Request: r})}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.Contains(got, "request-target") || strings.Contains(got, "Proxy-") || !strings.Contains(got, "curl 'http://a.example/x'") {
		t.Errorf("got %s", got)
	}
}
