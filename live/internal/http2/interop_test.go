package http2

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// netHandler is served by net/http, which has the Server and Transport of x/net within.
var netHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Path", r.URL.Path)
	w.Header().Set("Trailer", "X-Sum")
	n, err := io.Copy(flushed{w}, r.Body)
	w.Header().Set("X-Sum", fmt.Sprint(n, " ", err, " ", r.Trailer.Get("X-Up")))
})

type flushed struct{ w http.ResponseWriter }

func (f flushed) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	f.w.(http.Flusher).Flush()
	return n, err
}

// TestNetServer: our client, the server of net/http, in TLS.
func TestNetServer(t *testing.T) {
	ts := httptest.NewUnstartedServer(netHandler)
	ts.EnableHTTP2 = true
	ts.StartTLS()
	defer ts.Close()
	nc, err := tls.Dial("tcp", ts.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	c := Client(nc, Options{})
	defer c.Close()
	errs := make(chan error)
	const n = 20
	for i := range n {
		go func() { errs <- upload(c, i) }()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func upload(c *Conn, i int) error {
	h := post(fmt.Sprint("/", i))
	h.Fields = append(h.Fields, fields("trailer", "x-up")...)
	s, err := c.Open(context.Background(), h)
	if err != nil {
		return err
	}
	defer s.Close()
	body := make([]byte, 1<<20)
	rand.Read(body)
	go func() {
		s.Write(body)
		s.CloseWrite(fields("x-up", "yes"))
	}()
	if h, err = s.ReadHead(); err != nil || h.Get("x-path") != fmt.Sprint("/", i) {
		return fmt.Errorf("head %v, %w", h, err)
	}
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, body) {
		return fmt.Errorf("body: %d bytes, %w", len(got), err)
	}
	if tr := s.Trailers(); len(tr) != 1 || tr[0].Name != "x-sum" || tr[0].Value != fmt.Sprintf("%d <nil> yes", len(body)) {
		return fmt.Errorf("trailers %v", tr)
	}
	return nil
}

// listen serves connections with ours until the test ends. It returns the address.
func listen(t testing.TB, config *tls.Config, handle func(*Stream)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			if config != nil {
				nc = tls.Server(nc, config)
			}
			c := Server(nc, Options{})
			context.AfterFunc(ctx, func() { c.Close() })
			go c.Serve(handle)
		}
	}()
	t.Cleanup(func() { cancel(); ln.Close(); <-done })
	return ln.Addr().String()
}

func testTLS(t testing.TB) *tls.Config {
	ts := httptest.NewUnstartedServer(nil)
	ts.EnableHTTP2 = true
	ts.StartTLS()
	defer ts.Close()
	return &tls.Config{Certificates: ts.TLS.Certificates, NextProtos: []string{"h2"}, DynamicRecordSizingDisabled: true}
}

