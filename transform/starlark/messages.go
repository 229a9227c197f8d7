package starlark

import (
	"errors"
	"fmt"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/transform/starlark/lib"
)

// websocketValue is flow.websocket.
type websocketValue struct {
	object
	flow *flowValue
}

func (v *websocketValue) String() string        { return "<websocket>" }
func (v *websocketValue) Type() string          { return "websocket" }
func (v *websocketValue) Hash() (uint32, error) { return unhashable(v.Type()) }
func (v *websocketValue) AttrNames() []string {
	return []string{"close_code", "close_reason", "closed_by_client", "messages", "timestamp_end"}
}

func (v *websocketValue) Attr(name string) (starlark.Value, error) {
	ws := v.flow.flow.WebSocket()
	if ws == nil {
		return nil, errors.New("the flow is no WebSocket conversation any more")
	}
	switch name {
	case "messages":
		return v.flow.messages()
	case "close_code":
		if ws.CloseCode == 0 {
			return starlark.None, nil
		}
		return starlark.MakeInt(ws.CloseCode), nil
	case "close_reason":
		return optional(ws.CloseReason), nil
	case "closed_by_client":
		if ws.ClosedByClient == nil {
			return starlark.None, nil
		}
		return starlark.Bool(*ws.ClosedByClient), nil
	case "timestamp_end":
		return seconds(ws.End), nil
	}
	return nil, nil
}

// messagesValue is the list of messages so far.
type messagesValue struct {
	object
	flow *flowValue
}

var (
	_ starlark.Indexable = (*messagesValue)(nil)
	_ starlark.Sequence  = (*messagesValue)(nil)
)

func (v *messagesValue) log() *flowfile.MessageLog { return v.flow.log }

func (v *messagesValue) String() string        { return fmt.Sprintf("<%d messages>", v.Len()) }
func (v *messagesValue) Type() string          { return "messages" }
func (v *messagesValue) Truth() starlark.Bool  { return v.Len() > 0 }
func (v *messagesValue) Hash() (uint32, error) { return unhashable(v.Type()) }
func (v *messagesValue) Len() int              { return v.log().Len() }

// Index returns message i; messages[-1] is the current one.
func (v *messagesValue) Index(i int) starlark.Value { return &msgValue{list: v, i: i} }

func (v *messagesValue) Iterate() starlark.Iterator { return &msgIterator{list: v} }

type msgIterator struct {
	list *messagesValue
	i    int
}

func (it *msgIterator) Next(p *starlark.Value) bool {
	if it.i >= it.list.Len() {
		return false
	}
	*p = it.list.Index(it.i)
	it.i++
	return true
}
func (*msgIterator) Done() {}

func (v *messagesValue) AttrNames() []string { return []string{"pop"} }

func (v *messagesValue) Attr(name string) (starlark.Value, error) {
	if name != "pop" {
		return nil, nil
	}
	return method("pop", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		i := -1
		if err := starlark.UnpackArgs("pop", args, kwargs, "index?", &i); err != nil {
			return nil, err
		}
		if i < 0 {
			i += v.Len()
		}
		if i < 0 || i >= v.Len() {
			return nil, fmt.Errorf("index %d of %d messages", i, v.Len())
		}
		m := v.log().At(i)
		v.log().Delete(i)
		v.flow.edited()
		return &msgValue{list: v, i: -1, gone: &m}, nil
	}), nil
}

// edited keeps a change that was made outside of a message hook; within one, the event
// sequence does.
func (v *flowValue) edited() {
	if v.own {
		v.flow.Messages().Replace(v.log)
	}
}

// msgValue is one message.
type msgValue struct {
	object
	list *messagesValue
	i    int
	gone *flowfile.Msg // it was taken out of the list
}

var _ starlark.HasSetField = (*msgValue)(nil)

func (v *msgValue) msg() flowfile.Msg {
	if v.gone != nil {
		return *v.gone
	}
	return v.list.log().At(v.i)
}

func (v *msgValue) String() string {
	dir := "<-"
	if v.msg().FromClient {
		dir = "->"
	}
	return fmt.Sprintf("<message %s %d bytes>", dir, v.msg().Body.Size())
}
func (v *msgValue) Type() string          { return "message" }
func (v *msgValue) Hash() (uint32, error) { return unhashable(v.Type()) }
func (v *msgValue) AttrNames() []string {
	return []string{"content", "drop", "dropped", "from_client", "injected", "is_text", "kill", "text", "timestamp", "type"}
}

func (v *msgValue) Attr(name string) (starlark.Value, error) {
	m := v.msg()
	switch name {
	case "content":
		b, err := v.list.flow.p.limited(m.Body)
		return lib.BytesView(b), err
	case "text":
		if m.Opcode != 1 {
			return nil, errors.New("a binary message has no text; use content")
		}
		b, err := v.list.flow.p.limited(m.Body)
		return starlark.String(b), err
	case "from_client":
		return starlark.Bool(m.FromClient), nil
	case "type":
		return starlark.MakeInt(m.Opcode), nil
	case "is_text":
		return starlark.Bool(m.Opcode == 1), nil
	case "timestamp":
		return seconds(m.Time), nil
	case "dropped":
		return starlark.Bool(m.Dropped), nil
	case "injected":
		return starlark.Bool(m.Injected), nil
	case "drop", "kill":
		return method(name, func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			m.Dropped = true
			return starlark.None, v.set(m)
		}), nil
	}
	return nil, nil
}

func (v *msgValue) set(m flowfile.Msg) error {
	if v.gone != nil {
		*v.gone = m
		return nil
	}
	if err := v.list.log().Set(v.i, m); err != nil {
		return err
	}
	v.list.flow.edited()
	return nil
}

func (v *msgValue) SetField(name string, val starlark.Value) error {
	m := v.msg()
	switch name {
	case "content", "text":
		if err := setString(val, name, func(s string) { m.Body = flowfile.StringBody(s) }); err != nil {
			return err
		}
	case "from_client", "dropped":
		b, ok := val.(starlark.Bool)
		if !ok {
			return typeError(name, "a bool", val)
		}
		if name == "dropped" {
			m.Dropped = bool(b)
		} else {
			m.FromClient = bool(b)
		}
	case "timestamp":
		if err := setTime(val, name, func(t flowfile.Time) { m.Time = t }); err != nil {
			return err
		}
	default:
		return readOnly(v, name)
	}
	return v.set(m)
}
