package live

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"flowkit/flowfile"
	"flowkit/live/ca"
	"flowkit/replay"
)

// tls serves a tunnel whose client speaks TLS: it is taken apart, or passed on untouched.
func (c *clientConn) tls(d *destination, raw bool) error {
	hello, err := c.hello()
	if err != nil {
		return c.helloFailed(d, err)
	}
	d.sni = hello.ServerName
	if c.passes(d, hello) {
		return c.pass(d)
	}
	d.tls = true
	key := c.key(d)
	alpn := c.offers(hello.SupportedProtos)
	if raw {
		alpn = hello.SupportedProtos
	}
	// The server is asked first: what the client is shown is made like what the server showed.
	s, dialErr := c.servers.dialALPN(key, alpn)
	var cert *x509.Certificate
	chosen := alpn
	if dialErr == nil {
		c.servers.put(s)
		cert = s.leaf
		chosen = nil
		if p := s.info.ALPN; p != "" {
			chosen = []string{p}
		} else if slices.Contains(alpn, "http/1.1") {
			chosen = []string{"http/1.1"}
		}
	} else if raw {
		c.tcpFailed(d, dialErr)
		return errReported
	}
	if err := c.acceptTLSLike(d, cert, chosen); err != nil {
		return err
	}
	if raw {
		return c.tcp(d, true)
	}
	if c.client().ALPN == "h2" {
		return c.http2(d)
	}
	what, err := c.first(d)
	if err != nil {
		return err
	}
	switch {
	case what == overHTTP1, what == overOther && c.mode.Kind == Reverse:
		return c.http1(d)
	case what == overHTTP2:
		return c.http2(d)
	}
	return c.tcp(d, true)
}

// offers returns the protocols to offer a server for a client that offers these.
func (c *clientConn) offers(client []string) []string {
	var out []string
	for _, p := range client {
		if p == "http/1.1" || p == "h2" && !c.p.o.NoHTTP2 {
			out = append(out, p)
		}
	}
	if out == nil {
		out = []string{"http/1.1"}
	}
	return out
}

// passes tells whether TLS to d goes through untouched.
func (c *clientConn) passes(d *destination, hello *tls.ClientHelloInfo) bool {
	o := &c.p.o
	if o.CA == nil {
		return true
	}
	names := []string{d.String()}
	if d.sni != "" && d.sni != d.host {
		names = append(names, flowfile.HostPort(d.sni, d.port))
	}
	in := func(s string) bool { return matches(o.Ignore, s) }
	if slices.ContainsFunc(names, in) {
		return true
	}
	in = func(s string) bool { return matches(o.Allow, s) }
	if len(o.Allow) > 0 && !slices.ContainsFunc(names, in) {
		return true
	}
	if !c.p.wants(replay.TLSClientHello) {
		return false
	}
	conns := c.conns(d)
	conns.Hello = &replay.ClientHello{SNI: hello.ServerName, ALPN: hello.SupportedProtos, Ciphers: hello.CipherSuites}
	c.p.fire(c.ctx, &replay.Event{Hook: replay.TLSClientHello, Conns: conns})
	return conns.Ignore
}

func (c *clientConn) conns(d *destination) *replay.Conns {
	return &replay.Conns{Client: c.client(), Server: &flowfile.Conn{
		Transport: "tcp", Address: &flowfile.Addr{Host: d.host, Port: d.port}, SNI: d.sni,
	}}
}

// errHello ends a handshake whose only purpose was to read the first message.
var errHello = errors.New("hello read")

// hello reads the client's first message with crypto/tls itself, and puts what was read back.
func (c *clientConn) hello() (*tls.ClientHelloInfo, error) {
	var info *tls.ClientHelloInfo
	tee := &helloConn{Conn: c.conn, r: c.br}
	c.headDeadline()
	err := tls.Server(tee, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		info = h
		return nil, errHello
	}}).Handshake()
	c.raw.SetReadDeadline(time.Time{})
	rest, _ := c.br.Peek(c.br.Buffered())
	c.setConn(&prefixed{c.conn, io.MultiReader(bytes.NewReader(append(tee.read, rest...)), c.conn)})
	if info == nil {
		return nil, err
	}
	client := *c.client()
	client.TLS, client.SNI, client.ALPNOffers, client.Ciphers = true, info.ServerName, info.SupportedProtos, cipherNames(info.CipherSuites)
	c.info.Store(&client)
	return info, nil
}

// helloConn keeps what is read and writes nothing.
type helloConn struct {
	net.Conn
	r    io.Reader
	read []byte
}

func (h *helloConn) Read(b []byte) (int, error) {
	n, err := h.r.Read(b)
	h.read = append(h.read, b[:n]...)
	return n, err
}

func (h *helloConn) Write(b []byte) (int, error) { return len(b), nil }

// helloFailed is for what looks like TLS and is not: it is passed on as bytes if there is a server to take them.
func (c *clientConn) helloFailed(d *destination, err error) error {
	c.p.log.Warn("not a TLS handshake; passed on as bytes", "client", c.raw.RemoteAddr(), "server", d.String(), "error", err)
	return c.tcp(d, false)
}

