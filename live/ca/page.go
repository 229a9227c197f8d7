package ca

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"

	"flowkit/flowfile"
)

// The certificate is loaded by this name, and Instructions speak of it so.
const download = "flowkit-ca-cert"

const plainText = "text/plain; charset=utf-8"

// IsPageHost tells whether a host, with or without a port, is one at which the proxy itself
// answers with Page: flowkit.ca, or mitm.it, which people know.
func IsPageHost(host string) bool {
	host, _, _ = strings.Cut(host, ":")
	host = strings.TrimSuffix(host, ".")
	return strings.EqualFold(host, "flowkit.ca") || strings.EqualFold(host, "mitm.it")
}

// Page answers a request to a host of IsPageHost: / tells what the certificate is and how
// it comes to be trusted, /cert/pem, /cert/cer and /cert/p12 are the certificate. target is
// the path, with or without a query. The answer is whole: fields have its length, and the
// body of an answer to HEAD is nil. The caller owns all of it.
func (c *CA) Page(method, target string) (status int, fields []flowfile.Field, body []byte) {
	status = http.StatusOK
	typ, file := "application/x-x509-ca-cert", ""
	path, _, _ := strings.Cut(target, "?")
	switch {
	case method != http.MethodGet && method != http.MethodHead:
		status, typ, body = http.StatusMethodNotAllowed, plainText, []byte("This page can be read, and no more.\n")
		fields = append(fields, flowfile.Field{Name: "Allow", Value: "GET, HEAD"})
	case path == "/":
		typ, body = "text/html; charset=utf-8", c.html()
	case path == "/cert/pem":
		file, body = download+".pem", c.PEM()
	case path == "/cert/cer":
		file, body = download+".cer", c.DER()
	case path == "/cert/p12":
		var err error
		file, typ = download+".p12", "application/x-pkcs12"
		if body, err = c.P12(); err != nil {
			file, status, typ, body = "", http.StatusInternalServerError, plainText, []byte(err.Error()+"\n")
		}
	default:
		status, typ = http.StatusNotFound, plainText
		body = []byte("There is no such page here. http://flowkit.ca/ has the certificate of the proxy.\n")
	}
	fields = append(fields,
		flowfile.Field{Name: "Content-Type", Value: typ},
		flowfile.Field{Name: "Content-Length", Value: strconv.Itoa(len(body))})
	if file != "" {
		fields = append(fields, flowfile.Field{Name: "Content-Disposition", Value: `attachment; filename="` + file + `"`})
	}
	fields = append(fields,
		flowfile.Field{Name: "Cache-Control", Value: "no-store"}, // the next proxy has another certificate
		flowfile.Field{Name: "X-Content-Type-Options", Value: "nosniff"},
		flowfile.Field{Name: "Content-Security-Policy", Value: "default-src 'none'; style-src 'unsafe-inline'"})
	if method == http.MethodHead {
		body = nil
	}
	return status, fields, body
}

const pageHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<title>flowkit: the certificate of this proxy</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 1rem }
h2 { font-size: 1.1rem; margin-bottom: 0 }
p, pre { margin: .4rem 0 }
pre, .hash { font-family: ui-monospace, monospace; font-size: .9rem }
pre { overflow-x: auto; padding: .4rem .6rem; border: 1px solid }
.hash { overflow-wrap: anywhere }
</style>
</head>
<body>
<main>
<h1>The certificate of this proxy</h1>
<p>flowkit stands between this device and the network. To read encrypted traffic as well, its certificate must be trusted here.</p>
<p><strong>Trust it only if you, or people you trust, run this proxy:</strong> whoever has its key can read and change what
this device sends and receives. Remove it when you are done.</p>
<ul>
<li><a href="/cert/pem">PEM file</a>: Linux, macOS, iOS, Firefox, programs</li>
<li><a href="/cert/cer">CER file</a>: Android, Windows</li>
<li><a href="/cert/p12">P12 file</a>: what asks for PKCS #12; the password is empty</li>
</ul>
`

// html returns the page: plain, without scripts, in the colours of the browser.
func (c *CA) html() []byte {
	b := []byte(pageHead)
	b = fmt.Appendf(b, "<p>It is named %s, is valid until %s, and has the SHA-256 fingerprint<br /><span class=\"hash\">%s</span></p>\n",
		html.EscapeString(c.cert.Subject.String()), c.cert.NotAfter.Format(time.DateOnly), c.Fingerprint())
	for _, t := range Instructions(download + ".pem") {
		b = fmt.Appendf(b, "<h2>%s</h2>\n", html.EscapeString(t.System))
		if t.Note != "" {
			b = fmt.Appendf(b, "<p>%s</p>\n", html.EscapeString(t.Note))
		}
		if len(t.Commands) > 0 {
			b = fmt.Appendf(b, "<pre tabindex=\"0\"><code>%s</code></pre>\n", html.EscapeString(strings.Join(t.Commands, "\n")))
		}
	}
	return append(b, "</main>\n</body>\n</html>\n"...)
}