// TestNetTransport: the client of net/http, our server, in TLS.
func TestNetTransport(t *testing.T) {
	addr := listen(t, testTLS(t), echo)
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	errs := make(chan error)
	const n = 20
	for i := range n {
		go func() {
			errs <- func() error {
				body := make([]byte, 1<<20)
				rand.Read(body)
				req, _ := http.NewRequest("PUT", fmt.Sprintf("https://%s/%d", addr, i), io.NopCloser(bytes.NewReader(body)))
				req.Trailer = http.Header{"X-Up": {"yes"}}
				resp, err := tr.RoundTrip(req)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				got, err := io.ReadAll(resp.Body)
				if err != nil || !bytes.Equal(got, body) {
					return fmt.Errorf("body: %d bytes, %w", len(got), err)
				}
				if resp.Trailer.Get("X-Up") != "yes" || resp.Header.Get("X-Path") != fmt.Sprint("/", i) {
					return fmt.Errorf("%v %v", resp.Header, resp.Trailer)
				}
				return nil
			}()
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestNetTransportEarly: a response before the request has ended, and the request is stopped.
func TestNetTransportEarly(t *testing.T) {
	addr := listen(t, testTLS(t), func(s *Stream) {
		s.ReadHead()
		s.WriteHead(status("100"))
		s.WriteHead(Head{Fields: fields(":status", "413", "content-length", "0"), End: true})
	})
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	r, w := io.Pipe()
	req, _ := http.NewRequest("PUT", "https://"+addr, r)
	resp, err := tr.RoundTrip(req)
	if err != nil || resp.StatusCode != 413 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	for err == nil {
		_, err = w.Write(make([]byte, 1000))
	}
}

// TestNetShutdown: the server of net/http leaves gracefully.
func TestNetShutdown(t *testing.T) {
	ts := httptest.NewUnstartedServer(netHandler)
	ts.EnableHTTP2 = true
	ts.StartTLS()
	defer ts.Close()
	nc, err := tls.Dial("tcp", ts.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	c := Client(nc, Options{})
	defer c.Close()
	s, err := c.Open(t.Context(), post("/"))
	if err != nil {
		t.Fatal(err)
	}
	s.Write([]byte("x"))
	if _, err := s.ReadHead(); err != nil {
		t.Fatal(err)
	}
	go ts.Config.Shutdown(context.Background())
	for c.Usable() {
		time.Sleep(time.Millisecond)
	}
	if _, err := c.Open(t.Context(), get("/")); !Retryable(err) {
		t.Error(err)
	}
	s.CloseWrite(nil)
	if _, err := io.ReadAll(s); err != nil {
		t.Error(err)
	}
	s.Close()
	<-c.Done()
}

// TestCurl: curl speaks to ours, without TLS and with it.
func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl")
	}
	if out, _ := exec.Command(curl, "--version").Output(); !bytes.Contains(out, []byte("HTTP2")) {
		t.Skip("curl without HTTP/2")
	}
	file := filepath.Join(t.TempDir(), "body")
	body := make([]byte, 5<<20)
	rand.Read(body)
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, curl, append([]string{"-sS", "--http2", "--noproxy", "*"}, args...)...).Output()
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, e.Stderr)
		}
		return string(out), err
	}
	check := func(base string, more ...string) {
		t.Helper()
		out, err := run(append(more, "-T", file, base+"/up")...)
		if err != nil || out != string(body) {
			t.Errorf("upload: %d bytes, %v", len(out), err)
		}
		urls := [][]string{{"-o", os.DevNull, base + "/a", "-o", os.DevNull, base + "/b", "-Z"}}
		if strings.HasPrefix(base, "http:") { // curl 7.88 cannot send a second request behind prior knowledge, to nobody
			urls = [][]string{{"-o", os.DevNull, base + "/a"}, {"-o", os.DevNull, base + "/b"}}
		}
		out = ""
		for _, u := range urls {
			o, err := run(slices.Concat(more, []string{"-D", "-"}, u)...)
			if err != nil {
				t.Error(err)
			}
			out += o
		}
		if !strings.Contains(out, "x-path: /a") || !strings.Contains(out, "x-path: /b") || !strings.Contains(out, "HTTP/2 200") {
			t.Errorf("%q", out)
		}
		out, err = run(append(more, "-I", base+"/head")...)
		if err != nil || !strings.Contains(out, "x-path: /head") {
			t.Errorf("%q, %v", out, err)
		}
	}
	check("http://"+listen(t, nil, echo), "--http2-prior-knowledge")
	check("https://"+listen(t, testTLS(t), echo), "-k")

	// Through a relay to net/http.
	ts := httptest.NewUnstartedServer(netHandler)
	ts.EnableHTTP2 = true
	ts.StartTLS()
	defer ts.Close()
	nc, err := tls.Dial("tcp", ts.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	up := Client(nc, Options{})
	defer up.Close()
	check("https://"+listen(t, testTLS(t), relay(up)), "-k")
}
