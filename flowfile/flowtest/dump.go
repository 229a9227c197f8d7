package flowtest

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand"
	"strconv"
	"time"
)

// Dump writes a mitmproxy dump of n HTTP flows, format version 21, byte for byte as
// mitmproxy would. Equal n and seed give equal bytes: about 8 request and 9 response
// headers, bodies of 10 kB in the middle with a long tail (JSON, HTML, binary; text
// mostly gzipped), several flows on a connection, every other one with TLS.
//
// It does not use flowkit's own writer, so that it can serve to test it.
func Dump(w io.Writer, n int, seed int64) error {
	g := &dumper{r: rand.New(rand.NewSource(seed)), now: 1.7e9}
	if err := g.certificates(); err != nil {
		return err
	}
	for i := range n {
		if _, err := w.Write(g.record(i)); err != nil {
			return err
		}
	}
	return nil
}

type dumper struct {
	r     *rand.Rand
	now   float64
	certs array
	conn  connection
	left  int // flows to come on conn
}

type connection struct {
	client, server object
	host           string
	tls            bool
}

// The values of a tnetstring. An object is in the order in which its keys are made; the
// file has them in reverse.
type (
	object []member
	array  []any
	// member is a key and its value: nil, bool, int, float64, string (text), []byte.
	member struct {
		key   string
		value any
	}
)

var hosts = []string{
	"api.example.com", "www.example.org", "cdn.example.net", "static.example.com", "login.example.org",
	"telemetry.example.net", "images.example.com",
}

func (g *dumper) record(i int) []byte {
	if g.left == 0 {
		g.connect()
	}
	g.left--
	g.tick(0.05)
	created := g.now
	scheme, port := "http", 80
	if g.conn.tls {
		scheme, port = "https", 443
	}
	path := fmt.Sprintf("/v1/%s/%d?page=%d&session=%08x", g.pick("items", "users", "search", "assets"), g.r.Intn(1e6), g.r.Intn(50), g.r.Uint32())
	content, kind, encoding := g.body()
	requestBody, method := []byte{}, "GET"
	if g.r.Intn(6) == 0 {
		method, requestBody = "POST", g.json(200+g.r.Intn(800))
	}
	request := object{
		{"http_version", []byte("HTTP/1.1")},
		{"headers", g.headers(
			"Host", g.conn.host,
			"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
			"Accept", "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
			"Accept-Language", "en-US,en;q=0.5",
			"Accept-Encoding", "gzip, deflate, br, zstd",
			"Cookie", fmt.Sprintf("session=%016x; theme=dark", g.r.Uint64()),
			"Connection", "keep-alive",
			"Content-Length", strconv.Itoa(len(requestBody)),
		)},
		{"content", requestBody},
		{"trailers", nil},
		{"timestamp_start", g.tick(0.001)},
		{"timestamp_end", g.tick(0.001)},
		{"host", g.conn.host},
		{"port", port},
		{"method", []byte(method)},
		{"scheme", []byte(scheme)},
		{"authority", []byte{}},
		{"path", []byte(path)},
	}
	headers := []string{
		"Server", "nginx",
		"Date", "Tue, 14 Nov 2023 22:13:20 GMT",
		"Content-Type", kind,
		"Content-Length", strconv.Itoa(len(content)),
		"Connection", "keep-alive",
		"Cache-Control", "max-age=3600, public",
		"ETag", fmt.Sprintf(`"%016x"`, g.r.Uint64()),
		"Vary", "Accept-Encoding",
	}
	if encoding != "" {
		headers = append(headers, "Content-Encoding", encoding)
	}
	response := object{
		{"http_version", []byte("HTTP/1.1")},
		{"headers", g.headers(headers...)},
		{"content", content},
		{"trailers", nil},
		{"timestamp_start", g.tick(0.05)},
		{"timestamp_end", g.tick(0.01)},
		{"status_code", 200},
		{"reason", []byte("OK")},
	}
	return appendValue(nil, object{
		{"version", 21},
		{"type", "http"},
		{"id", g.uuid()},
		{"error", nil},
		{"client_conn", g.conn.client},
		{"server_conn", g.conn.server},
		{"intercepted", false},
		{"is_replay", nil},
		{"marked", ""},
		{"metadata", object{}},
		{"comment", ""},
		{"timestamp_created", created},
		{"backup", nil},
		{"request", request},
		{"response", response},
		{"websocket", nil},
	})
}

// connect makes a new connection for the next flows.
func (g *dumper) connect() {
	g.left = 1 + g.r.Intn(12)
	host := hosts[g.r.Intn(len(hosts))]
	tls := g.r.Intn(2) == 0
	g.conn = connection{host: host, tls: tls}
	start, port := g.tick(0.2), 80
	var version, cipher, sni, alpn, setup any
	certs, offers := array{}, array{}
	if tls {
		version, cipher, sni, alpn, setup = "TLSv1.3", "TLS_AES_256_GCM_SHA384", host, []byte("http/1.1"), g.tick(0.02)
		certs, offers, port = g.certs, array{[]byte("h2"), []byte("http/1.1")}, 443
	}
	side := func(peer, sock array, certs array) object {
		return object{
			{"peername", peer},
			{"sockname", sock},
			{"id", g.uuid()},
			{"transport_protocol", "tcp"},
			{"error", nil},
			{"tls", tls},
			{"certificate_list", certs},
			{"alpn", alpn},
			{"alpn_offers", offers},
			{"cipher", cipher},
			{"cipher_list", array{}},
			{"tls_version", version},
			{"sni", sni},
			{"timestamp_start", start},
			{"timestamp_end", nil},
			{"timestamp_tls_setup", setup},
		}
	}
	local := array{"127.0.0.1", 40000 + g.r.Intn(20000)}
	g.conn.client = append(
		side(local, array{"127.0.0.1", 8080}, array{}),
		member{"mitmcert", nil}, member{"proxy_mode", "regular"},
	)
	address := fmt.Sprintf("203.0.113.%d", g.r.Intn(256))
	g.conn.server = append(
		side(array{address, port}, array{"192.0.2.10", 40000 + g.r.Intn(20000)}, certs),
		member{"address", array{host, port}}, member{"timestamp_tcp_setup", g.tick(0.02)}, member{"via", nil},
	)
}

