package text

import (
	"regexp"
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// newHTTPie returns the http command that repeats the request of f.
func newHTTPie(f *flowfile.Flow) (*command, error) {
	r, err := newRequest(f)
	if err != nil {
		return nil, err
	}
	c := &command{body: r.body, argument: []string{"--ignore-stdin", "--raw"}, idle: []string{"--ignore-stdin"}}
	c.plain("http")
	switch target := r.target(); {
	case strings.Trim(r.Method(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return nil, refuse("HTTPie takes no method %s", r.Method())
	case r.old:
		return nil, refuse("HTTPie speaks no HTTP/1.0")
	case r.chunked && r.Body().Size() == 0:
		return nil, refuse("HTTPie sends no empty chunked body")
	case r.connect != "":
		return nil, refuse("HTTPie cannot connect to another host than that of the URL")
	case !plainHost(r.name):
		return nil, refuse("HTTPie changes the host")
	case !httpiePath(target):
		return nil, refuse("HTTPie changes the path")
	case dotted(target):
		c.flag("--path-as-is")
	}
	if r.major >= 2 {
		c.note("HTTPie speaks HTTP/1.1")
	}
	if r.chunked {
		c.flag("--chunked")
	}
	c.flag(r.Method())
	c.quoted(r.origin() + r.target())
	if err := httpieFields(c, r); err != nil {
		return nil, err
	}
	if !r.body && !r.length && r.Method() != "GET" && r.Method() != "HEAD" {
		c.note("HTTPie adds Content-Length: 0")
	}
	if r.body && !r.length && !r.chunked {
		c.note("HTTPie adds a Content-Length")
	}
	return c, nil
}

// httpieSpecial are the characters that a backslash protects, and so takes itself away.
var httpieSpecial = regexp.MustCompile(`\\[:;=@]`)

func httpieFields(c *command, r *request) error {
	if host, ok := r.HostHeader(); !ok {
		c.note("HTTPie adds a Host")
	} else if host != r.autoHost() {
		if err := httpieField(c, flowfile.Field{Name: "Host", Value: host}); err != nil {
			return err
		}
	}
	for _, f := range r.fields {
		if flowfile.EqualFold(f.Name, "Host") || r.chunked && flowfile.EqualFold(f.Name, "Transfer-Encoding") {
			continue
		}
		if flowfile.EqualFold(f.Name, "Content-Length") && r.body && !r.chunked {
			continue // HTTPie counts for itself
		}
		if err := httpieField(c, f); err != nil {
			return err
		}
	}
	defaults := []string{"User-Agent", "Accept", "Accept-Encoding", "Connection"}
	if r.body {
		defaults = append(defaults, "Content-Type")
	}
	for _, name := range defaults {
		if _, ok := r.Headers().Lookup(name); !ok {
			c.plain("'" + name + ":'")
		}
	}
	return nil
}

func httpieField(c *command, f flowfile.Field) error {
	switch {
	case strings.Trim(f.Name, tokenBytes) != "" || f.Name[0] == '-':
		return refuse("HTTPie takes no field of the name %s", f.Name)
	case httpieSpecial.MatchString(f.Value):
		return refuse("HTTPie takes the backslash out of a field's value")
	case strings.ContainsFunc(f.Value, func(c rune) bool { return c < 0x20 || c >= 0x7f }):
		return refuse("a field's value has characters that HTTPie does not take")
	case f.Value == "":
		c.plain(Quote(f.Name + ";"))
	case strings.TrimSpace(f.Value) != f.Value:
		return refuse("HTTPie takes the spaces off the ends of a field's value")
	default:
		// With the space, a value that begins with = or @ is no other kind of item.
		c.plain(Quote(f.Name + ": " + f.Value))
	}
	return nil
}

// httpiePath tells whether HTTPie leaves a path as it is.
func httpiePath(s string) bool {
	if !strings.HasPrefix(s, "/") {
		return false
	}
	for i := range len(s) {
		switch {
		case plainPath(s[i]):
		case !escapedAt(s, i):
			return false
		case unreserved(s, i):
			return false // it would be unescaped
		}
	}
	return true
}

// unreserved tells whether what is percent-encoded at s[i] need not be.
func unreserved(s string, i int) bool {
	c, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
	return err == nil && plainPath(byte(c)) && strings.IndexByte("/?!$&'()*+,;=:@", byte(c)) < 0
}
