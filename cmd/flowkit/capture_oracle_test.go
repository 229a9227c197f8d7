package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestCaptureAsMitmdump runs the scripts of testdata/liveoracle in Debian's mitmdump 8.1.1 and in flowkit capture, both as
// live proxies, with the same clients and the same servers, and compares what the clients got, what the servers got, and
// what the scripts saw. Where the two differ, and flowkit means to, the case says so in its known function.
//
// In general flowkit means to differ in this:
//   - pages of the proxy's own, and what errors say, are in its own words: of the first only the status is compared, of the
//     second nothing but "Connection killed."
//   - a script that raised is the exit code 5; mitmdump's is 0
//
// mitmdump runs with connection_strategy=lazy, since flowkit with scripts does not ask a server before it knows what for.
// Only in front of TLS and of raw TCP it does: there mitmdump is eager, and asks when the client says CONNECT or connects.
func TestCaptureAsMitmdump(t *testing.T) {
	const python = "/usr/bin/python3"
	need(t, "mitmdump", python)
	env := &liveEnv{python: python, conf: t.TempDir(), cache: t.TempDir(), cert: liveCert(t)}
	// Making the keys of an authority takes its time, so it is made once; flowkit's --confdir takes mitmproxy's.
	mustRun(t, exec.Command(python, "-c", "import sys, mitmproxy.certs as c; c.CertStore.from_store(sys.argv[1], 'mitmproxy', 2048)", env.conf))
	for _, c := range liveCases {
		t.Run(cmp.Or(c.name, c.script), func(t *testing.T) {
			t.Parallel()
			c.compare(t, env)
		})
	}
}

// liveEnv is what the cases share.
type liveEnv struct {
	python, conf, cache string
	cert                tls.Certificate // of the servers with TLS
}

// liveCase is a script and the traffic that it sees.
type liveCase struct {
	name    string // that of the script without
	script  string
	more    []string // scripts behind it
	args    []string // for both proxies; ORIGIN is the server's address
	eager   bool
	mode    string // regular without
	serve   func(o *liveOrigin)
	traffic func(s *liveSide)
	last    string // the script's last line, and how often it comes
	times   int
	raises  bool
	stops   bool // by itself
	// known takes out what differs and is meant to.
	known func(s *liveSide, lines []string) []string
}

// compare fails if both differ each of three times: with proxies and servers of two kinds on a busy machine, timing differs
// now and then. What is different stays so.
func (c *liveCase) compare(t *testing.T, env *liveEnv) {
	for try := 1; ; try++ {
		var sides [2]*liveSide
		var wait sync.WaitGroup
		for i, flowkit := range []bool{false, true} {
			s := &liveSide{t: t, c: c, env: env, flowkit: flowkit, said: &said{}, logFile: filepath.Join(t.TempDir(), "log")}
			sides[i] = s
			wait.Go(s.run)
		}
		wait.Wait()
		if t.Failed() {
			return
		}
		want, got := sides[0].lines(), sides[1].lines()
		if slices.Equal(want, got) {
			return
		}
		diff := lineDiff(want, got)
		if try < 3 {
			t.Logf("attempt %d: - mitmdump, + flowkit\n%s", try, diff)
			continue
		}
		t.Errorf("- mitmdump, + flowkit\n%s", diff)
		t.Logf("mitmdump said:\n%s\nflowkit said:\n%s", sides[0].said, sides[1].said)
		return
	}
}

// lineDiff shows both texts as one, by their longest common subsequence.
func lineDiff(a, b []string) string {
	n := make([][]int, len(a)+1)
	for i := range n {
		n[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if n[i][j] = max(n[i+1][j], n[i][j+1]); a[i] == b[j] {
				n[i][j] = n[i+1][j+1] + 1
			}
		}
	}
	var out strings.Builder
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			fmt.Fprintf(&out, "  %s\n", a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && n[i+1][j] >= n[i][j+1]:
			fmt.Fprintf(&out, "- %s\n", a[i])
			i++
		default:
			fmt.Fprintf(&out, "+ %s\n", b[j])
			j++
		}
	}
	return out.String()
}

