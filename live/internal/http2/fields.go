package http2

import (
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// headKind is what a list of fields is the head of.
type headKind uint8

const (
	requestHead headKind = iota
	responseHead
	trailerHead
)

// facts are what a connection has to know of a head.
type facts struct {
	method   string
	status   int
	protocol bool  // extended CONNECT (RFC 8441)
	length   int64 // of Content-Length; -1: none
}

func (f *facts) connect() bool { return f.method == "CONNECT" }

// check says what is wrong with a list of fields (RFC 9113 §8.2, §8.3), "" if nothing is. received: it came from a peer.
func check(kind headKind, fields []flowfile.Field, received bool, f *facts) string {
	f.length = -1
	var method, scheme, path, authority, protocol, status, host *string
	regular := false
	for i := range fields {
		name, value := fields[i].Name, fields[i].Value
		if !validValue(value, received && kind == requestHead) {
			return "bad byte in the value of " + strconv.Quote(name)
		}
		if name != "" && name[0] == ':' {
			if kind == trailerHead {
				return "pseudo-header field in trailers"
			}
			if regular {
				return "pseudo-header field behind others"
			}
			var p **string
			if kind == responseHead {
				if name == ":status" {
					p = &status
				}
			} else {
				switch name {
				case ":method":
					p = &method
				case ":scheme":
					p = &scheme
				case ":path":
					p = &path
				case ":authority":
					p = &authority
				case ":protocol":
					p = &protocol
				}
			}
			if p == nil {
				return "unknown pseudo-header field " + strconv.Quote(name)
			}
			if *p != nil {
				return name + " twice"
			}
			*p = &fields[i].Value
			continue
		}
		regular = true
		if !validName(name) {
			return "bad field name " + strconv.Quote(name)
		}
		switch name {
		case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
			return "connection-specific field " + name
		case "te":
			if !strings.EqualFold(value, "trailers") {
				return "te other than trailers"
			}
		case "content-length":
			if kind == trailerHead {
				continue
			}
			n, ok := parseLength(value)
			if !ok {
				return "bad content-length " + strconv.Quote(value)
			}
			if f.length >= 0 {
				return "content-length twice"
			}
			f.length = n
		case "host":
			if host != nil && kind == requestHead {
				return "host twice"
			}
			host = &fields[i].Value
		}
	}
	switch kind {
	case requestHead:
		return checkRequest(method, scheme, path, authority, protocol, host, f)
	case responseHead:
		if status == nil {
			return "no :status"
		}
		s := *status
		if len(s) != 3 || s[0] < '1' || s[0] > '9' || !digit(s[1]) || !digit(s[2]) {
			return "bad :status " + strconv.Quote(s)
		}
		f.status = int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')
		if f.status == 101 { // RFC 9113 §8.6
			return ":status 101"
		}
	}
	return ""
}

func checkRequest(method, scheme, path, authority, protocol, host *string, f *facts) string {
	if method == nil {
		return "no :method"
	}
	if !validToken(*method) {
		return "bad :method " + strconv.Quote(*method)
	}
	f.method, f.protocol = *method, protocol != nil
	if authority != nil && !validAuthority(*authority) {
		return "bad :authority " + strconv.Quote(*authority)
	}
	if host != nil && !validAuthority(*host) {
		return "bad host " + strconv.Quote(*host)
	}
	if authority != nil && host != nil && !strings.EqualFold(*authority, *host) {
		return "host is not :authority"
	}
	if f.connect() && protocol == nil { // RFC 9113 §8.5
		if scheme != nil || path != nil {
			return "CONNECT with :scheme or :path"
		}
		if authority == nil || *authority == "" {
			return "CONNECT without :authority"
		}
		return ""
	}
	if protocol != nil && (!f.connect() || !validToken(*protocol)) {
		return "bad :protocol"
	}
	if scheme == nil || !validScheme(*scheme) {
		return "bad or no :scheme"
	}
	if path == nil || !validPath(*path) {
		return "bad or no :path"
	}
	if *scheme == "http" || *scheme == "https" {
		if (*path)[0] != '/' && (*path != "*" || f.method != "OPTIONS") {
			return "bad :path " + strconv.Quote(*path)
		}
		if (authority == nil || *authority == "") && (host == nil || *host == "") {
			return "neither :authority nor host"
		}
	}
	return ""
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// parseLength parses a Content-Length: digits and nothing else.
func parseLength(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	n := int64(0)
	for i := range len(s) {
		if !digit(s[i]) {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// Classes of bytes.
const (
	tokenByte = 1 << iota // RFC 9110 §5.6.2
	upperByte
	authorityByte // RFC 3986 §3.2 without userinfo
)

var classes = func() (t [256]uint8) {
	for c := range 256 {
		b := byte(c)
		alnum := 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || digit(b)
		if alnum || strings.IndexByte("!#$%&'*+-.^_`|~", b) >= 0 && b != 0 {
			t[c] |= tokenByte
		}
		if 'A' <= b && b <= 'Z' {
			t[c] |= upperByte
		}
		if alnum || strings.IndexByte("-._~!$&'()*+,;=:[]%", b) >= 0 && b != 0 || b >= 0x80 {
			t[c] |= authorityByte
		}
	}
	return t
}()

func validName(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if classes[s[i]]&(tokenByte|upperByte) != tokenByte {
			return false
		}
	}
	return true
}

func validToken(s string) bool { return s != "" && all(s, tokenByte) }

func validAuthority(s string) bool { return all(s, authorityByte) }

func all(s string, class uint8) bool {
	for i := range len(s) {
		if classes[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

func validScheme(s string) bool {
	if s == "" || !('a' <= s[0]|0x20 && s[0]|0x20 <= 'z') {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || digit(c) || c == '+' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

// validPath: nothing that would end the target of an HTTP/1 request line.
func validPath(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// validValue: no NUL, CR, LF; strict: no white space around it either (RFC 9113 §8.2.1).
func validValue(s string, strict bool) bool {
	for i := range len(s) {
		if c := s[i]; c == '\r' || c == '\n' || c == 0 {
			return false
		}
	}
	return !strict || s == "" || !blank(s[0]) && !blank(s[len(s)-1])
}

func blank(c byte) bool { return c == ' ' || c == '\t' }
