package starlark

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/transform/starlark/lib"
)

// messageValue is a request (req is set) or a response (resp is set).
type messageValue struct {
	object
	c      *call // nil: it belongs to no flow, or not any more
	p      *program
	msg    *flowfile.Message
	req    *flowfile.Request
	resp   *flowfile.Response
	made   bool // by the script, not found in the flow
	frozen bool
	fields headerPairs // the headers, when they were asked for
	kept   struct {    // what headers and query show when the call is over
		headers, trailers flowfile.Headers
		path              string
	}
}

var _ starlark.HasSetField = (*messageValue)(nil)

func (v *messageValue) String() string {
	switch {
	case v.c.check() != nil:
		return "<" + v.Type() + " of a flow that was handed on>"
	case v.req != nil:
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

func (v *messageValue) Freeze()               { v.frozen = true }
func (v *messageValue) Hash() (uint32, error) { return unhashable(v.Type()) }

// attach makes v part of the flow of c: v itself, or a copy if v must not change.
func (v *messageValue) attach(c *call) (*messageValue, error) {
	if v.c == c {
		return v, nil
	}
	if err := v.c.check(); err != nil {
		return nil, err
	}
	if v.frozen {
		v = v.copy()
	}
	v.c, v.made = c, true
	c.others = append(c.others, v)
	return v, nil
}

// keep takes v out of the hands of the script when its call is over: a message that the
// script made becomes a copy that is the script's own again.
func (v *messageValue) keep() {
	if v.msg == nil {
		return
	}
	if v.made {
		m := v.copy()
		v.c, v.msg, v.req, v.resp, v.made = nil, m.msg, m.req, m.resp, false
		return
	}
	v.kept.headers = *v.msg.Headers()
	if t := v.msg.Trailers(); t != nil {
		v.kept.trailers = *t
	}
	if v.req != nil {
		v.kept.path = v.req.Path()
	}
}

// copy returns a message of equal content that belongs to no flow.
func (v *messageValue) copy() *messageValue {
	n := &messageValue{p: v.p}
	if v.req != nil {
		r := *v.req
		n.req, n.msg = &r, &r.Message
	} else {
		r := *v.resp
		n.resp, n.msg = &r, &r.Message
	}
	if t := v.msg.Trailers(); t != nil {
		h := flowfile.NewHeaders(t.Fields())
		n.msg.SetTrailers(&h)
	}
	return n
}

var (
	messageAttrs = []string{
		"content", "copy", "decode", "encode", "get_content", "get_text", "headers", "http_version",
		"is_http10", "is_http11", "is_http2", "is_http3", "json", "raw_content", "set_content",
		"set_text", "text", "timestamp_end", "timestamp_start", "trailers",
	}
	requestAttrs = append([]string{
		"anticache", "anticomp", "authority", "cookies", "first_line_format", "host", "host_header", "method",
		"path", "path_components", "port", "pretty_host", "pretty_url", "query", "scheme", "url",
		"urlencoded_form",
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
	if err := v.c.check(); err != nil {
		return nil, err
	}
	if v.req != nil {
		if x, err := v.requestAttr(name); x != nil || err != nil {
			return x, err
		}
	} else {
		switch name {
		case "status_code":
			return starlark.MakeInt(v.resp.Status()), nil
		case "reason":
			return starlark.String(latin1Text(v.resp.Reason())), nil
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
	case "path_components":
		return pathComponents(r.Path()), nil
	case "first_line_format":
		return starlark.String(firstLineFormat(r)), nil
	case "url":
		return starlark.String(r.URL()), nil
	case "pretty_host":
		return starlark.String(r.PrettyHost()), nil
	case "pretty_url":
		return starlark.String(prettyURL(r)), nil
	case "host_header":
		if h, ok := r.HostHeader(); ok {
			return starlark.String(h), nil
		}
		return starlark.None, nil
	case "query":
		return v.multiDict(&queryPairs{m: v}, lib.Options{TypeName: "Query"}), nil
	case "cookies":
		return v.multiDict(&cookiePairs{m: v}, lib.Options{TypeName: "Cookies"}), nil
	case "urlencoded_form":
		return v.multiDict(newFormPairs(v), lib.Options{TypeName: "Form"}), nil
	case "anticache", "anticomp":
		return v.method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if err := starlark.UnpackArgs(name, args, kwargs); err != nil {
				return nil, err
			}
			if name == "anticomp" {
				r.Headers().Set("accept-encoding", "identity")
				return starlark.None, nil
			}
			r.Headers().Del("if-modified-since")
			r.Headers().Del("if-none-match")
			return starlark.None, nil
		}), nil
	}
	return nil, nil
}

func (v *messageValue) messageAttr(name string) (starlark.Value, error) {
	m := v.msg
	switch name {
	case "headers":
		if v.frozen { // others may be here, too
			return v.multiDict(&headerPairs{m: v}, headerOptions), nil
		}
		v.fields.m = v
		return v.multiDict(&v.fields, headerOptions), nil
	case "trailers":
		if m.Trailers() == nil {
			return starlark.None, nil
		}
		return v.multiDict(&headerPairs{m: v, trailers: true}, headerOptions), nil
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
	case "get_content", "get_text", "decode":
		return v.strictly(name), nil
	case "set_content", "set_text":
		return v.change(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var val starlark.Value
			if err := starlark.UnpackArgs(name, args, kwargs, "value", &val); err != nil {
				return nil, err
			}
			if name == "set_text" {
				return starlark.None, v.setText(val)
			}
			return starlark.None, v.setContent(val)
		}), nil
	case "encode":
		return v.change(name, v.encode), nil
	case "json":
		return v.method(name, v.json), nil
	case "copy":
		return v.method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return v.copy(), starlark.UnpackArgs(name, args, kwargs)
		}), nil
	}
	return nil, nil
}

