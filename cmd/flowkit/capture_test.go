package main

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCaptureCurl lets curl talk to origins through each mode of a running capture, with a script, and reads back what the
// file says.
func TestCaptureCurl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("FLOWKIT_CI") != "" {
			t.Fatal(err)
		}
		t.Skip("curl is not installed")
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "flowkit")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	origin := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		w.Header().Set("X-Added", r.Header.Get("X-Added"))
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "hello %s %d", r.URL.Path, len(body))
	})
	plain := httptest.NewServer(origin)
	defer plain.Close()
	secure := httptest.NewUnstartedServer(origin)
	secure.EnableHTTP2 = true
	secure.TLS = &tls.Config{}
	secure.StartTLS()
	defer secure.Close()
	roots := filepath.Join(dir, "roots.pem")
	pemBytes := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	script := []byte("def request(flow):\n    flow.request.headers[\"x-added\"] = \"yes\"\n    if flow.request.path == \"/mock\":\n        flow.response = http.Response.make(418, \"teapot\")\n")
	for name, b := range map[string][]byte{"roots.pem": pemBytes, "s.star": script} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	regular, socks, reverse := freeAddr(t), freeAddr(t), freeAddr(t)
	capture := exec.Command(bin, "capture", "-w", "x.flow", "-s", "s.star", "--confdir", filepath.Join(dir, "ca"),
		"--mode", "regular@"+regular, "--mode", "socks5@"+socks, "--mode", "reverse:"+secure.URL+"@"+reverse)
	capture.Dir = dir
	capture.Env = append(os.Environ(), "SSL_CERT_FILE="+roots)
	var log strings.Builder
	capture.Stderr = &log
	if err := capture.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = capture.Process.Kill() }()
	waitFor(t, reverse)
	cert := filepath.Join(dir, "ca", "flowkit-ca-cert.pem")
	if err := os.WriteFile(cert, caPEM(t, bin, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-x", "http://" + regular, plain.URL + "/a"}, "200 HTTP/1.1 yes hello /a 0"},
		{[]string{"-x", "http://" + regular, "-d", "12345", plain.URL + "/b"}, "200 HTTP/1.1 yes hello /b 5"},
		{[]string{"-x", "http://" + regular, secure.URL + "/c"}, "200 HTTP/2.0 yes hello /c 0"},
		{[]string{"-x", "http://" + regular, "--http1.1", "-H", "Transfer-Encoding: chunked", "-d", "123", secure.URL + "/d"}, "200 HTTP/1.1 yes hello /d 3"},
		{[]string{"--socks5-hostname", socks, secure.URL + "/e"}, "200 HTTP/2.0 yes hello /e 0"},
		{[]string{"--socks5-hostname", socks, plain.URL + "/f"}, "200 HTTP/1.1 yes hello /f 0"},
		{[]string{"http://" + reverse + "/g"}, "200 HTTP/1.1 yes hello /g 0"},
		{[]string{"-x", "http://" + regular, plain.URL + "/mock"}, "418   teapot"},
		{[]string{"-x", "http://" + regular, "http://127.0.0.1:1/dead", "-o", os.DevNull}, "502   "},
	} {
		args := append([]string{"-sS", "--cacert", cert, "-w", "\n%{http_code} %header{x-proto} %header{x-added}"}, c.args...)
		out, err := exec.Command("curl", args...).Output()
		if err != nil {
			t.Errorf("curl %v: %v", c.args, err)
			continue
		}
		i := strings.LastIndexByte(string(out), '\n')
		if got := string(out[i+1:]) + " " + string(out[:i]); got != c.want {
			t.Errorf("curl %v: %q, want %q", c.args, got, c.want)
		}
	}
	if err := capture.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := capture.Wait(); err != nil {
		t.Fatalf("capture: %v\n%s", err, log.String())
	}
	out, err := exec.Command(bin, "ls", "-r", filepath.Join(dir, "x.flow")).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`1 .* GET ` + plain.URL + `/a  << 200 OK 10 B`, `2 .* POST ` + plain.URL + `/b  << 200 OK`, `3 .* GET ` + secure.URL + `/c  << 200 10 B`,
		`4 .* POST ` + secure.URL + `/d  << 200 OK`, `5 .* GET ` + secure.URL + `/e`, `7 .* GET ` + secure.URL + `/g`,
		`8 .* GET ` + plain.URL + `/mock  << 418`, `9 .* GET http://127.0.0.1:1/dead  << error: .*connection refused`,
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("ls has no %q:\n%s", want, out)
		}
	}
	if out, err := exec.Command(bin, "verify", filepath.Join(dir, "x.flow")).CombinedOutput(); err != nil || !strings.Contains(string(out), "whole, 9 flows") {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

func caPEM(t *testing.T, bin, dir string) []byte {
	t.Helper()
	out, err := exec.Command(bin, "ca", "--pem", "--confdir", filepath.Join(dir, "ca")).Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// waitFor waits until something listens at addr.
func waitFor(t *testing.T, addr string) {
	t.Helper()
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("nothing listens at %s", addr)
}