// liveSide is one of the proxies with a script, its client and its servers.
type liveSide struct {
	t       *testing.T
	c       *liveCase
	env     *liveEnv
	flowkit bool
	said    *said
	logFile string
	proxy   string // host:port
	dead    string // nothing listens there
	code    int

	origin, other *liveOrigin

	mu  sync.Mutex
	got []string // by the client
}

func (s *liveSide) fail(format string, args ...any) {
	name := "mitmdump"
	if s.flowkit {
		name = "flowkit"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t.Errorf(name+": "+format+"\n%s\n%s", append(args, strings.Join(s.got, "\n"), s.said)...)
	runtime.Goexit()
}

func (s *liveSide) check(err error) {
	if err != nil {
		s.fail("%v", err)
	}
}

// run runs the proxy with the case's traffic.
func (s *liveSide) run() {
	s.origin, s.other = s.listen("origin"), s.listen("other")
	defer s.origin.Close()
	defer s.other.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	s.check(err)
	s.dead = l.Addr().String()
	l.Close()

	cmd := s.command()
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = s.said, s.said, time.Second
	s.check(cmd.Start())
	stuck := time.AfterFunc(40*time.Second, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	defer func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		text := s.said.String()
		m := liveListening.FindStringSubmatch(text)
		if m != nil && strings.Contains(text, "ready\n") {
			s.proxy = m[1]
			break
		}
		if time.Now().After(end) {
			s.fail("it does not start")
		}
	}
	s.c.traffic(s)
	if s.c.last != "" {
		s.await(s.c.last, max(s.c.times, 1))
	}
	if !s.c.stops {
		s.check(cmd.Process.Signal(os.Interrupt))
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.fail("%v", err)
	}
	s.code = cmd.ProcessState.ExitCode()
	want := 0
	if s.flowkit && s.c.raises {
		want = 5
	}
	if s.code != want {
		s.fail("exit code %d, want %d", s.code, want)
	}
	if !s.flowkit && strings.Contains(s.said.String(), "Traceback") != s.c.raises {
		s.fail("an exception: %v", !s.c.raises)
	}
}

var liveListening = regexp.MustCompile(`listening (?:on|at) (?:http://)?(\d+\.\d+\.\d+\.\d+:\d+)`)

func (s *liveSide) command() *exec.Cmd {
	mode := s.expand(cmp.Or(s.c.mode, "regular"))
	var args []string
	for _, name := range append(append([]string{s.c.script}, s.c.more...), "_ready") {
		args = append(args, "-s", "testdata/liveoracle/"+name+".py")
	}
	for _, a := range s.c.args {
		args = append(args, s.expand(a))
	}
	var cmd *exec.Cmd
	if s.flowkit {
		cmd = exec.Command("flowkit", append([]string{
			"capture", "--mode", mode + "@127.0.0.1:0", "--insecure", "--confdir", s.env.conf, "-w", filepath.Join(s.t.TempDir(), "x.flow"),
			"--python", s.env.python, "--log-level", "debug",
		}, args...)...)
	} else {
		strategy := "lazy"
		if s.c.eager {
			strategy = "eager"
		}
		cmd = exec.Command("mitmdump", append([]string{
			"--mode", mode, "--listen-host", "127.0.0.1", "--listen-port", "0", "--ssl-insecure", "--set", "confdir=" + s.env.conf,
			"--set", "flow_detail=0", "--set", "connection_strategy=" + strategy,
		}, args...)...)
	}
	cmd.Env = append(os.Environ(), "LIVE_LOG="+s.logFile, "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1", "TZ=UTC", "XDG_CACHE_HOME="+s.env.cache)
	return cmd
}

// await waits for lines of the script; if they do not come, the comparison shows it.
func (s *liveSide) await(line string, times int) {
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if strings.Count(s.read(), line) >= times {
			return
		}
	}
}

func (s *liveSide) read() string {
	b, err := os.ReadFile(s.logFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.fail("%v", err)
	}
	return string(b)
}

// names are the words for what has another address in each run.
func (s *liveSide) names() []string {
	var all []string
	for _, n := range [][2]string{{s.origin.addr, "ORIGIN"}, {s.other.addr, "OTHER"}, {s.dead, "DEAD"}, {s.proxy, "PROXY"}} {
		if n[0] != "" {
			_, port, _ := net.SplitHostPort(n[0])
			all = append(all, n[0], n[1], port, n[1]+"PORT")
		}
	}
	return all
}

