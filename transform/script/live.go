package script

import (
	"context"

	"flowkit/flowfile"
	"flowkit/replay"
)

// Live is what sessions are besides, for traffic as it happens: instead of Start and Run, StartLive is
// called once and then Handle for each event. Handle, Hooks and End are safe for concurrent
// use.
type Live interface {
	// Hooks returns the events it wants; asked each time, for scripts may be replaced.
	// Handle returns when the scripts are done with the event, or ctx is. What a script raised
	// is OnError's matter, whose error it returns.
	replay.Handler
	// StartLive runs load, configure and running, for live traffic. The proxy may be asked
	// for something from then on, from any goroutine, until Done has returned.
	StartLive(ctx context.Context, p Proxy) error
	// End lets go of a flow that has no more events.
	End(f *flowfile.Flow)
	// Done runs done of all scripts.
	Done(ctx context.Context) error
	// Info, OnError and Close are those of Session. OnError's function may be called for
	// several flows at once.
	Info() []Info
	OnError(func(f *flowfile.Flow, e *replay.EventError) error)
	Close() error
}

// Proxy is what scripts may ask of who has the traffic, at any time and not only within an
// event. Its methods are safe for concurrent use, do not block, and may be called while an
// event of the same flow is handled.
type Proxy interface {
	// Inject sends a message within the flow of that id, of WebSocket (opcode 1 text, 2
	// binary), TCP or UDP (opcode 0). It is an error if there is no such conversation. It
	// keeps data.
	Inject(flow string, toClient bool, opcode int, data []byte) error
	// Kill closes the connection of a flow.
	Kill(flow string)
	// Shutdown ends the proxy.
	Shutdown()
}
