package flowfile

import (
	"net"
	"strconv"
)

// Addr is a network address or a host name with a port.
type Addr struct {
	Host  string
	Port  int
	Extra []int64 // what Python adds for IPv6: flow information and scope
}

// String returns host:port, with brackets around an IPv6 address; "" for nil.
func (a *Addr) String() string {
	if a == nil {
		return ""
	}
	return net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
}

// Conn is one side's connection: the client's to the proxy or the proxy's to the server.
// It is immutable and shared by the flows that used it; to change it, put another in the
// flow (Flow.SetClient).
type Conn struct {
	ID        string
	Transport string // "tcp" or "udp"; "" is unknown
	Peer      *Addr  // the other end, as connected
	Sock      *Addr  // our end
	Address   *Addr  // server only: what was asked for, mostly a name
	Via       *Via   // server only: the proxy in between

	Start, TCPSetup, TLSSetup, End Time

	TLS          bool
	TLSVersion   string // "TLSv1.3" …
	Cipher       string
	Ciphers      []string // offered
	SNI          string
	ALPN         string
	ALPNOffers   []string
	Certificates []Body // as the source had them, PEM mostly; leaf first; lazy
	MitmCert     Body   // client only: the certificate the proxy showed, PEM; absent: none

	ProxyMode string // client only: "regular", "reverse:https://x" …
	Error     string
	State     int // mitmproxy up to format 19: open for reading 1, for writing 2

	Extra Extra
}

// Via is the upstream proxy of a server connection.
type Via struct {
	Scheme string
	Addr   Addr
}

// Error is why a flow ended early.
type Error struct {
	Msg   string
	Time  Time
	Extra Extra
}
