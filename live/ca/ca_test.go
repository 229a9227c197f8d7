package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// tool skips a test if a program is not there; CI has them.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("FLOWKIT_CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

func command(t *testing.T, stdin []byte, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func load(t testing.TB, dir string) *CA {
	t.Helper()
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoadMakesOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	c := load(t, dir)
	if !c.Created() || c.File() != filepath.Join(dir, "flowkit-ca.pem") {
		t.Errorf("created %v in %s", c.Created(), c.File())
	}
	again := load(t, dir)
	if again.Created() || again.Fingerprint() != c.Fingerprint() {
		t.Error("the second Load has another CA than the first")
	}
	if w := again.Warnings(); len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
	if runtime.GOOS != "windows" {
		for name, want := range map[string]os.FileMode{dir: 0o700, c.File(): 0o600} {
			if fi, err := os.Stat(name); err != nil || fi.Mode().Perm() != want {
				t.Errorf("%s: mode %v, want %v (%v)", name, fi.Mode().Perm(), want, err)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the directory has %v, want the key and the certificate (%v)", entries, err)
	}
}

// Many processes that start at once agree on one CA.
func TestLoadRace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "conf")
	prints := make([]string, 8)
	created := make([]bool, len(prints))
	var wg sync.WaitGroup
	for i := range prints {
		wg.Go(func() {
			c, err := Load(dir)
			if err != nil {
				t.Error(err)
				return
			}
			prints[i], created[i] = c.Fingerprint(), c.Created()
		})
	}
	wg.Wait()
	n := 0
	for i := range prints {
		if prints[i] != prints[0] {
			t.Error("two CAs")
		}
		if created[i] {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d say they made it", n)
	}
}

func TestCertFile(t *testing.T) {
	c := load(t, t.TempDir())
	for _, spoil := range []func(string) error{
		os.Remove,
		func(file string) error { return os.WriteFile(file, []byte("of another CA"), 0o600) },
	} {
		file, err := c.CertFile()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, c.PEM()) {
			t.Errorf("%s: %v\n%s", file, err, b)
		}
		if err := spoil(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWarnings(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing")
	}
	dir := t.TempDir()
	c := load(t, dir)
	for name, mode := range map[string]os.FileMode{dir: 0o777, c.File(): 0o640} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	w := strings.Join(load(t, dir).Warnings(), "\n")
	for _, want := range []string{"flowkit-ca.pem: others can read the key", dir + ": others can replace the CA"} {
		if !strings.Contains(w, want) {
			t.Errorf("%q is not in %q", want, w)
		}
	}
	soon := authority(t, func(x *x509.Certificate) { x.NotAfter = time.Now().Add(24 * time.Hour) })
	dir = save(t, "flowkit-ca.pem", soon.pem())
	if w := load(t, dir).Warnings(); len(w) != 1 || !strings.Contains(w[0], "expires on ") {
		t.Errorf("of a CA with a day to live: %q", w)
	}
}

func TestNotWritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(filepath.Join(file, "conf")); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("below a file: %v", err)
	}
	if _, err := Load(""); err == nil {
		t.Error("no directory is taken for one")
	}
	if os.Getuid() == 0 || runtime.GOOS == "windows" {
		return // who may write anywhere
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "make a CA: "+dir) {
		t.Errorf("read-only directory: %v", err)
	}
}

// pair is a key and a certificate as others make them.
type pair struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func (p pair) pem() []byte { return append(p.keyPEM(), certPEM(p.cert)...) }

func (p pair) keyPEM() []byte {
	raw, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

func certPEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func authority(t testing.TB, change func(*x509.Certificate)) pair {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signed(t, key, pair{}, change)
}

// signed makes a CA, signed by parent or by itself.
func signed(t testing.TB, key crypto.Signer, parent pair, change func(*x509.Certificate)) pair {
	t.Helper()
	x := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "some CA"},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if change != nil {
		change(x)
	}
	by, signer := x, key
	if parent.cert != nil {
		by, signer = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, x, by, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return pair{key, cert}
}

func save(t testing.TB, name string, data []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLoadRefuses(t *testing.T) {
	good, other := authority(t, nil), authority(t, nil)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "neither a key nor a certificate"},
		{"other things", []byte("hello"), "neither a key nor a certificate"},
		{"no key", certPEM(good.cert), "no private key"},
		{"no certificate", good.keyPEM(), "no certificate"},
		{"mismatch", append(good.keyPEM(), certPEM(other.cert)...), "the key is not that of the certificate"},
		{"two keys", append(other.keyPEM(), good.pem()...), "two keys"},
		{"bad key", append([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), certPEM(good.cert)...), "the key cannot be read"},
		{"bad certificate", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "the certificate cannot be read"},
		{"encrypted", []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"), "the key is encrypted"},
		{"encrypted, old", []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"), "the key is encrypted"},
		{"expired", authority(t, func(x *x509.Certificate) { x.NotAfter = time.Now().Add(-time.Minute) }).pem(), "the certificate expired on "},
		{"not yet", authority(t, func(x *x509.Certificate) { x.NotBefore = time.Now().Add(time.Minute) }).pem(), "is the clock right?"},
		{"no CA", authority(t, func(x *x509.Certificate) { x.IsCA = false }).pem(), "not that of a CA"},
		{"no signing", authority(t, func(x *x509.Certificate) { x.KeyUsage = x509.KeyUsageDigitalSignature }).pem(), "not for signing"},
		{"huge", make([]byte, maxFile+1), "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"flowkit-ca.pem", "mitmproxy-ca.pem"} {
				_, err := Load(save(t, name, c.data))
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), name+": ") || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v, want %q", err, c.want)
				}
			}
		})
	}
}

