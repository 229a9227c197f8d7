package live_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"flowkit/live"
	"flowkit/live/internal/http2"
	"flowkit/replay"
)

// smuggled is a case of internal/http1/testdata/smuggling; see README.md there.
type smuggled struct {
	name     string
	response bool
	method   string
	in       string
	verb     string // refuse, cut or forward
	status   int
	words    string
	out      string
	rest     string
}

var repeated = regexp.MustCompile(`\{(\d+)\*([^}]*)\}`)

// smugglingCorpus reads the cases of requests or those of responses.
func smugglingCorpus(t *testing.T, response bool) []smuggled {
	t.Helper()
	files, err := filepath.Glob("internal/http1/testdata/smuggling/*.txt")
	check(t, err)
	var all []*smuggled
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(t, err)
		var c *smuggled
		var to *string
		for i, line := range strings.Split(string(text), "\n") {
			word, arg, _ := strings.Cut(line, " ")
			switch word {
			case "", "from", "expect":
			case "case":
				c = &smuggled{name: strings.TrimSuffix(filepath.Base(file), ".txt") + "/" + arg}
				all = append(all, c)
			case "request", "response":
				c.response, c.method, to = word == "response", arg, &c.in
			case "refuse", "cut":
				status, words, _ := strings.Cut(arg, " ")
				c.verb, c.words = word, words
				c.status, err = strconv.Atoi(status)
				check(t, err)
			case "forward":
				c.verb, to = word, &c.out
			case "rest":
				to = &c.rest
			case "|":
				*to += unescape(t, arg)
			default:
				t.Fatalf("%s:%d: %q is not a line of a case", file, i+1, line)
			}
		}
	}
	var cases []smuggled
	for _, c := range all {
		if c.response == response {
			cases = append(cases, *c)
		}
	}
	return cases
}

func unescape(t *testing.T, line string) string {
	t.Helper()
	line = repeated.ReplaceAllStringFunc(line, func(s string) string {
		m := repeated.FindStringSubmatch(s)
		n, _ := strconv.Atoi(m[1])
		return strings.Repeat(m[2], n)
	})
	line, open := strings.CutSuffix(line, `\`)
	if !open {
		line += `\r\n`
	}
	line = strings.ReplaceAll(strings.ReplaceAll(line, `\0`, `\x00`), `"`, `\"`)
	s, err := strconv.Unquote(`"` + line + `"`)
	check(t, err)
	return s
}

// heardRequest is a request as a server understands it that takes no liberty.
type heardRequest struct {
	line     string
	fields   string // as they came
	body     string
	trailers string // as they came
}

func (r *heardRequest) String() string {
	return fmt.Sprintf("%q %q, body %q, trailers %q", r.line, r.fields, r.body, r.trailers)
}

// loose is what a server that takes no liberty does not read, as another server might read it otherwise.
type loose string

func (e loose) Error() string { return "the origin cannot be sure of it: " + string(e) }

// readStrictly reads a request to its end by RFC 9112. It shares nothing with the proxy's codec. The error is io.EOF if
// there is none, io.ErrUnexpectedEOF if it has no end, loose if it is anything but clear.
func readStrictly(br *bufio.Reader) (r heardRequest, err error) {
	if r.line, err = strictLine(br); err != nil {
		return r, err
	}
	parts := strings.Split(r.line, " ")
	if len(parts) != 3 || !isName(parts[0]) || parts[2] != "HTTP/1.1" && parts[2] != "HTTP/1.0" ||
		parts[1] == "" || parts[1][0] != '/' || strings.ContainsFunc(parts[1], func(c rune) bool { return c <= ' ' || c == 0x7f || c == '#' }) {
		return r, loose("the request line " + strconv.Quote(r.line))
	}
	said := make(map[string][]string)
	if r.fields, err = strictFields(br, said); err != nil {
		return r, err
	}
	length, coding, host := said["content-length"], said["transfer-encoding"], said["host"]
	switch {
	case len(host) > 1 || len(host) == 0 && parts[2] == "HTTP/1.1":
		return r, loose(fmt.Sprintf("hosts %q", host))
	case len(host) == 1 && strings.ContainsAny(host[0], " \t,/?#@"):
		return r, loose(fmt.Sprintf("host %q", host[0]))
	case len(length) > 1 || len(coding) > 1 || len(length)+len(coding) > 1:
		return r, loose(fmt.Sprintf("lengths %q and codings %q", length, coding))
	case len(coding) == 1 && (!strings.EqualFold(coding[0], "chunked") || parts[2] == "HTTP/1.0"):
		return r, loose(fmt.Sprintf("coding %q", coding[0]))
	case len(coding) == 1:
		r.body, r.trailers, err = strictChunks(br)
		return r, err
	case len(length) == 0:
		return r, nil
	}
	n, err := strconv.ParseUint(length[0], 10, 31)
	if err != nil || strconv.FormatUint(n, 10) != length[0] {
		return r, loose(fmt.Sprintf("length %q", length[0]))
	}
	body := make([]byte, n)
	k, err := io.ReadFull(br, body)
	r.body = string(body[:k])
	return r, ended(err)
}

// ended makes of an end that comes too early an error that says so.
func ended(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// strictLine reads a line that ends in CRLF, with no other control byte but tabs.
func strictLine(br *bufio.Reader) (string, error) {
	line, err := br.ReadString('\n')
	if err != nil {
		if line != "" {
			err = ended(err)
		}
		return line, err
	}
	line, crlf := strings.CutSuffix(line, "\r\n")
	if !crlf || strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return line, loose("the line " + strconv.Quote(line))
	}
	return line, nil
}

// strictFields reads fields and the empty line behind them. Names that some take for each other are one in said.
func strictFields(br *bufio.Reader, said map[string][]string) (string, error) {
	var all strings.Builder
	for {
		line, err := strictLine(br)
		if err != nil {
			return all.String(), ended(err)
		}
		if line == "" {
			return all.String(), nil
		}
		all.WriteString(line + "\r\n")
		name, value, colon := strings.Cut(line, ":")
		if !colon || !isName(name) {
			return all.String(), loose("the field " + strconv.Quote(line))
		}
		name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
		said[name] = append(said[name], strings.Trim(value, " \t"))
	}
}

func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !strings.ContainsRune("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", c)
	})
}