func (s *liveSide) expand(text string) string {
	n := s.names()
	for i := 0; i < len(n); i += 2 {
		n[i], n[i+1] = n[i+1], n[i]
	}
	return strings.NewReplacer(n...).Replace(text)
}

// lines are what was seen, comparable.
func (s *liveSide) lines() []string {
	all := append([]string(nil), "-- client --")
	all = append(append(all, s.got...), "-- server --")
	for _, o := range []*liveOrigin{s.origin, s.other} {
		all = append(all, o.lines()...)
	}
	all = append(all, "-- script --")
	all = append(all, strings.Split(strings.TrimSuffix(s.read(), "\n"), "\n")...)
	r := strings.NewReplacer(s.names()...)
	for i, line := range all {
		all[i] = r.Replace(line)
	}
	if s.c.known != nil {
		all = s.c.known(s, all)
	}
	return all
}

func (s *liveSide) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, fmt.Sprintf(format, args...))
}

// liveConn is a connection of the client's.
type liveConn struct {
	net.Conn
	s    *liveSide
	br   *bufio.Reader
	name string
}

func (s *liveSide) dial() *liveConn {
	conn, err := net.Dial("tcp", s.proxy)
	s.check(err)
	s.check(conn.SetDeadline(time.Now().Add(15 * time.Second)))
	return &liveConn{Conn: conn, s: s, br: bufio.NewReader(conn)}
}

func (c *liveConn) send(text string) {
	_, err := io.WriteString(c, c.s.expand(text))
	c.s.check(err)
}

// ask sends a request to a proxy that the client knows of, and reads the response.
func (c *liveConn) ask(method, path, fields, body string) {
	c.begin(method, "http://ORIGIN"+path, fields, body)
	c.response(method)
}

// askIn does so in a tunnel, or of a server.
func (c *liveConn) askIn(method, path, fields, body string) {
	c.begin(method, path, fields, body)
	c.response(method)
}

func (c *liveConn) begin(method, target, fields, body string) {
	c.s.note("%s> %s %s", c.name, method, target)
	host := "ORIGIN"
	if u, ok := strings.CutPrefix(target, "http://"); ok {
		host, _, _ = strings.Cut(u, "/")
	}
	text := method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields
	if body != "" && !strings.Contains(fields, "Transfer-Encoding") {
		text += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	c.send(text + "\r\n" + body)
}

// response reads a response and notes it.
func (c *liveConn) response(method string) {
	head, err := liveHead(c.br)
	if err != nil {
		c.s.note("%s< closed behind %q", c.name, head)
		return
	}
	lines := strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n")
	status, _ := strconv.Atoi(strings.Fields(lines[0] + " 0 0")[1])
	none := method == "HEAD" || method == "CONNECT" && status < 300 || status == 204 || status == 304 || status < 200
	body, how, err := liveBody(c.br, head, none, false)
	if liveField(head, "server") == "flowkit" || strings.HasPrefix(liveField(head, "server"), "mitmproxy") {
		c.s.note("%s< %d, a page of the proxy's own", c.name, status)
		return
	}
	for _, line := range lines {
		c.s.note("%s< %s", c.name, line)
	}
	c.s.note("%s< %s", c.name, described(body, how, err))
}

// closed notes that the proxy ends the connection, and what came before.
func (c *liveConn) closed() {
	b, err := io.ReadAll(c.br)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		c.s.note("%s< not closed, %q", c.name, b)
		return
	}
	c.s.note("%s< closed behind %q", c.name, b)
}

// tunnel asks for one to the server.
func (c *liveConn) tunnel(fields string) {
	c.s.note("%s> CONNECT", c.name)
	c.send("CONNECT ORIGIN HTTP/1.1\r\nHost: ORIGIN\r\n" + fields + "\r\n")
	head, err := liveHead(c.br)
	line, _, _ := strings.Cut(head, "\r\n")
	if err != nil || !strings.Contains(line, " 200 ") {
		c.s.fail("CONNECT: %q, %v", head, err)
	}
}