// Keys of every kind and encoding sign leaves that Go and OpenSSL believe.
func TestKeys(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	if err != nil {
		t.Fatal(err)
	}
	root := signed(t, rsaKey, pair{}, nil)
	ec := signed(t, ecKey, pair{}, nil)
	middle := signed(t, ecKey, root, func(x *x509.Certificate) { x.Subject.CommonName = "between" })
	bare := signed(t, rsaKey, pair{}, func(x *x509.Certificate) { x.SubjectKeyId = nil })
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})
	sec1PEM := append([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})...)
	for _, c := range []struct {
		name  string
		data  []byte
		root  *x509.Certificate
		chain int
	}{
		{"RSA, PKCS 8", root.pem(), root.cert, 1},
		{"RSA, PKCS 1", append(pkcs1, certPEM(root.cert)...), root.cert, 1},
		{"certificate first", append(certPEM(root.cert), root.keyPEM()...), root.cert, 1},
		{"EC, SEC 1", append(sec1PEM, certPEM(ec.cert)...), ec.cert, 1},
		{"Ed25519", signed(t, edKey, pair{}, nil).pem(), nil, 1},
		{"intermediate", append(middle.pem(), certPEM(root.cert)...), root.cert, 2},
		{"intermediate after its root", append(append(certPEM(root.cert), certPEM(middle.cert)...), middle.keyPEM()...), root.cert, 2},
		{"no key identifier", bare.pem(), bare.cert, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := load(t, save(t, "mitmproxy-ca.pem", c.data))
			leaf, err := a.Leaf(Template{Names: []string{"example.com"}})
			if err != nil {
				t.Fatal(err)
			}
			if len(leaf.Certificate) != c.chain {
				t.Errorf("%d certificates are shown, want %d", len(leaf.Certificate), c.chain)
			}
			if c.root == nil {
				c.root = a.Certificate()
			}
			verify(t, leaf, c.root, "example.com")
		})
	}
}

// verify has Go check a chain, and OpenSSL, strictly.
func verify(t *testing.T, leaf *tls.Certificate, root *x509.Certificate, host string) {
	t.Helper()
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	var more []byte
	for _, der := range leaf.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		between.AddCert(c)
		more = append(more, certPEM(c)...)
	}
	if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: host}); err != nil {
		t.Error(err)
	}
	if len(leaf.Leaf.AuthorityKeyId) == 0 {
		t.Error("no authority key identifier")
	}
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		return
	}
	dir := t.TempDir()
	args := []string{"verify", "-CAfile", "root.pem", "-purpose", "sslserver"}
	if len(more) > 0 {
		args = append(args, "-untrusted", "more.pem")
	}
	if len(root.SubjectKeyId) > 0 {
		args = append(args, "-x509_strict")
	}
	if ip := net.ParseIP(host); ip != nil {
		args = append(args, "-verify_ip", host)
	} else {
		args = append(args, "-verify_hostname", host)
	}
	for name, data := range map[string][]byte{"root.pem": certPEM(root), "more.pem": more, "leaf.pem": certPEM(leaf.Leaf)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), openssl, append(args, "leaf.pem")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("openssl %q: %v\n%s", args, err, out)
	}
}