func strictChunks(br *bufio.Reader) (body, trailers string, err error) {
	for {
		line, err := strictLine(br)
		if err != nil {
			return body, "", ended(err)
		}
		n, err := strconv.ParseUint(line, 16, 31)
		if err != nil || strings.HasPrefix(line, "+") {
			return body, "", loose("the chunk size " + strconv.Quote(line))
		}
		if n == 0 {
			said := make(map[string][]string)
			trailers, err = strictFields(br, said)
			for _, name := range []string{"content-length", "transfer-encoding", "host"} {
				if err == nil && said[name] != nil {
					err = loose("a trailer " + name)
				}
			}
			return body, trailers, err
		}
		data := make([]byte, n+2)
		k, err := io.ReadFull(br, data)
		if err != nil {
			return body + string(data[:min(k, int(n))]), "", ended(err)
		}
		if string(data[n:]) != "\r\n" {
			return body, "", loose(fmt.Sprintf("%q behind a chunk", data[n:]))
		}
		body += string(data[:n])
	}
}

// heard is what came over one connection to an origin: all bytes, the whole requests among them, and why there are no
// more (io.EOF: there was nothing more).
type heard struct {
	raw      string
	requests []heardRequest
	err      error
}

func (h heard) String() string {
	return fmt.Sprintf("%d requests and then %v: %q", len(h.requests), h.err, short(h.raw))
}

// strictOrigin answers what is clear, with the method and the target, and keeps what it heard.
type strictOrigin struct {
	addr string

	mu    sync.Mutex
	begun int // connections
	ended int
	heard map[int]heard
}

func newStrictOrigin(t *testing.T, cert *tls.Certificate) *strictOrigin {
	t.Helper()
	o := &strictOrigin{heard: make(map[int]heard)}
	o.addr = rawOrigin(t, func(n int, w *wire) {
		o.mu.Lock()
		o.begun = max(o.begun, n)
		o.mu.Unlock()
		h := o.serve(overTLS(t, w, cert))
		o.mu.Lock()
		defer o.mu.Unlock()
		o.heard[n] = h
		o.ended++
	})
	return o
}

// overTLS makes TLS of an origin's end of a connection if there is a certificate.
func overTLS(t *testing.T, w *wire, cert *tls.Certificate) *wire {
	if cert == nil {
		return w
	}
	return newWire(t, tls.Server(w.Conn, &tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: []string{"http/1.1"}}))
}

func (o *strictOrigin) serve(w *wire) (h heard) {
	var raw bytes.Buffer
	defer func() { h.raw = raw.String() }()
	br := bufio.NewReader(io.TeeReader(w, &raw))
	for {
		r, err := readStrictly(br)
		if err != nil {
			if h.err = err; err != io.EOF {
				w.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				_ = w.Conn.(interface{ CloseWrite() error }).CloseWrite()
			}
			_, _ = io.Copy(io.Discard, br) // whatever else there is, into raw
			return h
		}
		h.requests = append(h.requests, r)
		body := r.line[:strings.LastIndexByte(r.line, ' ')]
		w.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	}
}

// take returns what was heard since it was asked last, when all connections have ended.
func (o *strictOrigin) take(t *testing.T) []heard {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Microsecond) {
		o.mu.Lock()
		if o.ended == o.begun {
			break
		}
		o.mu.Unlock()
		if time.Now().After(end) {
			t.Fatal("a connection to the origin does not end")
		}
	}
	defer o.mu.Unlock()
	var all []heard
	for n := 1; n <= o.begun; n++ {
		if h, ok := o.heard[n]; ok {
			all = append(all, h)
		}
	}
	clear(o.heard)
	return all
}

// idle waits until the proxy has no connection of a client.
func (r *rig) idle() {
	r.t.Helper()
	for end := time.Now().Add(10 * time.Second); r.p.Stats().Active > 0; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			r.t.Fatal("a connection of a client does not end")
		}
	}
}

// recorded returns the flows that have ended.
func (r *rig) recorded() []*kept {
	var all []*kept
	for {
		select {
		case k := <-r.flows.ended:
			all = append(all, k)
		default:
			return all
		}
	}
}

// logLines returns the log since the last call.
func (r *rig) logLines() string {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	s := r.log.b.String()
	r.log.b.Reset()
	return s
}

// way is a way through the proxy to an origin.
type way struct {
	name    string
	mode    live.ModeKind
	handled bool // bodies are held for a handler
	tunnel  bool
	tls     bool
	warm    bool // a good request comes first, so that the connection is one of HTTP
}

