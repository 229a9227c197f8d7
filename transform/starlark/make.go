package starlark

import (
	"net/http"
	"strings"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/transform/starlark/lib"
)

// makeResponse is Response.make.
func makeResponse(p *program, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	status := 200
	var content, headers starlark.Value
	if err := starlark.UnpackArgs("make", args, kwargs, "status_code?", &status, "content?", &content, "headers?", &headers); err != nil {
		return nil, err
	}
	fields, err := optionalFields(headers)
	if err != nil {
		return nil, err
	}
	r := flowfile.NewResponse(flowfile.ResponseHead{
		MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: fields, Body: flowfile.StringBody("")},
		Status:      status, Reason: reason(status),
	})
	v := &messageValue{p: p, msg: &r.Message, resp: r}
	return v, v.fill(content, lib.Bytes(""))
}

// reasons are those of mitmproxy where net/http has others or none.
var reasons = map[int]string{
	205: "Reset Content.", 408: "Request Time-out", 413: "Payload Too Large", 414: "Request-URI Too Long",
	416: "Requested Range not satisfiable", 444: "No Response", 499: "Client Closed Request",
	504: "Gateway Time-out", 505: "HTTP Version not supported", 507: "Insufficient Storage Space",
}

func reason(status int) string {
	if s, ok := reasons[status]; ok {
		return s
	}
	return http.StatusText(status)
}

// makeRequest is Request.make.
func makeRequest(p *program, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var m, u string
	var content, headers starlark.Value
	if err := starlark.UnpackArgs("make", args, kwargs, "method", &m, "url", &u, "content?", &content, "headers?", &headers); err != nil {
		return nil, err
	}
	fields, err := optionalFields(headers)
	if err != nil {
		return nil, err
	}
	r := flowfile.NewRequest(flowfile.RequestHead{
		MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: fields, Body: flowfile.StringBody("")},
		Method:      m,
	})
	if err := setURL(r, u); err != nil {
		return nil, err
	}
	v := &messageValue{p: p, msg: &r.Message, req: r}
	return v, v.fill(content, starlark.String(""))
}

// fill sets the content that make was called with.
func (v *messageValue) fill(content, none starlark.Value) error {
	if content == nil {
		content = none
	}
	if s, ok := content.(starlark.String); ok {
		return v.setText(s)
	}
	return v.setContent(content)
}

func optionalFields(headers starlark.Value) ([]flowfile.Field, error) {
	if headers == nil || headers == starlark.None {
		return nil, nil
	}
	return fieldsOf(headers)
}

// makeHeaders is Headers: of pairs or a dict, and of keywords, in whose names underscores
// stand for dashes.
func makeHeaders(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var fields starlark.Value
	if err := starlark.UnpackPositionalArgs("Headers", args, nil, 0, &fields); err != nil {
		return nil, err
	}
	var list lib.PairList
	if fields != nil && fields != starlark.None {
		pairs, err := pairsOf(fields)
		if err != nil {
			return nil, err
		}
		list = pairs
	}
	d := lib.NewMultiDict(&list, headerOptions)
	for _, kv := range kwargs {
		name := strings.ReplaceAll(string(kv[0].(starlark.String)), "_", "-")
		if err := d.SetKey(starlark.String(name), kv[1]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// makeError is Error(msg, timestamp=None).
func makeError(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var msg string
	var at starlark.Value = starlark.None
	if err := starlark.UnpackArgs("Error", args, kwargs, "msg", &msg, "timestamp?", &at); err != nil {
		return nil, err
	}
	e := &flowfile.Error{Msg: validText(msg)}
	return &errorValue{err: e}, setTime(at, "timestamp", func(t flowfile.Time) { e.Time = t })
}
