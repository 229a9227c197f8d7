package ca

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// parse reads a key and certificates from PEM, in any order and with other things between
// them. The certificate of the key is the CA, the others are the way to its root.
func parse(data []byte, now time.Time) (*CA, error) {
	var key crypto.Signer
	var certs []*x509.Certificate
	for {
		var b *pem.Block
		if b, data = pem.Decode(data); b == nil {
			break
		}
		switch {
		case b.Type == "CERTIFICATE":
			c, err := x509.ParseCertificate(b.Bytes)
			if err != nil {
				return nil, fmt.Errorf("the certificate cannot be read: %s", brief(err))
			}
			certs = append(certs, c)
		case b.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, errors.New("the key is encrypted; openssl pkey writes one without a passphrase")
		case strings.HasSuffix(b.Type, "PRIVATE KEY"):
			if key != nil {
				return nil, errors.New("there are two keys in it")
			}
			var err error
			if key, err = parseKey(b.Bytes); err != nil {
				return nil, fmt.Errorf("the key cannot be read: %s", brief(err))
			}
		}
	}
	switch {
	case key == nil && len(certs) == 0:
		return nil, errors.New("there is neither a key nor a certificate in it, as PEM")
	case key == nil:
		return nil, errors.New("there is no private key in it, which signing takes")
	case len(certs) == 0:
		return nil, errors.New("there is no certificate in it")
	}
	c := &CA{key: key}
	for _, cert := range certs {
		if c.cert == nil && belongs(cert, key) {
			c.cert = cert
		}
	}
	if c.cert == nil {
		return nil, errors.New("the key is not that of the certificate")
	}
	if err := usable(c.cert, now); err != nil {
		return nil, err
	}
	if !isRoot(c.cert) {
		c.chain = append(c.chain, c.cert.Raw)
		for _, cert := range certs {
			if cert != c.cert && !isRoot(cert) {
				c.chain = append(c.chain, cert.Raw)
			}
		}
	}
	return c, nil
}

// parseKey reads a key in the encodings that PEM files have: PKCS #8, PKCS #1, SEC 1.
func parseKey(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if rsa, e := x509.ParsePKCS1PrivateKey(der); e == nil {
			return rsa, nil
		}
		if ec, e := x509.ParseECPrivateKey(der); e == nil {
			return ec, nil
		}
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("it cannot sign")
	}
	return signer, nil
}

func belongs(cert *x509.Certificate, key crypto.Signer) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}

func isRoot(cert *x509.Certificate) bool { return bytes.Equal(cert.RawIssuer, cert.RawSubject) }

// usable tells whether clients will believe what the certificate signs.
func usable(cert *x509.Certificate, now time.Time) error {
	switch {
	case !cert.BasicConstraintsValid || !cert.IsCA:
		return errors.New("the certificate is not that of a CA")
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return errors.New("the certificate is not for signing others")
	case now.After(cert.NotAfter):
		return fmt.Errorf("the certificate expired on %s; with the file out of the way a new one is made, to be trusted anew",
			cert.NotAfter.Format(time.DateOnly))
	case now.Before(cert.NotBefore):
		return fmt.Errorf("the certificate is valid from %s only; is the clock right?", cert.NotBefore.Format(time.DateTime))
	}
	return nil
}

// brief takes the names of packages and advice to programmers from an error of the standard library.
func brief(err error) string {
	s := strings.TrimPrefix(err.Error(), "x509: ")
	s, _, _ = strings.Cut(s, " (use ")
	return s
}