// method returns a method that fails when the call is over.
func (v *messageValue) method(name string, fn func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error)) starlark.Value {
	return method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := v.c.check(); err != nil {
			return nil, err
		}
		return fn(args, kwargs)
	})
}

// change returns a method that fails, besides, when v must not change.
func (v *messageValue) change(name string, fn func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error)) starlark.Value {
	return v.method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if v.frozen {
			return nil, errFrozen(v)
		}
		return fn(args, kwargs)
	})
}

// strictly returns a method with the parameter strict.
func (v *messageValue) strictly(name string) starlark.Value {
	return v.method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		strict := true
		if err := starlark.UnpackArgs(name, args, kwargs, "strict?", &strict); err != nil {
			return nil, err
		}
		switch name {
		case "get_text":
			return v.text(!strict)
		case "get_content":
			return v.content(!strict)
		}
		if v.frozen {
			return nil, errFrozen(v)
		}
		return starlark.None, v.decode(!strict)
	})
}

// multiDict returns a view of v.
func (v *messageValue) multiDict(p lib.Pairs, o lib.Options) starlark.Value {
	d := lib.NewMultiDict(p, o)
	if v.frozen {
		d.Freeze()
	}
	return d
}

// content returns the decoded body; lax returns the raw one where it cannot be decoded.
func (v *messageValue) content(lax bool) (starlark.Value, error) {
	if v.msg.Body().State() == flowfile.BodyAbsent {
		return starlark.None, nil
	}
	b, err := coding.DecodedBody(v.msg, v.p.limits.Body)
	if err != nil && lax && !errors.Is(err, flowfile.ErrTooLarge) {
		b, err = v.p.limited(v.msg.Body())
	}
	return lib.BytesView(b), sayLimit(err)
}

// text returns the decoded body as text; lax returns its bytes as they are where they are
// not text of their charset.
func (v *messageValue) text(lax bool) (starlark.Value, error) {
	if v.msg.Body().State() == flowfile.BodyAbsent {
		return starlark.None, nil
	}
	s, err := coding.Text(v.msg, v.p.limits.Body)
	switch {
	case err == nil, lax && errors.Is(err, coding.ErrCharset):
		return starlark.String(s), nil
	case lax && !errors.Is(err, flowfile.ErrTooLarge):
		b, err := v.p.limited(v.msg.Body())
		return starlark.String(b), err
	}
	return nil, sayLimit(err)
}

func (v *messageValue) json(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs("json", args, kwargs); err != nil {
		return nil, err
	}
	c, err := v.content(true)
	if err != nil {
		return nil, err
	}
	b, ok := c.(lib.Bytes)
	if !ok {
		return nil, errors.New("the content is not there")
	}
	return lib.DecodeJSON(b)
}