// socks asks for a connection to the server (RFC 1928).
func (c *liveConn) socks() {
	_, port, _ := net.SplitHostPort(c.s.origin.addr)
	n, err := strconv.Atoi(port)
	c.s.check(err)
	c.send("\x05\x01\x00")
	var answer [12]byte
	_, err = io.ReadFull(c.br, answer[:2])
	c.s.check(err)
	c.send("\x05\x01\x00\x01\x7f\x00\x00\x01" + string([]byte{byte(n >> 8), byte(n)}))
	_, err = io.ReadFull(c.br, answer[2:])
	c.s.check(err)
	c.s.note("< %q", answer[:4])
}

// secure begins TLS within the connection.
func (c *liveConn) secure(name string, verify bool, protos ...string) {
	t := tls.Client(c.Conn, &tls.Config{ServerName: name, InsecureSkipVerify: !verify, NextProtos: protos})
	if err := t.Handshake(); err != nil {
		c.s.note("%s< no TLS", c.name)
		return
	}
	st := t.ConnectionState()
	cert := st.PeerCertificates[0]
	whose := "the proxy's"
	if bytes.Equal(cert.Raw, c.s.env.cert.Certificate[0]) {
		whose = "the server's"
	}
	c.s.note("%s< TLS, a certificate of %s: %s %s, %q", c.name, whose, cert.Subject.CommonName, cert.DNSNames, st.NegotiatedProtocol)
	c.Conn, c.br = t, bufio.NewReader(t)
}

// liveHead reads to the empty line.
func liveHead(br *bufio.Reader) (string, error) {
	var head strings.Builder
	for {
		line, err := br.ReadString('\n')
		head.WriteString(line)
		if err != nil {
			return head.String(), err
		}
		if line == "\r\n" {
			return head.String(), nil
		}
	}
}

func liveField(head, name string) string {
	for _, line := range strings.Split(head, "\r\n") {
		if n, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// liveBody reads a body and tells how it was framed. How many chunks it came in is not compared.
func liveBody(br *bufio.Reader, head string, none, request bool) (body []byte, how string, err error) {
	length := liveField(head, "content-length")
	switch {
	case none:
		return nil, "no body", nil
	case strings.EqualFold(liveField(head, "transfer-encoding"), "chunked"):
		for {
			line, err := br.ReadString('\n')
			if err != nil {
				return body, "chunked", err
			}
			n, err := strconv.ParseInt(strings.TrimSpace(line), 16, 32)
			if err != nil {
				return body, "chunked", err
			}
			chunk := make([]byte, n+2)
			k, err := io.ReadFull(br, chunk)
			body = append(body, chunk[:min(k, int(n))]...)
			if err != nil || n == 0 {
				return body, "chunked", err
			}
		}
	case length != "":
		n, err := strconv.Atoi(length)
		if err != nil {
			return nil, "of a length", err
		}
		body = make([]byte, n)
		k, err := io.ReadFull(br, body)
		return body[:k], "of a length", err
	case request:
		return nil, "no body", nil
	}
	body, err = io.ReadAll(br)
	return body, "to the end", err
}

func described(body []byte, how string, err error) string {
	if r, gerr := gzip.NewReader(bytes.NewReader(body)); gerr == nil {
		if plain, gerr := io.ReadAll(r); gerr == nil {
			body, how = plain, how+", gzip"
		}
	}
	text := fmt.Sprintf("[%s: %q]", how, body)
	if len(body) > 1000 {
		text = fmt.Sprintf("[%s: %d bytes, %x]", how, len(body), sha1.Sum(body))
	}
	if err != nil {
		text += " cut short"
	}
	return text
}

// liveOrigin is a server that notes what it is asked.
type liveOrigin struct {
	net.Listener
	s     *liveSide
	name  string
	addr  string
	mu    sync.Mutex
	asked []string
}

func (s *liveSide) listen(name string) *liveOrigin {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	s.check(err)
	o := &liveOrigin{Listener: l, s: s, name: name, addr: l.Addr().String()}
	serve := s.c.serve
	if serve == nil || name == "other" {
		serve = (*liveOrigin).http
	}
	go serve(o)
	return o
}

func (o *liveOrigin) note(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, o.name+" < "+fmt.Sprintf(format, args...))
}

func (o *liveOrigin) lines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.asked...)
}

