package flowfile

import (
	"strconv"
	"strings"
)

// DefaultPort returns the port that a URL of the scheme leaves out, 0 if there is none.
func DefaultPort(scheme string) int {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	}
	return 0
}

// HostPort joins host and port; an IPv6 address gets brackets.
func HostPort(host string, port int) string { return bracket(host) + ":" + strconv.Itoa(port) }

func bracket(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// SplitAuthority splits "host", "host:port" or "[v6]:port"; the port is 0 if there is
// none. It is false if s is no authority (RFC 3986 §3.2 without user information).
func SplitAuthority(s string) (host string, port int, ok bool) {
	rest := ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", 0, false
		}
		host, rest = s[1:end], s[end+1:]
		if rest != "" && rest[0] != ':' {
			return "", 0, false
		}
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		host, rest = s[:i], s[i:]
	} else {
		host = s
	}
	if host == "" || strings.ContainsAny(host, "/?#@\\ \t\r\n") {
		return "", 0, false
	}
	if rest == "" || rest == ":" {
		return host, 0, true
	}
	port, err := strconv.Atoi(rest[1:])
	if err != nil || port < 0 || port > 65535 || rest[1] == '+' {
		return "", 0, false
	}
	return host, port, true
}
