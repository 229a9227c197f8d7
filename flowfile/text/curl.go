package text

import (
	"strings"

	"flowkit/flowfile"
)

// newCurl returns the curl command that repeats the request of f.
func newCurl(f *flowfile.Flow) (*command, error) {
	r, err := newRequest(f)
	if err != nil {
		return nil, err
	}
	if expect := r.Headers().Get("Expect"); r.chunked && r.Body().Size() == 0 && strings.Contains(strings.ToLower(expect), "100-continue") {
		return nil, refuse("curl does not end an empty chunked body behind Expect: 100-continue")
	}
	c := &command{body: r.body, argument: []string{"--data-raw"}, stdin: []string{"--data-binary", "@-"}}
	c.plain("curl")
	curlVersion(c, r)
	curlMethod(c, r)
	curlURL(c, r)
	if err := curlHost(c, r); err != nil {
		return nil, err
	}
	for _, name := range curlDefaults(r) {
		if _, ok := r.Headers().Lookup(name); !ok {
			c.plain("-H")
			c.quoted(name + ":")
		}
	}
	if r.body && !r.length && !r.chunked && r.major < 2 {
		c.note("curl adds a Content-Length; the recorded head has none")
	}
	if r.Method() == "HEAD" && r.body {
		c.note("curl waits for the body of the answer to HEAD until the server closes the connection")
	}
	return c, nil
}

func curlVersion(c *command, r *request) {
	switch {
	case r.old:
		c.flag("--http1.0")
	case r.major == 1 && r.Scheme() == "https":
		c.flag("--http1.1") // else ALPN decides
	case r.major == 2 && r.Scheme() == "https":
		c.flag("--http2")
	case r.major == 2:
		c.flag("--http2-prior-knowledge")
	case r.major == 3:
		c.flag("--http3")
	}
}

func curlMethod(c *command, r *request) {
	switch {
	case r.Method() == "GET" && !r.body, r.Method() == "POST" && r.body:
	case r.Method() == "HEAD" && !r.body:
		c.flag("-I") // -X HEAD would wait for a body
	case strings.Trim(r.Method(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "":
		c.flag("-X", r.Method())
	default:
		c.flag("-X")
		c.quoted(r.Method())
	}
}

func curlURL(c *command, r *request) {
	if r.connect != "" {
		c.flag("--connect-to")
		c.quoted("::" + r.connect)
	}
	target := r.target()
	plain, globs := curlPath(target)
	switch {
	case !plain:
		c.flag("--request-target")
		c.quoted(target)
		target = "/"
	case dotted(target):
		c.flag("--path-as-is")
	}
	if globs && plain {
		c.flag("-g")
	}
	c.words, c.indent = append(c.words, Quote(r.origin()+target)), append(c.indent, false)
}

// curlPath tells whether curl leaves a path of a URL as it is, and whether it needs -g.
func curlPath(s string) (plain, globs bool) {
	if !strings.HasPrefix(s, "/") {
		return false, false
	}
	for i := 0; i < len(s); i++ {
		switch {
		case plainPath(s[i]), escapedAt(s, i):
		case strings.IndexByte("[]{}", s[i]) >= 0:
			globs = true
		default:
			return false, globs
		}
	}
	return true, globs
}

// curlHost adds the fields, Host among them.
func curlHost(c *command, r *request) error {
	hosts := 0
	for _, f := range r.fields {
		if flowfile.EqualFold(f.Name, "Host") {
			hosts++
		}
	}
	inFront := hosts == 1 && r.fields[0].Name == "Host" && strings.Trim(r.fields[0].Value, " \t\v\f") != ""
	auto := r.autoHost()
	switch {
	case r.major >= 2:
		host, ok := r.HostHeader()
		switch {
		case !ok || host == "":
			c.header("Host:")
		case host != auto || !plainHost(r.name):
			c.header("Host: " + host)
		}
	case inFront && r.fields[0].Value == auto && plainHost(r.name):
	case inFront:
		c.header("Host: " + r.fields[0].Value)
	default:
		c.header("Host:")
	}
	for i, f := range r.fields {
		if flowfile.EqualFold(f.Name, "Host") && (r.major >= 2 || i == 0 && inFront) {
			continue
		}
		switch {
		case strings.Contains(f.Name, ":"):
			return refuse("a field's name holds a colon")
		case f.Name[0] == '@':
			return refuse("a field's name begins with @, which curl takes for a file")
		case f.Value == "" && strings.Contains(f.Name, ";"):
			return refuse("a field without value has a name with a semicolon")
		case f.Value == "":
			c.header(f.Name + ";")
		case strings.Trim(f.Value, " \t\v\f") == "":
			return refuse("a field's value is spaces alone")
		default:
			c.header(f.Name + ": " + f.Value)
		}
	}
	return nil
}

// curlDefaults are the fields that curl adds by itself.
func curlDefaults(r *request) []string {
	names := []string{"User-Agent", "Accept"}
	if r.body {
		names = append(names, "Content-Type")
		if n := r.Body().Size(); n < 0 || n > 1000 {
			names = append(names, "Expect")
		}
		if r.chunked || r.major >= 2 {
			names = append(names, "Content-Length")
		}
	}
	return names
}

func (c *command) header(s string) {
	c.plain("-H")
	c.quoted(s)
}

// flag adds words on the line that was begun.
func (c *command) flag(words ...string) {
	c.plain(words...)
	c.indent[len(c.indent)-len(words)] = false
}
