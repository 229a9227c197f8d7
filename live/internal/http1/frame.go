package http1

import (
	"math"
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// Kind is how the end of a body is told.
type Kind uint8

// The kinds of framing (RFC 9112 §6).
const (
	None       Kind = iota // there is no body
	Length                 // Content-Length
	Chunked                // Transfer-Encoding: chunked
	UntilClose             // the body ends with the connection; responses only
)

// Framing says where a body ends.
type Framing struct {
	Kind   Kind
	Length int64 // bytes, if Kind is Length; may be 0
}

// Frame checks a head that was made or changed otherwise than by ReadRequest, so that it may be written, and sets Body,
// Close, Expect and Upgrade to what the fields say. Its rules and errors are those of ReadRequest.
func (h *RequestHead) Frame() error {
	if err := h.checkLine(); err != nil {
		return err
	}
	if err := checkFields(h.Fields, request); err != nil {
		return err
	}
	return h.frame()
}

// Frame is [RequestHead.Frame] for the response to a request of that method. Where the fields say the same length more
// than once, Fields becomes a new list that says it once.
func (h *ResponseHead) Frame(method string) error {
	if err := h.checkLine(); err != nil {
		return err
	}
	if err := checkFields(h.Fields, response); err != nil {
		return err
	}
	return h.frame(method)
}

func (h *RequestHead) checkLine() error {
	if !isToken(h.Method) {
		return refuse(400, "the method is not a token: ", quote(h.Method))
	}
	if h.Version != "HTTP/1.1" && h.Version != "HTTP/1.0" {
		if isVersion(h.Version) {
			return refuse(505, "version ", h.Version, " is not HTTP/1.0 or HTTP/1.1")
		}
		return refuse(400, "the request line ends in no HTTP version: ", quote(h.Version))
	}
	for i := 0; i < len(h.Target); i++ {
		if c := h.Target[i]; c <= ' ' || c == 0x7f || c == '#' {
			return refuse(400, "the target holds a byte that must not be in one: ", quote(h.Target))
		}
	}
	switch {
	case h.Method == "CONNECT":
		if !isAuthority(h.Target) {
			return refuse(400, "the target of CONNECT is not host:port: ", quote(h.Target))
		}
	case strings.HasPrefix(h.Target, "/") || h.Target == "*" && h.Method == "OPTIONS":
	default:
		if scheme, _, ok := strings.Cut(h.Target, "://"); !ok || !isToken(scheme) {
			return refuse(400, "the target is neither a path nor a URL: ", quote(h.Target))
		}
	}
	return nil
}

func (h *ResponseHead) checkLine() error {
	if h.Version != "HTTP/1.1" && h.Version != "HTTP/1.0" {
		return refuse(502, "the response does not begin with HTTP/1.0 or HTTP/1.1: ", quote(h.Version))
	}
	if h.Status < 100 || h.Status > 999 {
		return refuse(502, "status ", strconv.Itoa(h.Status), " is not a status of three digits")
	}
	if !isValue(h.Reason, response) {
		return refuse(502, "the reason holds a byte that must not be in one: ", quote(h.Reason))
	}
	return nil
}

// isVersion reports whether s is HTTP-version (RFC 9112 §2.3).
func isVersion(s string) bool {
	return len(s) == 8 && strings.HasPrefix(s, "HTTP/") && isDigit(s[5]) && s[6] == '.' && isDigit(s[7])
}

// isAuthority reports whether s is host:port (RFC 9112 §3.2.3).
func isAuthority(s string) bool {
	i := strings.LastIndexByte(s, ':')
	if i <= 0 || !isHost(s[:i]) {
		return false
	}
	if s[0] == '[' && s[i-1] != ']' || s[0] != '[' && strings.IndexByte(s[:i], ':') >= 0 {
		return false
	}
	port, ok := parseLength(s[i+1:])
	return ok && port > 0 && port <= math.MaxUint16
}

// said is what the fields of a head say of its message.
type said struct {
	length     int64 // -1: nothing
	lengths    int   // fields that say it
	listed     bool  // one says it more than once
	coding     string
	codings    int // fields of Transfer-Encoding
	hosts      int
	host       string
	close      bool
	keepAlive  bool
	upgrade    bool // Connection: upgrade
	upgrades   string
	expect     bool
	unexpected string // an expectation that is not 100-continue
}

// read gathers what fields say. Fields are told apart by the length of their names first: few need a second look.
func (m *said) read(fields []flowfile.Field, sd side) error {
	m.length = -1
	for i := range fields {
		name, value := fields[i].Name, fields[i].Value
		switch len(name) {
		case len("Host"):
			if flowfile.EqualFold(name, "Host") {
				m.hosts++
				m.host = value
			}
		case len("Expect"):
			if flowfile.EqualFold(name, "Expect") {
				if flowfile.EqualFold(value, "100-continue") {
					m.expect = true
				} else {
					m.unexpected = quote(value)
				}
			}
		case len("Upgrade"):
			if flowfile.EqualFold(name, "Upgrade") {
				if m.upgrades != "" {
					value = m.upgrades + ", " + value
				}
				m.upgrades = value
			}
		case len("Connection"):
			if flowfile.EqualFold(name, "Connection") {
				m.connection(value)
			}
		case len("Content-Length"):
			if !looksLike(name, "content-length") {
				continue
			}
			if name[7] != '-' {
				return refuse(sd.status(400), "field ", name, " may be taken for Content-Length")
			}
			if err := m.contentLength(value, sd); err != nil {
				return err
			}
		case len("Transfer-Encoding"):
			if !looksLike(name, "transfer-encoding") {
				continue
			}
			if name[8] != '-' {
				return refuse(sd.status(400), "field ", name, " may be taken for Transfer-Encoding")
			}
			m.codings++
			m.coding = value
			if m.codings > 1 {
				return refuse(sd.status(400), "there is more than one Transfer-Encoding")
			}
		}
	}
	return nil
}

func (m *said) connection(value string) {
	for value != "" {
		var token string
		token, value, _ = strings.Cut(value, ",")
		token = trim(token)
		switch {
		case flowfile.EqualFold(token, "close"):
			m.close = true
		case flowfile.EqualFold(token, "keep-alive"):
			m.keepAlive = true
		case flowfile.EqualFold(token, "upgrade"):
			m.upgrade = true
		}
	}
}

func (m *said) contentLength(value string, sd side) error {
	m.lengths++
	if sd == request {
		n, ok := parseLength(value)
		switch {
		case !ok:
			return refuse(400, "Content-Length is not a number: ", quote(value))
		case len(value) > 1 && value[0] == '0':
			return refuse(400, "Content-Length begins with a zero, which some take for octal: ", quote(value))
		case m.lengths > 1:
			return refuse(400, "there is more than one Content-Length")
		}
		m.length = n
		return nil
	}
	for first := true; first || value != ""; first = false {
		var part string
		part, value, _ = strings.Cut(value, ",")
		n, ok := parseLength(trim(part))
		if !ok {
			return refuse(502, "Content-Length is not a number: ", quote(part))
		}
		if m.length >= 0 && n != m.length {
			return refuse(502, "Content-Length is both ", strconv.FormatInt(m.length, 10), " and ", strconv.FormatInt(n, 10))
		}
		m.length = n
		m.listed = m.listed || !first
	}
	return nil
}

// frame sets what the fields of a request say (RFC 9112 §6.3, §9.3; RFC 9110 §7.2, §7.8, §10.1.1).
func (h *RequestHead) frame() error {
	var m said
	if err := m.read(h.Fields, request); err != nil {
		return err
	}
	old := h.Version == "HTTP/1.0"
	switch {
	case m.hosts > 1:
		return refuse(400, "there is more than one Host")
	case m.hosts == 0 && !old && h.Method != "CONNECT":
		return refuse(400, "there is no Host")
	case m.host != "" && !isHost(m.host):
		return refuse(400, "Host is not a host: ", quote(m.host))
	case m.codings > 0 && m.lengths > 0:
		return refuse(400, "there are both Transfer-Encoding and Content-Length")
	case m.codings > 0 && old:
		return refuse(400, "there is Transfer-Encoding in HTTP/1.0")
	case m.codings > 0:
		if err := checkCoding(m.coding, request); err != nil {
			return err
		}
	}
	if m.unexpected != "" && !old {
		return refuse(417, "Expect is not 100-continue: ", m.unexpected)
	}
	h.Body = Framing{}
	switch {
	case h.Method == "CONNECT":
		if m.codings > 0 || m.length > 0 {
			return refuse(400, "there is a body in CONNECT")
		}
	case m.codings > 0:
		h.Body.Kind = Chunked
	case m.length >= 0:
		h.Body = Framing{Kind: Length, Length: m.length}
	}
	h.Close = m.close || old && !m.keepAlive
	h.Expect = m.expect && !old && (h.Body.Kind == Chunked || h.Body.Length > 0)
	h.Upgrade = ""
	if m.upgrade && !old {
		h.Upgrade = m.upgrades
	}
	return nil
}

// frame sets what the fields of a response say (RFC 9112 §6.3, §9.3).
func (h *ResponseHead) frame(method string) error {
	var m said
	if err := m.read(h.Fields, response); err != nil {
		return err
	}
	old := h.Version == "HTTP/1.0"
	h.Body = Framing{}
	h.Close = m.close || old && !m.keepAlive
	switch {
	case h.Status < 200 || h.Status == 204 || method == "CONNECT" && h.Status < 300:
		// No body whatever the fields say. A server that says otherwise may send one: what follows is not a response.
		if h.Status != 101 && method != "CONNECT" && (m.codings > 0 || m.length > 0) {
			if h.Status < 200 {
				return refuse(502, "an interim response says that it has a body")
			}
			h.Close = true
		}
		h.once(&m)
		return nil
	case method == "HEAD" || h.Status == 304:
		h.once(&m)
		return nil
	case m.codings > 0 && m.lengths > 0:
		return refuse(502, "there are both Transfer-Encoding and Content-Length")
	case m.codings > 0 && old:
		return refuse(502, "there is Transfer-Encoding in HTTP/1.0")
	case m.codings > 0:
		if err := checkCoding(m.coding, response); err != nil {
			return err
		}
		h.Body.Kind = Chunked
	case m.length >= 0:
		h.Body = Framing{Kind: Length, Length: m.length}
		h.once(&m)
	default:
		h.Body.Kind = UntilClose
		h.Close = true
	}
	return nil
}

// once leaves one Content-Length with one value where there were more of the same (RFC 9110 §8.6).
func (h *ResponseHead) once(m *said) {
	if m.lengths < 2 && !m.listed {
		return
	}
	fields := make([]flowfile.Field, 0, len(h.Fields))
	found := false
	for _, f := range h.Fields {
		if flowfile.EqualFold(f.Name, "Content-Length") {
			if found {
				continue
			}
			found = true
			f.Value = strconv.FormatInt(m.length, 10)
		}
		fields = append(fields, f)
	}
	h.Fields = fields
}

// checkCoding accepts "chunked" alone. Other codings would have to be undone at this hop (RFC 9112 §6.1, §7).
func checkCoding(value string, sd side) error {
	if flowfile.EqualFold(value, "chunked") {
		return nil
	}
	i := strings.LastIndexByte(value, ',')
	if last := trim(value[i+1:]); i >= 0 && flowfile.EqualFold(last, "chunked") {
		for rest := value[:i]; ; {
			var coding string
			var more bool
			coding, rest, more = strings.Cut(rest, ",")
			if coding = trim(coding); !isToken(coding) || flowfile.EqualFold(coding, "chunked") {
				break
			}
			if !more {
				return refuse(sd.status(501), "transfer codings other than chunked are not known here: ", quote(value))
			}
		}
	}
	return refuse(sd.status(400), "Transfer-Encoding is not chunked: ", quote(value))
}

// looksLike compares a name with a lower-case one of the same length; '_' passes for '-', as in CGI variables.
func looksLike(name, want string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		} else if c == '_' {
			c = '-'
		}
		if c != want[i] {
			return false
		}
	}
	return true
}
