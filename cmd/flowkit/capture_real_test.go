package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A capturer is a flowkit capture that runs.
type capturer struct {
	t     *testing.T
	cmd   *exec.Cmd
	file  string
	addrs map[string]string // mode to host:port
	ca    string            // file of its authority's certificate
	heard io.Writer         // gets what it says on stderr, if it is not nil
	deaf  chan struct{}     // closed when it has said all
	ended bool
}

var listening = regexp.MustCompile(`listening on (\S+) \(([a-z0-9]+)`)

// capture starts flowkit capture with a listener for each mode. trust are PEM files of the authorities that it takes
// for the system's.
func capture(t *testing.T, trust []string, modes ...string) *capturer {
	t.Helper()
	dir := t.TempDir()
	c := &capturer{t: t, file: filepath.Join(dir, "x.flow"), addrs: make(map[string]string)}
	args := []string{"capture", "-w", c.file, "--confdir", filepath.Join(dir, "conf")}
	for _, m := range modes {
		args = append(args, "--mode", m+"@127.0.0.1:0")
	}
	c.cmd = exec.Command("flowkit", args...)
	c.start(trust, len(modes))
	c.ca = filepath.Join(dir, "ca.pem")
	cert := mustRun(t, exec.Command("flowkit", "ca", "--confdir", filepath.Join(dir, "conf"), "--pem"))
	check(t, os.WriteFile(c.ca, []byte(cert), 0o600))
	return c
}

func (c *capturer) start(trust []string, listeners int) {
	t := c.t
	t.Helper()
	c.cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+joined(t, trust), "SSL_CERT_DIR=/nonexistent")
	stderr, err := c.cmd.StderrPipe()
	check(t, err)
	check(t, c.cmd.Start())
	t.Cleanup(func() {
		if !c.ended {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	})
	stuck := time.AfterFunc(20*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer stuck.Stop()
	lines := bufio.NewReader(stderr)
	var said strings.Builder
	for len(c.addrs) < listeners {
		line, err := lines.ReadString('\n')
		said.WriteString(line)
		if err != nil {
			t.Fatalf("the proxy did not start: %v\n%s", err, said.String())
		}
		if m := listening.FindStringSubmatch(line); m != nil {
			c.addrs[m[2]] = m[1]
		}
	}
	if c.heard == nil {
		c.heard = io.Discard
	}
	_, _ = io.WriteString(c.heard, said.String())
	c.deaf = make(chan struct{})
	go func() { // ends with the process
		defer close(c.deaf)
		_, _ = io.Copy(c.heard, lines)
	}()
}

// stop sends SIGINT, wants a clean end, and returns the flows of the file.
func (c *capturer) stop() []recorded {
	c.t.Helper()
	check(c.t, c.cmd.Process.Signal(os.Interrupt))
	c.ended = true
	if err := c.cmd.Wait(); err != nil {
		c.t.Fatalf("after SIGINT: %v", err)
	}
	out := mustRun(c.t, exec.Command("flowkit", "export", "--json", "-q", "-r", c.file))
	var flows []recorded
	for dec := json.NewDecoder(strings.NewReader(out)); dec.More(); {
		var f recorded
		check(c.t, dec.Decode(&f))
		flows = append(flows, f)
	}
	return flows
}

// recorded is what the tests look at in a line of flowkit export --json.
type recorded struct {
	Request struct {
		Method, Path string
		Version      string `json:"http_version"`
		Headers      [][2]string
	}
	Response struct {
		Status int
		Body   struct{ Text string }
	}
}

// find returns the only flow of a path.
func find(t *testing.T, flows []recorded, path string) recorded {
	t.Helper()
	var found []recorded
	for _, f := range flows {
		if f.Request.Path == path && f.Request.Method != "CONNECT" {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d flows of %s in %d, want 1", len(found), path, len(flows))
	}
	return found[0]
}

// joined is one file with what is in all files.
func joined(t *testing.T, files []string) string {
	t.Helper()
	var all []byte
	for _, name := range files {
		b, err := os.ReadFile(name)
		check(t, err)
		all = append(all, b...)
	}
	file := filepath.Join(t.TempDir(), "trust.pem")
	check(t, os.WriteFile(file, all, 0o600))
	return file
}

// origin starts a server; with TLS it speaks HTTP/2 too, and trust is its certificate's file.
func origin(t *testing.T, tls bool, h http.Handler) (s *httptest.Server, trust []string) {
	t.Helper()
	s = httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	if !tls {
		s.Start()
		return s, nil
	}
	s.EnableHTTP2 = true
	s.StartTLS()
	file := filepath.Join(t.TempDir(), "origin.pem")
	check(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	return s, []string{file}
}

// need skips a test when a program is not there; in CI it fails.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			absent(t, "there is no "+p)
		}
	}
}

