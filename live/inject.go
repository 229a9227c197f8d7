package live

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

var noDeadline time.Time

// injector sends the injected messages of a conversation one after the other, while whoever asked for them goes on: that may
// be a handler of the message which goes before them.
type injector struct {
	log     *slog.Logger
	mu      sync.Mutex
	waiting []*injected // the first is being sent
}

type injected struct {
	turn *sync.Mutex // is held while a message of the direction is handled and sent
	mine bool        // this one has it
	send func() error
}

// maxInjected is how many messages may wait.
const maxInjected = 1000

func (j *injector) add(turn *sync.Mutex, send func() error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) >= maxInjected {
		return fmt.Errorf("%d messages wait to be injected", len(j.waiting))
	}
	m := &injected{turn: turn, send: send}
	if !slices.ContainsFunc(j.waiting, func(m *injected) bool { return m.turn == turn }) {
		m.mine = turn.TryLock() // it shall stand before the answer to what is being handled
	}
	j.waiting = append(j.waiting, m)
	if len(j.waiting) == 1 {
		go j.run(m)
	}
	return nil
}

func (j *injector) run(m *injected) {
	for m != nil {
		if !m.mine {
			m.turn.Lock()
		}
		if err := m.send(); err != nil {
			j.log.Warn("a message of a script's was not sent", "error", err)
		}
		m.turn.Unlock()
		m = j.next()
	}
}

func (j *injector) next() *injected {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.waiting = j.waiting[1:]; len(j.waiting) == 0 {
		return nil
	}
	return j.waiting[0]
}

// Inject sends a message within the conversation of a flow: WebSocket (opcode 1 text, 2 binary) or TCP (opcode 0). Handlers
// see it as any other. It goes out in its turn, behind a message that is being handled; that it could not is logged.
// Inject keeps data. It is safe for concurrent use, and may be called while an event of the flow is handled.
func (p *Proxy) Inject(flow string, toClient bool, opcode int, data []byte) error {
	v, ok := p.conversations.Load(flow)
	if !ok {
		return fmt.Errorf("there is no conversation %s", flow)
	}
	switch v := v.(type) {
	case *talk:
		return v.inject(toClient, opcode, data)
	case *conversation:
		return v.inject(toClient, data)
	}
	return fmt.Errorf("flow %s takes no messages", flow)
}

// Kill ends a flow that goes on: its stream, or the client connection that it has for itself.
func (p *Proxy) Kill(flow string) {
	if v, ok := p.conversations.Load(flow); ok {
		switch v := v.(type) {
		case *talk:
			v.x.kill()
		case *conversation:
			v.c.cut()
		case *exchange:
			v.kill()
		}
	}
}
