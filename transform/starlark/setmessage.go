package starlark

import (
	"fmt"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/transform/starlark/lib"
)

func (v *messageValue) SetField(name string, val starlark.Value) error {
	if err := v.c.check(); err != nil {
		return err
	}
	if v.frozen {
		return errFrozen(v)
	}
	if v.req != nil {
		if done, err := v.setRequest(name, val); done {
			return err
		}
	} else {
		switch name {
		case "status_code":
			return setInt(val, name, 0, 1<<31-1, v.resp.SetStatus)
		case "reason":
			return v.setReason(val)
		}
	}
	m := v.msg
	switch name {
	case "headers", "trailers":
		return v.setFields(name, val)
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
			return typeError(name, "bytes or None", val)
		}
		return nil
	case "http_version":
		return setString(val, name, m.SetVersion)
	case "timestamp_start":
		return setTime(val, name, m.SetStart)
	case "timestamp_end":
		return setTime(val, name, m.SetEnd)
	case "stream":
		return v.setStream(val)
	}
	return readOnly(v, name)
}

// setReason sets the reason, whose bytes are Latin-1, as mitmproxy has them.
func (v *messageValue) setReason(val starlark.Value) error {
	s, ok := starlark.AsString(val)
	if !ok {
		return setString(val, "reason", v.resp.SetReason) // bytes
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return fmt.Errorf("reason must be Latin-1, which %q is not", s)
		}
		b = append(b, byte(r))
	}
	v.resp.SetReason(string(b))
	return nil
}

// latin1Text returns bytes that are Latin-1 as text.
func latin1Text(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			runes := make([]rune, len(s))
			for i := range len(s) {
				runes[i] = rune(s[i])
			}
			return string(runes)
		}
	}
	return s
}

// setFields sets headers or trailers.
func (v *messageValue) setFields(name string, val starlark.Value) error {
	if name == "trailers" && val == starlark.None {
		v.msg.SetTrailers(nil)
		return nil
	}
	fields, err := fieldsOf(val)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if name == "headers" {
		v.msg.Headers().Replace(fields)
		return nil
	}
	h := flowfile.NewHeaders(fields)
	v.msg.SetTrailers(&h)
	return nil
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
		return true, setInt(val, name, 0, 65535, func(n int) { setHost(r, r.Host(), n) })
	case "authority":
		return true, setString(val, name, r.SetAuthority)
	case "path":
		return true, setString(val, name, r.SetPath)
	case "path_components":
		return true, setPathComponents(r, val)
	case "url":
		var u string
		if err := setString(val, name, func(s string) { u = s }); err != nil {
			return true, err
		}
		return true, setURL(r, u)
	case "host_header":
		return true, setHostHeader(r, val)
	case "query", "cookies", "urlencoded_form":
		pairs, err := pairsOf(val)
		if err != nil {
			return true, fmt.Errorf("%s: %w", name, err)
		}
		view := map[string]lib.Pairs{
			"query": &queryPairs{m: v}, "cookies": &cookiePairs{m: v}, "urlencoded_form": &formPairs{m: v},
		}
		return true, view[name].Set(pairs)
	}
	return false, nil
}

func (v *messageValue) setContent(val starlark.Value) error {
	switch val := val.(type) {
	case starlark.NoneType:
		v.msg.SetBody(flowfile.Body{})
		return nil
	case lib.Bytes:
		return coding.SetDecoded(v.msg, notNil(val.View()))
	case starlark.String:
		return fmt.Errorf("content must be bytes, not string; set text instead, or write b\"...\"")
	}
	return typeError("content", "bytes or None", val)
}

// notNil returns b, which is what tells no bytes from no body.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (v *messageValue) setText(val starlark.Value) error {
	switch val := val.(type) {
	case starlark.NoneType:
		v.msg.SetBody(flowfile.Body{})
		return nil
	case starlark.String:
		return coding.SetText(v.msg, string(val))
	case lib.Bytes:
		return fmt.Errorf("text must be a string, not bytes; set content instead")
	}
	return typeError("text", "a string or None", val)
}

// decode takes the content-encoding away; lax does so too where the body cannot be
// decoded.
func (v *messageValue) decode(lax bool) error {
	val, err := v.content(lax)
	if err != nil {
		return err
	}
	v.msg.Headers().Del("content-encoding")
	return v.setContent(val)
}

// encode applies an encoding to the body as it is and makes it the content-encoding, as
// mitmproxy does: one that is there already is not taken away first.
func (v *messageValue) encode(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var encoding string
	if err := starlark.UnpackArgs("encode", args, kwargs, "encoding", &encoding); err != nil {
		return nil, err
	}
	if _, err := coding.Encode(nil, encoding); err != nil {
		return nil, err
	}
	v.msg.Headers().Set("content-encoding", encoding)
	if v.msg.Body().State() == flowfile.BodyAbsent {
		return starlark.None, nil
	}
	b, err := v.p.limited(v.msg.Body())
	if err != nil {
		return nil, err
	}
	return starlark.None, coding.SetDecoded(v.msg, notNil(b))
}