func absent(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("FLOWKIT_CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// mustRun returns the output of a program that has to succeed.
func mustRun(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, &stderr, time.Second
	check(t, cmd.Start())
	stuck := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hello answers with the version it was asked in.
var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "hello "+r.Proto)
})

func TestCaptureCurlModes(t *testing.T) {
	need(t, "curl")
	secure, trust := origin(t, true, hello)
	plain, _ := origin(t, false, hello)
	c := capture(t, trust, "regular", "socks5", "reverse:"+secure.URL)
	first := capture(t, []string{c.ca}, "upstream:http://"+c.addrs["regular"])
	tests := []struct {
		name, version string
		via           *capturer
		url           string
		args          []string
	}{
		{"regular-http", "HTTP/1.1", c, plain.URL, []string{"-x", "http://" + c.addrs["regular"]}},
		{"regular-h1", "HTTP/1.1", c, secure.URL, []string{"--http1.1", "-x", "http://" + c.addrs["regular"]}},
		{"regular-h2", "HTTP/2", c, secure.URL, []string{"--http2", "-x", "http://" + c.addrs["regular"]}},
		{"socks5-http", "HTTP/1.1", c, plain.URL, []string{"-x", "socks5h://" + c.addrs["socks5"]}},
		{"socks5-h1", "HTTP/1.1", c, secure.URL, []string{"--http1.1", "-x", "socks5h://" + c.addrs["socks5"]}},
		{"socks5-h2", "HTTP/2", c, secure.URL, []string{"--http2", "-x", "socks5://" + c.addrs["socks5"]}},
		{"reverse-http", "HTTP/1.1", c, "http://" + c.addrs["reverse"], nil},
		{"reverse-h1", "HTTP/1.1", c, "https://" + c.addrs["reverse"], []string{"--http1.1"}},
		{"reverse-h2", "HTTP/2", c, "https://" + c.addrs["reverse"], []string{"--http2"}},
		{"upstream-http", "HTTP/1.1", first, plain.URL, []string{"-x", "http://" + first.addrs["upstream"]}},
		{"upstream-h1", "HTTP/1.1", first, secure.URL, []string{"--http1.1", "-x", "http://" + first.addrs["upstream"]}},
		{"upstream-h2", "HTTP/2", first, secure.URL, []string{"--http2", "-x", "http://" + first.addrs["upstream"]}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"-sS", "--fail", "--noproxy", "", "--cacert", tt.via.ca, "-w", " %{http_version}"}, tt.args...)
			got := mustRun(t, exec.Command("curl", append(args, tt.url+"/"+tt.name)...))
			if !strings.HasPrefix(got, "hello HTTP/") || !strings.HasSuffix(got, " "+strings.TrimPrefix(tt.version, "HTTP/")) {
				t.Errorf("curl got %q", got)
			}
		})
	}
	files := map[*capturer][]recorded{c: c.stop(), first: first.stop()}
	for _, tt := range tests {
		f := find(t, files[tt.via], "/"+tt.name)
		if f.Response.Status != 200 || !strings.HasPrefix(f.Request.Version, tt.version) || !strings.HasPrefix(f.Response.Body.Text, "hello HTTP/") {
			t.Errorf("%s: recorded %+v", tt.name, f)
		}
	}
	find(t, files[c], "/upstream-h2") // the second proxy saw what came through the first
}

