package main

import (
	"bufio"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/flowfile/jsonl"
)

// wireServer records the bytes of each request that it gets, and answers each with an
// empty response.
type wireServer struct {
	port     int
	v6       bool // it listens at ::1, too
	mu       sync.Mutex
	requests []wireRequest
}

// wireRequest is a request as it came: its head to the letter, its body without chunks.
type wireRequest struct{ head, body string }

func newWireServer(t *testing.T) *wireServer {
	t.Helper()
	s := &wireServer{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.port = l.Addr().(*net.TCPAddr).Port
	go s.serve(l)
	if l6, err := net.Listen("tcp", net.JoinHostPort("::1", strconv.Itoa(s.port))); err == nil {
		t.Cleanup(func() { l6.Close() })
		s.v6 = true
		go s.serve(l6)
	}
	return s
}

func (s *wireServer) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			c.SetDeadline(time.Now().Add(10 * time.Second))
			r, err := readWire(c)
			if err != nil {
				r.body += "\n(server: " + err.Error() + ")"
			}
			s.mu.Lock()
			s.requests = append(s.requests, r)
			s.mu.Unlock()
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}()
	}
}

// take returns the requests so far and forgets them.
func (s *wireServer) take() []wireRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	rs := s.requests
	s.requests = nil
	return rs
}

