package har

import (
	"net/netip"
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// maxConns bounds the connections that are remembered.
const maxConns = 10_000

// connections are those that were seen, by what the HAR calls them.
type connections struct {
	known map[string]*flowfile.Conn
}

// port tells whether connection is the server's port, as in Firefox, newer versions of
// Chrome and flowkit: others have an id there. It returns 0 if not.
func (l *logContext) port(v *value, of int) int {
	n, err := strconv.Atoi(v.get("connection").str())
	if err != nil || n < 1 || n > 65535 {
		return 0
	}
	firefox := func(v *value) bool { return v != nil && strings.Contains(v.get("name").str(), "Firefox") }
	if n == of || v.get("_connectionId").some() || firefox(l.creator) || firefox(l.browser) {
		return n
	}
	return 0
}

// server returns the connection to the server, nil if nothing is known of it.
func (c *connections) server(v *value, q *flowfile.RequestHead, t times, port int) *flowfile.Conn {
	ip := readIP(v.get("serverIPAddress").str())
	id := v.get("_connectionId").str()
	if id == "" && port == 0 {
		id = v.get("connection").str()
	}
	tls := v.get("_tls")
	if ip == "" && id == "" && port == 0 && !t.hasConnect && !tls.is(object) {
		return nil
	}
	if port == 0 {
		port = q.Port
	}
	key := id + " " + ip + " " + strconv.Itoa(port) + " " + q.Host
	if known := c.known[key]; known != nil && id != "" && !t.hasConnect {
		return known
	}
	conn := &flowfile.Conn{ID: id, Transport: "tcp", TLS: q.Scheme == "https" || tls.is(object)}
	if q.Version == "HTTP/3" {
		conn.Transport = "udp"
	}
	if q.Host != "" {
		conn.Address = &flowfile.Addr{Host: q.Host, Port: q.Port}
	}
	if ip != "" || port != q.Port {
		conn.Peer = &flowfile.Addr{Host: either(ip, q.Host), Port: port}
	}
	if t.hasConnect {
		conn.Start, conn.TCPSetup, conn.TLSSetup = t.connect, t.connected, t.secured
	}
	conn.TLSVersion, conn.Cipher = tls.get("version").str(), tls.get("cipher").str()
	conn.SNI, conn.ALPN = tls.get("sni").str(), tls.get("alpn").str()
	if c.known == nil || len(c.known) >= maxConns {
		c.known = map[string]*flowfile.Conn{}
	}
	c.known[key] = conn
	return conn
}

// readIP returns an IP address without brackets, port and zone, "" if it is none.
func readIP(s string) string {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddrPort(s); err == nil {
		return a.Addr().WithZone("").String()
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return ""
	}
	return a.WithZone("").String()
}
