package ca

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"testing"

	"flowkit/flowfile"
)

func TestIsPageHost(t *testing.T) {
	for host, want := range map[string]bool{
		"flowkit.ca": true, "FLOWKIT.ca:80": true, "mitm.it": true, "mitm.it.:8080": true,
		"": false, "www.flowkit.ca": false, "flowkit.ca.example.com": false, "[::1]:80": false,
	} {
		if IsPageHost(host) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
}

func field(fields []flowfile.Field, name string) string {
	v := ""
	for _, f := range fields {
		if f.Name == name {
			v = f.Value
		}
	}
	return v
}

func TestPage(t *testing.T) {
	c := load(t, t.TempDir())
	for _, p := range []struct {
		method, target string
		status         int
		typ, file      string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/?x=/cert/pem", 200, "text/html; charset=utf-8", ""},
		{"HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/cert/pem", 200, "application/x-x509-ca-cert", "flowkit-ca-cert.pem"},
		{"GET", "/cert/cer?a", 200, "application/x-x509-ca-cert", "flowkit-ca-cert.cer"},
		{"GET", "/cert/p12", 200, "application/x-pkcs12", "flowkit-ca-cert.p12"},
		{"HEAD", "/cert/pem", 200, "application/x-x509-ca-cert", "flowkit-ca-cert.pem"},
		{"GET", "/favicon.ico", 404, "text/plain; charset=utf-8", ""},
		{"GET", "", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/cert/../cert/pem", 404, "text/plain; charset=utf-8", ""},
		{"POST", "/", 405, "text/plain; charset=utf-8", ""},
		{"", "", 405, "text/plain; charset=utf-8", ""},
	} {
		status, fields, body := c.Page(p.method, p.target)
		if status != p.status || field(fields, "Content-Type") != p.typ {
			t.Errorf("%s %s: %d %s", p.method, p.target, status, field(fields, "Content-Type"))
		}
		if want := `attachment; filename="` + p.file + `"`; p.file != "" && field(fields, "Content-Disposition") != want {
			t.Errorf("%s %s: %s", p.method, p.target, field(fields, "Content-Disposition"))
		}
		n, err := strconv.Atoi(field(fields, "Content-Length"))
		if err != nil || n == 0 || p.method == "HEAD" && body != nil || p.method != "HEAD" && n != len(body) {
			t.Errorf("%s %s: length %d, body of %d (%v)", p.method, p.target, n, len(body), err)
		}
		if bytes.Contains(body, []byte("PRIVATE KEY")) {
			t.Errorf("%s %s has the key", p.method, p.target)
		}
	}
	_, _, body := c.Page("GET", "/cert/pem")
	if b, _ := pem.Decode(body); b == nil || !bytes.Equal(b.Bytes, c.cert.Raw) {
		t.Error("pem is not the certificate")
	}
	_, _, body = c.Page("GET", "/cert/cer")
	if x, err := x509.ParseCertificate(body); err != nil || !x.Equal(c.cert) {
		t.Errorf("cer is not the certificate (%v)", err)
	}
}

// The page is well-formed, escaped, has what screen readers need, and no scripts.
func TestPageHTML(t *testing.T) {
	a := authority(t, func(x *x509.Certificate) { x.Subject.CommonName = "<script>&\"" })
	c := load(t, save(t, "flowkit-ca.pem", a.pem()))
	_, _, body := c.Page("GET", "/")
	page := string(body)
	for _, want := range []string{
		`<html lang="en">`, "<title>", "<main>", "<h1>", `name="viewport"`,
		`href="/cert/pem"`, `href="/cert/cer"`, `href="/cert/p12"`, c.Fingerprint(),
		"CN=\\&lt;script\\&gt;&amp;", "Firefox", "Android", "iOS",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("there is no %s", want)
		}
	}
	if strings.Contains(page, "<script") {
		t.Error("there is a script")
	}
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(page, "<!DOCTYPE html>")))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestInstructions(t *testing.T) {
	seen := map[string]bool{}
	for _, i := range Instructions("/home/o'neil/my ca/c.pem") {
		if seen[i.System] || i.System == "" || i.Note == "" && len(i.Commands) == 0 {
			t.Errorf("%q: twice, or says nothing", i.System)
		}
		seen[i.System] = true
		for _, c := range i.Commands {
			if strings.Contains(c, "my ca") && !strings.Contains(c, quote("/home/o'neil/my ca/c.pem")) {
				t.Errorf("%s: %s", i.System, c)
			}
		}
	}
	if len(seen) < 13 {
		t.Errorf("only %d systems", len(seen))
	}
}