// open starts a proxy for an origin that listen makes, over TLS if it is given a certificate; it returns its address.
func (y *way) open(t *testing.T, listen func(cert *tls.Certificate) string) (*rig, string) {
	t.Helper()
	cert, pool := certificate(t, nil)
	var addr string
	if y.tls {
		addr = listen(&cert)
	} else {
		addr = listen(nil)
	}
	return start(t, func(o *live.Options) {
		o.Roots = pool
		if y.mode != live.Regular {
			o.Modes = []live.Mode{{Kind: y.mode, Scheme: "http", Host: "127.0.0.1", Port: portOf(addr)}}
		}
		if y.handled {
			o.Handler = on(nothing, everything...)
		}
	}), addr
}

func portOf(addr string) int { return int(netip.MustParseAddrPort(addr).Port()) }

// explicit: the targets are absolute.
func (y *way) explicit() bool { return y.mode == live.Regular && !y.tunnel }

// dial connects to the origin.
func (y *way) dial(r *rig, addr string) *wire {
	r.t.Helper()
	if !y.tunnel {
		return r.dial()
	}
	w := r.tunnel(addr)
	if y.tls {
		w, _ = w.tls("127.0.0.1", "http/1.1")
	}
	return w
}

// pathAt finds the target that is a path in what is to be a request line, for better or worse.
var pathAt = regexp.MustCompile(`^(?:\r\n)*[^ \t\r\n]*[ \t]+(/)`)

// to makes the target of a request absolute if it has to be.
func (y *way) to(addr, request string) string {
	if m := pathAt.FindStringSubmatchIndex(request); y.explicit() && m != nil && !strings.HasPrefix(request, "CONNECT ") {
		request = request[:m[2]] + "http://" + addr + request[m[2]:]
	}
	return request
}

// simple is a request for a path that has nothing to it.
func (y *way) simple(addr, path string) string {
	return y.to(addr, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
}

// bytesInTunnels are the cases that a tunnel carries as bytes if nothing of HTTP went before them: it may carry anything,
// and nobody else's requests are on its connections.
var bytesInTunnels = []string{
	"request_line/HTTP/0.9", "request_line/HTTP/0.9 with an empty line", "request_line/a space behind the version",
	"request_line/HTTP/01.1", "request_line/http/1.1", "request_line/a control byte in the target",
	"request_line/a NUL in the target",
}

// TestSmugglingRequests sends every request of the corpus through the whole proxy to an origin that takes no liberty.
func TestSmugglingRequests(t *testing.T) {
	cases := smugglingCorpus(t, false)
	if len(cases) < 130 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, y := range []*way{
		{name: "regular"},
		{name: "regular, behind another request", warm: true},
		{name: "regular, held for a handler", handled: true},
		{name: "tunnel", tunnel: true, warm: true},
		{name: "tunnel, first", tunnel: true},
		{name: "reverse", mode: live.Reverse, warm: true},
		{name: "reverse, first", mode: live.Reverse},
		{name: "TLS", tunnel: true, tls: true, warm: true},
	} {
		t.Run(y.name, func(t *testing.T) {
			noLeaks(t)
			var o *strictOrigin
			r, _ := y.open(t, func(cert *tls.Certificate) string {
				o = newStrictOrigin(t, cert)
				return o.addr
			})
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) {
					own := *r
					own.t = t
					c.ask(y, &own, o)
				})
			}
		})
	}
}

// nextRequest is what is left behind a case if it is a request line.
var nextRequest = regexp.MustCompile(`^[A-Z]+ /\S* HTTP/1\.1\r\n$`)

