package live_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/live"
	"flowkit/live/ca"
	"flowkit/replay"
)

// authority is the certificate authority of all proxies here.
var authority *ca.CA

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "flowkit-live-*")
	if err != nil {
		log.Fatal(err)
	}
	if authority, err = ca.Load(dir); err != nil {
		log.Fatal(err)
	}
	// The first listener makes descriptors that stay.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	l.Close()
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// noLeaks makes sure that the test leaves no goroutine and no descriptor. It is called first, so that it looks last.
func noLeaks(t *testing.T) {
	t.Helper()
	fds, routines := descriptors(), runtime.NumGoroutine()
	t.Cleanup(func() {
		end := time.Now().Add(5 * time.Second)
		for {
			runtime.GC() // closes files that nobody has any more
			open := descriptors()
			if len(open) <= len(fds) && runtime.NumGoroutine() <= routines {
				return
			}
			if time.Now().After(end) {
				buf := make([]byte, 1<<20)
				t.Errorf("left: %d goroutines of %d before, descriptors %q of %q before\n%s", runtime.NumGoroutine(), routines,
					open, fds, buf[:runtime.Stack(buf, true)])
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
}

// descriptors returns what is open, nothing where the system does not tell.
func descriptors() []string {
	names, _ := filepath.Glob("/proc/self/fd/*")
	var open []string
	for _, n := range names {
		if to, err := os.Readlink(n); err == nil {
			open = append(open, to)
		}
	}
	return open
}

// rig is a proxy that runs.
type rig struct {
	t     *testing.T
	p     *live.Proxy
	addr  string // of the first mode
	flows *memory
	log   *logBook
	stop  func() // ends Serve, and returns when it has
}

// start runs a proxy to the end of the test.
func start(t *testing.T, change func(o *live.Options)) *rig {
	t.Helper()
	r := &rig{t: t, flows: &memory{t: t, ended: make(chan *kept, 1000)}, log: &logBook{}}
	o := live.Options{
		Listen: "127.0.0.1:0", Recorder: r.flows, CA: authority, Log: slog.New(slog.NewTextHandler(r.log, nil)), TempDir: t.TempDir(),
		Timeouts: live.Timeouts{Head: 5 * time.Second, Idle: 10 * time.Second, Dial: 5 * time.Second},
	}
	if change != nil {
		change(&o)
	}
	var err error
	r.p, err = live.Listen(o)
	check(t, err)
	r.addr = r.p.Addrs()[0].Addr.String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.p.Serve(ctx, 50*time.Millisecond) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			check(t, err)
		case <-time.After(10 * time.Second):
			buf := make([]byte, 1<<20)
			t.Errorf("the proxy does not end\n%s", buf[:runtime.Stack(buf, true)])
		}
	})
	t.Cleanup(r.stop)
	return r
}

// dial connects to the proxy.
func (r *rig) dial() *wire {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	check(r.t, err)
	r.t.Cleanup(func() { c.Close() })
	return newWire(r.t, c)
}

// tunnel makes a tunnel to addr with CONNECT.
func (r *rig) tunnel(addr string) *wire {
	r.t.Helper()
	w := r.dial()
	w.send("CONNECT " + addr + " HTTP/1.1\r\nHost: " + addr + "\r\n\r\n")
	w.expect("HTTP/1.1 200 Connection established\r\n\r\n")
	return w
}

// tls makes TLS of a tunnel.
func (w *wire) tls(name string, protos ...string) (*wire, *tls.Conn) {
	w.t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(authority.Certificate())
	c := tls.Client(w.Conn, &tls.Config{ServerName: name, RootCAs: pool, NextProtos: protos})
	check(w.t, c.Handshake())
	return newWire(w.t, c), c
}

// client is a client of net/http that uses the proxy.
func (r *rig) client() *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(authority.Certificate())
	tr := &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: r.addr}), TLSClientConfig: &tls.Config{RootCAs: pool},
		ForceAttemptHTTP2: true, ExpectContinueTimeout: 5 * time.Second,
	}
	r.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