// each serves connections until the listener is closed.
func (o *liveOrigin) each(serve func(net.Conn)) {
	for {
		conn, err := o.Accept()
		if err != nil {
			return
		}
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		go func() {
			defer conn.Close()
			serve(conn)
		}()
	}
}

func (o *liveOrigin) http() { o.each(o.requests) }

// https is a server of HTTP/1 over TLS.
func (o *liveOrigin) https() {
	o.each(func(conn net.Conn) {
		if t := o.tls(conn); t != nil {
			o.requests(t)
		}
	})
}

func (o *liveOrigin) tls(conn net.Conn) *tls.Conn {
	t := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{o.s.env.cert}, NextProtos: []string{"http/1.1"}})
	if t.Handshake() != nil {
		return nil
	}
	return t
}

// http2 is a server of HTTP/2.
func (o *liveOrigin) http2() {
	srv := &http.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{o.s.env.cert}}, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			var names []string
			for n, v := range r.Header {
				names = append(names, n+": "+strings.Join(v, ", "))
			}
			slices.Sort(names)
			o.note("%s %s %s %s %q %q %v %v", r.Proto, r.Method, r.Host, r.RequestURI, names, body, err, r.Trailer)
			w.Header()["Date"] = nil
			if len(r.Trailer) > 0 {
				w.Header().Set("Trailer", "X-R")
				defer w.Header().Set("X-R", "of the server")
			}
			w.Header().Set("X-Got", strconv.Itoa(len(body)))
			_, _ = io.WriteString(w, "over HTTP/2 "+r.URL.Path)
		}),
	}
	_ = srv.ServeTLS(o.Listener, "", "")
}

// echo is a server of lines, which speaks first.
func (o *liveOrigin) echo() {
	o.each(func(conn net.Conn) { o.talk(conn, bufio.NewReader(conn)) })
}

// babble is a server that answers what it does not understand.
func (o *liveOrigin) babble() {
	o.each(func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "What?\n")
	})
}

func (o *liveOrigin) talk(conn net.Conn, br *bufio.Reader) {
	_, _ = io.WriteString(conn, "some tea?\n")
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			o.note("end behind %q", line)
			return
		}
		o.note("%q", line)
		_, _ = io.WriteString(conn, "you said "+line)
	}
}

// requests answers those of a connection. What it answers depends on the last part of the path.
func (o *liveOrigin) requests(conn net.Conn) {
	for br := bufio.NewReader(conn); ; {
		head, err := liveHead(br)
		if err != nil {
			return
		}
		body, how, err := liveBody(br, head, false, true)
		lines := strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n")
		for _, line := range lines {
			o.note("%s", line)
		}
		o.note("%s", described(body, how, err))
		if err != nil {
			return
		}
		first := strings.Fields(lines[0] + " - -")
		path, _, _ := strings.Cut(first[1], "?")
		if !o.answer(conn, br, head, first[0], path[strings.LastIndexByte(path, '/')+1:]) {
			return
		}
	}
}

const liveFields = "Content-Type: text/plain\r\nx-dup: 1\r\nX-Dup: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=2; Path=/\r\n"