// ask sends the case, and then a good request on a new connection.
func (c *smuggled) ask(y *way, r *rig, o *strictOrigin) {
	t := r.t
	r.logLines()
	r.recorded()
	w := y.dial(r, o.addr)
	var own []string // the request lines of the client's good requests on the connection of the case
	good := func(path string) {
		w.send(y.simple(o.addr, path))
		if got := w.status(200); got != "GET "+path {
			t.Errorf("%s was answered with %q", path, got)
		}
		own = append(own, "GET "+path+" HTTP/1.1")
	}
	if y.warm {
		good("/before")
	}
	message := strings.TrimSuffix(c.in, c.rest)
	var got string
	switch {
	case c.verb != "forward":
		w.send(y.to(o.addr, message))
		if c.status == 0 || c.in == xhttp2.ClientPreface {
			w.closeWrite()
		}
		var err error
		if got, err = w.rest(); err != nil {
			t.Errorf("the connection ends with %v", err)
		}
	default:
		line, _, _ := strings.Cut(c.out, "\r\n")
		own = append(own, line)
		rest := c.rest
		if nextRequest.MatchString(rest) {
			own = append(own, strings.TrimSuffix(rest, "\r\n"))
			rest += "Host: a\r\n\r\n"
		}
		w.send(y.to(o.addr, message) + y.to(o.addr, rest))
		for _, line := range own[len(own)-1-strings.Count(rest, "HTTP/1.1"):] {
			if got, want := w.status(200), line[:strings.LastIndexByte(line, ' ')]; got != want {
				t.Errorf("%s was answered with %q", want, got)
			}
		}
		if c.rest == "" && !strings.Contains(c.out, "Connection: close") {
			good("/behind")
		}
		w.closeWrite()
		got, _ = w.rest()
		if strings.Contains(got, " 200 ") || got != "" && c.rest == "" {
			t.Errorf("one answer too many: %q", got)
		}
	}
	w.Close()
	r.idle()
	log, flows := r.logLines(), r.recorded()

	canary := y.dial(r, o.addr)
	canary.send(y.simple(o.addr, "/canary"))
	if got := canary.status(200); got != "GET /canary" {
		t.Errorf("the canary was answered with %q", got)
	}
	canary.Close()
	r.idle()
	all := o.take(t)
	if n := len(all); n == 0 || len(all[n-1].requests) != 1 || all[n-1].requests[0].line != "GET /canary HTTP/1.1" || all[n-1].err != io.EOF {
		t.Fatalf("the origin did not hear the canary alone: %v", all)
	}
	all = all[:len(all)-1]
	if k := r.recorded(); len(k) != 1 || k[0].summary() != "http GET /canary 200" {
		t.Errorf("%d flows were recorded of the canary", len(k))
	}

	switch {
	case y.tunnel && !y.warm && slices.Contains(bytesInTunnels, c.name):
		if len(all) != 1 || all[0].raw != c.in || len(flows) != 1 || flows[0].summary() != "tcp" {
			t.Errorf("bytes of a tunnel went as %v; %d flows were recorded", all, len(flows))
		}
	case c.in == xhttp2.ClientPreface && !y.warm: // a connection of HTTP/2, which is not one of requests of HTTP/1.1
		c.heard(t, y, all, nil, false)
	case c.verb == "forward":
		c.forwarded(t, y, o, all, own)
		if len(flows) != len(own) {
			t.Errorf("%d flows were recorded of %d requests", len(flows), len(own))
		}
	case c.verb == "refuse":
		c.heard(t, y, all, own, false)
		refusal(t, got, c.status)
		if !strings.Contains(log, "refused a request") || !strings.Contains(log, c.words) {
			t.Errorf("the log does not say %q: %s", c.words, log)
		}
		if len(flows) != len(own) {
			t.Errorf("%d flows were recorded, the last %s", len(flows), flows[len(flows)-1].summary())
		}
	default:
		c.heard(t, y, all, own, true)
		if c.status != 0 {
			refusal(t, got, c.status)
		} else if strings.Contains(got, " 200 ") {
			t.Errorf("the client got %q", got)
		}
		if n := len(flows) - len(own); n != 1 || !strings.Contains(flows[len(own)].summary(), "error: ") || !strings.Contains(flows[len(own)].summary(), c.words) {
			t.Errorf("no flow says %q: %d were recorded", c.words, len(flows))
		}
	}
}

// refusal wants got to be one answer with that status, and nothing behind it.
func refusal(t *testing.T, got string, status int) {
	t.Helper()
	br := bufio.NewReader(strings.NewReader(got))
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Errorf("the client got %q, %v", got, err)
		return
	}
	_, err = io.Copy(io.Discard, resp.Body)
	rest, _ := io.ReadAll(br)
	if resp.StatusCode != status || !resp.Close || err != nil || len(rest) > 0 {
		t.Errorf("the client got %q, %v, want %d alone", got, err, status)
	}
}

// heard wants the origin to have heard these requests, and, if part, the begin of another that is clear and has no end.
func (c *smuggled) heard(t *testing.T, y *way, all []heard, lines []string, part bool) []heardRequest {
	t.Helper()
	if !y.tunnel && len(all) > 0 && len(lines) == 0 && !part {
		t.Errorf("the origin was asked: %v", all)
	}
	var requests []heardRequest
	for _, h := range all {
		requests = append(requests, h.requests...)
		if h.err != io.EOF && !(part && errors.Is(h.err, io.ErrUnexpectedEOF)) {
			t.Errorf("%v; it got %q", h.err, short(h.raw))
		}
	}
	got := make([]string, len(requests))
	for i := range requests {
		got[i] = requests[i].line
	}
	if !slices.Equal(got, lines) {
		t.Errorf("the origin heard %q, want %q", got, lines)
		return nil
	}
	return requests
}

func short(s string) string {
	if len(s) > 300 {
		return s[:300] + "..."
	}
	return s
}

// forwarded wants the origin to have heard the case as the corpus has it, and these requests around it.
func (c *smuggled) forwarded(t *testing.T, y *way, o *strictOrigin, all []heard, lines []string) {
	t.Helper()
	requests := c.heard(t, y, all, lines, false)
	if requests == nil {
		return
	}
	out := c.out
	if y.explicit() || y.mode == live.Reverse {
		out = strings.Replace(out, "\r\nHost: a\r\n", "\r\nHost: "+o.addr+"\r\n", 1)
	}
	want, err := readStrictly(bufio.NewReader(strings.NewReader(out)))
	check(t, err)
	got := requests[0]
	if y.warm {
		got = requests[1]
	}
	if got != want {
		t.Errorf("the origin heard %s, want %s", &got, &want)
	}
}

