package live

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// ModeKind is how clients reach the proxy.
type ModeKind uint8

// The kinds of modes.
const (
	Regular     ModeKind = iota // clients are told of the proxy: absolute-form requests and CONNECT
	Upstream                    // like Regular; everything goes to a second proxy
	Reverse                     // clients take the proxy for the server
	SOCKS5                      // RFC 1928
	Transparent                 // the system redirects connections (Linux)
)

var modeNames = [...]string{"regular", "upstream", "reverse", "socks5", "transparent"}

func (k ModeKind) String() string {
	if int(k) < len(modeNames) {
		return modeNames[k]
	}
	return "unknown"
}

// DefaultPort is where a mode listens that does not say where; as in mitmproxy.
func (k ModeKind) DefaultPort() int {
	if k == SOCKS5 {
		return 1080
	}
	return 8080
}

// Mode is how clients reach the proxy, and where it listens for them. The zero value is the regular mode on its default
// address.
type Mode struct {
	Kind   ModeKind
	Listen string // "host:port", ":port", "port" or ""
	// Scheme, Host and Port are the server of Reverse ("http", "https", "tcp", "tls") or the proxy of Upstream ("http",
	// "https").
	Scheme string
	Host   string
	Port   int
}

// ParseMode parses a mode as mitmproxy writes it: NAME[:DATA][@[HOST:]PORT].
//
//	regular    regular@9090    reverse:https://example.com    upstream:http://proxy:3128@127.0.0.1:8081
//	socks5     transparent
func ParseMode(s string) (Mode, error) {
	spec := s
	var m Mode
	if i := strings.LastIndexByte(spec, '@'); i >= 0 {
		m.Listen, spec = spec[i+1:], spec[:i]
		if _, _, err := splitListen(m.Listen, 0); err != nil {
			return Mode{}, fmt.Errorf("mode %q: %w", s, err)
		}
	}
	name, data, hasData := strings.Cut(spec, ":")
	kind := -1
	for i, n := range modeNames {
		if n == name {
			kind = i
		}
	}
	if kind < 0 {
		return Mode{}, fmt.Errorf("mode %q: there is regular, upstream:URL, reverse:URL, socks5 and transparent", s)
	}
	m.Kind = ModeKind(kind)
	switch m.Kind {
	case Upstream, Reverse:
		if !hasData {
			return Mode{}, fmt.Errorf("mode %q needs a URL: %s:https://example.com", s, name)
		}
		if err := m.target(data); err != nil {
			return Mode{}, fmt.Errorf("mode %q: %w", s, err)
		}
	default:
		if hasData {
			return Mode{}, fmt.Errorf("mode %q: %s takes no URL", s, name)
		}
	}
	return m, nil
}

// target parses the URL of a mode; a missing scheme is that which the port or the kind suggests.
func (m *Mode) target(url string) error {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		scheme, rest = "", url
	}
	rest = strings.TrimSuffix(rest, "/")
	if strings.ContainsAny(rest, "/?#@") {
		return fmt.Errorf("%q: a host and a port, nothing behind them", url)
	}
	host, port, ok := flowfile.SplitAuthority(rest)
	if !ok || host == "" {
		return fmt.Errorf("%q is no URL of a server", url)
	}
	if scheme == "" {
		scheme = "https"
		if m.Kind == Upstream || port == 80 {
			scheme = "http"
		}
	}
	if m.Kind == Upstream && scheme != "http" && scheme != "https" {
		return fmt.Errorf("the scheme %q: a proxy is reached by http or https", scheme)
	}
	switch scheme {
	case "http", "https":
		if port == 0 {
			port = flowfile.DefaultPort(scheme)
			if m.Kind == Upstream {
				port = 8080
			}
		}
	case "tcp", "tls":
		if port == 0 {
			return fmt.Errorf("%q needs a port", url)
		}
	default:
		return fmt.Errorf("the scheme %q: there is http, https, tcp and tls", scheme)
	}
	m.Scheme, m.Host, m.Port = scheme, host, port
	return nil
}

// Addr returns the address to listen on: that of the mode, else of host (what --listen said), else the loopback with the
// port of the kind.
func (m Mode) Addr(host string) (string, error) {
	h, p, err := splitListen(host, m.Kind.DefaultPort())
	if err != nil {
		return "", err
	}
	if m.Listen != "" {
		mh, mp, err := splitListen(m.Listen, p)
		if err != nil {
			return "", err
		}
		if mh != "" {
			h = mh
		}
		p = mp
	}
	if h == "" {
		h = "127.0.0.1"
	}
	return net.JoinHostPort(h, strconv.Itoa(p)), nil
}

// splitListen splits "host:port", ":port", "port", "host"; a missing port is def.
func splitListen(s string, def int) (host string, port int, err error) {
	if s == "" {
		return "", def, nil
	}
	if n, err := strconv.Atoi(s); err == nil {
		if n < 0 || n > 65535 {
			return "", 0, fmt.Errorf("there is no port %d", n)
		}
		return "", n, nil
	}
	if strings.HasPrefix(s, ":") {
		return splitListen(s[1:], def)
	}
	host, port, ok := flowfile.SplitAuthority(s)
	if !ok {
		return "", 0, fmt.Errorf("%q is no address to listen on: HOST:PORT, PORT or HOST", s)
	}
	// SplitAuthority takes port 0 for none, which to a listener is any free port.
	if port == 0 && !strings.HasSuffix(s, ":0") {
		port = def
	}
	return host, port, nil
}

// String returns the mode as ParseMode reads it, without the address.
func (m Mode) String() string {
	if m.Kind != Upstream && m.Kind != Reverse {
		return m.Kind.String()
	}
	return m.Kind.String() + ":" + m.Scheme + "://" + flowfile.HostPort(m.Host, m.Port)
}