func TestCaptureTransparent(t *testing.T) {
	need(t, "curl", "unshare", "ip", "iptables")
	if os.Getenv("FLOWKIT_TEST_NETNS") == "" {
		if out, err := exec.Command("unshare", "-rn", "sh", "-c", "ip link set lo up && iptables -t nat -L -n").CombinedOutput(); err != nil {
			t.Skipf("no network namespace with iptables here: %v: %s", err, out)
		}
		self := exec.Command("unshare", "-rn", os.Args[0], "-test.run=^TestCaptureTransparent$", "-test.timeout=30s")
		self.Env = append(os.Environ(), "FLOWKIT_TEST_NETNS=1")
		mustRun(t, self)
		return
	}
	mustRun(t, exec.Command("ip", "link", "set", "lo", "up"))
	secure, trust := origin(t, true, hello)
	c := capture(t, trust, "transparent")
	_, port, err := net.SplitHostPort(c.addrs["transparent"])
	check(t, err)
	// The client is told from the proxy by its address.
	mustRun(t, exec.Command("iptables", "-t", "nat", "-A", "OUTPUT", "-s", "127.0.0.9", "-p", "tcp", "-j", "REDIRECT", "--to-ports", port))
	got := mustRun(t, exec.Command("curl", "-sS", "--fail", "--noproxy", "*", "--interface", "127.0.0.9", "--cacert", c.ca, secure.URL+"/t"))
	if !strings.HasPrefix(got, "hello") {
		t.Errorf("curl got %q", got)
	}
	if f := find(t, c.stop(), "/t"); f.Response.Status != 200 {
		t.Errorf("recorded %+v", f)
	}
}

const rawAnswer = "HTTP/1.1 200 Fine\r\nx-B: 1\r\nX-a: 2\r\nx-B: 3\r\nContent-Length: 2\r\n\r\nok"

// rawOrigin gives the heads of requests as they come, and answers each.
func rawOrigin(t *testing.T) (addr string, heads <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { l.Close() })
	ch := make(chan string, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var head strings.Builder
				for br := bufio.NewReader(conn); ; {
					line, err := br.ReadString('\n')
					if err != nil {
						return
					}
					if head.WriteString(line); line == "\r\n" {
						ch <- head.String()
						head.Reset()
						_, _ = io.WriteString(conn, rawAnswer)
					}
				}
			}()
		}
	}()
	return l.Addr().String(), ch
}

// Header bytes, pipelined, absolute-form and in a tunnel, reach the origin and the file as they were sent.
func TestCaptureHeaderBytes(t *testing.T) {
	addr, heads := rawOrigin(t)
	c := capture(t, nil, "regular")
	head := "zz-Top: 1\r\nAccept: b\r\naccept: a\r\nHOST: " + addr + "\r\nX-UPPER: 1\r\nx-upper: 2\r\n\r\n"
	for _, tunnel := range []bool{false, true} {
		conn, err := net.Dial("tcp", c.addrs["regular"])
		check(t, err)
		defer conn.Close()
		check(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
		br := bufio.NewReader(conn)
		prefix, path := "http://"+addr, "/abs"
		if tunnel {
			prefix, path = "", "/tunnel"
			_, err = io.WriteString(conn, "CONNECT "+addr+" HTTP/1.1\r\nHost: "+addr+"\r\n\r\n")
			check(t, err)
			resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodConnect})
			check(t, err)
			if resp.StatusCode != 200 {
				t.Fatalf("CONNECT: %s", resp.Status)
			}
		}
		_, err = io.WriteString(conn, "GET "+prefix+path+"1 HTTP/1.1\r\n"+head+"GET "+prefix+path+"2 HTTP/1.1\r\n"+head)
		check(t, err)
		got := make([]byte, 2*len(rawAnswer))
		_, err = io.ReadFull(br, got)
		check(t, err)
		if string(got) != rawAnswer+rawAnswer {
			t.Errorf("the client got %q", got)
		}
		for _, n := range []string{"1", "2"} {
			if got, want := <-heads, "GET "+path+n+" HTTP/1.1\r\n"+head; got != want {
				t.Errorf("the origin got\n%q, want\n%q", got, want)
			}
		}
	}
	flows := c.stop()
	for _, path := range []string{"/abs1", "/abs2", "/tunnel1", "/tunnel2"} {
		var names []string
		for _, h := range find(t, flows, path).Request.Headers {
			names = append(names, h[0])
		}
		if got := strings.Join(names, " "); got != "zz-Top Accept accept HOST X-UPPER x-upper" {
			t.Errorf("%s: recorded %s", path, got)
		}
	}
}