// TestSmugglingResponses sends every response of the corpus through the whole proxy to a client that counts bytes.
func TestSmugglingResponses(t *testing.T) {
	cases := smugglingCorpus(t, true)
	if len(cases) < 30 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, y := range []*way{
		{name: "regular"},
		{name: "regular, held for a handler", handled: true},
		{name: "tunnel", tunnel: true},
		{name: "reverse", mode: live.Reverse},
		{name: "TLS", tunnel: true, tls: true},
	} {
		t.Run(y.name, func(t *testing.T) {
			noLeaks(t)
			var now atomic.Pointer[smuggled] // nil: the case was answered
			r, addr := y.open(t, func(cert *tls.Certificate) string {
				return rawOrigin(t, func(_ int, w *wire) {
					w = overTLS(t, w, cert)
					for h := w.head(); h != ""; h = w.head() {
						c := now.Swap(nil)
						if c == nil {
							w.send(ok)
							continue
						}
						in, _ := c.whole()
						w.send(in)
						if c.untilClose() {
							_ = w.Conn.(interface{ CloseWrite() error }).CloseWrite()
						}
					}
				})
			})
			for i := range cases {
				if cases[i].method == "CONNECT" {
					continue // below
				}
				t.Run(cases[i].name, func(t *testing.T) {
					own := *r
					own.t = t
					now.Store(&cases[i])
					cases[i].answer(y, &own, addr)
				})
			}
		})
	}
	t.Run("upstream", func(t *testing.T) {
		noLeaks(t)
		for i := range cases {
			if c := &cases[i]; c.method == "CONNECT" {
				t.Run(c.name, c.answerConnect)
			}
		}
	})
}

// whole returns the bytes of the response, and those of the proxy's answer, with what an interim response needs behind it.
func (c *smuggled) whole() (in, out string) {
	const final = "Content-Length: 2\r\n\r\nok"
	if strings.HasPrefix(c.out, "HTTP/1.1 1") {
		return c.in + final, c.out + c.rest + final
	}
	return c.in, c.out
}

// untilClose: the end of the body is that of the connection.
func (c *smuggled) untilClose() bool {
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(c.out)), &http.Request{Method: c.method})
	return err == nil && resp.ContentLength < 0 && resp.StatusCode == 200
}

// answer has the case answer a request, and then asks on both the same and a new connection.
func (c *smuggled) answer(y *way, r *rig, addr string) {
	t := r.t
	r.recorded()
	w := y.dial(r, addr)
	w.send(y.to(addr, c.method+" /case HTTP/1.1\r\nHost: a\r\n\r\n"))
	if c.verb == "forward" {
		_, out := c.whole()
		open := !c.untilClose() && !strings.HasPrefix(out, "HTTP/1.1 204")
		if y.handled && c.untilClose() { // its length is known when it is held
			head, body, _ := strings.Cut(out, "\r\n\r\n")
			out, open = fmt.Sprintf("%s\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body), true
		}
		w.expect(out)
		w.send(y.simple(addr, "/behind"))
		// Where the proxy could not be sure of what follows, it has closed the connection.
		if rest, err := w.until(ok); rest != "" && rest != ok {
			t.Errorf("then the client got %q, %v", rest, err)
		} else if (rest != "") != open {
			t.Errorf("then the client got %q, %v; to be asked again: %v", rest, err, open)
		}
	} else {
		got, err := w.rest()
		if c.verb == "cut" && !y.handled {
			if !strings.HasPrefix(got, "HTTP/1.1 200 ") || strings.HasSuffix(got, "0\r\n\r\n") || strings.Count(got, "HTTP/1.") != 1 {
				t.Errorf("the client got %q, %v", got, err)
			}
		} else {
			refusal(t, got, 502)
		}
	}
	w.Close()
	r.idle()
	flows := r.recorded()
	if len(flows) == 0 {
		t.Fatal("no flow was recorded")
	}
	s := flows[0].summary()
	if refused := strings.Contains(s, "error: the server's answer is refused: "); refused == (c.verb == "forward") || !strings.Contains(s, c.words) {
		t.Errorf("recorded %q, want %q", s, c.words)
	}
	canary := y.dial(r, addr)
	canary.send(y.simple(addr, "/canary"))
	canary.expect(ok)
	canary.Close()
	r.idle()
	r.recorded()
}

// until reads to the end of want if that is what comes, else what else there is.
func (w *wire) until(want string) (string, error) {
	b := make([]byte, len(want))
	n, err := io.ReadFull(w.br, b)
	if string(b[:n]) == want || err != nil {
		return string(b[:n]), err
	}
	_ = w.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // it may stay open
	rest, err := w.rest()
	return string(b[:n]) + rest, err
}

// answerConnect has the case answer the CONNECT of the proxy to its upstream proxy.
func (c *smuggled) answerConnect(t *testing.T) {
	addr := rawOrigin(t, func(_ int, w *wire) {
		if h := w.head(); !strings.HasPrefix(h, "CONNECT a:443 ") {
			t.Errorf("the upstream proxy heard %q", h)
		}
		w.send(c.in)
		_, _ = w.rest()
	})
	r := start(t, func(o *live.Options) {
		o.Modes = []live.Mode{{Kind: live.Upstream, Scheme: "http", Host: "127.0.0.1", Port: portOf(addr)}}
	})
	w := r.dial()
	w.send("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")
	if strings.HasPrefix(c.out, "HTTP/1.1 200 ") {
		w.expect("HTTP/1.1 200 Connection established\r\n\r\n" + c.rest) // the first bytes of the tunnel
		w.Close()
		r.flow("tcp", "")
		return
	}
	got, _ := w.rest()
	refusal(t, got, 502)
	if strings.Contains(got, "hello") {
		t.Errorf("the client got %q", got)
	}
	w.Close()
	r.flow("http CONNECT", "407")
}

// frames is an end of a connection of HTTP/2 that checks nothing.
type frames struct {
	*wire
	fr    *xhttp2.Framer
	block bytes.Buffer
	enc   *hpack.Encoder
	id    uint32
}

func newFrames(w *wire) *frames {
	f := &frames{wire: w, fr: xhttp2.NewFramer(w.Conn, w), id: 1}
	f.fr.AllowIllegalWrites = true
	f.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.enc = hpack.NewEncoder(&f.block)
	return f
}

// headers sends a head, or trailers, of name, value pairs.
func (f *frames) headers(end bool, pairs ...string) {
	f.block.Reset()
	for i := 0; i < len(pairs); i += 2 {
		_ = f.enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	_ = f.fr.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: f.id, BlockFragment: f.block.Bytes(), EndHeaders: true, EndStream: end})
}