func readWire(c net.Conn) (r wireRequest, err error) {
	in := bufio.NewReader(c)
	var length int
	chunked, expect := false, false
	for {
		line, err := in.ReadString('\n')
		r.head += line
		if err != nil {
			return r, err
		}
		if line == "\r\n" {
			break
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\r\n"), ":")
		value = strings.ToLower(strings.TrimSpace(value))
		switch strings.ToLower(name) {
		case "content-length":
			length, _ = strconv.Atoi(value)
		case "transfer-encoding":
			chunked = true
		case "expect":
			expect = value == "100-continue"
		}
	}
	if expect {
		io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	if !chunked {
		body := make([]byte, length)
		_, err := io.ReadFull(in, body)
		r.body = string(body)
		return r, err
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return r, err
		}
		n, err := strconv.ParseInt(strings.TrimSpace(line), 16, 32)
		if err != nil {
			return r, err
		}
		piece := make([]byte, n+2)
		if _, err := io.ReadFull(in, piece); err != nil {
			return r, err
		}
		r.body += string(piece[:n])
		if n == 0 {
			return r, nil
		}
	}
}

// hostile makes requests of bytes that shells, curl and parsers of URLs take for something
// else.
type hostile struct {
	*rand.Rand
	s *wireServer
}

var (
	hostileWords = []string{
		"'", `"`, "`touch pwned`", "$(touch pwned)", "${HOME}", "$HOME", "@/etc/hostname", "@", "%", "%%", "%s%n", "%41", "%2f", "%zz",
		`\`, `\\`, `\n`, `\'`, `'\''`, "!", "!!", "!$", "&", "&&", ";", "|", ">pwned", "<", "*", "?", "~", "#", "=", "[1-9]", "{a,b}", "(", ")",
		"^", "é", "ティー", "\xff\xfe", "\x80", "\x1b[31m", "\x01", "\x7f", "\t", " ", "\u202e", "\ufeff", "--", "-H", "-o pwned", "a", "B", "7", "$'x'", "://",
	}
	hostileMethods = []string{
		"GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "HEAD", "TRACE", "M-SEARCH", "get", "PoSt", "head",
		"$(touch", "'", `"x"`, "`id`", "-X", "@x", "%s", "!", "É", "\xff", "\x1b", "*", "A'B", `\`, "--next", "PROPFIND",
	}
	hostileNames = []string{
		"X-A", "x-a", "X-b_C", "x.$HOME", "X-'", `X-"`, "X-`id`", "X-%s", "X-é", "X \t", "$(touch pwned)", "X-\xff", "X-@", "X-;", "#x", "-H", "Cookie",
		"Authorization", "Referer", "Accept", "accept", "User-Agent", "user-agent", "Content-Type", "content-type", "Connection", "Range",
		"Accept-Encoding", "TE", "Proxy-Authorization", "Upgrade", "If-Modified-Since", "Expect", "Origin", "Via", "Proxy-Connection", "Alt-Used", "Date",
	}
)

func pick[T any](h *hostile, from []T) T { return from[h.IntN(len(from))] }

func (h *hostile) text(n int) string {
	s := ""
	for range h.IntN(n) {
		s += pick(h, hostileWords)
	}
	return s
}

func (h *hostile) path() string {
	p := "/"
	switch h.IntN(6) {
	case 0:
		p = "//a//"
	case 1:
		p = "/a/../b/./%2e%2E/"
	}
	p += h.text(6)
	if h.IntN(2) == 0 {
		p += "?" + h.text(6)
	}
	return p
}

func (h *hostile) value() string {
	v := strings.Trim(h.text(6), " \t")
	if h.IntN(8) == 0 {
		b := make([]byte, 0, 255)
		for c := 1; c < 256; c++ {
			if c != '\r' && c != '\n' {
				b = append(b, byte(c))
			}
		}
		v = "all" + string(b)
	}
	return v
}

func (h *hostile) body() string {
	switch h.IntN(9) {
	case 0, 1:
		return ""
	case 2:
		return "@/etc/hostname"
	case 3:
		return "-"
	case 4:
		return h.text(20) + "\n\n\n"
	case 5: // every byte
		b := make([]byte, 256)
		for i := range b {
			b[i] = byte(i)
		}
		return string(b)
	case 6:
		b := make([]byte, h.IntN(100_000))
		for i := range b {
			b[i] = byte(h.Uint32())
		}
		return string(b)
	case 7:
		return strings.Repeat("it's text\n", 1+h.IntN(12_000))
	}
	return "\r\n" + h.text(9) + "\x00" + h.text(9)
}

// flow is one that curl can express.
func (h *hostile) flow(id int) *flowfile.Flow {
	r := flowfile.RequestHead{Method: pick(h, hostileMethods), Scheme: "http", Host: "127.0.0.1", Port: h.s.port, Path: h.path()}
	r.Version = "HTTP/1.1"
	switch h.IntN(12) {
	case 0:
		r.Version = "HTTP/1.0"
	case 1:
		r.Method, r.Path = "OPTIONS", "*"
	case 2:
		r.Authority = "user:p'w@" + net.JoinHostPort("127.0.0.1", strconv.Itoa(h.s.port))
	case 3:
		r.Host = "localhost"
	case 4:
		if h.s.v6 {
			r.Host = "::1"
		}
	}
	var fields []flowfile.Field
	add := func(name, value string) { fields = append(fields, flowfile.Field{Name: name, Value: value}) }
	for range h.IntN(7) {
		name, value := pick(h, hostileNames), h.value()
		if value == "" && strings.Contains(name, ";") {
			value = "x"
		}
		if strings.EqualFold(name, "Expect") {
			value = "100-continue"
		}
		add(name, value)
	}
	host := flowfile.HostPort(r.Host, r.Port)
	switch h.IntN(8) {
	case 0:
		fields = append([]flowfile.Field{{Name: "Host", Value: "other.example:1"}}, fields...)
	case 1: // last, and in small letters
		add("host", host)
	case 2:
		add("Host", "a")
		add("HOST", h.value())
	case 3: // none
	default:
		fields = append([]flowfile.Field{{Name: "Host", Value: host}}, fields...)
	}
	body := h.body()
	if r.Method == "HEAD" && h.IntN(2) == 0 {
		body = ""
	}
	expects := slices.ContainsFunc(fields, func(f flowfile.Field) bool { return f.Name == "Expect" })
	if h.IntN(4) == 0 && r.Version == "HTTP/1.1" && (body != "" || !expects) {
		add("Transfer-Encoding", "chunked")
	} else if body != "" || h.IntN(3) == 0 {
		at := h.IntN(len(fields) + 1)
		if at == 0 && len(fields) > 0 && fields[0].Name == "Host" {
			at = 1
		}
		length := flowfile.Field{Name: pick(h, []string{"Content-Length", "content-length"}), Value: strconv.Itoa(len(body))}
		fields = append(fields[:at:at], append([]flowfile.Field{length}, fields[at:]...)...)
	}
	r.Headers, r.Body = fields, flowfile.StringBody(body)
	return flowfile.New(flowfile.Head{ID: fmt.Sprintf("flow-%d", id), Request: flowfile.NewRequest(r)})
}

// bad are flows that no command can express, with the reason.
func (h *hostile) bad() map[string]*flowfile.Flow {
	flows := map[string]*flowfile.Flow{}
	add := func(why string, change func(*flowfile.RequestHead)) {
		r := flowfile.RequestHead{
			Method: "POST", Scheme: "http", Host: "127.0.0.1", Port: h.s.port, Path: "/bad",
			MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Body: flowfile.StringBody("")},
		}
		change(&r)
		flows[why] = flowfile.New(flowfile.Head{ID: fmt.Sprint("bad\n$(touch pwned)", len(flows)), Request: flowfile.NewRequest(r)})
	}
	field := func(name, value string) func(*flowfile.RequestHead) {
		return func(r *flowfile.RequestHead) { r.Headers = []flowfile.Field{{Name: name, Value: value}} }
	}
	add("a field holds a line break or NUL", field("X", "a\x00b"))
	add("a field holds a line break or NUL ", field("X\n", "a"))
	add("a field has no name", field("", "a"))
	add("a field's name holds a colon", field("a:b", "c"))
	add("a field's name begins with @, which curl takes for a file", field("@x", "c"))
	add("a field without value has a name with a semicolon", field("a;", ""))
	add("a field's value is spaces alone", field("a", "  "))
	add("its Transfer-Encoding is not chunked", field("Transfer-Encoding", "gzip"))
	add("it has no method", func(r *flowfile.RequestHead) { r.Method = "" })
	add("its method holds a space, a line break or NUL", func(r *flowfile.RequestHead) { r.Method = "A\nB" })
	add("CONNECT asks a proxy", func(r *flowfile.RequestHead) { r.Method = "CONNECT" })
	add("its path holds a line break or NUL", func(r *flowfile.RequestHead) { r.Path = "/\r\nX: y" })
	add("its host is no name and no address", func(r *flowfile.RequestHead) { r.Host = "a b" })
	add("its port is 0", func(r *flowfile.RequestHead) { r.Port = 0 })
	add("its scheme is \"file\"", func(r *flowfile.RequestHead) { r.Scheme = "file" })
	add("its version is HTTP/0.9", func(r *flowfile.RequestHead) { r.Version = "HTTP/0.9" })
	add("its body was cut", func(r *flowfile.RequestHead) { r.Body = r.Body.Truncate(9) })
	add("its body was not recorded", func(r *flowfile.RequestHead) {
		r.Body = flowfile.Body{}
		field("Content-Length", "5")(r)
	})
	add("it has trailers", func(r *flowfile.RequestHead) {
		t := flowfile.NewHeaders([]flowfile.Field{{Name: "A", Value: "b"}})
		r.Trailers = &t
	})
	add("curl does not end an empty chunked body", func(r *flowfile.RequestHead) {
		r.Headers = []flowfile.Field{{Name: "transfer-encoding", Value: "chunked"}, {Name: "expect", Value: "100-continue"}}
	})
	add("its head is too long for a command", field("a", strings.Repeat("x", 200_000)))
	return flows
}

