package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"time"
)

// A visitor goes everywhere through one proxy.
type visitor struct {
	proxy string
	tls   *tls.Config
	http  *http.Client
}

// drive visits the shop as a browser, an app and a few stranger clients would.
func drive(proxy, dns, cacert string) error {
	pem, err := os.ReadFile(cacert)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s: no certificate", cacert)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	v := &visitor{proxy: proxy, tls: &tls.Config{RootCAs: roots}}
	v.http = &http.Client{
		Jar: jar,
		Transport: &http.Transport{
			Proxy:              http.ProxyURL(&url.URL{Scheme: "http", Host: proxy}),
			TLSClientConfig:    v.tls.Clone(),
			ForceAttemptHTTP2:  true,
			DisableCompression: true, // we ask for gzip ourselves, as browsers do
		},
	}
	defer v.http.CloseIdleConnections()
	steps := []struct {
		name string
		run  func() error
	}{
		{"dns", func() error { return askDNS(dns) }},
		{"browser", v.browse},
		{"api", v.callAPI},
		{"errors", v.failures},
		{"raw", v.raw},
		{"websocket", v.talk},
		{"websocket, hung up on", v.hungUp},
		{"queue", v.queue},
		{"sensor", v.sensor},
	}
	for _, s := range steps {
		if err := s.run(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// do sends one request and reads its response to the end.
func (v *visitor) do(method, target string, body io.Reader, header ...string) error {
	req, err := http.NewRequest(method, target, body)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) flowkit-demo/1.0")
	req.Header.Set("Accept-Encoding", "gzip")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := v.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusBadGateway { // the proxy's word; the shop never says it
		return fmt.Errorf("%s %s: %s", method, target, resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func (v *visitor) browse() error {
	const form = "application/x-www-form-urlencoded"
	var parts bytes.Buffer
	m := multipart.NewWriter(&parts)
	_ = m.WriteField("title", "Ein schönes Bild")
	file, err := m.CreateFormFile("picture", "logo.png")
	if err != nil {
		return err
	}
	_, _ = file.Write(logoPNG())
	if err := m.Close(); err != nil {
		return err
	}
	cached := []string{"If-None-Match", `"style-1"`, "Referer", "http://shop.example/"}
	login := "user=ada+lovelace&password=correct+horse&next=%2Faccount%3Ftab%3D1&empty="
	return errors.Join(
		v.do("GET", "http://shop.example/", nil, "Accept-Language", "en-GB,en;q=0.8,de;q=0.5"),
		v.do("GET", "http://cdn.shop.example/style.css", nil, "Referer", "http://shop.example/"),
		v.do("GET", "http://cdn.shop.example/app.js", nil, "Referer", "http://shop.example/"),
		v.do("GET", "http://cdn.shop.example/logo.png", nil, "Referer", "http://shop.example/"),
		v.do("GET", "http://cdn.shop.example/style.css", nil, cached...),
		v.do("GET", "http://shop.example/about", nil),
		v.do("GET", "http://shop.example/alt?q=na%C3%AFve&q=2&plus=a+b&empty=&flag", nil),
		v.do("GET", "http://shop.example/old", nil),   // and, redirected, /older and /
		v.do("GET", "http://shop.example/login", nil), // sets cookies
		v.do("POST", "http://shop.example/login", strings.NewReader(login), "Content-Type", form),
		v.do("POST", "http://shop.example/upload", &parts, "Content-Type", m.FormDataContentType()),
		v.do("HEAD", "http://cdn.shop.example/catalogue.bin", nil),
		v.do("GET", "http://shop.example/stream", nil),
		v.do("GET", "https://shop.example/events", nil, "Accept", "text/event-stream"),
		v.do("GET", "http://shop.example/missing", nil),
	)
}

func (v *visitor) callAPI() error {
	const root = "https://api.shop.example/v1/"
	var batch bytes.Buffer
	z := gzip.NewWriter(&batch)
	for i := range 100 {
		fmt.Fprintf(z, `{"sku":"T-%03d","stock":%d}`+"\n", i, i*7%30)
	}
	if err := z.Close(); err != nil {
		return err
	}
	bearer := []string{"Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.", "Content-Type", "application/json"}
	created, _ := json.Marshal(product{Name: "silver teapot", Price: 99, Tags: []string{"silver", "ティー"}})
	return errors.Join(
		v.do("OPTIONS", root+"products", nil, "Origin", "http://shop.example", "Access-Control-Request-Method", "POST"),
		v.do("GET", root+"products", nil),
		v.do("GET", root+"products/7", nil),
		v.do("GET", root+"products/99", nil),
		v.do("POST", root+"products", bytes.NewReader(created), bearer...),
		v.do("POST", root+"products", strings.NewReader(`{"name": teapot}`), bearer...),
		v.do("PUT", root+"products/25", strings.NewReader(`{"id":25,"name":"silver teapot","price":89}`), bearer...),
		v.do("PATCH", root+"products/25", strings.NewReader(`{"price":85}`), bearer...),
		v.do("DELETE", root+"products/25", nil, bearer...),
		v.do("POST", root+"batch", &batch, append(bearer, "Content-Encoding", "gzip")...),
		v.do("POST", root+"call", strings.NewReader("\x00\x00\x00\x00\x02\x08\x07"), "TE", "trailers"),
		v.do("GET", root+"report", nil),
		v.do("GET", root+"crash", nil),
		v.do("GET", root+"busy", nil),
	)
}

// failures asks for what cannot be had; that each fails is what is recorded.
func (v *visitor) failures() error {
	for _, target := range []string{
		"http://shop.example/broken/close",
		"http://shop.example/broken/short",
		"https://api.shop.example/broken/close",
		"http://down.shop.example/",
	} {
		_ = v.do("GET", target, nil)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://shop.example/broken/hang", nil)
	if err != nil {
		return err
	}
	resp, err := v.http.Do(req)
	if err == nil {
		return resp.Body.Close()
	}
	return nil
}

// raw sends what net/http would not: headers in a case and order of their own and repeated, and HTTP/1.0.
func (v *visitor) raw() error {
	for _, request := range []string{
		"GET http://shop.example/headers HTTP/1.1\r\nHost: shop.example\r\nx-trace: a\r\nX-TRACE: b\r\nAccept: text/plain\r\n" +
			"accept: text/html\r\nCookie: a=1\r\nX-Empty:\r\nCookie: b=2; c=\"3\"\r\nX-Latin: caf\xe9\r\nConnection: close\r\n\r\n",
		"GET http://shop.example/ HTTP/1.0\r\nHost: shop.example\r\nUser-Agent: Lynx/1.0\r\n\r\n",
	} {
		c, err := v.dial()
		if err != nil {
			return err
		}
		if _, err := io.WriteString(c, request); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, c); err != nil {
			return err
		}
		_ = c.Close()
	}
	return nil
}

func (v *visitor) dial() (net.Conn, error) {
	c, err := net.Dial("tcp", v.proxy)
	if err == nil {
		err = c.SetDeadline(time.Now().Add(20 * time.Second))
	}
	return c, err
}

// tunnel has the proxy CONNECT to target.
func (v *visitor) tunnel(target string) (net.Conn, error) {
	c, err := v.dial()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n\r\n", target)
	var head []byte // byte by byte: what follows the head is not ours
	for one := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, one...) {
		if _, err := io.ReadFull(c, one); err != nil {
			return nil, err
		}
	}
	if !bytes.Contains(head, []byte(" 200 ")) {
		return nil, fmt.Errorf("CONNECT %s: %q", target, head)
	}
	return c, nil
}

// upgrade opens a WebSocket on c and reads the greeting.
func (v *visitor) upgrade(c net.Conn) (*bufio.Reader, error) {
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	fmt.Fprintf(c, "GET /chat?room=tea HTTP/1.1\r\nHost: chat.shop.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tea.v1\r\n"+
		"Origin: http://shop.example\r\n\r\n", key)
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	if got := resp.Header.Get("Sec-WebSocket-Accept"); got != acceptKey(key) {
		return nil, fmt.Errorf("%s, Sec-WebSocket-Accept %q", resp.Status, got)
	}
	_, _, err = readMessage(r)
	return r, err
}

// talk has a conversation of text and binary messages over TLS and ends it in order.
func (v *visitor) talk() error {
	plain, err := v.tunnel("chat.shop.example:443")
	if err != nil {
		return err
	}
	config := v.tls.Clone()
	config.ServerName = "chat.shop.example"
	config.NextProtos = []string{"http/1.1"}
	c := tls.Client(plain, config)
	defer c.Close()
	r, err := v.upgrade(c)
	if err != nil {
		return err
	}
	for _, m := range []struct {
		frames []byte
		data   string
	}{
		{[]byte{final | opText}, "Is there any tea? 茶"},
		{[]byte{final | opBinary}, "\x00\x01\x02\xfd\xfe\xff"},
		{[]byte{opText, final | opContinue}, "said in two frames"},
		{[]byte{final | opPing}, "ping"},
		{[]byte{final | opBinary}, strings.Repeat("\xca\xfe", 500)},
		{[]byte{final | opText}, ""},
		{[]byte{final | opClose}, "\x03\xe8bye"}, // 1000
	} {
		rest := []byte(m.data)
		for i, first := range m.frames {
			n := len(rest) / (len(m.frames) - i)
			if err := writeFrame(c, first, rest[:n], true); err != nil {
				return err
			}
			rest = rest[n:]
		}
		if _, _, err := readMessage(r); err != nil {
			return err
		}
	}
	return nil
}

// hungUp opens a WebSocket without TLS whose server leaves without a word.
func (v *visitor) hungUp() error {
	c, err := v.tunnel("chat.shop.example:80")
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := v.upgrade(c)
	if err != nil {
		return err
	}
	if err := writeFrame(c, final|opText, []byte("hang up"), true); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, r)
	return nil
}

func (v *visitor) queue() error {
	c, err := v.tunnel("queue.shop.example:6379")
	if err != nil {
		return err
	}
	defer c.Close()
	r := bufio.NewReader(c)
	if _, err := r.ReadString('\n'); err != nil {
		return err
	}
	for _, line := range []string{"PUSH earl grey", "PUSH sencha 煎茶", "POP", "NOSUCH", "POP", "POP", "QUIT"} {
		fmt.Fprintf(c, "%s\r\n", line)
		if _, err := r.ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}

func (v *visitor) sensor() error {
	c, err := v.tunnel("sensor.shop.example:9000")
	if err != nil {
		return err
	}
	defer c.Close()
	for _, n := range []int{3, 16, 200} {
		frame := []byte{byte(n >> 8), byte(n)}
		for i := range n {
			frame = append(frame, byte(i*i))
		}
		if _, err := c.Write(frame); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, frame); err != nil {
			return err
		}
	}
	return nil
}

func askDNS(server string) error {
	for i, q := range []struct {
		name string
		kind uint16
	}{{"shop.example", typeA}, {"api.shop.example", typeAAAA}, {"shop.example", typeTXT}, {"nowhere.example", typeA}} {
		c, err := net.Dial("udp", server)
		if err != nil {
			return err
		}
		if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			return err
		}
		if _, err := c.Write(questionDNS(uint16(0x7ea0+i), q.name, q.kind)); err != nil {
			return err
		}
		if _, err := c.Read(make([]byte, 512)); err != nil {
			return err
		}
		_ = c.Close()
	}
	return nil
}
