package ca

import (
	"container/list"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	leafLife   = 199 * 24 * time.Hour // from NotBefore; browsers take at most 397 days
	maxLeaves  = 1000                 // that are cached
	maxNames   = 16 << 10             // bytes of the names of a certificate that is mirrored
	maxNameLen = 253                  // RFC 1035 section 2.3.4, as text
	maxAttr    = 64                   // of CN and O: RFC 5280 appendix A.1, ub-common-name
)

// Template says for whom a leaf certificate is. The zero value is for nobody.
type Template struct {
	CommonName   string // "": the first name
	Organization string // "": none
	// Names are DNS names, which may be wildcards, and IP addresses as text, in brackets or
	// not; no ports. What cannot be in a certificate is left out.
	Names []string
}

// Mirror returns the template of a certificate that looks like upstream, the one that the
// origin showed: its common name, organization and names. The hosts that the client asked
// for (by SNI, or as the address of its CONNECT) are added unless the names cover them.
// Without an upstream, or with one whose names take more than 16 KiB, the hosts alone are
// named.
func Mirror(upstream *x509.Certificate, hosts ...string) Template {
	var t Template
	if upstream != nil {
		t.Names = make([]string, 0, len(upstream.DNSNames)+len(upstream.IPAddresses)+len(hosts))
		size := 0
		for _, n := range upstream.DNSNames {
			t.Names = append(t.Names, n)
			size += len(n)
		}
		for _, ip := range upstream.IPAddresses {
			n := ip.String()
			t.Names = append(t.Names, n)
			size += len(n)
		}
		if size > maxNames {
			t.Names, upstream = nil, nil
		} else {
			t.CommonName = upstream.Subject.CommonName
			if o := upstream.Subject.Organization; len(o) > 0 {
				t.Organization = o[0]
			}
		}
	}
	for _, h := range hosts {
		if h != "" && (upstream == nil || upstream.VerifyHostname(bracketed(h)) != nil) {
			t.Names = append(t.Names, h)
		}
	}
	return t
}

// bracketed writes an IPv6 address as VerifyHostname takes addresses for addresses.
func bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// leaves are the leaf certificates that were made, the last used in front. All have the
// same key: making one takes a signature and no more.
type leaves struct {
	key   *ecdsa.PrivateKey
	mu    sync.Mutex
	byKey map[string]*list.Element
	order list.List // of *leaf
}

type leaf struct {
	key   string
	renew time.Time // when it is to be made anew: half way to its end; set with cert
	once  sync.Once
	cert  *tls.Certificate
	err   error
}

// Leaf returns a certificate for a TLS server, signed by the CA: made at its first call for
// a template, from the cache later. It is shared and must not be changed. Its Leaf is set;
// it is valid from two days ago for 199 days, or as long as the CA. Clients that trust the
// CA of an intermediate certificate get the chain to its root.
//
// The error tells that no name of the template can be in a certificate.
func (c *CA) Leaf(t Template) (*tls.Certificate, error) {
	var buf [512]byte
	key := t.appendKey(buf[:0])
	now := time.Now()
	l := c.leaves.get(key, now)
	l.once.Do(func() {
		l.cert, l.err = c.sign(t, now)
		c.leaves.made(l, now)
	})
	return l.cert, l.err
}

// appendKey appends what tells templates apart. Names are as they were given: one that is
// written in two ways is two certificates.
func (t Template) appendKey(b []byte) []byte {
	b = append(append(b, t.CommonName...), 0)
	b = append(append(b, t.Organization...), 0)
	for _, n := range t.Names {
		b = append(append(b, n...), 0)
	}
	return b
}

