package starlark

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/transform/starlark/lib"
)

// messageValue is a request (req is set) or a response (resp is set).
type messageValue struct {
	object
	p    *program
	msg  *flowfile.Message
	req  *flowfile.Request
	resp *flowfile.Response
}

var _ starlark.HasSetField = (*messageValue)(nil)

func (v *messageValue) String() string {
	if v.req != nil {
		return fmt.Sprintf("Request(%s %s)", v.req.Method(), v.req.URL())
	}
	return fmt.Sprintf("Response(%d)", v.resp.Status())
}

func (v *messageValue) Type() string {
	if v.req != nil {
		return "Request"
	}
	return "Response"
}
func (v *messageValue) Hash() (uint32, error) { return unhashable(v.Type()) }

var (
	messageAttrs = []string{
		"content", "decode", "encode", "get_content", "get_text", "headers", "http_version",
		"is_http10", "is_http11", "is_http2", "is_http3", "json", "raw_content", "set_content",
		"set_text", "text", "timestamp_end", "timestamp_start", "trailers",
	}
	requestAttrs = append([]string{
		"anticache", "anticomp", "authority", "host", "host_header", "method", "path", "port",
		"pretty_host", "pretty_url", "query", "scheme", "url",
	}, messageAttrs...)
	responseAttrs = append([]string{"reason", "status_code"}, messageAttrs...)
)

func (v *messageValue) AttrNames() []string {
	if v.req != nil {
		return requestAttrs
	}
	return responseAttrs
}

func (v *messageValue) Attr(name string) (starlark.Value, error) {
	if v.req != nil {
		if x, err := v.requestAttr(name); x != nil || err != nil {
			return x, err
		}
	} else {
		switch name {
		case "status_code":
			return starlark.MakeInt(v.resp.Status()), nil
		case "reason":
			return starlark.String(v.resp.Reason()), nil
		}
	}
	return v.messageAttr(name)
}

func (v *messageValue) requestAttr(name string) (starlark.Value, error) {
	r := v.req
	switch name {
	case "method":
		return starlark.String(strings.ToUpper(r.Method())), nil
	case "scheme":
		return starlark.String(r.Scheme()), nil
	case "host":
		return starlark.String(r.Host()), nil
	case "port":
		return starlark.MakeInt(r.Port()), nil
	case "authority":
		return starlark.String(r.Authority()), nil
	case "path":
		return starlark.String(r.Path()), nil
	case "url":
		return starlark.String(r.URL()), nil
	case "pretty_host":
		return starlark.String(r.PrettyHost()), nil
	case "pretty_url":
		return starlark.String(r.PrettyURL()), nil
	case "host_header":
		if h, ok := r.HostHeader(); ok {
			return starlark.String(h), nil
		}
		return starlark.None, nil
	case "query":
		return lib.NewMultiDict(&queryPairs{r}, lib.Options{TypeName: "Query"}), nil
	case "anticache":
		return method(name, func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			r.Headers().Del("if-modified-since")
			r.Headers().Del("if-none-match")
			return starlark.None, nil
		}), nil
	case "anticomp":
		return method(name, func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			r.Headers().Set("accept-encoding", "identity")
			return starlark.None, nil
		}), nil
	}
	return nil, nil
}

func (v *messageValue) messageAttr(name string) (starlark.Value, error) {
	m := v.msg
	switch name {
	case "headers":
		return newHeaders(m.Headers()), nil
	case "trailers":
		if m.Trailers() == nil {
			return starlark.None, nil
		}
		return newHeaders(m.Trailers()), nil
	case "content":
		return v.content(false)
	case "text":
		return v.text(false)
	case "raw_content":
		if m.Body().State() == flowfile.BodyAbsent {
			return starlark.None, nil
		}
		b, err := v.p.limited(m.Body())
		return lib.BytesView(b), err
	case "http_version":
		return starlark.String(m.Version()), nil
	case "is_http10":
		return starlark.Bool(m.Version() == "HTTP/1.0"), nil
	case "is_http11":
		return starlark.Bool(m.Version() == "HTTP/1.1"), nil
	case "is_http2":
		return starlark.Bool(m.Version() == "HTTP/2.0"), nil
	case "is_http3":
		return starlark.Bool(m.Version() == "HTTP/3"), nil
	case "timestamp_start":
		return seconds(m.Start()), nil
	case "timestamp_end":
		return seconds(m.End()), nil
	case "get_content", "get_text":
		return method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			strict := true
			if err := starlark.UnpackArgs(name, args, kwargs, "strict?", &strict); err != nil {
				return nil, err
			}
			if name == "get_text" {
				return v.text(!strict)
			}
			return v.content(!strict)
		}), nil
	case "set_content", "set_text":
		return method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var val starlark.Value
			if err := starlark.UnpackArgs(name, args, kwargs, "value", &val); err != nil {
				return nil, err
			}
			if name == "set_text" {
				return starlark.None, v.setText(val)
			}
			return starlark.None, v.setContent(val)
		}), nil
	case "decode":
		return method(name, v.decode), nil
	case "encode":
		return method(name, v.encode), nil
	case "json":
		return method(name, v.json), nil
	}
	return nil, nil
}

