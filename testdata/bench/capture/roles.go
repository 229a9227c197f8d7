package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/elazarl/goproxy"
)

// A role is what this program does when the benchmark starts it again, so that its CPU time is its own.
var roles = map[string]func(args []string) error{
	"goproxy": recordWithGoproxy,
	"copy":    copyBytes,
}

// flow is what the JSON recorder keeps of an exchange.
type flow struct {
	Time     time.Time `json:"time"`
	Method   string    `json:"method"`
	URL      string    `json:"url"`
	Request  part      `json:"request"`
	Status   int       `json:"status"`
	Response part      `json:"response"`
	Seconds  float64   `json:"seconds"`
}

type part struct {
	Headers http.Header `json:"headers"`
	Text    string      `json:"text,omitempty"`
	Base64  string      `json:"base64,omitempty"`
}

func newPart(h http.Header, body []byte) part {
	if utf8.Valid(body) {
		return part{Headers: h, Text: string(body)}
	}
	return part{Headers: h, Base64: base64.StdEncoding.EncodeToString(body)}
}

// certs keeps leaf certificates, as goproxy recommends.
type certs struct {
	mu  sync.Mutex
	all map[string]*tls.Certificate
}

func (c *certs) Fetch(host string, make func() (*tls.Certificate, error)) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cert, ok := c.all[host]; ok {
		return cert, nil
	}
	cert, err := make()
	if err == nil {
		c.all[host] = cert
	}
	return cert, err
}

// recordWithGoproxy is a proxy of goproxy that writes each flow as a line of JSON. Arguments: ADDR FILE.
func recordWithGoproxy(args []string) error {
	file, err := os.Create(args[1])
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 64<<10)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	var mu sync.Mutex
	go func() {
		for range time.Tick(time.Second) {
			mu.Lock()
			w.Flush()
			mu.Unlock()
		}
	}()
	p := goproxy.NewProxyHttpServer()
	p.Tr.Proxy = nil
	p.Tr.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	p.Tr.MaxIdleConnsPerHost = 1024
	p.KeepAcceptEncoding = true
	p.Tr.DisableCompression = true
	p.CertStore = &certs{all: make(map[string]*tls.Certificate)}
	p.OnRequest().HandleConnect(goproxy.AlwaysMitm)
	type pending struct {
		start time.Time
		body  []byte
	}
	p.OnRequest().DoFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		q := &pending{start: time.Now()}
		if r.Body != nil && r.Body != http.NoBody {
			q.body, _ = io.ReadAll(r.Body)
			r.Body.Close()
			r.Body = io.NopCloser(bytes.NewReader(q.body))
		}
		ctx.UserData = q
		return r, nil
	})
	p.OnResponse().DoFunc(func(r *http.Response, ctx *goproxy.ProxyCtx) *http.Response {
		q, ok := ctx.UserData.(*pending)
		if r == nil || !ok {
			return r
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return goproxy.NewResponse(ctx.Req, "text/plain", 502, err.Error())
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		f := flow{
			Time: q.start, Method: ctx.Req.Method, URL: ctx.Req.URL.String(), Request: newPart(ctx.Req.Header, q.body),
			Status: r.StatusCode, Response: newPart(r.Header, body), Seconds: time.Since(q.start).Seconds(),
		}
		mu.Lock()
		defer mu.Unlock()
		if err := enc.Encode(&f); err != nil {
			panic(err)
		}
		return r
	})
	return http.ListenAndServe(args[0], p)
}

// copyBytes passes connections on with io.Copy and knows nothing of what they carry. Arguments: ADDR SERVER [user].
// io.Copy between two sockets has the kernel move the bytes (splice); with user they go through memory of the process, as
// in any proxy that looks at them.
func copyBytes(args []string) error {
	ln, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			s, err := net.Dial("tcp", args[1])
			if err != nil {
				return
			}
			defer s.Close()
			pass := func(dst, src net.Conn) {
				if len(args) > 2 {
					_, _ = io.Copy(struct{ io.Writer }{dst}, struct{ io.Reader }{src})
				} else {
					_, _ = io.Copy(dst, src)
				}
				_ = dst.(*net.TCPConn).CloseWrite()
			}
			go pass(s, c)
			pass(c, s)
		}()
	}
}
