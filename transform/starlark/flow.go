package starlark

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/replay"
)

// flowValue is a flow as a script sees it, for the time of one call.
type flowValue struct {
	object
	c    *call
	flow *flowfile.Flow
}

var _ starlark.HasSetField = (*flowValue)(nil)

func (v *flowValue) String() string {
	if v.c.over {
		return "<flow that was handed on>"
	}
	if r := v.flow.Request(); r != nil {
		return fmt.Sprintf("<flow %s %s %s>", v.flow.ID(), r.Method(), prettyURL(r))
	}
	return fmt.Sprintf("<%s flow %s>", v.flow.Kind(), v.flow.ID())
}

func (v *flowValue) Type() string          { return "flow" }
func (v *flowValue) Hash() (uint32, error) { return unhashable(v.Type()) }

var flowAttrs = []string{
	"client_conn", "comment", "drop", "error", "id", "inject", "intercept", "intercepted", "is_replay", "kill",
	"killable", "live", "marked", "messages", "metadata", "request", "response", "resume", "server_conn",
	"timestamp_created", "timestamp_start", "type", "websocket",
}

func (v *flowValue) AttrNames() []string {
	if v.stream() {
		return flowAttrs
	}
	return slices.DeleteFunc(slices.Clone(flowAttrs), func(name string) bool { return name == "messages" })
}

// stream tells whether the flow has messages of its own.
func (v *flowValue) stream() bool {
	return v.flow.Kind() == flowfile.TCP || v.flow.Kind() == flowfile.UDP
}

func (v *flowValue) Attr(name string) (starlark.Value, error) {
	if err := v.c.check(); err != nil {
		return nil, err
	}
	f := v.flow
	switch name {
	case "request":
		return v.c.requestValue(), nil
	case "response":
		return v.c.responseValue(), nil
	case "id":
		return starlark.String(f.ID()), nil
	case "type":
		return starlark.String(f.Kind().String()), nil
	case "error":
		if e := f.Error(); e != nil {
			return &errorValue{c: v.c, err: e}, nil
		}
		return starlark.None, nil
	case "websocket":
		if f.WebSocket() == nil {
			return starlark.None, nil
		}
		return &websocketValue{c: v.c}, nil
	case "messages":
		if v.stream() {
			return v.c.messages()
		}
		return nil, fmt.Errorf("a flow of type %s has no messages; those of a WebSocket are flow.websocket.messages", f.Kind())
	case "marked":
		return starlark.String(f.Marked()), nil
	case "comment":
		return starlark.String(f.Comment()), nil
	case "metadata":
		v.c.metadata.c = v.c
		return &v.c.metadata, nil
	case "is_replay":
		return optional(f.Replay()), nil
	case "intercepted":
		return starlark.Bool(f.Intercepted()), nil
	case "live":
		return starlark.Bool(v.c.event.Live), nil
	case "killable":
		return starlark.Bool(v.c.event.Live && !replay.IsKilled(f)), nil
	case "client_conn":
		return connValue(f.Client(), true), nil
	case "server_conn":
		return connValue(f.Server(), false), nil
	case "timestamp_created":
		return seconds(f.Created()), nil
	case "timestamp_start":
		return seconds(f.Start()), nil
	case "drop", "kill", "intercept", "resume":
		return v.verb(name), nil
	case "inject":
		return method(name, v.inject), nil
	}
	return nil, nil
}

// verb returns a method without arguments.
func (v *flowValue) verb(name string) starlark.Value {
	return method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := starlark.UnpackArgs(name, args, kwargs); err != nil {
			return nil, err
		}
		if err := v.c.check(); err != nil {
			return nil, err
		}
		switch name {
		case "drop":
			v.flow.Drop()
		case "intercept", "resume":
			v.flow.SetIntercepted(name == "intercept")
		case "kill":
			return starlark.None, v.kill()
		}
		return starlark.None, nil
	})
}

func (v *flowValue) SetField(name string, val starlark.Value) error {
	if err := v.c.check(); err != nil {
		return err
	}
	f := v.flow
	switch name {
	case "marked":
		return setText(val, name, f.SetMarked)
	case "comment":
		return setText(val, name, f.SetComment)
	case "error":
		return v.setError(val)
	case "request", "response":
		if f.Kind() != flowfile.HTTP {
			return fmt.Errorf("%s of a %s flow cannot be set", name, f.Kind())
		}
		if name == "request" {
			return v.setRequest(val)
		}
		return v.setResponse(val)
	case "metadata":
		d, ok := val.(starlark.IterableMapping)
		if !ok {
			return typeError(name, "a dict", val)
		}
		m, err := fromMapping(d, 0)
		if err != nil {
			return err
		}
		f.SetMetadata(m)
		return nil
	case "is_replay":
		switch s, ok := starlark.AsString(val); {
		case val == starlark.None:
			f.SetReplay("")
		case ok && (s == "request" || s == "response"):
			f.SetReplay(s)
		default:
			return fmt.Errorf(`is_replay must be "request", "response" or None, not %s`, val)
		}
		return nil
	case "intercepted":
		return setBool(val, name, f.SetIntercepted)
	case "timestamp_created":
		return setTime(val, name, f.SetCreated)
	}
	return readOnly(v, name)
}

