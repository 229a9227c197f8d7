package mitm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"flowkit/flowfile"
)

// The keys of connections in mitmproxy's order of creation.
var (
	client17 = []string{
		"address", "alpn", "cipher_name", "id", "mitmcert", "sni", "timestamp_end", "timestamp_start",
		"timestamp_tls_setup", "tls_established", "tls_extensions", "tls_version", "state", "sockname", "error",
		"tls", "certificate_list", "alpn_offers", "cipher_list",
	}
	server17 = []string{
		"address", "alpn", "id", "ip_address", "sni", "source_address", "timestamp_end", "timestamp_start",
		"timestamp_tcp_setup", "timestamp_tls_setup", "tls_established", "tls_version", "via", "state", "error",
		"tls", "certificate_list", "alpn_offers", "cipher_name", "cipher_list", "via2",
	}
	both20 = []string{
		"id", "transport_protocol", "error", "tls", "certificate_list", "alpn", "alpn_offers", "cipher",
		"cipher_list", "tls_version", "sni", "timestamp_start", "timestamp_end", "timestamp_tls_setup",
	}
	client18 = append(slices.Clip(client17), "proxy_mode")
	client19 = slices.Concat([]string{"peername", "sockname", "state"}, both20, []string{"mitmcert", "proxy_mode"})
	client20 = slices.Concat([]string{"peername", "sockname"}, both20, []string{"mitmcert", "proxy_mode"})
	server19 = slices.Concat([]string{"peername", "sockname", "state"}, both20, []string{"address", "timestamp_tcp_setup", "via"})
	server20 = slices.Concat([]string{"peername", "sockname"}, both20, []string{"address", "timestamp_tcp_setup", "via"})
)

// connKeys returns the keys of a connection.
func connKeys(version int, server bool) []string {
	switch {
	case server && version >= 20:
		return server20
	case server && version == 19:
		return server19
	case server:
		return server17
	case version >= 20:
		return client20
	case version == 19:
		return client19
	case version == 18:
		return client18
	}
	return client17
}

// nobody stands for a connection that is not known: mitmproxy takes no null.
var (
	nobody       flowfile.Conn
	emptyAddress flowfile.Addr
)

func (e *encoder) conn(c *flowfile.Conn, server bool) {
	if c == nil {
		c = &nobody
	}
	e.connLost(c)
	mark := e.begin('}')
	for _, k := range connKeys(e.version, server) {
		e.connField(k, c, server)
		e.key(k)
	}
	e.end(mark)
}

// connLost counts what the version has no key for.
func (e *encoder) connLost(c *flowfile.Conn) {
	e.lost.Extra += int64(len(c.Extra))
	if e.version < 19 && c.Transport == "udp" {
		e.lost.Fields++
	}
	if e.version < 18 && c.ProxyMode != "" && c.ProxyMode != "regular" {
		e.lost.Fields++
	}
}

// connField writes the value of one key.
func (e *encoder) connField(key string, c *flowfile.Conn, server bool) {
	switch key {
	case "id":
		e.text(c.ID)
	case "transport_protocol":
		if c.Transport == "udp" {
			e.text("udp")
			return
		}
		e.text("tcp")
	case "peername", "ip_address":
		e.address(c.Peer, !server)
	case "sockname", "source_address":
		e.address(c.Sock, !server)
	case "address":
		if server {
			e.address(c.Address, false)
			return
		}
		e.address(c.Peer, true)
	case "via":
		if e.version < 19 { // a relic
			e.null()
			return
		}
		e.via(c.Via)
	case "via2":
		e.via(c.Via)
	case "timestamp_start":
		if !server && e.version >= 19 {
			e.timeOrZero(c.Start)
			return
		}
		e.time(c.Start)
	case "timestamp_end":
		e.time(c.End)
	case "timestamp_tls_setup":
		e.time(c.TLSSetup)
	case "timestamp_tcp_setup":
		e.time(c.TCPSetup)
	case "tls_established":
		e.boolean(c.TLSSetup != 0)
	case "tls_extensions":
		e.raw("0:]")
	case "tls":
		e.boolean(c.TLS)
	case "tls_version":
		e.textOrNull(e.tlsVersion(c.TLSVersion))
	case "cipher", "cipher_name":
		e.textOrNull(c.Cipher)
	case "cipher_list":
		mark := e.begin(']')
		for _, s := range slices.Backward(c.Ciphers) {
			e.text(s)
		}
		e.end(mark)
	case "sni":
		e.textOrNull(c.SNI)
	case "alpn":
		// A handshake in which none was agreed on leaves empty bytes.
		if c.ALPN == "" && c.TLSSetup != 0 && !e.nullALPN {
			e.bytesOf("")
			return
		}
		e.bytesOrNull(c.ALPN)
	case "alpn_offers":
		mark := e.begin(']')
		for _, s := range slices.Backward(c.ALPNOffers) {
			e.bytesOf(s)
		}
		e.end(mark)
	case "certificate_list":
		mark := e.begin(']')
		for _, s := range slices.Backward(c.Certificates) {
			if pem := e.pem(s); pem != "" {
				e.bytesOf(pem)
			}
		}
		e.end(mark)
	case "mitmcert":
		e.bytesOrNull(e.pem(c.MitmCert))
	case "proxy_mode":
		if c.ProxyMode == "" {
			e.text("regular")
			return
		}
		e.text(c.ProxyMode)
	case "error":
		e.textOrNull(c.Error)
	case "state":
		e.integer(int64(c.State & 3))
	}
}

// tlsVersion returns the name of the version in e.version, "" for one that mitmproxy
// would refuse a file for.
func (e *encoder) tlsVersion(s string) string {
	switch s {
	case "QUICv1":
		if e.version < 21 {
			return "QUIC"
		}
	case "", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "DTLSv0.9", "DTLSv1", "DTLSv1.2":
	default:
		if e.version >= 19 {
			e.lost.Fields++
			return ""
		}
	}
	return s
}

// address writes an address; an unknown one is null, or empty where mitmproxy takes none.
func (e *encoder) address(a *flowfile.Addr, must bool) {
	if a == nil {
		if !must || e.version < 19 {
			e.null()
			return
		}
		a = &emptyAddress
	}
	mark := e.begin(']')
	for _, n := range slices.Backward(a.Extra) {
		e.integer(n)
	}
	e.integer(int64(a.Port))
	e.text(a.Host)
	e.end(mark)
}

func (e *encoder) via(v *flowfile.Via) {
	if v == nil {
		e.null()
		return
	}
	mark := e.begin(']')
	e.address(&v.Addr, true)
	e.text(v.Scheme)
	e.end(mark)
}

// largeCertificate is from what size a certificate is none.
const largeCertificate = 1 << 20

// pem returns the bytes of a certificate, "" for one that mitmproxy would refuse a file
// for.
func (e *encoder) pem(b flowfile.Body) string {
	if b.State() == flowfile.BodyAbsent {
		return ""
	}
	p, err := b.Bytes(largeCertificate)
	switch {
	case err != nil && !errors.Is(err, flowfile.ErrTooLarge):
		e.fail(fmt.Errorf("read certificate: %w", err))
		return ""
	case err != nil || !strings.HasPrefix(alias(p), "-----BEGIN CERTIFICATE"):
		e.lost.Fields++
		return ""
	}
	return alias(p)
}