// content returns the decoded body; lax returns the raw one where it cannot be decoded.
func (v *messageValue) content(lax bool) (starlark.Value, error) {
	if v.msg.Body().State() == flowfile.BodyAbsent {
		return starlark.None, nil
	}
	b, err := coding.DecodedBody(v.msg, v.p.limits.Body)
	if err != nil {
		if !lax {
			return nil, err
		}
		b, err = v.p.limited(v.msg.Body())
	}
	return lib.BytesView(b), err
}

func (v *messageValue) text(lax bool) (starlark.Value, error) {
	if v.msg.Body().State() == flowfile.BodyAbsent {
		return starlark.None, nil
	}
	s, err := coding.Text(v.msg, v.p.limits.Body)
	if err != nil && lax {
		b, err := v.p.limited(v.msg.Body())
		return starlark.String(strings.ToValidUTF8(string(b), "\uFFFD")), err
	}
	return starlark.String(s), err
}

func (v *messageValue) setContent(val starlark.Value) error {
	switch val := val.(type) {
	case starlark.NoneType:
		v.msg.SetBody(flowfile.Body{})
		return nil
	case lib.Bytes:
		return coding.SetDecoded(v.msg, []byte(val))
	case starlark.String:
		return fmt.Errorf("content must be bytes, not a string; set text instead, or write b\"...\"")
	}
	return typeError("content", "bytes", val)
}

func (v *messageValue) setText(val starlark.Value) error {
	switch val := val.(type) {
	case starlark.NoneType:
		v.msg.SetBody(flowfile.Body{})
		return nil
	case starlark.String:
		return coding.SetText(v.msg, string(val))
	}
	return typeError("text", "a string", val)
}

// decode takes the content-encoding away.
func (v *messageValue) decode(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	strict := true
	if err := starlark.UnpackArgs("decode", args, kwargs, "strict?", &strict); err != nil {
		return nil, err
	}
	if v.msg.Body().State() == flowfile.BodyAbsent {
		return starlark.None, nil
	}
	b, err := coding.DecodedBody(v.msg, v.p.limits.Body)
	if err != nil {
		if strict {
			return nil, err
		}
		return starlark.None, nil
	}
	v.msg.Headers().Del("content-encoding")
	return starlark.None, coding.SetDecoded(v.msg, b)
}

func (v *messageValue) encode(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var encoding string
	if err := starlark.UnpackArgs("encode", args, kwargs, "encoding", &encoding); err != nil {
		return nil, err
	}
	b, err := coding.DecodedBody(v.msg, v.p.limits.Body)
	if err != nil {
		return nil, err
	}
	if _, err := coding.Encode(nil, encoding); err != nil {
		return nil, err
	}
	v.msg.Headers().Set("content-encoding", encoding)
	return starlark.None, coding.SetDecoded(v.msg, b)
}

func (v *messageValue) json(starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	c, err := v.content(false)
	if err != nil {
		return nil, err
	}
	b, ok := c.(lib.Bytes)
	if !ok {
		return nil, errors.New("the content is not there")
	}
	return lib.DecodeJSON(b)
}