// wire is one end of a connection whose bytes are looked at.
type wire struct {
	net.Conn
	t  *testing.T
	br *bufio.Reader
}

func newWire(t *testing.T, c net.Conn) *wire {
	check(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	return &wire{c, t, bufio.NewReader(c)}
}

func (w *wire) Read(b []byte) (int, error) { return w.br.Read(b) }

// send writes s. That it fails shows in what is read.
func (w *wire) send(s string) { _, _ = io.WriteString(w.Conn, s) }

// expect wants s next.
func (w *wire) expect(s string) {
	w.t.Helper()
	b := make([]byte, len(s))
	n, err := io.ReadFull(w.br, b)
	if string(b[:n]) != s {
		w.t.Errorf("got %q, %v, want %q", b[:n], err, s)
	}
}

// head reads to the end of a head.
func (w *wire) head() string {
	var b strings.Builder
	for {
		line, err := w.br.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String()
		}
	}
}

// rest reads to the end of the connection; err is nil if that is clean.
func (w *wire) rest() (string, error) {
	b, err := io.ReadAll(w.br)
	return string(b), err
}

// answer reads a response to a request of a method.
func (w *wire) answer(method string) (*http.Response, string, error) {
	resp, err := http.ReadResponse(w.br, &http.Request{Method: method})
	if err != nil {
		return nil, "", err
	}
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// status reads a response, whatever its body, and wants that status.
func (w *wire) status(want int) string {
	w.t.Helper()
	resp, body, err := w.answer("GET")
	if err != nil || resp.StatusCode != want {
		w.t.Errorf("got %v %q %v, want %d", resp, body, err, want)
	}
	return body
}

func (w *wire) closeWrite() {
	check(w.t, w.Conn.(interface{ CloseWrite() error }).CloseWrite())
}

// reset closes the connection with a RST.
func (w *wire) reset() {
	check(w.t, w.Conn.(*net.TCPConn).SetLinger(0))
	w.Conn.Close()
}

// get is a request to an explicit proxy.
func get(addr, path string, lines ...string) string { return ask("GET", addr, path, lines...) }

func ask(method, addr, path string, lines ...string) string {
	s := method + " http://" + addr + path + " HTTP/1.1\r\nHost: " + addr + "\r\n"
	for _, l := range lines {
		s += l + "\r\n"
	}
	return s + "\r\n"
}

// rawOrigin serves each connection with a function, n the number of the connection from 1; it is closed behind it.
func rawOrigin(t *testing.T, serve func(n int, w *wire)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				serve(n, newWire(t, c))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// says is an origin that answers every request without body with the same bytes.
func says(t *testing.T, text string) string {
	return rawOrigin(t, func(_ int, w *wire) {
		for strings.HasSuffix(w.head(), "\r\n\r\n") {
			w.send(text)
		}
	})
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// origin is a server of net/http, for TLS if cert is not nil; protos are those it offers then.
func origin(t *testing.T, h http.HandlerFunc, cert *tls.Certificate, protos ...string) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = discardLog
	t.Cleanup(s.Close)
	if cert == nil {
		s.Start()
		return s.Listener.Addr().String()
	}
	s.EnableHTTP2 = len(protos) > 0 && protos[0] == "h2"
	s.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: protos}
	s.StartTLS()
	return s.Listener.Addr().String()
}

// certificate makes a certificate that signs itself.
func certificate(t *testing.T, change func(c *x509.Certificate)) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "origin"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	check(t, err)
	leaf, err := x509.ParseCertificate(der)
	check(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// memory records flows. It implements live.Recorder.
type memory struct {
	t     *testing.T
	ended chan *kept
}

// kept is a flow that was recorded.
type kept struct {
	to       *memory
	f        *flowfile.Flow
	opened   bool
	mu       sync.Mutex
	parts    [2][]byte
	messages []flowfile.Msg
	end      live.End
}

func (m *memory) Flow(f *flowfile.Flow) { m.ended <- &kept{f: f} }

func (m *memory) Open(*flowfile.Flow) live.OpenFlow { return &kept{to: m, opened: true} }

func (k *kept) Part(part int, b []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.parts[part] = append(k.parts[part], b...)
}

func (k *kept) Message(m *flowfile.Msg) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.messages = append(k.messages, *m)
}

func (k *kept) End(f *flowfile.Flow, e live.End) {
	k.f, k.end = f, e
	k.to.ended <- k
}

// next returns the flow that ended next.
func (m *memory) next() *kept {
	m.t.Helper()
	select {
	case k := <-m.ended:
		return k
	case <-time.After(10 * time.Second):
		m.t.Fatal("no flow was recorded")
		return nil
	}
}

// none wants that nothing else was recorded.
func (m *memory) none() {
	m.t.Helper()
	select {
	case k := <-m.ended:
		m.t.Errorf("another flow was recorded: %s", k.summary())
	default:
	}
}

// body returns what was recorded of a body, and its length on the wire.
func (k *kept) body(part int) (string, int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.opened && k.parts[part] != nil {
		total := k.end.Cut[part]
		if total == 0 {
			total = int64(len(k.parts[part]))
		}
		return string(k.parts[part]), total
	}
	m := &k.f.Request().Message
	if part == flowfile.BodyResponse {
		m = &k.f.Response().Message
	}
	b, err := m.Body().Bytes(-1)
	if err != nil {
		return err.Error(), -1
	}
	return string(b), m.Body().Total()
}

// texts are the messages, "> " those of the client; + injected, - dropped.
func (k *kept) texts() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []string
	for _, m := range k.messages {
		b, _ := m.Body.Bytes(-1)
		s := "<"
		if m.FromClient {
			s = ">"
		}
		if m.Injected {
			s += "+"
		}
		if m.Dropped {
			s += "-"
		}
		all = append(all, s+" "+string(b))
	}
	return strings.Join(all, "\n")
}

