package har

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"flowkit/flowfile"
)

// requestURI returns the URL of r as a valid URI (RFC 3986), and as it was if that is not
// the same.
func requestURI(r *flowfile.Request) (uri, original string) {
	pretty := r.PrettyURL()
	scheme, rest, ok := strings.Cut(pretty, "://")
	if !ok {
		// CONNECT has an authority alone.
		scheme, rest = "https", pretty+"/"
	} else if !validScheme(scheme) {
		scheme = "http"
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, path := escapeAuthority(rest[:end]), rest[end:]
	if !isAuthority(authority) {
		authority = noHost
	}
	if path == "" || path[0] != '/' {
		path = "/" + path
	}
	path, query, hasQuery := strings.Cut(path, "?")
	uri = scheme + "://" + authority + escape(path, pathBytes)
	if hasQuery {
		uri += "?" + escape(query, pathBytes+"?")
	}
	if uri == pretty || uri == pretty+"/" {
		return uri, ""
	}
	return uri, pretty
}

// noHost stands where there is no host that importers take: they would reject the file. It
// is no name that anybody has (RFC 2606).
const noHost = "unknown.invalid"

// isAuthority tells whether URLs of browsers take what is between // and the path.
func isAuthority(s string) bool {
	s = s[strings.LastIndexByte(s, '@')+1:]
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		host, port = s[:i], s[i+1:]
	}
	if _, err := strconv.ParseUint(port, 10, 16); port != "" && err != nil {
		return false
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && ip.Is6() && ip.Zone() == ""
	}
	host, err := url.PathUnescape(host)
	if err != nil || host == "" || !utf8.ValidString(host) || strings.ContainsAny(host, " #/:<>?@[\\]^|%") {
		return false
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return false
	}
	last := strings.TrimSuffix(host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	if last == "" || strings.Trim(last, "0123456789") != "" {
		return last != "" || host != "."
	}
	_, err = netip.ParseAddr(strings.TrimSuffix(host, "."))
	return err == nil
}

// hasHost tells whether a URI has a host that browsers take, if its scheme wants one.
func hasHost(uri string) bool {
	scheme, rest, _ := strings.Cut(uri, ":")
	switch strings.ToLower(scheme) {
	case "http", "https", "ws", "wss", "ftp":
	default:
		return true
	}
	rest = strings.TrimLeft(rest, `/\`) // more of them are passed over
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return isAuthority(rest)
}

func validScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || i > 0 && strings.IndexByte("0123456789+-.", s[i]) >= 0) {
			return false
		}
	}
	return s != ""
}

const (
	// hostBytes may be in a host besides letters and digits, pathBytes in a path.
	hostBytes = "-._~!$&'()*+,;="
	pathBytes = hostBytes + ":@/"
)

func escapeAuthority(s string) string {
	if strings.HasPrefix(s, "[") {
		host, rest, ok := strings.Cut(s[1:], "]")
		if ip, err := netip.ParseAddr(host); ok && err == nil && ip.Is6() {
			return "[" + ip.WithZone("").String() + "]" + escape(rest, ":")
		}
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.Trim(s[i+1:], "0123456789") == "" {
		return escape(s[:i], hostBytes) + s[i:]
	}
	return escape(s, hostBytes)
}

// escape percent-encodes all bytes but letters, digits, those in allowed, and what is
// percent-encoded already.
func escape(s, allowed string) string {
	var b []byte
	done := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(allowed, c) >= 0:
			continue
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			continue
		}
		b = append(b, s[done:i]...)
		b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		done = i + 1
	}
	if b == nil {
		return s
	}
	return string(append(b, s[done:]...))
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// query writes the parameters of a path.
func (w *Writer) query(path string) {
	_, query, _ := strings.Cut(path, "?")
	w.pairs(query)
}

// pairs writes what is in urlencoded form as an array of names and values.
func (w *Writer) pairs(s string) {
	w.j.Array()
	for p := range strings.SplitSeq(s, "&") {
		if p == "" {
			continue
		}
		name, value, _ := strings.Cut(p, "=")
		w.pair(unescape(name), unescape(value))
	}
	w.j.EndArray()
}

// unescape decodes a name or value of a query; what cannot be decoded stays as it is.
func unescape(s string) string {
	if d, err := url.QueryUnescape(s); err == nil && utf8.ValidString(d) {
		return d
	}
	return s
}
