package starlark

import (
	"errors"
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"flowkit/flowfile"
	"flowkit/transform/starlark/lib"
)

// messages returns the messages so far, of WebSocket, TCP or UDP. Outside of a message
// hook these are all: their heads are read, their payloads stay where they lie.
func (c *call) messages() (starlark.Value, error) {
	if c.log == nil {
		log := &flowfile.MessageLog{Spool: c.p.spec.Spool}
		for m, err := range c.flow.flow.Messages().All() {
			if err != nil {
				return nil, err
			}
			log.Append(m)
		}
		c.log, c.own = log, true
	}
	return &messagesValue{c: c}, nil
}

// edited keeps a change that was made outside of a message hook; within one, the event
// sequence does.
func (c *call) edited() {
	if c.own {
		c.flow.flow.Messages().Replace(c.log)
	}
}

// gone is a message that was taken out of the list.
type gone struct {
	i   int // where it was
	msg flowfile.Msg
}

// delete takes message i out of the list.
func (c *call) delete(i int) (*msgValue, error) {
	if c.walking > 0 {
		return nil, errors.New("cannot take messages out while looping over them; loop over messages[:], a copy of the list")
	}
	d := &gone{i, c.log.At(i)}
	c.log.Delete(i)
	c.deleted = append(c.deleted, d)
	c.edited()
	return &msgValue{c: c, gone: &d.msg}, nil
}

// messagesValue is the list of messages so far.
type messagesValue struct {
	object
	c *call
}

var (
	_ starlark.Sliceable = (*messagesValue)(nil)
	_ starlark.Sequence  = (*messagesValue)(nil)
)

func (v *messagesValue) String() string        { return fmt.Sprintf("<%d messages>", v.Len()) }
func (v *messagesValue) Type() string          { return "messages" }
func (v *messagesValue) Truth() starlark.Bool  { return v.Len() > 0 }
func (v *messagesValue) Hash() (uint32, error) { return unhashable(v.Type()) }
func (v *messagesValue) Len() int              { return v.c.log.Len() }

// Index returns message i; messages[-1] is the current one.
func (v *messagesValue) Index(i int) starlark.Value {
	return &msgValue{c: v.c, i: i, seen: len(v.c.deleted)}
}

// Slice returns a list.
func (v *messagesValue) Slice(start, end, step int) starlark.Value {
	var l []starlark.Value
	for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
		l = append(l, v.Index(i))
	}
	return starlark.NewList(l)
}

func (v *messagesValue) Iterate() starlark.Iterator {
	v.c.walking++
	return &msgIterator{list: v}
}

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

func (it *msgIterator) Done() { it.list.c.walking-- }

func (v *messagesValue) AttrNames() []string { return []string{"clear", "pop", "remove"} }

func (v *messagesValue) Attr(name string) (starlark.Value, error) {
	switch name {
	case "clear":
		return v.method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if err := starlark.UnpackArgs(name, args, kwargs); err != nil {
				return nil, err
			}
			for v.Len() > 0 {
				if _, err := v.c.delete(v.Len() - 1); err != nil {
					return nil, err
				}
			}
			return starlark.None, nil
		}), nil
	case "pop":
		return v.method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			i := -1
			if err := starlark.UnpackArgs(name, args, kwargs, "index?", &i); err != nil {
				return nil, err
			}
			if i < 0 {
				i += v.Len()
			}
			if i < 0 || i >= v.Len() {
				return nil, fmt.Errorf("there is no such message: the list has %d", v.Len())
			}
			return v.c.delete(i)
		}), nil
	case "remove":
		return v.method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var m *msgValue
			if err := starlark.UnpackArgs(name, args, kwargs, "message", &m); err != nil {
				return nil, err
			}
			if m.c != v.c || m.taken() {
				return nil, errors.New("the message is not in the list")
			}
			_, err := v.c.delete(m.i)
			return starlark.None, err
		}), nil
	}
	return nil, nil
}

func (v *messagesValue) method(name string, fn func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error)) starlark.Value {
	return method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := v.c.check(); err != nil {
			return nil, err
		}
		return fn(args, kwargs)
	})
}