// summary is a flow in one line: method, path, status, error.
func (k *kept) summary() string {
	s := k.f.Kind().String()
	if r := k.f.Request(); r != nil {
		s += " " + r.Method() + " " + r.Path()
	}
	if r := k.f.Response(); r != nil {
		s += " " + strconv.Itoa(r.Status())
	}
	if e := k.f.Error(); e != nil {
		s += " error: " + e.Msg
	}
	return s
}

// flow wants the flow that ended next to be such.
func (r *rig) flow(begin, has string) *kept {
	r.t.Helper()
	k := r.flows.next()
	s := k.summary()
	if !strings.HasPrefix(s, begin) || !strings.Contains(s, has) || has == "" && k.f.Error() != nil {
		r.t.Errorf("recorded %q, want %q … %q", s, begin, has)
	}
	return k
}

// logBook keeps the log.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// logged wants a line in the log.
func (r *rig) logged(text string) {
	r.t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		r.log.mu.Lock()
		s := r.log.b.String()
		r.log.mu.Unlock()
		if strings.Contains(s, text) {
			return
		}
		if time.Now().After(end) {
			r.t.Errorf("the log has no %q:\n%s", text, s)
			return
		}
	}
}

// on is a handler of some events.
func on(do func(e *replay.Event), hooks ...replay.Hook) replay.Handler {
	var want replay.Hooks
	for _, h := range hooks {
		want |= 1 << h
	}
	return replay.Func{Want: want, Do: func(_ context.Context, e *replay.Event) error {
		do(e)
		return nil
	}}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var discardLog = log.New(io.Discard, "", 0)

// everything are the hooks that change how a flow is handled.
var everything = []replay.Hook{
	replay.RequestHeaders, replay.Request, replay.ResponseHeaders, replay.Response, replay.Error, replay.TCPStart, replay.TCPMessage,
	replay.TCPEnd, replay.TCPError, replay.WebSocketStart, replay.WebSocketMessage, replay.WebSocketEnd,
}

func nothing(*replay.Event) {}