// needTool skips a test that needs a program; CI has them all.
func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("FLOWKIT_CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed", name)
	}
}

// writeFlows writes flows as JSON lines.
func writeFlows(t *testing.T, flows []*flowfile.Flow) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "in.jsonl")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := jsonl.NewWriter(f, jsonl.Options{})
	if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestExportCurlRuns exports 200 hostile requests, and those that cannot be expressed, and
// runs what comes out with every shell there is. Each request must come out of the wire as
// it went in.
func TestExportCurlRuns(t *testing.T) {
	needTool(t, "curl")
	s := newWireServer(t)
	h := &hostile{rand.New(rand.NewPCG(7, 7)), s}
	var good, all []*flowfile.Flow
	for i := range 200 {
		f := h.flow(i)
		good, all = append(good, f), append(all, f)
	}
	var whys []string
	for why, f := range h.bad() {
		whys, all = append(whys, strings.TrimSpace(why)), append(all, f)
	}
	cmd := exec.Command("flowkit", "export", "--curl", "-q", "-r", writeFlows(t, all))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	script, err := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Fatalf("exit code %d, want 3: %v\n%s", code, err, &stderr)
	}
	if want := fmt.Sprintf("flowkit: %d requests cannot be expressed as curl; comments in the output say why\n", len(whys)); stderr.String() != want {
		t.Errorf("stderr is %q, want %q", &stderr, want)
	}
	for _, why := range whys {
		if !bytes.Contains(script, []byte(": "+why)) {
			t.Errorf("the output does not say that %s", why)
		}
	}
	if i := bytes.IndexFunc(script, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == '\ufffd' || r == '\u202e'
	}); i >= 0 {
		t.Errorf("the output could control a terminal: %q", script[max(0, i-20):i+20])
	}
	for _, shell := range []string{"sh", "dash", "bash", "zsh", "busybox"} {
		t.Run(shell, func(t *testing.T) {
			if shell == "zsh" || shell == "busybox" {
				if _, err := exec.LookPath(shell); err != nil {
					t.Skip(err)
				}
			}
			needTool(t, shell)
			runHostile(t, s, shell, script, good)
		})
	}
}

