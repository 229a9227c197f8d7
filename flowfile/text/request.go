package text

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// request is what curl and HTTPie must know of a request before they can repeat it.
type request struct {
	*flowfile.Request
	fields  []flowfile.Field
	major   int    // of the version, 0 if it is unknown
	old     bool   // HTTP/1.0
	name    string // in the URL: the host, or the name that TLS asked for
	connect string // where the connection goes instead of to name; "" is there
	chunked bool
	length  bool // there is a Content-Length
	body    bool // a body is to be sent
}

// newRequest returns the request of f, or why it cannot be a command.
func newRequest(f *flowfile.Flow) (*request, error) {
	if f.Request() == nil {
		return nil, refuse("it has no request")
	}
	r := &request{Request: f.Request()}
	r.fields = r.Headers().Fields()
	if r.proxied() {
		// It was for the proxy, and did not go to the server.
		r.fields = slices.DeleteFunc(slices.Clone(r.fields), func(f flowfile.Field) bool { return flowfile.EqualFold(f.Name, "Proxy-Connection") })
	}
	if err := r.checkLine(); err != nil {
		return nil, err
	}
	if err := r.checkFields(); err != nil {
		return nil, err
	}
	if err := r.checkBody(); err != nil {
		return nil, err
	}
	if err := r.where(f); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *request) checkLine() error {
	switch version := r.Version(); {
	case version == "HTTP/1.1", version == "HTTP/1.0":
		r.major, r.old = 1, version == "HTTP/1.0"
	case later(version) != 0:
		r.major = later(version)
	case version != "":
		return refuse("its version is %s", version)
	}
	switch m := r.Method(); {
	case m == "":
		return refuse("it has no method")
	case m == "CONNECT":
		return refuse("CONNECT asks a proxy for a tunnel, which is not a request of its own")
	case strings.ContainsAny(m, " \x00\r\n"):
		return refuse("its method holds a space, a line break or NUL")
	case strings.ContainsAny(r.Path()+r.Authority(), "\x00\r\n"):
		return refuse("its path holds a line break or NUL")
	case r.Scheme() != "http" && r.Scheme() != "https":
		return refuse("its scheme is %q, not http or https", r.Scheme())
	case r.Path() == "" && r.Authority() == "":
		return refuse("it has no path")
	}
	return nil
}

// later returns the number of a version from 2 on, else 0.
func later(version string) int {
	switch version {
	case "HTTP/2", "HTTP/2.0":
		return 2
	case "HTTP/3", "HTTP/3.0":
		return 3
	}
	return 0
}

func (r *request) checkFields() error {
	for _, f := range r.fields {
		switch {
		case f.Name == "":
			return refuse("a field has no name")
		case strings.ContainsAny(f.Name, "\x00\r\n") || strings.ContainsAny(f.Value, "\x00\r\n"):
			return refuse("a field holds a line break or NUL")
		case r.major < 2:
		case strings.Trim(f.Name, tokenBytes) != "":
			return refuse("a field's name has characters that HTTP/%d does not take", r.major)
		case strings.ContainsFunc(f.Value, func(c rune) bool { return c < 0x20 && c != '\t' || c == 0x7f }):
			return refuse("a field's value has characters that HTTP/%d does not take", r.major)
		}
	}
	if r.major < 2 {
		return nil
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"} {
		if _, ok := r.Headers().Lookup(name); ok {
			return refuse("HTTP/%d has no field %s", r.major, name)
		}
	}
	for _, host := range r.Headers().Values("Host") {
		if r.Authority() != "" && host != r.Authority() {
			return refuse("its field Host is not its :authority")
		}
	}
	return nil
}

