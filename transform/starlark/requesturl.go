package starlark

import (
	"fmt"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/transform/starlark/lib"
)

// setHost sets host and port and takes an existing Host header and authority along, as
// mitmproxy does since version 10.
func setHost(r *flowfile.Request, host string, port int) {
	if host != r.Host() {
		r.SetHost(host)
	}
	if port != r.Port() {
		r.SetPort(port)
	}
	hostport := hostPort(r.Scheme(), host, port)
	if _, ok := r.Headers().Lookup("Host"); ok {
		r.Headers().Set("Host", hostport)
	}
	if r.Authority() != "" {
		r.SetAuthority(hostport)
	}
}

// hostPort joins host and port as in a URL, without the port that is the scheme's.
func hostPort(scheme, host string, port int) string {
	s := flowfile.HostPort(host, port)
	if port == flowfile.DefaultPort(scheme) {
		s = strings.TrimSuffix(s, ":"+strconv.Itoa(port))
	}
	return s
}

// setHostHeader sets the Host header of HTTP/1 and the authority of later versions.
func setHostHeader(r *flowfile.Request, val starlark.Value) error {
	multiplexed := strings.HasPrefix(r.Version(), "HTTP/2") || strings.HasPrefix(r.Version(), "HTTP/3")
	if val == starlark.None {
		if multiplexed {
			r.SetAuthority("")
		}
		r.Headers().Del("Host")
		return nil
	}
	return setString(val, "host_header", func(s string) {
		if multiplexed {
			r.SetAuthority(s)
		}
		if _, ok := r.Headers().Lookup("Host"); ok || !multiplexed {
			r.Headers().Set("Host", s)
		}
	})
}

// prettyURL is the URL with the host that the user meant. A Host header without a port
// means the scheme's.
func prettyURL(r *flowfile.Request) string {
	hh, ok := r.HostHeader()
	switch {
	case strings.EqualFold(r.Method(), "CONNECT"):
		return r.Authority()
	case !ok || hh == "":
		return r.URL()
	}
	host, port, ok := flowfile.SplitAuthority(hh)
	if !ok {
		host = hh
	}
	if port == 0 {
		port = flowfile.DefaultPort(r.Scheme())
	}
	if port == 0 {
		port = 443
	}
	path := r.Path()
	if path == "*" {
		path = ""
	}
	return r.Scheme() + "://" + hostPort(r.Scheme(), host, port) + path
}

func firstLineFormat(r *flowfile.Request) string {
	switch {
	case strings.EqualFold(r.Method(), "CONNECT"):
		return "authority"
	case r.Authority() != "":
		return "absolute"
	}
	return "relative"
}

// setURL sets scheme, host, port and path from a URL.
func setURL(r *flowfile.Request, u string) error {
	scheme, rest, ok := strings.Cut(u, "://")
	if !ok || scheme == "" || strings.ContainsAny(scheme, "/?#@ ") {
		return fmt.Errorf("%q is no URL: there is no scheme", u)
	}
	scheme = strings.ToLower(scheme)
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	host, port, ok := flowfile.SplitAuthority(authority)
	if !ok {
		return fmt.Errorf("%q is no URL: %q is no host", u, authority)
	}
	if port == 0 {
		port = flowfile.DefaultPort(scheme)
	}
	if port == 0 {
		port = 80
	}
	p := splitPath(path)
	if !strings.HasPrefix(p.path, "/") {
		p.path = "/" + p.path
	}
	r.SetScheme(scheme)
	setHost(r, strings.ToLower(host), port)
	r.SetPath(p.String())
	return nil
}

// parts of a path with query and fragment. A "?" or "#" with nothing behind it is not kept.
type parts struct{ path, query, fragment string }

func splitPath(s string) parts {
	var p parts
	s, p.fragment, _ = strings.Cut(s, "#")
	p.path, p.query, _ = strings.Cut(s, "?")
	return p
}

func (p parts) String() string {
	s := p.path
	if p.query != "" {
		s += "?" + p.query
	}
	if p.fragment != "" {
		s += "#" + p.fragment
	}
	return s
}

func pathComponents(path string) starlark.Value {
	var l starlark.Tuple
	for part := range strings.SplitSeq(splitPath(path).path, "/") {
		if part != "" {
			l = append(l, starlark.String(lib.UnquoteURL(part)))
		}
	}
	return l
}

func setPathComponents(r *flowfile.Request, val starlark.Value) error {
	it, ok := val.(starlark.Iterable)
	if !ok {
		return typeError("path_components", "a list of strings", val)
	}
	p := splitPath(r.Path())
	p.path = ""
	for x := range starlark.Elements(it) {
		if err := setString(x, "a path component", func(s string) { p.path += "/" + lib.QuoteURL(s, "") }); err != nil {
			return err
		}
	}
	if p.path == "" {
		p.path = "/"
	}
	r.SetPath(p.String())
	return nil
}
