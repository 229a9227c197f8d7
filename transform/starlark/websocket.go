package starlark

import (
	"errors"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
)

// websocketValue is flow.websocket.
type websocketValue struct {
	object
	c *call
}

var _ starlark.HasSetField = (*websocketValue)(nil)

func (v *websocketValue) String() string        { return "<websocket>" }
func (v *websocketValue) Type() string          { return "websocket" }
func (v *websocketValue) Hash() (uint32, error) { return unhashable(v.Type()) }
func (v *websocketValue) AttrNames() []string {
	return []string{"close_code", "close_reason", "closed_by_client", "messages", "timestamp_end"}
}

func (v *websocketValue) ws() (*flowfile.WebSocket, error) {
	if err := v.c.check(); err != nil {
		return nil, err
	}
	ws := v.c.flow.flow.WebSocket()
	if ws == nil {
		return nil, errors.New("the flow is no WebSocket conversation any more")
	}
	return ws, nil
}

func (v *websocketValue) Attr(name string) (starlark.Value, error) {
	ws, err := v.ws()
	if err != nil {
		return nil, err
	}
	switch name {
	case "messages":
		return v.c.messages()
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

// SetField puts a changed copy in place of the WebSocket, which is immutable.
func (v *websocketValue) SetField(name string, val starlark.Value) error {
	ws, err := v.ws()
	if err != nil {
		return err
	}
	n := *ws
	switch name {
	case "close_code":
		n.CloseCode = 0
		if val != starlark.None {
			err = setInt(val, name, 0, 65535, func(i int) { n.CloseCode = i })
		}
	case "close_reason":
		n.CloseReason = ""
		if val != starlark.None {
			err = setText(val, name, func(s string) { n.CloseReason = s })
		}
	case "closed_by_client":
		n.ClosedByClient = nil
		if val != starlark.None {
			err = setBool(val, name, func(b bool) { n.ClosedByClient = &b })
		}
	case "timestamp_end":
		err = setTime(val, name, func(t flowfile.Time) { n.End = t })
	default:
		return readOnly(v, name)
	}
	if err != nil {
		return err
	}
	v.c.flow.flow.SetWebSocket(&n)
	return nil
}
