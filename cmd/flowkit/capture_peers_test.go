package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// peerFlow is what these tests look at in a line of flowkit export --json --decoded.
type peerFlow struct {
	Request, Response peerMessage
	WebSocket         struct {
		ClosedByClient bool   `json:"closed_by_client"`
		CloseCode      int    `json:"close_code"`
		CloseReason    string `json:"close_reason"`
	}
	Messages []struct {
		FromClient bool `json:"from_client"`
		Opcode     int
		Body       peerBody
	}
	Error struct{ Msg string }
}

type peerMessage struct {
	Method, Path, Host, Scheme string
	Status                     int
	Version                    string `json:"http_version"`
	Headers, Trailers          [][2]string
	Body                       peerBody
	Content                    peerBody
}

type peerBody struct {
	Text      string
	Base64    []byte
	Truncated bool
}

func (b peerBody) bytes() string {
	if b.Base64 != nil {
		return string(b.Base64)
	}
	return b.Text
}

// String is for what a test says when it fails.
func (b peerBody) String() string {
	return fmt.Sprintf("%.200q(%d bytes, truncated %v)", b.bytes(), len(b.bytes()), b.Truncated)
}

// decoded is the body without its Content-Encoding.
func (m *peerMessage) decoded() string {
	if valueOf(m.Headers, "Content-Encoding") == "" {
		return m.Body.bytes()
	}
	return m.Content.Text
}

// valueOf returns the values of a header or trailer.
func valueOf(fields [][2]string, name string) string {
	var all []string
	for _, f := range fields {
		if strings.EqualFold(f[0], name) {
			all = append(all, f[1])
		}
	}
	return strings.Join(all, ", ")
}

// peerFlows stops the capture and returns its flows by path, in their order.
func peerFlows(t *testing.T, c *capturer) map[string][]peerFlow {
	t.Helper()
	c.stop()
	flows := make(map[string][]peerFlow)
	out := mustRun(t, exec.Command("flowkit", "export", "--json", "--decoded", "-q", "-r", c.file))
	for dec := json.NewDecoder(strings.NewReader(out)); dec.More(); {
		var f peerFlow
		check(t, dec.Decode(&f))
		flows[f.Request.Path] = append(flows[f.Request.Path], f)
	}
	return flows
}

// single returns the only flow of a path.
func single(t *testing.T, flows map[string][]peerFlow, path string) peerFlow {
	t.Helper()
	if n := len(flows[path]); n != 1 {
		t.Fatalf("%d flows of %s, want 1", n, path)
	}
	return flows[path][0]
}

// client returns a folder of testdata/clients.
func client(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(root, "testdata", "clients", name))
	check(t, err)
	return dir
}

// large is longer than the windows of HTTP/2 and any buffer.
var large = strings.Repeat("0123456789 tea\n", 20_000)

// compress answers with a text in gzip.
func compress(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
}