// get returns the leaf of a key, to be made by its first user.
func (s *leaves) get(key []byte, now time.Time) *leaf {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.byKey[string(key)]; e != nil {
		l := e.Value.(*leaf)
		if l.renew.IsZero() || now.Before(l.renew) {
			s.order.MoveToFront(e)
			return l
		}
		s.remove(e)
	}
	if s.byKey == nil {
		s.byKey = map[string]*list.Element{}
	}
	l := &leaf{key: string(key)}
	s.byKey[l.key] = s.order.PushFront(l)
	if s.order.Len() > maxLeaves {
		s.remove(s.order.Back())
	}
	return l
}

// made notes when a leaf is to be made anew, and forgets one that could not be made.
func (s *leaves) made(l *leaf, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.err == nil {
		l.renew = now.Add(l.cert.Leaf.NotAfter.Sub(now) / 2)
	} else if e := s.byKey[l.key]; e != nil && e.Value == l {
		s.remove(e)
	}
}

func (s *leaves) remove(e *list.Element) {
	delete(s.byKey, s.order.Remove(e).(*leaf).key)
}

// sign makes a leaf certificate.
func (c *CA) sign(t Template, now time.Time) (*tls.Certificate, error) {
	x := &x509.Certificate{ // the serial number is random
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(leafLife - backdate),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if x.NotAfter.After(c.cert.NotAfter) {
		x.NotAfter = c.cert.NotAfter
	}
	if len(c.cert.SubjectKeyId) == 0 { // else it is taken from there
		id, err := keyID(c.key.Public())
		if err != nil {
			return nil, err
		}
		x.AuthorityKeyId = id
	}
	if err := t.fill(x); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, x, c.cert, c.leaves.key.Public(), c.key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %s", brief(err))
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %s", brief(err))
	}
	return &tls.Certificate{
		Certificate: append([][]byte{der}, c.chain...),
		PrivateKey:  c.leaves.key,
		Leaf:        parsed,
	}, nil
}

// fill sets names and subject.
func (t Template) fill(x *x509.Certificate) error {
	for _, n := range t.Names {
		n, ip := clean(n)
		switch {
		case ip.IsValid():
			if as := net.IP(ip.AsSlice()); !slices.ContainsFunc(x.IPAddresses, as.Equal) {
				x.IPAddresses = append(x.IPAddresses, as)
			}
		case n != "" && !slices.Contains(x.DNSNames, n):
			x.DNSNames = append(x.DNSNames, n)
		}
	}
	cn := t.CommonName
	switch {
	case len(x.DNSNames)+len(x.IPAddresses) == 0:
		return fmt.Errorf("no certificate can be made for %s", t.quoted())
	case cn == "" && len(x.DNSNames) > 0:
		cn = x.DNSNames[0]
	case cn == "":
		cn = x.IPAddresses[0].String()
	}
	if attribute(cn) {
		x.Subject.CommonName = cn
	}
	if t.Organization != "" && attribute(t.Organization) {
		x.Subject.Organization = []string{t.Organization}
	}
	return nil
}

func (t Template) quoted() string {
	if len(t.Names) == 0 {
		return "no name"
	}
	return fmt.Sprintf("%.100q", t.Names[0])
}

// attribute tells whether a part of a subject can be as it is.
func attribute(s string) bool {
	return len(s) <= maxAttr && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

// clean returns a name as certificates have it, or the address that it is, or neither.
func clean(name string) (string, netip.Addr) {
	if ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")); err == nil {
		return "", ip.WithZone("").Unmap()
	}
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 4*maxNameLen || !utf8.ValidString(name) {
		return "", netip.Addr{}
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 }) {
		var err error
		if name, err = idna.Lookup.ToASCII(name); err != nil {
			return "", netip.Addr{}
		}
	}
	if len(name) > maxNameLen || !isHost(name) {
		return "", netip.Addr{}
	}
	return strings.ToLower(name), netip.Addr{}
}

// isHost tells whether clients take a name for that of a host, or for a wildcard.
func isHost(name string) bool {
	if strings.HasPrefix(name, ".") || strings.Contains(name, "..") {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._*", c) >= 0:
		default:
			return false
		}
	}
	return true
}