func (v *messageValue) SetField(name string, val starlark.Value) error {
	if v.req != nil {
		if done, err := v.setRequest(name, val); done {
			return err
		}
	} else {
		switch name {
		case "status_code":
			return setInt(val, name, v.resp.SetStatus)
		case "reason":
			return setString(val, name, v.resp.SetReason)
		}
	}
	m := v.msg
	switch name {
	case "headers", "trailers":
		if name == "trailers" && val == starlark.None {
			m.SetTrailers(nil)
			return nil
		}
		fields, err := fieldsOf(val)
		if err != nil {
			return err
		}
		if name == "headers" {
			m.Headers().Replace(fields)
			return nil
		}
		h := flowfile.NewHeaders(fields)
		m.SetTrailers(&h)
		return nil
	case "content":
		return v.setContent(val)
	case "text":
		return v.setText(val)
	case "raw_content":
		switch val := val.(type) {
		case starlark.NoneType:
			m.SetBody(flowfile.Body{})
		case lib.Bytes:
			m.SetBody(flowfile.StringBody(string(val)))
		default:
			return typeError(name, "bytes", val)
		}
		return nil
	case "http_version":
		return setString(val, name, m.SetVersion)
	case "timestamp_start":
		return setTime(val, name, m.SetStart)
	case "timestamp_end":
		return setTime(val, name, m.SetEnd)
	case "stream":
		return errors.New("stream has no meaning for recorded flows: their bodies are whole")
	}
	return readOnly(v, name)
}

func (v *messageValue) setRequest(name string, val starlark.Value) (done bool, err error) {
	r := v.req
	switch name {
	case "method":
		return true, setString(val, name, r.SetMethod)
	case "scheme":
		return true, setString(val, name, r.SetScheme)
	case "host":
		return true, setString(val, name, func(s string) { setHost(r, s, r.Port()) })
	case "port":
		return true, setInt(val, name, func(n int) { setHost(r, r.Host(), n) })
	case "authority":
		return true, setString(val, name, r.SetAuthority)
	case "path":
		return true, setString(val, name, r.SetPath)
	case "url":
		var u string
		if err := setString(val, name, func(s string) { u = s }); err != nil {
			return true, err
		}
		return true, setURL(r, u)
	case "host_header":
		return true, setString(val, name, func(s string) {
			if r.Authority() != "" {
				r.SetAuthority(s)
			}
			if _, ok := r.Headers().Lookup("Host"); ok || r.Authority() == "" {
				r.Headers().Set("Host", s)
			}
		})
	case "query":
		pairs, err := pairsOf(val)
		if err != nil {
			return true, err
		}
		return true, (&queryPairs{r}).Set(pairs)
	}
	return false, nil
}

// setHost sets host and port and takes an existing Host header and authority along, as
// mitmproxy does.
func setHost(r *flowfile.Request, host string, port int) {
	r.SetHost(host)
	if port != r.Port() {
		r.SetPort(port)
	}
	hostport := flowfile.HostPort(host, port)
	if port == flowfile.DefaultPort(r.Scheme()) {
		hostport = strings.TrimSuffix(hostport, fmt.Sprintf(":%d", port))
	}
	if _, ok := r.Headers().Lookup("Host"); ok {
		r.Headers().Set("Host", hostport)
	}
	if r.Authority() != "" {
		r.SetAuthority(hostport)
	}
}

func setURL(r *flowfile.Request, u string) error {
	scheme, rest, ok := strings.Cut(u, "://")
	if !ok || scheme != "http" && scheme != "https" {
		return fmt.Errorf("%q is not a URL with http or https", u)
	}
	authority, path := rest, "/"
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
		if path[0] != '/' {
			path = "/" + path
		}
	}
	path, _, _ = strings.Cut(path, "#")
	host, port, ok := flowfile.SplitAuthority(authority)
	if !ok {
		return fmt.Errorf("%q has no valid host", u)
	}
	if port == 0 {
		port = flowfile.DefaultPort(scheme)
	}
	r.SetScheme(scheme)
	setHost(r, host, port)
	r.SetPath(path)
	return nil
}

// makeResponse is Response.make.
func makeResponse(p *program, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	status := 200
	var content, headers starlark.Value
	if err := starlark.UnpackArgs("make", args, kwargs, "status_code?", &status, "content?", &content, "headers?", &headers); err != nil {
		return nil, err
	}
	var fields []flowfile.Field
	if headers != nil && headers != starlark.None {
		var err error
		if fields, err = fieldsOf(headers); err != nil {
			return nil, err
		}
	}
	r := flowfile.NewResponse(flowfile.ResponseHead{
		MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: fields, Body: flowfile.StringBody("")},
		Status:      status, Reason: http.StatusText(status),
	})
	v := &messageValue{p: p, msg: &r.Message, resp: r}
	switch c := content.(type) {
	case nil:
		return v, v.setContent(lib.Bytes(""))
	case starlark.String:
		return v, v.setText(c)
	default:
		return v, v.setContent(c)
	}
}