// undici's fetch through its ProxyAgent, which asks for a tunnel even to an http origin unless it is told not to.
func TestCaptureUndici(t *testing.T) {
	need(t, "node")
	dir := client(t, "undici")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		absent(t, "undici is not installed: npm ci in testdata/clients/undici")
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, path, _ := strings.Cut(r.URL.Path[1:], "/")
		switch path {
		case "page":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `["/part?a=1&b=%20","/large","/missing"]`)
		case "part":
			_, _ = io.WriteString(w, "part "+r.URL.RawQuery)
		case "large":
			compress(w, large)
		case "missing":
			http.Error(w, "no such page", http.StatusNotFound)
		case "removed":
			w.WriteHeader(http.StatusNoContent)
		case "post":
			w.WriteHeader(http.StatusCreated)
			fallthrough
		default:
			time.Sleep(5 * time.Millisecond) // so that those in parallel overlap
			fmt.Fprintf(w, "%s %s", r.Method, body)
		}
	})
	type exchange struct {
		method, path string
		sent         string
		status       int
		got          string
	}
	want := []exchange{
		{"GET", "/page", "", 200, `["/part?a=1&b=%20","/large","/missing"]`},
		{"GET", "/part?a=1&b=%20", "", 200, "part a=1&b=%20"},
		{"GET", "/large", "", 200, large},
		{"GET", "/missing", "", 404, "no such page\n"},
		{"POST", "/post", `{"tea":"Größe","n":3}`, 201, `POST {"tea":"Größe","n":3}`},
		{"POST", "/upload", "part 0;part 1;part 2;", 200, "POST part 0;part 1;part 2;"},
		{"DELETE", "/removed", "", 204, ""},
	}
	for i := range 20 {
		want = append(want, exchange{"PUT", fmt.Sprintf("/parallel/%d", i), fmt.Sprintf("body %d", i), 200, fmt.Sprintf("PUT body %d", i)})
	}
	secure, trust := origin(t, true, h)
	plain, _ := origin(t, false, h)
	c := capture(t, trust, "regular")
	tests := []struct{ name, origin, form string }{
		{"http-tunnel", plain.URL, "tunnel"},
		{"http-absolute", plain.URL, "absolute"},
		{"https", secure.URL, "tunnel"},
	}
	for _, tt := range tests {
		node := exec.Command("node", filepath.Join(dir, "fetch.mjs"), "http://"+c.addrs["regular"], tt.origin+"/"+tt.name, tt.form)
		node.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+c.ca, "NODE_OPTIONS=", "NODE_TLS_REJECT_UNAUTHORIZED=1")
		var got []struct {
			Path   string
			Status int
			Text   string
		}
		check(t, json.Unmarshal([]byte(mustRun(t, node)), &got))
		if len(got) != len(want) {
			t.Fatalf("%s: undici did %d of %d exchanges", tt.name, len(got), len(want))
		}
		for i, w := range want {
			text := w.got
			if len(text) > 1000 {
				sum := sha256.Sum256([]byte(text))
				text = hex.EncodeToString(sum[:])
			}
			if g := got[i]; g.Path != w.path || g.Status != w.status || g.Text != text {
				t.Errorf("%s: undici got %+v, want %d %q", tt.name, g, w.status, text)
			}
		}
	}
	flows := peerFlows(t, c)
	if n := len(flows); n != len(tests)*len(want) {
		t.Errorf("%d paths recorded, want %d", n, len(tests)*len(want))
	}
	for _, tt := range tests {
		scheme, _, _ := strings.Cut(tt.origin, ":")
		for _, w := range want {
			f := single(t, flows, "/"+tt.name+w.path)
			q, r := &f.Request, &f.Response
			if q.Method != w.method || q.Scheme != scheme || q.Version != "HTTP/1.1" || q.Body.bytes() != w.sent || f.Error.Msg != "" {
				t.Errorf("%s %s: recorded the request %+v", tt.name, w.path, f)
			}
			if r.Status != w.status || r.Version != "HTTP/1.1" || r.decoded() != w.got {
				t.Errorf("%s %s: recorded the response %+v", tt.name, w.path, *r)
			}
		}
	}
}

// site is the origin that testdata/clients/chromium is a page of.
type site struct {
	page, app []byte
	image     []byte
	results   chan []byte   // what the page says it got
	end       chan struct{} // it has done all
	aborted   chan struct{} // the origin of a request has learned that nobody waits for the answer
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{results: make(chan []byte, 1), end: make(chan struct{}, 1), aborted: make(chan struct{}, 1)}
	for name, b := range map[string]*[]byte{"page.html": &s.page, "app.js": &s.app} {
		var err error
		*b, err = os.ReadFile(filepath.Join(client(t, "chromium"), name))
		check(t, err)
	}
	m := image.NewRGBA(image.Rect(0, 0, 100, 80))
	for i := range m.Pix {
		m.Set(i%100, i/100%80, color.RGBA{uint8(i * i), uint8(i * 7), uint8(i * i / 3), 255})
	}
	var b bytes.Buffer
	check(t, png.Encode(&b, m))
	s.image = b.Bytes()
	return s
}

