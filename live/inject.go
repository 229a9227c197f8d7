package live

import (
	"fmt"
	"time"
)

var noDeadline time.Time

// Inject sends a message within the conversation of a flow: WebSocket (opcode 1 text, 2 binary) or TCP (opcode 0). It
// keeps data. It is safe for concurrent use, and may be called while an event of the flow is handled.
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
