package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/cgi"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

func TestCaptureGitClone(t *testing.T) {
	need(t, "git")
	root := t.TempDir()
	mustRun(t, exec.Command("git", "init", "-q", "-b", "main", root+"/work"))
	mustRun(t, exec.Command("git", "-C", root+"/work", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "first"))
	mustRun(t, exec.Command("git", "clone", "-q", "--bare", root+"/work", root+"/repo.git"))
	backend := filepath.Join(strings.TrimSpace(mustRun(t, exec.Command("git", "--exec-path"))), "git-http-backend")
	secure, trust := origin(t, true, &cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"}})
	c := capture(t, trust, "regular")
	clone := exec.Command("git", "-c", "http.proxy=http://"+c.addrs["regular"], "-c", "http.sslCAInfo="+c.ca, "clone", "-q", secure.URL+"/repo.git", root+"/clone")
	clone.Env = append(os.Environ(), "NO_PROXY=", "no_proxy=", "GIT_SSL_CAINFO="+c.ca)
	mustRun(t, clone)
	if got := mustRun(t, exec.Command("git", "-C", root+"/clone", "log", "--format=%s")); got != "first\n" {
		t.Errorf("cloned %q", got)
	}
	if f := find(t, c.stop(), "/repo.git/info/refs?service=git-upload-pack"); f.Response.Status != 200 {
		t.Errorf("recorded %+v", f)
	}
}

func TestCaptureWebSocket(t *testing.T) {
	secure, trust := origin(t, true, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover, CompressionThreshold: 1})
		if err != nil {
			return
		}
		for {
			typ, b, err := ws.Read(r.Context())
			if err != nil || ws.Write(r.Context(), typ, append([]byte("echo "), b...)) != nil {
				return
			}
		}
	}))
	c := capture(t, trust, "regular")
	pem, err := os.ReadFile(c.ca)
	check(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	tr := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: c.addrs["regular"]}), TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer tr.CloseIdleConnections()
	ws, resp, err := websocket.Dial(t.Context(), secure.URL+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: tr}, CompressionMode: websocket.CompressionContextTakeover, CompressionThreshold: 1,
	})
	check(t, err)
	if !strings.Contains(resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate") {
		t.Errorf("extensions: %v", resp.Header)
	}
	text := strings.Repeat("tea ", 500)
	for range 3 {
		check(t, ws.Write(t.Context(), websocket.MessageText, []byte(text)))
		_, got, err := ws.Read(t.Context())
		check(t, err)
		if string(got) != "echo "+text {
			t.Fatalf("got %d bytes", len(got))
		}
	}
	check(t, ws.Close(websocket.StatusNormalClosure, "bye"))
	f := find(t, c.stop(), "/ws")
	if f.Response.Status != 101 {
		t.Errorf("recorded %+v", f)
	}
	out := mustRun(t, exec.Command("flowkit", "export", "--json", "-q", "-r", c.file))
	if strings.Count(out, `echo `+text) != 3 || strings.Count(out, text) < 6 {
		t.Errorf("the messages are not all recorded: %.2000s", out)
	}
}