const (
	siteStyle  = "body { color: rgb(1, 2, 3) }\n"
	siteEvents = "id: 1\ndata: one\n\nid: 2\ndata: two\n\nevent: end\ndata:\n\n"
)

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, path, _ := strings.Cut(r.URL.Path[1:], "/") // behind the name of the test
	flush := func() { _ = http.NewResponseController(w).Flush() }
	body := func() []byte {
		b, _ := io.ReadAll(r.Body)
		return b
	}
	typ := func(t string) { w.Header().Set("Content-Type", t) }
	switch {
	case path == "":
		typ("text/html")
		_, _ = w.Write(s.page)
	case path == "app.js":
		typ("text/javascript")
		compress(w, string(s.app))
	case path == "style.css":
		typ("text/css")
		_, _ = io.WriteString(w, siteStyle)
	case path == "moved.png":
		w.Header().Set("Location", "image.png")
		w.WriteHeader(http.StatusFound) // without a body, which the browser would not wait for
	case path == "image.png":
		typ("image/png")
		_, _ = w.Write(s.image)
	case path == "api/cached":
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, "fresh")
	case path == "api/post", path == "api/stream":
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "got %s", body())
	case strings.HasPrefix(path, "api/parallel/"):
		time.Sleep(5 * time.Millisecond)
		fmt.Fprintf(w, "parallel %s", path[len("api/parallel/"):])
	case path == "api/endless":
		_, _ = io.WriteString(w, "first")
		flush()
		<-r.Context().Done()
		s.aborted <- struct{}{}
	case path == "events":
		typ("text/event-stream")
		for event := range strings.SplitAfterSeq(siteEvents, "\n\n") {
			_, _ = io.WriteString(w, event)
			flush()
		}
		<-r.Context().Done() // until the page closes it
	case path == "ws":
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover, CompressionThreshold: 1})
		if err != nil {
			return
		}
		ws.SetReadLimit(1 << 20)
		for {
			typ, b, err := ws.Read(r.Context())
			if err != nil || ws.Write(r.Context(), typ, b) != nil {
				return
			}
		}
	case path == "results":
		s.results <- body()
	case path == "end":
		s.end <- struct{}{}
	default:
		http.NotFound(w, r)
	}
}

