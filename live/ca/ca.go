// Package ca is the certificate authority of the proxy: one key and one certificate that
// the user's devices trust, and the leaf certificates that it signs for each host.
//
//	ca.go      a CA, loaded or made; its certificate in the usual encodings
//	parse.go   key and certificate out of PEM
//	store.go   the files: made whole or not at all
//	leaf.go    leaf certificates, made once and cached
//	trust.go   how each system is told to trust it
//	page.go    the page of http://flowkit.ca
//
// It knows no connections: who asks for a leaf says for whom.
package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

const (
	lifetime = 10 * 365 * 24 * time.Hour // of a CA that is made here
	backdate = 48 * time.Hour            // for clients whose clocks are slow
)

// CA is a certificate authority. It is safe for concurrent use.
type CA struct {
	file    string // with the key
	created bool
	cert    *x509.Certificate
	key     crypto.Signer
	chain   [][]byte // what a client needs between a leaf and its root: none if cert is the root
	leaves  leaves
}

// Load loads the CA of a directory: that of flowkit-ca.pem, else that of mitmproxy-ca.pem.
// If there is neither, the directory (0700) and a new CA in flowkit-ca.pem (0600) are made;
// of two processes that do so at once, both get the same. Nothing of mitmproxy's is changed.
//
// An error is one line, with the name of the file and what can be done: a key that is not
// that of the certificate, no CA at all, one that has expired, a directory that cannot be
// written to.
func Load(dir string) (*CA, error) {
	if dir == "" {
		return nil, fmt.Errorf("no directory for the CA was named")
	}
	c, err := open(dir)
	if err != nil {
		return nil, err
	}
	if c.leaves.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	return c, nil
}

// Created tells whether Load made the CA, so that no device can trust it yet.
func (c *CA) Created() bool { return c.created }

// File returns the name of the file with the key and the certificate.
func (c *CA) File() string { return c.file }

// Certificate returns the certificate, not to be changed.
func (c *CA) Certificate() *x509.Certificate { return c.cert }

// Fingerprint returns the SHA-256 of the certificate as people compare it: "AB:CD:…".
func (c *CA) Fingerprint() string {
	sum := sha256.Sum256(c.cert.Raw)
	var b strings.Builder
	for i, x := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", x)
	}
	return b.String()
}

// PEM returns the certificate, never the key, as PEM. The caller owns the bytes.
func (c *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})
}

// DER returns the certificate as DER, which is what .cer and .crt files hold. The caller
// owns the bytes.
func (c *CA) DER() []byte { return slices.Clone(c.cert.Raw) }

// P12 returns the certificate, never the key, as PKCS #12 with an empty password. Its old
// algorithms, which hide nothing, are the ones that every system can read.
func (c *CA) P12() ([]byte, error) {
	name := c.cert.Subject.CommonName
	if name == "" {
		name = "flowkit CA"
	}
	return pkcs12.LegacyDES.EncodeTrustStoreEntries([]pkcs12.TrustStoreEntry{{Cert: c.cert, FriendlyName: name}}, "")
}

// Warnings returns what the user should know but what stops nothing, a line each: others
// can read the key or replace the file; the certificate is about to expire.
func (c *CA) Warnings() []string {
	w := exposed(c.file)
	if left := time.Until(c.cert.NotAfter); left < 30*24*time.Hour {
		w = append(w, fmt.Sprintf("%s: the certificate expires on %s", c.file, c.cert.NotAfter.Format(time.DateOnly)))
	}
	return w
}

// generate makes a key and a certificate for it.
func generate(now time.Time) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	id, err := keyID(key.Public())
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		// The name tells CAs apart in lists of trusted ones; clients cache by it, too.
		Subject:               pkix.Name{CommonName: "flowkit CA " + hex.EncodeToString(id[:4]), Organization: []string{"flowkit"}},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(lifetime - backdate),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, // good for nothing else, should it be stolen
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		SubjectKeyId:          id,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return key, der, err
}

// keyID returns the identifier of a key: RFC 7093 section 2, method 4.
func keyID(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	return sum[:20], nil
}