// tick lets time pass, up to most seconds, and returns it with the digits of a clock.
func (g *dumper) tick(most float64) float64 {
	g.now = math.Round((g.now+g.r.Float64()*most)*1e7) / 1e7
	return g.now
}

func (g *dumper) pick(s ...string) string { return s[g.r.Intn(len(s))] }

func (g *dumper) uuid() string {
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", g.r.Uint32(), g.r.Intn(1<<16), g.r.Intn(1<<12), g.r.Intn(1<<12), g.r.Int63n(1<<48))
}

func (g *dumper) headers(kv ...string) array {
	var l array
	for i := 0; i < len(kv); i += 2 {
		l = append(l, array{[]byte(kv[i]), []byte(kv[i+1])})
	}
	return l
}

// body returns a response body with its type and encoding.
func (g *dumper) body() (content []byte, kind, encoding string) {
	size := int(min(math.Exp(9+1.2*g.r.NormFloat64()), 1<<20))
	switch g.r.Intn(4) {
	case 0:
		kind, content = "text/html; charset=utf-8", g.html(size)
	case 1, 2:
		kind, content = "application/json", g.json(size)
	default:
		content = make([]byte, size)
		g.r.Read(content)
		return content, "image/webp", ""
	}
	if g.r.Intn(3) == 0 {
		return content, kind, ""
	}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, _ = z.Write(content) // a Buffer takes all
	_ = z.Close()
	return buf.Bytes(), kind, "gzip"
}

func (g *dumper) json(size int) []byte {
	b := []byte(`{"items":[`)
	for len(b) < size {
		b = fmt.Appendf(b, `{"id":%d,"name":"%s %s","price":%.2f,"tags":["%s","%s"]},`,
			g.r.Intn(1e7), g.word(), g.word(), g.r.Float64()*100, g.word(), g.word())
	}
	return append(bytes.TrimSuffix(b, []byte(",")), "]}"...)
}

func (g *dumper) html(size int) []byte {
	b := []byte("<!doctype html><html><head><title>A page</title></head><body>\n")
	for len(b) < size {
		b = fmt.Appendf(b, "<div class=\"%s\"><a href=\"/%s/%d\">%s</a> %s %s</div>\n",
			g.word(), g.word(), g.r.Intn(1e5), g.word(), g.word(), g.word())
	}
	return append(b, "</body></html>\n"...)
}

func (g *dumper) word() string {
	const syllables = "kalomiruteshivanopedarugibosefo"
	var b []byte
	for range 2 + g.r.Intn(3) {
		i := 2 * g.r.Intn(len(syllables)/2)
		b = append(b, syllables[i:i+2]...)
	}
	return string(b)
}

// certificates makes a chain of two.
func (g *dumper) certificates() error {
	seed := make([]byte, ed25519.SeedSize)
	g.r.Read(seed)
	key := ed25519.NewKeyFromSeed(seed)
	for i, name := range []string{"example.com", "Example CA"} {
		t := &x509.Certificate{
			SerialNumber: big.NewInt(g.r.Int63()),
			Subject:      pkix.Name{CommonName: name, Organization: []string{"Example"}},
			NotBefore:    time.Unix(1.69e9, 0),
			NotAfter:     time.Unix(1.79e9, 0),
			DNSNames:     hosts,
			IsCA:         i == 1,
		}
		der, err := x509.CreateCertificate(g.r, t, t, key.Public(), key)
		if err != nil {
			return fmt.Errorf("make a certificate: %w", err)
		}
		g.certs = append(g.certs, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return nil
}

// appendValue appends v as a tnetstring.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "0:~"...)
	case bool:
		return appendElement(b, []byte(strconv.FormatBool(v)), '!')
	case int:
		return appendElement(b, strconv.AppendInt(nil, int64(v), 10), '#')
	case float64:
		f := strconv.AppendFloat(nil, v, 'f', -1, 64)
		if !bytes.Contains(f, []byte(".")) {
			f = append(f, ".0"...)
		}
		return appendElement(b, f, '^')
	case string:
		return appendElement(b, []byte(v), ';')
	case []byte:
		return appendElement(b, v, ',')
	case array:
		var in []byte
		for _, x := range v {
			in = appendValue(in, x)
		}
		return appendElement(b, in, ']')
	case object:
		var in []byte
		for i := len(v) - 1; i >= 0; i-- {
			in = appendValue(appendValue(in, v[i].key), v[i].value)
		}
		return appendElement(b, in, '}')
	}
	panic(fmt.Sprintf("flowtest: internal error: value of type %T", v))
}

func appendElement(b, payload []byte, tag byte) []byte {
	b = append(strconv.AppendInt(b, int64(len(payload)), 10), ':')
	return append(append(b, payload...), tag)
}