// browser is a headless Chromium that uses a proxy and trusts its authority as the user of a desktop would have it do.
func browser(t *testing.T, c *capturer, url string) (stderr *said, end func()) {
	t.Helper()
	home := t.TempDir()
	db := filepath.Join(home, ".pki", "nssdb")
	check(t, os.MkdirAll(db, 0o700))
	mustRun(t, exec.Command("certutil", "-d", "sql:"+db, "-N", "--empty-password"))
	mustRun(t, exec.Command("certutil", "-d", "sql:"+db, "-A", "-t", "C,,", "-n", "flowkit", "-i", c.ca))
	cmd := exec.Command("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir="+filepath.Join(home, "profile"),
		"--proxy-server=http://"+c.addrs["regular"], "--proxy-bypass-list=<-loopback>",
		"--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-sync", "--disable-default-apps", "--disable-breakpad",
		"--disable-background-networking", "--disable-component-update", "--disable-domain-reliability", "--disable-client-side-phishing-detection",
		"--disable-features=OptimizationHints,MediaRouter,Translate,CertificateTransparencyComponentUpdater", "--metrics-recording-only", "--no-pings", url)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home, "XDG_DATA_HOME="+filepath.Join(home, ".local", "share"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has many processes
	stderr = &said{}
	cmd.Stderr, cmd.WaitDelay = stderr, 5*time.Second
	check(t, cmd.Start())
	ended := false
	end = func() {
		if !ended {
			ended = true
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			_ = cmd.Wait()
		}
	}
	t.Cleanup(end)
	return stderr, end
}

// A page in Chromium with all that pages have, from an origin of HTTP/1.1 and one of HTTP/2.
func TestCaptureChromium(t *testing.T) {
	need(t, "chromium", "certutil")
	for _, tt := range []struct {
		name    string
		tls     bool
		version string
	}{
		{"http", false, "HTTP/1.1"},
		{"https", true, "HTTP/2.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			server, trust := origin(t, tt.tls, s)
			c := capture(t, trust, "regular")
			stderr, end := browser(t, c, server.URL+"/"+tt.name+"/")
			select {
			case <-s.end:
			case <-time.After(30 * time.Second):
				t.Fatalf("the page does not come to its end\n%s", stderr)
			}
			results := <-s.results
			select {
			case <-s.aborted:
			case <-time.After(5 * time.Second):
				t.Error("the origin does not learn that the client has aborted its request")
			}
			end()
			steps := map[string]any{
				"style": "rgb(1, 2, 3)", "image": "100x80", "post": `201 got {"tea":"größe"}`, "missing": "404 404 page not found\n",
				"cached": "200 fresh; 200 fresh", "parallel": 30.0, "abort": "first", "events": "1:one;2:two;",
				"websocket": "text 3; text 20000; binary 0,255,1; 3001 enough",
			}
			if tt.tls {
				steps["stream"] = "201 got part 0;part 1;part 2;"
			}
			var got map[string]any
			check(t, json.Unmarshal(results, &got))
			for name, want := range steps {
				if got[name] != want {
					t.Errorf("%s: the page got %q, want %q", name, got[name], want)
				}
			}

			flows := peerFlows(t, c)
			at := func(path string) string { return "/" + tt.name + "/" + path }
			type exchange struct {
				path, method, sent string
				status             int
				got                string
			}
			want := []exchange{
				{"", "GET", "", 200, string(s.page)},
				{"style.css", "GET", "", 200, siteStyle},
				{"app.js", "GET", "", 200, string(s.app)},
				{"moved.png", "GET", "", 302, ""},
				{"image.png", "GET", "", 200, string(s.image)},
				{"api/post", "POST", `{"tea":"größe"}`, 201, `got {"tea":"größe"}`},
				{"api/missing", "GET", "", 404, "404 page not found\n"},
				{"results", "POST", string(results), 200, ""},
			}
			if tt.tls {
				want = append(want, exchange{"api/stream", "POST", "part 0;part 1;part 2;", 201, "got part 0;part 1;part 2;"})
			}
			for i := range 30 {
				want = append(want, exchange{fmt.Sprintf("api/parallel/%d", i), "GET", "", 200, fmt.Sprintf("parallel %d", i)})
			}
			for _, w := range want {
				f := single(t, flows, at(w.path))
				q, r := &f.Request, &f.Response
				if q.Method != w.method || q.Scheme != tt.name || q.Version != tt.version || q.Body.bytes() != w.sent || f.Error.Msg != "" {
					t.Errorf("%s: recorded the request %+v", w.path, f)
				}
				if r.Status != w.status || r.Version != tt.version || w.got != "" && r.decoded() != w.got {
					t.Errorf("%s: recorded the response %+v", w.path, *r)
				}
			}
			if cached := flows[at("api/cached")]; len(cached) != 2 || cached[0].Response.Status != 200 || cached[1].Response.Status != 304 || cached[1].Response.Body.bytes() != "" {
				t.Errorf("cached: recorded %+v", cached)
			}
			if f := single(t, flows, at("api/endless")); f.Error.Msg == "" || f.Response.Body.bytes() != "first" || !f.Response.Body.Truncated {
				t.Errorf("endless: recorded %+v", f)
			}
			if f := single(t, flows, at("events")); f.Response.Status != 200 || f.Response.Body.bytes() != siteEvents {
				t.Errorf("events: recorded %+v", f)
			}
			ws := single(t, flows, at("ws"))
			if w := ws.WebSocket; ws.Response.Status != 101 || w.CloseCode != 3001 || w.CloseReason != "enough" || !w.ClosedByClient || ws.Error.Msg != "" {
				t.Errorf("websocket: recorded %+v", ws)
			}
			if !strings.Contains(valueOf(ws.Response.Headers, "Sec-WebSocket-Extensions"), "permessage-deflate") {
				t.Errorf("websocket: the messages were not compressed: %v", ws.Response.Headers)
			}
			var messages []string
			for _, m := range ws.Messages {
				messages = append(messages, fmt.Sprintf("%v %d %s", m.FromClient, m.Opcode, m.Body.bytes()))
			}
			cups := strings.Repeat("☕", 20000)
			if want := []string{"true 1 tea", "false 1 tea", "true 1 " + cups, "false 1 " + cups, "true 2 \x00\xff\x01", "false 2 \x00\xff\x01"}; !slices.Equal(messages, want) {
				t.Errorf("websocket: recorded %d messages: %.300q", len(messages), messages)
			}
		})
	}
}