// A directory that mitmproxy made is used as it is.
func TestMitmproxy(t *testing.T) {
	mitmdump := tool(t, "mitmdump")
	dir := t.TempDir()
	// -n: no proxy; -r of an empty file: it ends by itself, the CA being made.
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "conf")
	command(t, nil, mitmdump, "--set", "confdir="+conf, "-n", "-r", empty)
	before, err := os.ReadDir(conf)
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, conf)
	if c.Created() || filepath.Base(c.File()) != "mitmproxy-ca.pem" {
		t.Fatalf("%s, created %v", c.File(), c.Created())
	}
	if w := c.Warnings(); len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
	file, err := c.CertFile()
	if err != nil || filepath.Base(file) != "mitmproxy-ca-cert.pem" {
		t.Errorf("%s, %v", file, err)
	}
	if after, err := os.ReadDir(conf); err != nil || len(after) != len(before) {
		t.Errorf("%d files before, %d after (%v)", len(before), len(after), err)
	}
	for _, name := range []string{"example.com", "192.0.2.7"} {
		leaf, err := c.Leaf(Mirror(nil, name))
		if err != nil {
			t.Fatal(err)
		}
		verify(t, leaf, c.Certificate(), name)
	}
}

func TestExports(t *testing.T) {
	openssl := tool(t, "openssl")
	c := load(t, t.TempDir())
	p12, err := c.P12()
	if err != nil {
		t.Fatal(err)
	}
	pkcs12 := command(t, p12, openssl, "pkcs12", "-nokeys", "-passin", "pass:")
	pkcs12 = pkcs12[strings.Index(pkcs12, "-----BEGIN"):]
	for name, got := range map[string]string{
		"p12": pkcs12,
		"der": command(t, c.DER(), openssl, "x509", "-inform", "DER", "-outform", "PEM"),
		"pem": command(t, c.PEM(), openssl, "x509"),
	} {
		if got != string(c.PEM()) {
			t.Errorf("%s: openssl reads\n%s", name, got)
		}
	}
	if out := command(t, p12, openssl, "pkcs12", "-nocerts", "-nodes", "-passin", "pass:"); strings.Contains(out, "KEY") {
		t.Errorf("the key is in it:\n%s", out)
	}
	if got := command(t, c.PEM(), openssl, "x509", "-noout", "-fingerprint", "-sha256"); !strings.Contains(got, "="+c.Fingerprint()+"\n") {
		t.Errorf("fingerprint %s, openssl says %s", c.Fingerprint(), got)
	}
}

// Real clients that are told of the certificate take the leaves for good.
func TestCurl(t *testing.T) {
	curl := tool(t, "curl")
	c := load(t, t.TempDir())
	file, err := c.CertFile()
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return c.Leaf(Mirror(nil, h.ServerName, "127.0.0.1"))
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go s.Serve(l)
	defer s.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"www.example.com", "127.0.0.1", "under_score.example.com"} {
		if got := command(t, nil, curl, "-sS", "--noproxy", "*", "--cacert", file, "--resolve", host+":"+port+":127.0.0.1", "https://"+host+":"+port); got != "hello" {
			t.Errorf("%s: %q", host, got)
		}
	}
	if err := exec.CommandContext(t.Context(), curl, "-sS", "--noproxy", "*", "https://127.0.0.1:"+port).Run(); err == nil {
		t.Error("curl trusts a leaf without being told")
	}
}

func FuzzParse(f *testing.F) {
	a := authority(f, nil)
	f.Add(a.pem())
	f.Add(append(certPEM(a.cert), a.keyPEM()...))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"))
	now := time.Now()
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse(data, now)
		switch {
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Errorf("an error of two lines: %v", err)
		case err == nil && (c.cert == nil || c.key == nil || !belongs(c.cert, c.key)):
			t.Error("half a CA")
		}
	})
}
