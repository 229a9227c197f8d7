package live

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

var noDeadline time.Time

// injector sends the injected messages of one direction of a conversation, while whoever asked for them goes on: that may be a
// handler of the message which goes before them.
type injector struct {
	turn    *sync.Mutex // is held while a message of the direction is handled and sent
	log     *slog.Logger
	mu      sync.Mutex
	waiting []func() error
	running bool
}

// maxInjected is how many messages may wait.
const maxInjected = 1000

func (j *injector) add(send func() error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) >= maxInjected {
		return fmt.Errorf("%d messages wait to be injected", len(j.waiting))
	}
	j.waiting = append(j.waiting, send)
	if !j.running {
		j.running = true
		go j.run(j.turn.TryLock()) // now if that is possible, so that it stands before the answer to what is handled
	}
	return nil
}

func (j *injector) run(myTurn bool) {
	if !myTurn {
		j.turn.Lock()
	}
	for {
		j.mu.Lock()
		if len(j.waiting) == 0 {
			j.running = false
			j.turn.Unlock()
			j.mu.Unlock()
			return
		}
		send := j.waiting[0]
		j.waiting = j.waiting[1:]
		j.mu.Unlock()
		if err := send(); err != nil {
			j.log.Warn("a message of a script's was not sent", "error", err)
		}
	}
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