// ask sends a request and returns its answer: a status and the body, or how the stream ended.
func (f *frames) ask(q *downgrade) string {
	pairs := slices.Concat([]string{
		":method", pick(q.method, "POST"), ":scheme", "https", ":authority", pick(q.authority, "a.example"), ":path", pick(q.path, "/p"),
	}, q.fields)
	f.headers(q.data == "" && q.trailers == nil, pairs...)
	if q.slow {
		time.Sleep(20 * time.Millisecond) // the head is on its way to the origin
	}
	if q.data != "" {
		check(f.t, f.fr.WriteData(f.id, q.trailers == nil, []byte(q.data)))
	}
	if q.trailers != nil {
		f.headers(true, q.trailers...)
	}
	status, body := "", ""
	check(f.t, f.Conn.SetReadDeadline(time.Now().Add(2*time.Second)))
	for {
		fr, err := f.fr.ReadFrame()
		if err != nil {
			return fmt.Sprintf("%s: %v", status, err)
		}
		id, end := fr.Header().StreamID, false
		if away, ok := fr.(*xhttp2.GoAwayFrame); ok {
			return "GOAWAY " + away.ErrCode.String()
		}
		if id != f.id {
			continue
		}
		switch fr := fr.(type) {
		case *xhttp2.MetaHeadersFrame:
			if status == "" {
				status = fr.PseudoValue("status")
			}
			end = fr.StreamEnded()
		case *xhttp2.DataFrame:
			body += string(fr.Data())
			end = fr.StreamEnded()
		case *xhttp2.RSTStreamFrame:
			return strings.TrimSpace(status + " " + fr.ErrCode.String())
		}
		if end {
			f.id += 2
			return status + " " + body
		}
	}
}