// gRPC's own client and server (testdata/clients/grpc), with calls of each kind over one connection.
func TestCaptureGRPC(t *testing.T) {
	need(t, "go")
	program := grpcProgram(t)
	cert := filepath.Join(t.TempDir(), "cert.pem")
	server := exec.Command(program, "serve", cert)
	stdin, err := server.StdinPipe()
	check(t, err)
	stdout, err := server.StdoutPipe()
	check(t, err)
	check(t, server.Start())
	t.Cleanup(func() {
		stdin.Close() // ends it
		_ = server.Wait()
	})
	port, err := bufio.NewReader(stdout).ReadString('\n')
	check(t, err)
	c := capture(t, []string{cert}, "regular")
	// HTTPS_PROXY does not hold for localhost and 127.0.0.1, but for this other name of theirs.
	caller := exec.Command(program, "call", "0.0.0.0:"+strings.TrimSpace(port), c.ca)
	caller.Env = append(os.Environ(), "HTTPS_PROXY=http://"+c.addrs["regular"], "NO_PROXY=", "no_proxy=")
	const said = `Unary: tea ["\x00\xff"] ["a b"] ["\x00\xff"]
Large: 600000 true
Gzip: 4000
ServerStream: cup 0;cup 1;cup 2;
ClientStream: abc;
Bidi: pong 0;pong 1;pong 2;pong 3;pong 4;
Refused:  NotFound no such tea: größe 100%
Broken: x 0;x 1;x 2; DataLoss the rest is lost
Endless: e 0;e 1;e 2;yes
Parallel: 50
`
	if got := mustRun(t, caller); got != said {
		t.Errorf("the client said\n%s", got)
	}
	flows := peerFlows(t, c)
	big, gzipped := strings.Repeat("\xff\x00 tea", 100_000), strings.Repeat("tea ", 1000)
	for _, w := range []struct {
		name            string
		sent, got       []string
		status, message string
	}{
		{"Unary", []string{"tea"}, []string{"tea"}, "0", ""},
		{"Large", []string{big}, []string{big}, "0", ""},
		{"Gzip", []string{gzipped}, []string{gzipped}, "0", ""},
		{"ServerStream", []string{"cup"}, []string{"cup 0", "cup 1", "cup 2"}, "0", ""},
		{"ClientStream", []string{"a", "b", "", "c"}, []string{"abc"}, "0", ""},
		{"Bidi", []string{"0", "1", "2", "3", "4"}, []string{"pong 0", "pong 1", "pong 2", "pong 3", "pong 4"}, "0", ""},
		{"Broken", []string{"x"}, []string{"x 0", "x 1", "x 2"}, "15", "the rest is lost"},
		{"Refused", []string{"x"}, nil, "5", "no such tea: gr%C3%B6%C3%9Fe 100%25"},
		{"Endless", []string{"e"}, []string{"e 0", "e 1", "e 2"}, "", ""},
		{"Cancelled", []string{""}, []string{"yes"}, "0", ""},
	} {
		f := single(t, flows, "/flowkit.Test/"+w.name)
		q, r := &f.Request, &f.Response
		if q.Method != "POST" || q.Version != "HTTP/2.0" || r.Version != "HTTP/2.0" || r.Status != 200 ||
			valueOf(q.Headers, "content-type") != "application/grpc" || valueOf(q.Headers, "te") != "trailers" || valueOf(r.Headers, "content-type") != "application/grpc" {
			t.Errorf("%s: recorded %+v", w.name, f)
		}
		if got := messagesOf(t, q.Body); !slices.Equal(got, w.sent) {
			t.Errorf("%s: recorded %d messages of the request: %.500q", w.name, len(got), got)
		}
		if got := messagesOf(t, r.Body); !slices.Equal(got, w.got) {
			t.Errorf("%s: recorded %d messages of the response: %.500q", w.name, len(got), got)
		}
		ends := r.Trailers
		if w.name == "Refused" { // has no body, so its header is its trailer
			ends = r.Headers
		}
		if status, message := valueOf(ends, "grpc-status"), valueOf(ends, "grpc-message"); status != w.status || message != w.message {
			t.Errorf("%s: recorded status %q %q, want %q %q", w.name, status, message, w.status, w.message)
		}
		if cancelled := w.name == "Endless"; (f.Error.Msg != "") != cancelled || r.Body.Truncated != cancelled {
			t.Errorf("%s: recorded error %q, truncated %v", w.name, f.Error.Msg, r.Body.Truncated)
		}
	}
	for _, f := range []peerFlow{single(t, flows, "/flowkit.Test/Unary"), single(t, flows, "/flowkit.Test/Gzip")} {
		if valueOf(f.Request.Headers, "x-sent-bin") != "AP8" || valueOf(f.Response.Headers, "x-head-bin") != "AP8" ||
			valueOf(f.Response.Trailers, "x-trail") != "a b" || valueOf(f.Response.Trailers, "x-trail-bin") != "AP8" {
			t.Errorf("the metadata is not all recorded: %+v", f)
		}
	}
	if gz := single(t, flows, "/flowkit.Test/Gzip"); valueOf(gz.Request.Headers, "grpc-encoding") != "gzip" || gz.Response.Body.bytes()[0] != 1 {
		t.Errorf("Gzip: not compressed: %+v", gz)
	}
	var parallel []string
	for _, f := range flows["/flowkit.Test/Parallel"] {
		sent, got := messagesOf(t, f.Request.Body), messagesOf(t, f.Response.Body)
		if len(sent) != 1 || !slices.Equal(sent, got) || valueOf(f.Response.Trailers, "grpc-status") != "0" || f.Error.Msg != "" {
			t.Errorf("Parallel: recorded %+v", f)
		}
		parallel = append(parallel, sent...)
	}
	if slices.Sort(parallel); len(slices.Compact(parallel)) != 50 {
		t.Errorf("Parallel: recorded %q", parallel)
	}
}

