package ca

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// origin makes the certificate of some web server.
func origin(t testing.TB, cn, org string, names ...string) *x509.Certificate {
	t.Helper()
	ca := authority(t, nil)
	x := &x509.Certificate{Subject: pkix.Name{CommonName: cn}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	if org != "" {
		x.Subject.Organization = []string{org}
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			x.IPAddresses = append(x.IPAddresses, ip)
		} else {
			x.DNSNames = append(x.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, x, ca.cert, ca.key.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestMirror(t *testing.T) {
	many := make([]string, 400)
	for i := range many {
		many[i] = fmt.Sprintf("%064d.example.com", i)
	}
	long := strings.Repeat("x", 65)
	for _, c := range []struct {
		name           string
		upstream       *x509.Certificate
		hosts          []string
		cn, org, names string
	}{
		{"host alone", nil, []string{"example.com"}, "example.com", "", "example.com"},
		{"as hosts are written", nil, []string{"", "EXAMPLE.com.", "[2001:db8::1]", "2001:DB8::1", "::ffff:192.0.2.1", "fe80::1%eth0"}, "example.com", "", "example.com 2001:db8::1 192.0.2.1 fe80::1"},
		{"unicode", nil, []string{"bücher.example"}, "xn--bcher-kva.example", "", "xn--bcher-kva.example"},
		{"an address", nil, []string{"192.0.2.1"}, "192.0.2.1", "", "192.0.2.1"},
		{"not hosts", nil, []string{"a b", "a..b", ".a", "a/b", "a\x00b", "a,b", "a:443", "\xff.example", strings.Repeat("a", 254), "ok.example"}, "ok.example", "", "ok.example"},
		{"covered", origin(t, "Example", "Example Ltd", "*.example.com", "192.0.2.1", "2001:db8::1"), []string{"www.example.com", "192.0.2.1", "2001:db8::1"}, "Example", "Example Ltd", "*.example.com 192.0.2.1 2001:db8::1"},
		{"not covered", origin(t, "Example", "", "*.example.com"), []string{"example.com", "192.0.2.1"}, "Example", "", "*.example.com example.com 192.0.2.1"},
		{"no names", origin(t, "example.com", ""), []string{"example.com"}, "example.com", "", "example.com"},
		{"long subject", origin(t, long, long, "example.com"), nil, "", "", "example.com"},
		{"too many names", origin(t, "Example", "", many...), []string{"example.com", "192.0.2.1"}, "example.com", "", "example.com 192.0.2.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaf, err := load(t, t.TempDir()).Leaf(Mirror(c.upstream, c.hosts...))
			if err != nil {
				t.Fatal(err)
			}
			x := leaf.Leaf
			names := slices.Clone(x.DNSNames)
			for _, ip := range x.IPAddresses {
				names = append(names, ip.String())
			}
			if got := strings.Join(names, " "); x.Subject.CommonName != c.cn || strings.Join(x.Subject.Organization, " ") != c.org || got != c.names {
				t.Errorf("%s, %s", x.Subject, got)
			}
		})
	}
}

func TestLeafIsAsBrowsersWantIt(t *testing.T) {
	c := load(t, t.TempDir())
	get := func(names ...string) *tls.Certificate {
		leaf, err := c.Leaf(Template{Names: names})
		if err != nil {
			t.Fatal(err)
		}
		return leaf
	}
	x := get("example.com").Leaf
	now := time.Now()
	if d := x.NotAfter.Sub(x.NotBefore); d > 397*24*time.Hour || now.Sub(x.NotBefore) < 47*time.Hour || x.NotAfter.Sub(now) < 180*24*time.Hour {
		t.Errorf("valid from %v to %v", x.NotBefore, x.NotAfter)
	}
	if x.IsCA || x.KeyUsage != x509.KeyUsageDigitalSignature || !slices.Equal(x.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("CA %v, usage %v %v", x.IsCA, x.KeyUsage, x.ExtKeyUsage)
	}
	if x.SerialNumber.BitLen() < 64 || x.SerialNumber.Cmp(get("example.org").Leaf.SerialNumber) == 0 {
		t.Errorf("serial number %v", x.SerialNumber)
	}
	if string(x.AuthorityKeyId) != string(c.cert.SubjectKeyId) || len(x.AuthorityKeyId) == 0 {
		t.Error("another authority key identifier than that of the CA")
	}
	verify(t, get("example.com"), c.cert, "example.com")
	verify(t, get("*.example.com"), c.cert, "www.example.com")
	verify(t, get("192.0.2.1"), c.cert, "192.0.2.1")
	long := strings.Repeat("a.", 40) + "example.com" // too long for a CN: then there is no subject
	verify(t, get(long), c.cert, long)
}

// No leaf outlives its CA, and one whose CA is about to end is still cached.
func TestLeafOfDyingCA(t *testing.T) {
	a := authority(t, func(x *x509.Certificate) { x.NotAfter = time.Now().Add(time.Hour) })
	c := load(t, save(t, "flowkit-ca.pem", a.pem()))
	leaf, err := c.Leaf(Template{Names: []string{"example.com"}})
	if err != nil || leaf.Leaf.NotAfter.After(a.cert.NotAfter) {
		t.Errorf("the CA ends %v, the leaf %v (%v)", a.cert.NotAfter, leaf.Leaf.NotAfter, err)
	}
	if again, _ := c.Leaf(Template{Names: []string{"example.com"}}); again != leaf {
		t.Error("made twice")
	}
}

func TestLeafErrors(t *testing.T) {
	c := load(t, t.TempDir())
	for want, tmpl := range map[string]Template{
		`no certificate can be made for no name`: {},
		`no certificate can be made for "a b"`:   {CommonName: "x", Names: []string{"a b"}},
	} {
		for range 2 {
			if _, err := c.Leaf(tmpl); err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
	}
	if n := c.leaves.order.Len(); n != 0 || len(c.leaves.byKey) != 0 {
		t.Errorf("%d errors are cached", n)
	}
}

// What many ask for at once is made once.
func TestLeafOnce(t *testing.T) {
	c := load(t, t.TempDir())
	var wg sync.WaitGroup
	got := make([]*tls.Certificate, 64)
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = c.Leaf(Template{Names: []string{fmt.Sprintf("%d.example.com", i%4)}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range got {
		if got[i] != got[i%4] {
			t.Errorf("%d: another certificate", i)
		}
	}
}

func TestLeafCacheIsBounded(t *testing.T) {
	c := load(t, t.TempDir())
	name := func(i int) Template { return Template{Names: []string{fmt.Sprintf("%d.example.com", i)}} }
	first, err := c.Leaf(name(0))
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxLeaves { // as many others, the first one in use
		c.leaves.get(name(i+1).appendKey(nil), time.Now())
		if i%100 == 0 {
			if again, _ := c.Leaf(name(0)); again != first {
				t.Fatal("what is used was forgotten")
			}
		}
	}
	if n := c.leaves.order.Len(); n != maxLeaves || len(c.leaves.byKey) != n {
		t.Errorf("%d leaves, %d keys, want %d", n, len(c.leaves.byKey), maxLeaves)
	}
	if c.leaves.byKey[string(name(1).appendKey(nil))] != nil {
		t.Error("what is not used was kept")
	}
}

// A proxy that runs for months shows no certificate that is about to expire.
func TestLeafIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := load(t, t.TempDir())
		tmpl := Template{Names: []string{"example.com"}}
		first, err := c.Leaf(tmpl)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(90 * 24 * time.Hour)
		if again, _ := c.Leaf(tmpl); again != first {
			t.Error("made anew too early")
		}
		time.Sleep(10 * 24 * time.Hour)
		again, err := c.Leaf(tmpl)
		if err != nil || again == first || again.Leaf.NotAfter.Before(time.Now().Add(180*24*time.Hour)) {
			t.Errorf("not made anew (%v)", err)
		}
	})
}

// Whatever a client or an origin calls itself, the answer is an error or a certificate for hosts.
func FuzzLeaf(f *testing.F) {
	f.Add("cn", "org", "example.com", "*.example.com")
	f.Add("", "\xff", "bücher.example", "[::1%x]")
	f.Add("a\x00b", "", "1.2.3.4", "xn--a.example")
	c := load(f, f.TempDir())
	roots := x509.NewCertPool()
	roots.AddCert(c.cert)
	f.Fuzz(func(t *testing.T, cn, org, a, b string) {
		leaf, err := c.Leaf(Template{CommonName: cn, Organization: org, Names: []string{a, b}})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "no certificate can be made for ") || strings.Contains(err.Error(), "\n") {
				t.Error(err)
			}
			return
		}
		if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots}); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkLeaf(b *testing.B) {
	c := load(b, b.TempDir())
	up := origin(b, "Example", "Example Ltd", "*.example.com", "example.com", "*.example.org", "example.org")
	b.Run("cached", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Leaf(Mirror(up, "www.example.com")); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("made", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := c.Leaf(Mirror(up, fmt.Sprintf("%d.example.net", i))); err != nil {
				b.Fatal(err)
			}
		}
	})
}
