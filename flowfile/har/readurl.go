package har

import (
	"strings"

	"flowkit/flowfile"
)

// location is a URL in parts.
type location struct {
	scheme, host string
	port         int
	path         string // with query, without fragment
}

// splitURL takes a URL apart as it is, valid or not.
func splitURL(s string) location {
	s, _, _ = strings.Cut(s, "#")
	s = strings.TrimSpace(clean(s))
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme != "" && !validScheme(scheme) {
		return splitOther(s)
	}
	u := location{scheme: strings.ToLower(scheme)}
	switch u.scheme {
	case "ws":
		u.scheme = "http"
	case "wss":
		u.scheme = "https"
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	u.authority(rest[:end])
	u.path = rest[end:]
	if !strings.HasPrefix(u.path, "/") && u.host != "" {
		u.path = "/" + u.path
	}
	return u
}

func (u *location) authority(s string) {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	u.port = flowfile.DefaultPort(u.scheme)
	host, port, ok := flowfile.SplitAuthority(s)
	if !ok {
		u.host = s
		return
	}
	u.host = host
	if port != 0 {
		u.port = port
	}
}

// splitOther takes apart what has no "://": data:, blob: and about: URLs, the authority
// of CONNECT, and paths.
func splitOther(s string) location {
	if strings.HasPrefix(s, "/") || s == "*" {
		return location{path: s}
	}
	if host, port, ok := flowfile.SplitAuthority(s); ok && port != 0 {
		return location{host: host, port: port}
	}
	if scheme, rest, ok := strings.Cut(s, ":"); ok && validScheme(scheme) {
		return location{scheme: strings.ToLower(scheme), path: rest}
	}
	if s == "" {
		return location{}
	}
	// A host without scheme.
	u := splitURL("http://" + s)
	return u
}