// grpcProgram builds testdata/clients/grpc, which is a module of its own.
func grpcProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "grpc")
	// Nothing of it may be compiled yet: that takes longer than mustRun gives.
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for _, args := range [][]string{{"mod", "download"}, {"build", "-o", program, "."}} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = client(t, "grpc")
		out, err := cmd.CombinedOutput()
		switch {
		case err != nil && args[0] == "mod":
			absent(t, "the modules of testdata/clients/grpc cannot be had: "+string(out))
		case err != nil:
			t.Fatalf("go %s: %v\n%s", args[0], err, out)
		}
	}
	return program
}

// messagesOf takes a body of gRPC apart: a byte that says whether a message is compressed, its length, and itself, here a
// google.protobuf.BytesValue.
func messagesOf(t *testing.T, body peerBody) []string {
	t.Helper()
	var all []string
	for b := []byte(body.bytes()); len(b) > 0; {
		if len(b) < 5 || uint64(len(b)-5) < uint64(binary.BigEndian.Uint32(b[1:])) {
			t.Errorf("a message is cut after %d bytes", len(b))
			return all
		}
		n := 5 + int(binary.BigEndian.Uint32(b[1:]))
		m := b[5:n]
		if b[0] == 1 {
			z, err := gzip.NewReader(bytes.NewReader(m))
			check(t, err)
			m, err = io.ReadAll(z)
			check(t, err)
		}
		b = b[n:]
		if len(m) > 0 { // field 1, its length and the value
			size, k := binary.Uvarint(m[1:])
			if m[0] != 0x0a || k <= 0 || int(size) != len(m)-1-k {
				t.Errorf("no BytesValue: %.100q", m)
				return all
			}
			m = m[1+k:]
		}
		all = append(all, string(m))
	}
	return all
}