func TestCaptureServerSentEvents(t *testing.T) {
	need(t, "curl")
	next := make(chan struct{}, 1)
	secure, trust := origin(t, true, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: one\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-next:
			_, _ = io.WriteString(w, "data: two\n\n")
		case <-r.Context().Done():
		}
	}))
	c := capture(t, trust, "regular")
	versions := []string{"--http1.1", "--http2"}
	for _, v := range versions {
		cmd := exec.Command("curl", "-sSN", "--fail", v, "--noproxy", "", "-m", "10", "--cacert", c.ca, "-x", "http://"+c.addrs["regular"], secure.URL+"/"+v)
		out, err := cmd.StdoutPipe()
		check(t, err)
		check(t, cmd.Start())
		first := make([]byte, len("data: one\n\n"))
		if _, err := io.ReadFull(out, first); err != nil {
			t.Fatalf("the first event: %v", err)
		}
		next <- struct{}{} // only now may the origin go on
		rest, err := io.ReadAll(out)
		check(t, err)
		check(t, cmd.Wait())
		if string(rest) != "data: two\n\n" {
			t.Errorf("got %q", rest)
		}
	}
	flows := c.stop()
	for _, v := range versions {
		if f := find(t, flows, "/"+v); f.Response.Body.Text != "data: one\n\ndata: two\n\n" {
			t.Errorf("recorded %+v", f)
		}
	}
}

func TestCapturePythonRequests(t *testing.T) {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import requests").Run(); err != nil {
		absent(t, "there is no requests for "+python)
	}
	secure, trust := origin(t, true, hello)
	c := capture(t, trust, "regular")
	const script = `import sys, requests
s = requests.Session()
for n in "12":
    r = s.post(sys.argv[1] + "/py" + n, data="x" * 100, proxies={"https": sys.argv[2]}, verify=sys.argv[3])
    print(r.status_code, r.text.split("/")[0])
`
	got := mustRun(t, exec.Command(python, "-c", script, secure.URL, "http://"+c.addrs["regular"], c.ca))
	if got != "200 hello HTTP\n200 hello HTTP\n" {
		t.Errorf("requests got %q", got)
	}
	flows := c.stop()
	for _, path := range []string{"/py1", "/py2"} {
		if f := find(t, flows, path); f.Request.Method != "POST" || f.Response.Status != 200 {
			t.Errorf("recorded %+v", f)
		}
	}
}

// A pipeline runs while traffic flows and ends cleanly when its capture gets SIGINT; Debian's mitmdump reads the same
// flows as a dump.
func TestCapturePipeline(t *testing.T) {
	need(t, "bash", "curl", "mitmdump", "pgrep")
	plain, _ := origin(t, false, hello)
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "x.star"), []byte("def response(flow):\n    flow.comment = \"seen\"\n"), 0o600))
	const line = `set -o pipefail; flowkit capture --confdir conf --listen 127.0.0.1:0 --flush 50ms -w - | flowkit transform -q -s x.star | tee x.flow | flowkit export -q --har >x.har`
	c := &capturer{t: t, addrs: make(map[string]string), cmd: exec.Command("bash", "-c", line)}
	c.cmd.Dir = dir
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.start(nil, 1)
	t.Cleanup(func() {
		if !c.ended {
			_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	for range 3 {
		mustRun(t, exec.Command("curl", "-sS", "--fail", "--noproxy", "", "-x", "http://"+c.addrs["regular"], plain.URL+"/piped"))
	}
	pid, err := strconv.Atoi(strings.TrimSpace(mustRun(t, exec.Command("pgrep", "-P", strconv.Itoa(c.cmd.Process.Pid), "-f", "flowkit capture"))))
	check(t, err)
	check(t, syscall.Kill(pid, syscall.SIGINT))
	err = c.cmd.Wait()
	c.ended = true
	if err != nil {
		t.Fatalf("the pipeline: %v", err)
	}
	har, err := os.ReadFile(filepath.Join(dir, "x.har"))
	check(t, err)
	var doc struct {
		Log struct{ Entries []struct{ Comment string } }
	}
	check(t, json.Unmarshal(har, &doc))
	if n := len(doc.Log.Entries); n != 3 || doc.Log.Entries[0].Comment != "seen" {
		t.Errorf("%d entries: %+v", n, doc.Log.Entries)
	}
	dump := filepath.Join(dir, "x.mitm")
	mustRun(t, exec.Command("flowkit", "cat", "-q", "--mitm-version", "17", filepath.Join(dir, "x.flow"), "-w", dump))
	if got := mustRun(t, exec.Command("mitmdump", "-nr", dump)); strings.Count(got, "/piped") != 3 {
		t.Errorf("mitmdump: %s", got)
	}
}