// acceptTLS makes the handshake with a client that connected to the proxy itself.
func (c *clientConn) acceptTLS(cert *x509.Certificate, alpn []string) error {
	hello, err := c.hello()
	if err != nil {
		return fmt.Errorf("TLS from the client: %w", err)
	}
	host := hello.ServerName
	if host == "" {
		host = c.client().Sock.Host
	}
	return c.acceptTLSLike(&destination{host: host, sni: hello.ServerName}, cert, alpn)
}

// acceptTLSLike makes the handshake with the client, showing a certificate like cert (nil: made of the names alone).
func (c *clientConn) acceptTLSLike(d *destination, cert *x509.Certificate, alpn []string) error {
	host := d.sni
	if host == "" {
		host = d.host
	}
	leaf, err := c.p.o.CA.Leaf(ca.Mirror(cert, host))
	if err != nil {
		return fmt.Errorf("certificate for %s: %w", host, err)
	}
	c.p.fire(c.ctx, &replay.Event{Hook: replay.TLSStartClient, Conns: c.conns(d)})
	config := &tls.Config{
		Certificates: []tls.Certificate{*leaf}, NextProtos: alpn, MinVersion: tls.VersionTLS10, DynamicRecordSizingDisabled: true,
	}
	conn := tls.Server(c.conn, config)
	c.headDeadline()
	err = conn.HandshakeContext(c.ctx)
	c.raw.SetReadDeadline(time.Time{})
	info := *c.client()
	if err != nil {
		info.Error = err.Error()
		c.info.Store(&info)
		c.p.fire(c.ctx, &replay.Event{Hook: replay.TLSFailedClient, Conns: c.conns(d)})
		c.p.log.Warn("the TLS handshake with the client failed"+trustHint(err), "client", c.raw.RemoteAddr(), "server", host, "error", err)
		c.failedFlow(d, "TLS with the client: "+err.Error())
		return errReported
	}
	st := conn.ConnectionState()
	info.TLSVersion, info.Cipher, info.ALPN = tls.VersionName(st.Version), tls.CipherSuiteName(st.CipherSuite), st.NegotiatedProtocol
	info.TLSVersion = strings.Replace(info.TLSVersion, "TLS ", "TLSv", 1)
	info.TLSSetup = now()
	info.MitmCert = flowfile.BytesBody(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}))
	c.info.Store(&info)
	c.setConn(conn)
	c.p.fire(c.ctx, &replay.Event{Hook: replay.TLSEstablishedClient, Conns: c.conns(d)})
	return nil
}

// trustHint says what to do about a client that refused our certificate.
func trustHint(err error) string {
	s := err.Error()
	for _, alert := range []string{"unknown certificate", "bad certificate", "unknown authority", "certificate unknown"} {
		if strings.Contains(s, alert) {
			return ": it does not trust the certificate authority (flowkit ca tells how)"
		}
	}
	return ""
}

func cipherNames(ids []uint16) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = tls.CipherSuiteName(id)
	}
	return names
}

// clientTLS makes the handshake with a server. The connection's record is returned in any case.
func (p *Proxy) clientTLS(c *clientConn, conn net.Conn, host, sni string, alpn []string) (*tls.Conn, *tls.ConnectionState, error) {
	name := sni
	if name == "" {
		name = host
	}
	var state *tls.ConnectionState
	config := &tls.Config{
		ServerName: name, NextProtos: alpn, RootCAs: p.o.Roots, MinVersion: tls.VersionTLS10, DynamicRecordSizingDisabled: true,
		// The chain is checked below, so that it is known also if it is refused.
		InsecureSkipVerify: true,
		VerifyConnection: func(st tls.ConnectionState) error {
			state = &st
			if p.o.Insecure {
				return nil
			}
			return verify(st, name, p.o.Roots)
		},
	}
	if p.o.ClientCert != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if cert := p.o.ClientCert(name); cert != nil {
				return cert, nil
			}
			return new(tls.Certificate), nil
		}
	}
	t := tls.Client(conn, config)
	if err := t.HandshakeContext(c.ctx); err != nil {
		return nil, state, err
	}
	st := t.ConnectionState()
	return t, &st, nil
}

func verify(st tls.ConnectionState, name string, roots *x509.CertPool) error {
	pool := x509.NewCertPool()
	for _, cert := range st.PeerCertificates[1:] {
		pool.AddCert(cert)
	}
	_, err := st.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: pool})
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: st.PeerCertificates, Err: err}
	}
	return nil
}

// describeTLS puts what a handshake with a server showed into its record.
func describeTLS(info *flowfile.Conn, st *tls.ConnectionState, sni string, offers []string) {
	info.TLS, info.SNI, info.ALPNOffers = true, sni, offers
	if st == nil {
		return
	}
	info.TLSVersion = strings.Replace(tls.VersionName(st.Version), "TLS ", "TLSv", 1)
	info.Cipher, info.ALPN = tls.CipherSuiteName(st.CipherSuite), st.NegotiatedProtocol
	for _, cert := range st.PeerCertificates {
		info.Certificates = append(info.Certificates,
			flowfile.BytesBody(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})))
	}
}