const tokenBytes = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func (r *request) checkBody() error {
	b := r.Body()
	r.body = b.State() == flowfile.BodyPresent && b.Size() != 0
	if te := r.Headers().Values("Transfer-Encoding"); len(te) > 0 {
		last := strings.ToLower(te[0][strings.LastIndexByte(te[0], ',')+1:])
		if len(te) > 1 || strings.Trim(last, " \t") != "chunked" {
			return refuse("its Transfer-Encoding is not chunked")
		}
		if r.old {
			return refuse("HTTP/1.0 has no Transfer-Encoding")
		}
		r.chunked, r.body = true, true
	}
	lengths := r.Headers().Values("Content-Length")
	r.length = len(lengths) > 0
	switch {
	case b.State() == flowfile.BodyTruncated:
		return refuse("its body was cut when it was recorded")
	case b.State() == flowfile.BodyAbsent && (r.chunked || r.length && strings.Trim(lengths[0], "0 \t") != ""):
		return refuse("its body was not recorded")
	case r.Trailers() != nil && r.Trailers().Len() > 0:
		return refuse("it has trailers")
	}
	return nil
}

// where finds the name for the URL and where the connection goes.
func (r *request) where(f *flowfile.Flow) error {
	host := r.Host()
	if !validHost(host) {
		return refuse("its host is no name and no address")
	}
	if r.Port() < 1 || r.Port() > 65535 {
		return refuse("its port is %d", r.Port())
	}
	r.name = host
	if r.Scheme() != "https" {
		return nil
	}
	sni := ""
	if server := f.Server(); server != nil {
		sni = server.SNI
	}
	if _, err := netip.ParseAddr(host); sni == "" && err == nil {
		// The user meant a name.
		if name := r.PrettyHost(); validHost(name) {
			if _, err := netip.ParseAddr(name); err != nil {
				sni = name
			}
		}
	}
	if sni != "" && validHost(sni) && !strings.EqualFold(sni, host) {
		r.name, r.connect = sni, flowfile.HostPort(host, r.Port())
	}
	return nil
}

// validHost tells whether a URL can have the host as it is.
func validHost(s string) bool {
	if strings.Contains(s, ":") {
		a, err := netip.ParseAddr(s)
		return err == nil && a.Zone() == ""
	}
	return s != "" && s[0] != '-' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == ""
}

// origin returns the beginning of the URL, before the path.
func (r *request) origin() string {
	return r.Scheme() + "://" + r.autoHost()
}

// autoHost is the Host field of a client that was given the URL.
func (r *request) autoHost() string {
	if r.Port() == flowfile.DefaultPort(r.Scheme()) {
		if strings.Contains(r.name, ":") {
			return "[" + r.name + "]"
		}
		return r.name
	}
	return flowfile.HostPort(r.name, r.Port())
}

// proxied tells whether the request was put to a proxy as usual: the server then got its path alone.
func (r *request) proxied() bool {
	host, port, ok := flowfile.SplitAuthority(r.Authority())
	if port == 0 {
		port = flowfile.DefaultPort(r.Scheme())
	}
	return ok && host == r.Host() && port == r.Port()
}

// target is what stands in the request line.
func (r *request) target() string {
	if r.Authority() != "" && r.major < 2 && !r.proxied() {
		return r.Scheme() + "://" + r.Authority() + r.Path()
	}
	return r.Path()
}

// plainHost tells whether clients take the host as it stands: not in capitals, with a dot
// at its end, or a number in some odd form.
func plainHost(s string) bool {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.String() == s
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	return last != "" && (last[0] < '0' || last[0] > '9') && strings.ToLower(s) == s
}

// plainPath tells whether c is in paths and queries that no client changes; percent signs
// are not.
func plainPath(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("/?-._~!$&'()*+,;=:@", c) >= 0
}

// escapedAt tells whether a percent-encoded byte stands at s[i], in capitals.
func escapedAt(s string, i int) bool {
	if s[i] != '%' || i+2 >= len(s) {
		return false
	}
	_, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
	return err == nil && strings.ToUpper(s[i+1:i+3]) == s[i+1:i+3]
}

// dotted tells whether a path has segments that clients take out.
func dotted(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	for s := range strings.SplitSeq(path, "/") {
		s = strings.ReplaceAll(strings.ToLower(s), "%2e", ".")
		if s == "." || s == ".." {
			return true
		}
	}
	return false
}