func (v *flowValue) setError(val starlark.Value) error {
	switch val := val.(type) {
	case starlark.NoneType:
		v.flow.SetError(nil)
	case *errorValue:
		e := *val.err
		if !e.Time.Known() {
			e.Time = max(v.flow.End(), v.flow.Start()) // mitmproxy has the time of the clock
		}
		if !val.frozen {
			val.c, val.err = v.c, &e
		}
		v.flow.SetError(&e)
	case starlark.String:
		return v.setError(&errorValue{err: &flowfile.Error{Msg: validText(string(val))}})
	default:
		return typeError("error", `an Error("...") or None`, val)
	}
	return nil
}

func (v *flowValue) setRequest(val starlark.Value) error {
	m, ok := val.(*messageValue)
	if !ok || m.req == nil {
		return typeError("request", "a Request", val)
	}
	if m == &v.c.request && m.req == v.flow.Request() {
		return nil
	}
	m, err := m.attach(v.c)
	if err != nil {
		return err
	}
	v.flow.SetRequest(m.req)
	return nil
}

func (v *flowValue) setResponse(val starlark.Value) error {
	if val == starlark.None {
		v.flow.SetResponse(nil)
		return nil
	}
	m, ok := val.(*messageValue)
	if !ok || m.resp == nil {
		return typeError("response", "a Response or None", val)
	}
	m, err := m.attach(v.c)
	if err != nil {
		return err
	}
	v.flow.SetResponse(m.resp)
	return nil
}

// requestValue returns flow.request.
func (c *call) requestValue() starlark.Value {
	f := c.flow.flow
	if f.Kind() == flowfile.DNS {
		return dnsValue(f.DNSRequest())
	}
	r := f.Request()
	if r == nil {
		return starlark.None
	}
	if m := c.known(func(m *messageValue) bool { return m.req == r }); m != nil {
		return m
	}
	c.request = messageValue{c: c, p: c.p, msg: &r.Message, req: r}
	return &c.request
}

// responseValue returns flow.response.
func (c *call) responseValue() starlark.Value {
	f := c.flow.flow
	if f.Kind() == flowfile.DNS {
		return dnsValue(f.DNSResponse())
	}
	r := f.Response()
	if r == nil {
		return starlark.None
	}
	if m := c.known(func(m *messageValue) bool { return m.resp == r }); m != nil {
		return m
	}
	c.response = messageValue{c: c, p: c.p, msg: &r.Message, resp: r}
	return &c.response
}

// known returns the value that a message of the flow already has.
func (c *call) known(is func(*messageValue) bool) *messageValue {
	for _, m := range []*messageValue{&c.request, &c.response} {
		if m.msg != nil && is(m) {
			return m
		}
	}
	for _, m := range c.others {
		if is(m) {
			return m
		}
	}
	return nil
}

// errorValue is a flow's error, or one that was made and not yet set.
type errorValue struct {
	object
	c      *call // nil: it belongs to no flow
	err    *flowfile.Error
	frozen bool
}

var _ starlark.HasSetField = (*errorValue)(nil)

func (v *errorValue) String() string        { return v.err.Msg }
func (v *errorValue) Type() string          { return "Error" }
func (v *errorValue) Freeze()               { v.frozen = true }
func (v *errorValue) Hash() (uint32, error) { return starlark.String(v.err.Msg).Hash() }
func (v *errorValue) AttrNames() []string   { return []string{"msg", "timestamp"} }

func (v *errorValue) Attr(name string) (starlark.Value, error) {
	switch name {
	case "msg":
		return starlark.String(v.err.Msg), nil
	case "timestamp":
		return seconds(v.err.Time), nil
	}
	return nil, nil
}

// SetField puts a changed copy in place of the error: flows share them.
func (v *errorValue) SetField(name string, val starlark.Value) error {
	if err := v.c.check(); err != nil {
		return err
	}
	if v.frozen {
		return errFrozen(v)
	}
	e := *v.err
	var err error
	switch name {
	case "msg":
		err = setText(val, name, func(s string) { e.Msg = s })
	case "timestamp":
		err = setTime(val, name, func(t flowfile.Time) { e.Time = t })
	default:
		return readOnly(v, name)
	}
	if err != nil {
		return err
	}
	if v.c != nil && v.c.flow.flow.Error() == v.err {
		v.c.flow.flow.SetError(&e)
	}
	v.err = &e
	return nil
}