func runHostile(t *testing.T, s *wireServer, shell string, script []byte, flows []*flowfile.Flow) {
	s.take()
	dir, home := t.TempDir(), t.TempDir()
	name := filepath.Join(home, "script")
	if err := os.WriteFile(name, script, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".curlrc"), []byte("max-time = 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{name}
	if shell == "busybox" {
		args = []string{"sh", name}
	}
	cmd := exec.Command(shell, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Logf("%v\n%.2000s", err, out) // the last curl may have its own opinion of the response
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("the script made the file %s", left[0].Name())
	}
	got := s.take()
	if len(got) != len(flows) {
		t.Errorf("the server got %d requests, want %d", len(got), len(flows))
	}
	bad := 0
	for i := range min(len(got), len(flows)) {
		r := flows[i].Request()
		body, _ := r.Body().Bytes(-1)
		want := normal(wireHead(r))
		if have := normal(got[i].head); have != want || got[i].body != string(body) {
			t.Errorf("%s: the request came as\n%q\n%.200q\nwant\n%q\n%.200q", flows[i].ID(), have, got[i].body, want, body)
			if bad++; bad > 4 {
				break
			}
		}
	}
}

// wireHead is the head of r, written once more without package text.
func wireHead(r *flowfile.Request) string {
	target := r.Path()
	if r.Authority() != "" {
		target = "http://" + r.Authority() + r.Path()
	}
	s := r.Method() + " " + target + " " + r.Version() + "\r\n"
	for _, f := range r.Headers().Fields() {
		s += f.Name + ": " + f.Value + "\r\n"
	}
	return s + "\r\n"
}

// normal makes the space behind the colon of an empty field no difference, which is none
// in a flow.
func normal(head string) string { return strings.ReplaceAll(head, ": \r\n", ":\r\n") }

// TestExportCurlHTTP2 repeats a request over TLS and HTTP/2 at an address that is not the
// name in TLS, with an :authority that is neither.
func TestExportCurlHTTP2(t *testing.T) {
	needTool(t, "curl")
	requests := make(chan string, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- fmt.Sprintf("%s %s %s %s %s %v %q", r.TLS.ServerName, r.Proto, r.Method, r.Host, r.RequestURI, r.Header, body)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	r := flowfile.RequestHead{
		Method: "PUT", Scheme: "https", Host: "127.0.0.1", Port: s.Listener.Addr().(*net.TCPAddr).Port, Authority: "other.example", Path: "/%2f/../'a",
		MessageHead: flowfile.MessageHead{
			Version: "HTTP/2.0", Body: flowfile.StringBody("a\x00b"),
			Headers: []flowfile.Field{{Name: "z", Value: "1"}, {Name: "a", Value: "$(id)"}, {Name: "z"}, {Name: "cookie", Value: "c=d"}},
		},
	}
	f := flowfile.New(flowfile.Head{ID: "a", Request: flowfile.NewRequest(r), Server: &flowfile.Conn{TLS: true, SNI: "example.com"}})
	script := mustRun(t, exec.Command("flowkit", "export", "--curl", "-r", writeFlows(t, []*flowfile.Flow{f})))
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "CURL_CA_BUNDLE=" + ca}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	want := `example.com HTTP/2.0 PUT other.example /%2f/../'a map[A:[$(id)] Cookie:[c=d] Z:[1 ]] "a\x00b"`
	if got := <-requests; got != want {
		t.Errorf("the request came as\n%s\nwant\n%s\nof\n%s", got, want, script)
	}
}
