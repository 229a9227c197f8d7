package starlark

import (
	"errors"
	"fmt"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
)

// object is what values that show a part of a flow have in common.
type object struct{}

func (object) Freeze()              {}
func (object) Truth() starlark.Bool { return true }

func unhashable(typ string) (uint32, error) { return 0, errors.New("unhashable type: " + typ) }

// flowValue is a flow as a script sees it, for the time of one call.
type flowValue struct {
	object
	p    *program
	flow *flowfile.Flow
	log  *flowfile.MessageLog // messages so far, nil: all
	own  bool                 // log was made here, of all messages
}

var _ starlark.HasSetField = (*flowValue)(nil)

func (v *flowValue) String() string {
	if r := v.flow.Request(); r != nil {
		return fmt.Sprintf("<flow %s %s %s>", v.flow.ID(), r.Method(), r.PrettyURL())
	}
	return fmt.Sprintf("<%s flow %s>", v.flow.Kind(), v.flow.ID())
}
func (v *flowValue) Type() string          { return v.flow.Kind().String() + "_flow" }
func (v *flowValue) Hash() (uint32, error) { return starlark.String(v.flow.ID()).Hash() }

var flowAttrs = []string{
	"client_conn", "comment", "drop", "error", "id", "intercepted", "is_replay", "kill", "live",
	"marked", "messages", "metadata", "request", "response", "server_conn", "timestamp_created",
	"timestamp_start", "type", "websocket",
}

func (v *flowValue) AttrNames() []string { return flowAttrs }

func (v *flowValue) Attr(name string) (starlark.Value, error) {
	f := v.flow
	switch name {
	case "request":
		if f.Kind() == flowfile.DNS {
			return dnsValue(f.DNSRequest()), nil
		}
		if r := f.Request(); r != nil {
			return &messageValue{p: v.p, msg: &r.Message, req: r}, nil
		}
		return starlark.None, nil
	case "response":
		if f.Kind() == flowfile.DNS {
			return dnsValue(f.DNSResponse()), nil
		}
		if r := f.Response(); r != nil {
			return &messageValue{p: v.p, msg: &r.Message, resp: r}, nil
		}
		return starlark.None, nil
	case "id":
		return starlark.String(f.ID()), nil
	case "type":
		return starlark.String(f.Kind().String()), nil
	case "error":
		if e := f.Error(); e != nil {
			return &errorValue{err: e}, nil
		}
		return starlark.None, nil
	case "websocket":
		if f.WebSocket() == nil {
			return starlark.None, nil
		}
		return &websocketValue{flow: v}, nil
	case "messages":
		if f.Kind() == flowfile.TCP || f.Kind() == flowfile.UDP {
			return v.messages()
		}
	case "marked":
		return starlark.String(f.Marked()), nil
	case "comment":
		return starlark.String(f.Comment()), nil
	case "metadata":
		return &metadataValue{flow: f}, nil
	case "is_replay":
		return optional(f.Replay()), nil
	case "intercepted":
		return starlark.Bool(f.Intercepted()), nil
	case "live":
		return starlark.False, nil
	case "client_conn":
		return connValue(f.Client(), true), nil
	case "server_conn":
		return connValue(f.Server(), false), nil
	case "timestamp_created":
		return seconds(f.Created()), nil
	case "timestamp_start":
		return seconds(f.Start()), nil
	case "drop":
		return method("drop", func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			f.Drop()
			return starlark.None, nil
		}), nil
	case "kill":
		return method("kill", func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			return nil, errors.New("a recorded flow cannot be killed; flow.drop() takes it out of the output")
		}), nil
	}
	return nil, nil
}

func (v *flowValue) SetField(name string, val starlark.Value) error {
	f := v.flow
	switch name {
	case "marked":
		return setString(val, name, f.SetMarked)
	case "comment":
		return setString(val, name, f.SetComment)
	case "error":
		switch val := val.(type) {
		case starlark.NoneType:
			f.SetError(nil)
		case *errorValue:
			f.SetError(val.err)
		case starlark.String:
			f.SetError(&flowfile.Error{Msg: string(val), Time: f.End()})
		default:
			return fmt.Errorf("error is a %s, not an Error", val.Type())
		}
		return nil
	case "response":
		switch val := val.(type) {
		case starlark.NoneType:
			f.SetResponse(nil)
		case *messageValue:
			if val.resp == nil {
				return errors.New("a request is no response")
			}
			f.SetResponse(val.resp)
		default:
			return fmt.Errorf("response is a %s, not a Response", val.Type())
		}
		return nil
	case "request":
		m, ok := val.(*messageValue)
		if !ok || m.req == nil {
			return fmt.Errorf("request is a %s, not a Request", val.Type())
		}
		f.SetRequest(m.req)
		return nil
	case "metadata":
		d, ok := val.(starlark.IterableMapping)
		if !ok {
			return fmt.Errorf("metadata is a %s, not a dict", val.Type())
		}
		m, err := fromMapping(d, 0)
		if err != nil {
			return err
		}
		f.SetMetadata(m)
		return nil
	case "is_replay":
		if val == starlark.None {
			f.SetReplay("")
			return nil
		}
		return setString(val, name, f.SetReplay)
	case "intercepted":
		b, ok := val.(starlark.Bool)
		if !ok {
			return typeError(name, "bool", val)
		}
		f.SetIntercepted(bool(b))
		return nil
	case "timestamp_created":
		return setTime(val, name, f.SetCreated)
	}
	return readOnly(v, name)
}

// messages returns the messages so far.
func (v *flowValue) messages() (starlark.Value, error) {
	if v.log == nil {
		log := &flowfile.MessageLog{}
		for m, err := range v.flow.Messages().All() {
			if err != nil {
				return nil, err
			}
			log.Append(m)
		}
		v.log, v.own = log, true
	}
	return &messagesValue{flow: v}, nil
}

// errorValue is a flow's error.
type errorValue struct {
	object
	err *flowfile.Error
}

func (v *errorValue) String() string        { return v.err.Msg }
func (v *errorValue) Type() string          { return "Error" }
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