// answer answers a request, and tells whether the connection goes on.
func (o *liveOrigin) answer(conn net.Conn, br *bufio.Reader, head, method, what string) bool {
	start := "HTTP/1.1 200 OK\r\nX-Origin: " + o.name + "\r\n"
	say := func(text string) { _, _ = io.WriteString(conn, text) }
	whole := func(fields, body string) {
		text := start + fields + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))
		if method != "HEAD" {
			text += body
		}
		say(text) // at once: where it is no HTTP to the proxy, it is one message
	}
	if method == http.MethodConnect {
		say("HTTP/1.1 200 OK\r\n\r\n")
		if t := o.tls(conn); t != nil {
			o.requests(t)
		}
		return false
	}
	switch what {
	case "json":
		whole("Content-Type: application/json\r\n", `{"a": "é"}`)
	case "gzip":
		whole("Content-Encoding: gzip\r\nContent-Type: text/plain; charset=utf-8\r\n", liveGzip("some gzip content"))
	case "chunked":
		say(start + "Transfer-Encoding: chunked\r\n\r\n3\r\nOne\r\n")
		time.Sleep(20 * time.Millisecond) // what it takes for a proxy to see two pieces
		say("4\r\n Two\r\n0\r\n\r\n")
	case "eof":
		say(start + "\r\nto the end")
		return false
	case "close":
		whole("Connection: close\r\n", "the last one")
		return false
	case "missing":
		say("HTTP/1.1 404 Not Here\r\nContent-Length: 0\r\n\r\n")
	case "nothing":
		say("HTTP/1.1 204 No Content\r\nX-Origin: " + o.name + "\r\n\r\n")
	case "hangup":
		return false
	case "reset":
		if t, ok := conn.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		return false
	case "large":
		whole("", strings.Repeat("0123456789abcdef", 8<<20/16))
	case "slow":
		_, _ = br.ReadByte() // until the client has gone
		return false
	case "half":
		say(start + "Content-Length: 100\r\n\r\nhalf")
		return false
	case "nonsense":
		say("this is no HTTP\r\n\r\n")
		return false
	case "upgrade":
		say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\n")
		o.talk(conn, br)
		return false
	case "ws":
		sum := sha1.Sum([]byte(liveField(head, "Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
			base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n")
		o.webSocket(conn, br)
		return false
	default:
		whole(liveFields, "hello from "+o.name+" /"+what+"\n")
	}
	return true
}

func liveGzip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

// webSocket answers messages with their echo, and a close with a close.
func (o *liveOrigin) webSocket(conn net.Conn, br *bufio.Reader) {
	for {
		first, data, err := liveFrame(br)
		if err != nil {
			o.note("end of frames")
			return
		}
		o.note("frame %#x %q", first, data)
		switch first & 0xF {
		case 8:
			sendFrame(conn, first, string(data), false)
			return
		case 9:
			sendFrame(conn, 0x8A, string(data), false)
		case 0, 1, 2:
			switch {
			case string(data) == "bye":
				sendFrame(conn, 0x88, "\x0f\xa1so long", false)
			case string(data) == "break":
				sendFrame(conn, 0x83, "", false) // RFC 6455 §5.2: reserved
			case first == 0x80:
				sendFrame(conn, 0x81, "echo the last of "+string(data), false)
			case first > 0x80:
				sendFrame(conn, first, "echo "+string(data), false)
			}
		}
	}
}

// liveFrame reads one of less than 64 KiB (RFC 6455 §5.2).
func liveFrame(br *bufio.Reader) (first byte, data []byte, err error) {
	var h [4]byte
	if _, err = io.ReadFull(br, h[:2]); err != nil {
		return 0, nil, err
	}
	first = h[0]
	n, masked := int(h[1]&0x7F), h[1]&0x80 != 0
	if n == 126 {
		if _, err = io.ReadFull(br, h[:2]); err != nil {
			return 0, nil, err
		}
		n = int(binary.BigEndian.Uint16(h[:2]))
	}
	var mask [4]byte
	if masked {
		if _, err = io.ReadFull(br, mask[:]); err != nil {
			return 0, nil, err
		}
	}
	data = make([]byte, n)
	_, err = io.ReadFull(br, data)
	for i := range data {
		data[i] ^= mask[i%4]
	}
	return first, data, err
}

// sendFrame writes one of less than 126 bytes.
func sendFrame(w io.Writer, first byte, data string, masked bool) {
	b := []byte{first, byte(len(data))}
	if masked {
		b[1] |= 0x80
		b = append(b, 0, 0, 0, 0)
	}
	_, _ = w.Write(append(b, data...))
}

// liveCert is a certificate that nobody vouches for.
func liveCert(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "origin.example", Organization: []string{"Origin Ltd"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"origin.example", "private.example"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// apart puts lines behind the others.
func apart(lines []string, match string) []string {
	re := regexp.MustCompile(match)
	var first, last []string
	for _, line := range lines {
		if re.MatchString(line) {
			last = append(last, line)
		} else {
			first = append(first, line)
		}
	}
	return append(first, last...)
}

// dropLines takes out lines.
func dropLines(lines []string, match string) []string {
	re := regexp.MustCompile(match)
	return slices.DeleteFunc(lines, re.MatchString)
}

// sub rewrites lines.
func sub(lines []string, match, with string) []string {
	re := regexp.MustCompile(match)
	for i, line := range lines {
		lines[i] = re.ReplaceAllString(line, with)
	}
	return lines
}
