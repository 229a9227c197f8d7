package mitm

import (
	"iter"

	"flowkit/flowfile"
)

// messageList is the messages of a record, read in place. It was checked when the record
// was parsed.
type messageList struct {
	b         []byte // the payload of the list
	websocket bool
	short     bool // its messages have less than those of version 17
	n         int
}

// parseMessages checks the list it and counts its messages.
func parseMessages(b []byte, it item, websocket bool) (*messageList, error) {
	l := &messageList{websocket: websocket}
	switch {
	case it.tag == '~':
		return l, nil
	case it.tag != ']':
		return nil, &syntaxError{it.s, "messages are no list"}
	}
	l.b = b[it.s:it.e:it.e]
	for i := it.s; i < it.e; l.n++ {
		m, after, ok := next(b, i, it.e)
		if !ok || m.tag != ']' {
			return nil, &syntaxError{i, "broken message"}
		}
		for j := m.s; j < m.e; {
			if _, j, ok = next(b, j, m.e); !ok {
				return nil, &syntaxError{i, "broken message"}
			}
		}
		i = after
	}
	return l, nil
}

// Len returns the number of messages.
func (l *messageList) Len() int { return l.n }

// All iterates over the messages.
func (l *messageList) All() iter.Seq2[flowfile.Msg, error] {
	return func(yield func(flowfile.Msg, error) bool) {
		for i := 0; i < len(l.b); {
			it, after, ok := next(l.b, i, len(l.b))
			if !ok {
				yield(flowfile.Msg{}, badElement(i))
				return
			}
			if !yield(parseMessage(l.b, it, l.websocket)) {
				return
			}
			i = after
		}
	}
}

// parseMessage reads [opcode, from_client, content, time, dropped, injected] of a
// WebSocket and [from_client, content, time] of TCP and UDP; what is missing is zero.
func parseMessage(b []byte, it item, websocket bool) (flowfile.Msg, error) {
	var m flowfile.Msg
	n := 0
	if !websocket {
		n = 1
	}
	for i := it.s; i < it.e; n++ {
		v, after, ok := next(b, i, it.e)
		if !ok {
			return m, badElement(i)
		}
		i = after
		switch n {
		case 0:
			m.Opcode = int(number(b, v))
		case 1:
			m.FromClient = boolean(b, v)
		case 2:
			if v.tag == ',' || v.tag == ';' {
				m.Body = flowfile.BytesBody(b[v.s:v.e:v.e])
			}
		case 3:
			m.Time = moment(b, v)
		case 4:
			m.Dropped = boolean(b, v)
		case 5:
			m.Injected = boolean(b, v)
		}
	}
	return m, nil
}