func pick(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// downgrade is a request of HTTP/2 whose server speaks HTTP/1.
type downgrade struct {
	name                    string
	method, authority, path string // POST, a.example and /p if they are empty
	fields                  []string
	data                    string // its end is that of the stream unless there are trailers
	trailers                []string
	slow                    bool   // the body comes when the head is at the origin
	want                    string // the head that the origin hears; "": nothing
	body                    string
	early                   string // a head that the origin may hear without a body, if that comes before the data does
}

// TestSmugglingDowngrade sends requests of HTTP/2 that are no requests, or say two things, to an origin of HTTP/1.
func TestSmugglingDowngrade(t *testing.T) {
	const second = "x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a"
	cases := []downgrade{
		{name: "CRLF in a value", fields: []string{"x", second}},
		{name: "LF in a value", fields: []string{"x", "1\nTransfer-Encoding: chunked"}, data: "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"},
		{name: "CR in a value", fields: []string{"x", "1\ry: 2"}},
		{name: "NUL in a value", fields: []string{"x", "1\x002"}},
		{name: "a control byte in a value", fields: []string{"x", "1\x012"}},
		{name: "CRLF in a name", fields: []string{"x: 1\r\nGET /smuggled HTTP/1.1\r\ny", "2"}},
		{name: "a colon in a name", fields: []string{"transfer-encoding: chunked", "2"}},
		{name: "a name in capitals", fields: []string{"Content-Length", "0"}, data: "body"},
		{name: "an underscore for the hyphen of content-length", fields: []string{"content_length", "0"}, data: "body"},
		{name: "an underscore for the hyphen of transfer-encoding", fields: []string{"transfer_encoding", "chunked"}, data: "0\r\n\r\n"},
		{name: "H2.TE", fields: []string{"transfer-encoding", "chunked"}, data: "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"},
		{
			name: "H2.CL, too short", fields: []string{"content-length", "0"}, data: "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
			early: "POST /p HTTP/1.1\r\nHost: a.example\r\ncontent-length: 0\r\n",
		},
		{name: "H2.CL, shorter than the data", fields: []string{"content-length", "2"}, data: "body", slow: true},
		{name: "H2.CL, longer than the data", fields: []string{"content-length", "10"}, data: "body", slow: true},
		{name: "a length and no body", fields: []string{"content-length", "10"}},
		{name: "two lengths", fields: []string{"content-length", "4", "content-length", "0"}, data: "body"},
		{name: "a list of lengths", fields: []string{"content-length", "4, 4"}, data: "body"},
		{name: "a method with a request line", method: "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\nGET"},
		{name: "a method with a space", method: "GET /smuggled"},
		{name: "a path with a space", path: "/ HTTP/1.1"},
		{name: "a path with CRLF", path: "/ HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled"},
		{name: "a path with a fragment", path: "/a#/b"},
		{name: "a path that is a URL", path: "http://b/"},
		{name: "an authority with CRLF", authority: "a\r\nHost: b"},
		{name: "an authority with a space", authority: "a b"},
		{name: "an authority with a path", authority: "a/b"},
		{name: "an authority with a user", authority: "b@a"},
		{name: "a list of authorities", authority: "a,b"},
		{name: "an authority beyond ASCII", authority: "a\xe9"},
		{name: "Host is another", fields: []string{"host", "b.example"}},
		{name: "two Hosts", fields: []string{"host", "a.example", "host", "a.example"}},
		{name: "connection", fields: []string{"connection", "content-length"}, data: "body"},
		{name: "upgrade", fields: []string{"upgrade", "h2c"}},
		{name: "keep-alive", fields: []string{"keep-alive", "timeout=5"}},
		{name: "proxy-connection", fields: []string{"proxy-connection", "keep-alive"}},
		{name: "te that is not trailers", fields: []string{"te", "chunked"}},
		{name: "an unknown expectation", fields: []string{"expect", "y 100-continue"}, data: "body"},
		{name: "CONNECT", method: "CONNECT"},
		{name: "a trailer that is content-length", data: "body", trailers: []string{"content-length", "0"}},
		{name: "a trailer that is content-length, late", data: "body", trailers: []string{"content-length", "0"}, slow: true},
		{name: "a trailer that is host, late", data: "body", trailers: []string{"host", "b"}, slow: true},
		{name: "a trailer with CRLF, late", data: "body", trailers: []string{"x", second}, slow: true},
		{name: "a trailer with a control byte, late", data: "body", trailers: []string{"x", "1\x012"}, slow: true},
		{name: "a trailer that is transfer-encoding, late", data: "body", trailers: []string{"transfer-encoding", "chunked"}, slow: true},

		{name: "a clear request", want: "POST /p HTTP/1.1\r\nHost: a.example\r\n"},
		{name: "Host is the authority", fields: []string{"host", "a.example"}, want: "POST /p HTTP/1.1\r\nhost: a.example\r\n"},
		{name: "a length that is met", fields: []string{"content-length", "4"}, data: "body", slow: true, want: "POST /p HTTP/1.1\r\nHost: a.example\r\ncontent-length: 4\r\n", body: "body"},
		{name: "a length with a zero before it", fields: []string{"content-length", "04"}, data: "body", want: "POST /p HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n", body: "body"},
		{
			name: "a body that looks like its end and a request", data: "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", slow: true,
			want: "POST /p HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n", body: "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
		},
	}
	for _, via := range []string{"handed over", "without ALPN", "without TLS"} {
		t.Run(via, func(t *testing.T) {
			noLeaks(t)
			cert, pool := certificate(t, nil)
			var own *tls.Certificate
			if via == "without ALPN" {
				own = &cert
			}
			o := newStrictOrigin(t, own)
			front := o.addr
			if via == "handed over" {
				front = h2Origin(t, &cert, func(*http2.Stream) { t.Error("the other server was asked") })
			}
			r := start(t, func(opt *live.Options) {
				opt.Roots = pool
				if via == "handed over" {
					opt.Handler = on(func(e *replay.Event) {
						q := e.Flow.Request()
						q.SetScheme("http")
						q.SetPort(portOf(o.addr))
					}, replay.RequestHeaders)
				}
			})
			for i := range cases {
				t.Run(cases[i].name, func(t *testing.T) {
					own := *r
					own.t = t
					cases[i].send(&own, front, via, o)
				})
			}
		})
	}
}

// dialFrames connects a client of HTTP/2.
func (r *rig) dialFrames(addr, via string) *frames {
	w := r.tunnel(addr)
	switch via {
	case "handed over":
		w, _ = w.tls("127.0.0.1", "h2")
	case "without ALPN":
		w, _ = w.tls("127.0.0.1")
	}
	f := newFrames(w)
	f.send(xhttp2.ClientPreface)
	check(r.t, f.fr.WriteSettings())
	return f
}

func (q *downgrade) send(r *rig, front, via string, o *strictOrigin) {
	t := r.t
	r.logLines()
	r.recorded()
	f := r.dialFrames(front, via)
	got := f.ask(q)
	f.Close()
	r.idle()
	log, flows := r.logLines(), r.recorded()

	canary := r.dialFrames(front, via)
	if got := canary.ask(&downgrade{method: "GET", path: "/canary"}); got != "200 GET /canary" {
		t.Errorf("the canary was answered with %q", got)
	}
	canary.Close()
	r.idle()
	var requests []heardRequest
	for _, h := range o.take(t) {
		requests = append(requests, h.requests...)
		if h.err != io.EOF && !errors.Is(h.err, io.ErrUnexpectedEOF) {
			t.Errorf("the origin heard %v", h)
		}
	}
	if n := len(requests); n == 0 || requests[n-1].line != "GET /canary HTTP/1.1" {
		t.Fatalf("the origin did not hear the canary: %v", requests)
	}
	requests = requests[:len(requests)-1]
	if q.want != "" {
		if len(requests) != 1 || requests[0].line+"\r\n"+requests[0].fields != q.want || requests[0].body != q.body || got != "200 POST /p" {
			t.Errorf("the origin heard %v, want %q and %q; the client got %q", requests, q.want, q.body, got)
		}
		return
	}
	if len(requests) == 1 && q.early != "" && requests[0].line+"\r\n"+requests[0].fields == q.early && requests[0].body == "" {
		return // clear, and whole
	}
	if len(requests) != 0 {
		t.Errorf("the origin heard %v", requests)
	}
	// The proxy says no, and not that the server did something wrong.
	if got != "PROTOCOL_ERROR" && !strings.HasPrefix(got, "4") && !strings.HasPrefix(got, "501 ") && !strings.HasPrefix(got, "GOAWAY") {
		t.Errorf("the client got %q", got)
	}
	wrong := slices.ContainsFunc(flows, func(k *kept) bool { return k.f.Error() != nil })
	if !strings.Contains(log, "refused a request") && !wrong {
		t.Errorf("nobody was told: the log is %q, and %d flows have no error", log, len(flows))
	}
	for _, k := range flows {
		if e := k.f.Error(); e != nil && strings.Contains(e.Msg, "server") {
			t.Errorf("the server is blamed: %s", e.Msg)
		}
	}
}

// TestSmugglingUpgrade asks an origin of HTTP/2 over HTTP/1 for answers that have no body there whatever they say, and then
// for another: its answer is not behind anything of the first.
func TestSmugglingUpgrade(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		fields       []string
		late         bool // the end of the stream comes in a frame of its own
		body         string
		want         int // 502: refused
	}{
		{name: "HEAD", method: "HEAD", fields: []string{":status", "200"}, want: 200},
		{name: "HEAD, ended late", method: "HEAD", fields: []string{":status", "200"}, late: true, want: 200},
		{name: "HEAD with a length", method: "HEAD", fields: []string{":status", "200", "content-length", "5"}, want: 200},
		{name: "HEAD with a length, ended late", method: "HEAD", fields: []string{":status", "200", "content-length", "5"}, late: true, want: 200},
		{name: "HEAD with a body", method: "HEAD", fields: []string{":status", "200"}, late: true, body: "hello", want: 200},
		{name: "204", method: "GET", fields: []string{":status", "204"}, want: 204},
		{name: "204, ended late", method: "GET", fields: []string{":status", "204"}, late: true, want: 204},
		{name: "204 with a body", method: "GET", fields: []string{":status", "204"}, late: true, body: "hello", want: 204},
		{name: "304", method: "GET", fields: []string{":status", "304"}, want: 304},
		{name: "304, ended late", method: "GET", fields: []string{":status", "304"}, late: true, want: 304},
		{name: "304 with a length, ended late", method: "GET", fields: []string{":status", "304", "content-length", "5"}, late: true, want: 304},
		{name: "a length that is not met", method: "GET", fields: []string{":status", "200", "content-length", "5"}, want: 502},
		{name: "no body", method: "GET", fields: []string{":status", "200"}, want: 200},
		{name: "no body, ended late", method: "GET", fields: []string{":status", "200"}, late: true, want: 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			cert, pool := certificate(t, nil)
			front := h2Frames(t, &cert, func(f *frames, path string) {
				if path == "/behind" {
					f.headers(false, ":status", "200", "content-length", "2")
					_ = f.fr.WriteData(f.id, true, []byte("ok"))
					return
				}
				f.headers(!tt.late, tt.fields...)
				if tt.late {
					time.Sleep(20 * time.Millisecond)
					_ = f.fr.WriteData(f.id, true, []byte(tt.body))
				}
			})
			r := start(t, func(o *live.Options) { o.Roots = pool })
			w, _ := r.tunnel(front).tls("127.0.0.1", "http/1.1")
			w.send(tt.method + " /case HTTP/1.1\r\nHost: a\r\n\r\n")
			resp, body, err := w.answer(tt.method)
			if err != nil || resp.StatusCode != tt.want || tt.want != 502 && body != "" {
				t.Errorf("got %v %q %v, want %d", resp, body, err, tt.want)
			}
			w.send("GET /behind HTTP/1.1\r\nHost: a\r\n\r\n")
			const behind = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
			switch rest, err := w.until(behind); {
			case rest != "" && rest != behind:
				t.Errorf("then the client got %q, %v", rest, err)
			case rest == "" && tt.want != 502 && tt.body == "":
				t.Errorf("the connection ended: %v", err)
			}
		})
	}
}

// h2Frames is an origin of HTTP/2 alone that checks nothing.
func h2Frames(t *testing.T, cert *tls.Certificate, answer func(f *frames, path string)) string {
	return rawOrigin(t, func(_ int, w *wire) {
		protos := []string{"h2"}
		c := tls.Server(w.Conn, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			offers := protos
			if !slices.Contains(h.SupportedProtos, "h2") {
				offers = []string{"none"} // crypto/tls would let a client of HTTP/1.1 in
			}
			return &tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: offers}, nil
		}})
		if c.Handshake() != nil {
			return
		}
		w = newWire(t, c)
		w.expect(xhttp2.ClientPreface)
		f := newFrames(w)
		_ = f.fr.WriteSettings()
		for {
			fr, err := f.fr.ReadFrame()
			if err != nil {
				return
			}
			if h, ok := fr.(*xhttp2.MetaHeadersFrame); ok {
				f.id = h.StreamID
				answer(f, h.PseudoValue("path"))
			}
		}
	})
}
