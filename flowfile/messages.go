package flowfile

import "iter"

// Msg is one WebSocket, TCP or UDP message.
type Msg struct {
	FromClient bool
	Opcode     int // WebSocket (RFC 6455 §5.2): 1 text, 2 binary; 0 for TCP and UDP
	Time       Time
	Dropped    bool
	Injected   bool
	Body       Body
	Extra      Extra
}

// MessageSource is a list of messages that may be larger than memory.
type MessageSource interface {
	// Len returns the number of messages.
	Len() int
	// All iterates from the first; it may be called many times.
	All() iter.Seq2[Msg, error]
}

// Messages are the messages of a flow. The zero value has none.
type Messages struct {
	src     MessageSource
	changed bool
}

// Len returns the number of messages.
func (m *Messages) Len() int {
	if m.src == nil {
		return 0
	}
	return m.src.Len()
}

// All iterates over the messages in order.
func (m *Messages) All() iter.Seq2[Msg, error] {
	if m.src == nil {
		return func(func(Msg, error) bool) {}
	}
	return m.src.All()
}

// Source returns where the messages lie, nil for none.
func (m *Messages) Source() MessageSource { return m.src }

// Replace puts src in place of all messages.
func (m *Messages) Replace(src MessageSource) { m.src, m.changed = src, true }

// MessageLog is a list of messages that can be changed: heads in memory, payloads that
// were put into it in a Spool. The zero value is empty and keeps payloads in memory.
type MessageLog struct {
	Spool  *Spool // nil: payloads stay in memory
	msgs   []Msg
	edited bool
}

// Edited tells whether Set, Insert or Delete was called.
func (l *MessageLog) Edited() bool { return l.edited }

// Len returns the number of messages.
func (l *MessageLog) Len() int { return len(l.msgs) }

// At returns message i.
func (l *MessageLog) At(i int) Msg { return l.msgs[i] }

// Append adds a message; its body stays where it lies.
func (l *MessageLog) Append(m Msg) { l.msgs = append(l.msgs, m) }

// Set puts m in place of message i. A payload in memory goes to the spool.
func (l *MessageLog) Set(i int, m Msg) error {
	l.edited = true
	if l.Spool != nil && m.Body.Content() == nil && m.Body.State() != BodyAbsent {
		b, err := m.Body.Bytes(-1)
		if err != nil {
			return err
		}
		c, err := l.Spool.Add(b)
		if err != nil {
			return err
		}
		state, total := m.Body.State(), m.Body.total
		m.Body = ContentBody(c)
		m.Body.state, m.Body.total = state, total
	}
	l.msgs[i] = m
	return nil
}

// Delete removes message i.
func (l *MessageLog) Delete(i int) {
	l.edited = true
	l.msgs = append(l.msgs[:i], l.msgs[i+1:]...)
}

// Insert puts m before message i; i may be Len.
func (l *MessageLog) Insert(i int, m Msg) error {
	l.msgs = append(l.msgs, Msg{})
	copy(l.msgs[i+1:], l.msgs[i:])
	return l.Set(i, m)
}

// All iterates over the messages.
func (l *MessageLog) All() iter.Seq2[Msg, error] {
	return func(yield func(Msg, error) bool) {
		for _, m := range l.msgs {
			if !yield(m, nil) {
				return
			}
		}
	}
}