// msgValue is one message. It stays the same message when others are taken out of the list.
type msgValue struct {
	object
	c    *call
	i    int // its place when the first seen of c.deleted were out
	seen int
	gone *flowfile.Msg // it was taken out itself
}

var (
	_ starlark.HasSetField = (*msgValue)(nil)
	_ starlark.Comparable  = (*msgValue)(nil)
)

// taken tells whether the message is out of the list, and else finds its place.
func (v *msgValue) taken() bool {
	for ; v.gone == nil && v.seen < len(v.c.deleted); v.seen++ {
		switch d := v.c.deleted[v.seen]; {
		case d.i == v.i:
			v.gone = &d.msg
		case d.i < v.i:
			v.i--
		}
	}
	return v.gone != nil
}

func (v *msgValue) msg() flowfile.Msg {
	if v.taken() {
		return *v.gone
	}
	return v.c.log.At(v.i)
}

func (v *msgValue) set(m flowfile.Msg) error {
	if v.taken() {
		*v.gone = m
		return nil
	}
	if err := v.c.log.Set(v.i, m); err != nil {
		return err
	}
	v.c.edited()
	return nil
}

func (v *msgValue) String() string {
	if v.c.over {
		return "<message of a flow that was handed on>"
	}
	m := v.msg()
	dir := "<-"
	if m.FromClient {
		dir = "->"
	}
	return fmt.Sprintf("<message %s %d bytes>", dir, m.Body.Size())
}
func (v *msgValue) Type() string          { return "message" }
func (v *msgValue) Hash() (uint32, error) { return unhashable(v.Type()) }

// CompareSameType tells whether two values are the same message.
func (v *msgValue) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	w := y.(*msgValue)
	same := v == w || v.c == w.c && v.taken() == w.taken() && v.gone == w.gone && (v.gone != nil || v.i == w.i)
	switch op {
	case syntax.EQL:
		return same, nil
	case syntax.NEQ:
		return !same, nil
	}
	return false, fmt.Errorf("messages have no order")
}

func (v *msgValue) AttrNames() []string {
	return []string{"content", "drop", "dropped", "from_client", "injected", "is_text", "kill", "text", "timestamp", "type"}
}

// text is the opcode of WebSocket messages that are text (RFC 6455 §5.2).
const text = 1

var errBinary = errors.New("a binary message has no text; use content")

func (v *msgValue) Attr(name string) (starlark.Value, error) {
	if err := v.c.check(); err != nil {
		return nil, err
	}
	m := v.msg()
	switch name {
	case "content":
		b, err := v.c.p.limited(m.Body)
		return lib.BytesView(b), err
	case "text":
		if m.Opcode != text {
			return nil, errBinary
		}
		b, err := v.c.p.limited(m.Body)
		return starlark.String(b), err
	case "from_client":
		return starlark.Bool(m.FromClient), nil
	case "type":
		return starlark.MakeInt(m.Opcode), nil
	case "is_text":
		return starlark.Bool(m.Opcode == text), nil
	case "timestamp":
		return seconds(m.Time), nil
	case "dropped":
		return starlark.Bool(m.Dropped), nil
	case "injected":
		return starlark.Bool(m.Injected), nil
	case "drop", "kill":
		return method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if err := starlark.UnpackArgs(name, args, kwargs); err != nil {
				return nil, err
			}
			return starlark.None, v.SetField("dropped", starlark.True)
		}), nil
	}
	return nil, nil
}

func (v *msgValue) SetField(name string, val starlark.Value) error {
	if err := v.c.check(); err != nil {
		return err
	}
	m := v.msg()
	var err error
	switch name {
	case "content":
		b, ok := val.(lib.Bytes)
		if !ok {
			return typeError(name, "bytes", val)
		}
		m.Body = flowfile.StringBody(string(b))
	case "text":
		if m.Opcode != text {
			return errBinary
		}
		err = setText(val, name, func(s string) { m.Body = flowfile.StringBody(s) })
	case "from_client":
		err = setBool(val, name, func(b bool) { m.FromClient = b })
	case "dropped":
		err = setBool(val, name, func(b bool) { m.Dropped = b })
	case "timestamp":
		err = setTime(val, name, func(t flowfile.Time) { m.Time = t })
	default:
		return readOnly(v, name)
	}
	if err != nil {
		return err
	}
	return v.set(m)
}
