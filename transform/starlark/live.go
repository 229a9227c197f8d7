package starlark

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
	"flowkit/transform/starlark/lib"
)

// live is what programs of a session have when flows come as they happen.
type live struct {
	session *Session
	proxy   script.Proxy
	turn    chan struct{} // holds one value while a script runs that depends on the order
}

var _ script.Live = (*Session)(nil)

// StartLive does what Start does, for traffic as it happens.
func (s *Session) StartLive(ctx context.Context, p script.Proxy) error {
	l := &live{session: s, proxy: p, turn: make(chan struct{}, 1)}
	for _, p := range s.programs {
		p.live = l
	}
	return s.Start(ctx)
}

// Hooks returns the events that a script has functions for.
func (s *Session) Hooks() replay.Hooks {
	var all replay.Hooks
	for _, p := range s.programs {
		all |= p.want
	}
	return all
}

// Handle calls the hook of each script. Scripts that depend on the order wait for each other.
func (s *Session) Handle(ctx context.Context, e *replay.Event) error {
	for _, p := range s.programs {
		if !p.want.Has(e.Hook) || e.Flow != nil && e.Flow.Dropped() {
			continue
		}
		err := p.inTurn(ctx, func() error { return p.Handle(ctx, e) })
		if err == nil {
			continue
		}
		if err := s.failedAt(e.Flow, e.Hook, err); err != nil {
			return err
		}
	}
	return nil
}

// failedAt asks what becomes of an error.
func (s *Session) failedAt(f *flowfile.Flow, h replay.Hook, err error) error {
	e := &replay.EventError{Hook: h, Err: err}
	if f != nil {
		e.Flow = f.ID()
	}
	if s.events.OnError == nil {
		return e
	}
	return s.events.OnError(f, e)
}

// End does nothing: of a flow, nothing is kept.
func (s *Session) End(*flowfile.Flow) {}

// inTurn runs do when no other script runs that depends on the order, if this one does.
func (p *program) inTurn(ctx context.Context, do func() error) error {
	if p.ordered == "" || p.live == nil {
		return do()
	}
	select {
	case p.live.turn <- struct{}{}:
		defer func() { <-p.live.turn }()
		return do()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// kill ends a live flow.
func (v *flowValue) kill() error {
	if !v.c.event.Live {
		return errors.New("a recorded flow cannot be killed; flow.drop() takes it out of the output")
	}
	v.flow.SetError(&flowfile.Error{Msg: replay.Killed, Time: flowfile.TimeOf(time.Now())})
	v.flow.SetIntercepted(false)
	return nil
}

// inject is flow.inject(to_client, content): text as a string, all else as bytes.
func (v *flowValue) inject(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var toClient bool
	var content starlark.Value
	if err := starlark.UnpackArgs("inject", args, kwargs, "to_client", &toClient, "content", &content); err != nil {
		return nil, err
	}
	if err := v.c.check(); err != nil {
		return nil, err
	}
	if !v.c.event.Live {
		return nil, errors.New("nothing can be sent within a recorded flow")
	}
	opcode := 0
	if v.flow.Kind() == flowfile.HTTP {
		opcode = 2
	}
	var data []byte
	switch c := content.(type) {
	case starlark.String:
		data, opcode = []byte(c), min(opcode, text)
	case lib.Bytes:
		data = []byte(c)
	default:
		return nil, typeError("content", "a string or bytes", content)
	}
	return starlark.None, v.c.p.live.proxy.Inject(v.flow.ID(), toClient, opcode, data)
}

// shutdown is ctx.shutdown().
func (p *program) shutdown(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs("shutdown", args, kwargs); err != nil {
		return nil, err
	}
	if p.live == nil {
		return nil, errors.New("there is no proxy: flows are recorded ones")
	}
	p.live.proxy.Shutdown()
	return starlark.None, nil
}

// setStream is message.stream = True, False or a function that is called with each part of the body,
// and with b"" at its end.
func (v *messageValue) setStream(val starlark.Value) error {
	if v.c == nil || v.c.event == nil || !v.c.event.Live {
		return errors.New("stream has no meaning for recorded flows: their bodies are whole")
	}
	e := v.c.event
	if e.Stream == nil || (e.Hook == replay.RequestHeaders) != (v.req != nil) {
		return errors.New("stream can be set in requestheaders for a request and in responseheaders for a response, before the body comes")
	}
	switch val := val.(type) {
	case starlark.Bool:
		e.Stream.On, e.Stream.Chunk = bool(val), nil
	case starlark.Callable:
		p, f, h := v.c.p, e.Flow, e.Hook
		e.Stream.On = true
		e.Stream.Chunk = func(ctx context.Context, data []byte, end bool) (out []byte, err error) {
			return p.chunk(ctx, f, h, val, data, end)
		}
	default:
		return typeError("stream", "True, False or a function", val)
	}
	return nil
}

// chunk has a function of a script make of a part of a body what goes on.
func (p *program) chunk(ctx context.Context, f *flowfile.Flow, h replay.Hook, fn starlark.Callable, data []byte, end bool) (out []byte, err error) {
	pass := func(part []byte) error {
		v, err := p.result(ctx, fn, lib.Bytes(part))
		if err == nil {
			out, err = appendParts(out, v)
		}
		return err
	}
	err = p.inTurn(ctx, func() error {
		if len(data) > 0 {
			if err := pass(data); err != nil {
				return err
			}
		}
		if end {
			return pass(nil)
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		_ = p.live.session.failedAt(f, h, err) // the connection ends in any case
	}
	return out, err
}

// appendParts appends what a stream function returned: bytes, a list of them, or None for none.
func appendParts(out []byte, v starlark.Value) ([]byte, error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return out, nil
	case lib.Bytes:
		return append(out, v...), nil
	case starlark.Iterable:
		for x := range starlark.Elements(v) {
			b, ok := x.(lib.Bytes)
			if !ok {
				return nil, typeError("what a stream function returns", "bytes or a list of bytes", x)
			}
			out = append(out, b...)
		}
		return out, nil
	}
	return nil, typeError("what a stream function returns", "bytes or a list of bytes", v)
}

// result calls a function of the script.
func (p *program) result(ctx context.Context, fn starlark.Callable, args ...starlark.Value) (starlark.Value, error) {
	t := p.thread(ctx)
	v, err := starlark.Call(&t.Thread, fn, starlark.Tuple(args), nil)
	if err != nil {
		return nil, p.error(ctx, err) // t may be cancelled; it is not used again
	}
	p.release(t)
	return v, nil
}

// handleConns calls the hook of an event that has no flow.
func (p *program) handleConns(ctx context.Context, e *replay.Event, h hook) error {
	var arg starlark.Value
	data := &connsValue{e: e}
	defer data.end()
	switch e.Hook {
	case replay.Tick:
		if h.args == 1 {
			return p.call(ctx, h.fn, p.ctx)
		}
		return p.call(ctx, h.fn)
	case replay.AddLog:
		arg = logEntry(e.Log)
	case replay.ClientConnected, replay.ClientDisconnected:
		arg = data.client()
	case replay.ServerConnect, replay.ServerDisconnected:
		if arg = data; e.Hook.String() != h.name { // as up to 6.x
			arg = data.server()
		}
	default:
		arg = data
	}
	if arg == nil {
		return fmt.Errorf("an event %s without what belongs to it", e.Hook)
	}
	if h.args == 2 {
		return p.call(ctx, h.fn, p.ctx, arg)
	}
	return p.call(ctx, h.fn, arg)
}

func logEntry(l *replay.LogEntry) starlark.Value {
	if l == nil {
		return nil
	}
	return &record{typ: "LogEntry", names: []string{"level", "msg"}, get: func(name string) starlark.Value {
		switch name {
		case "level":
			return starlark.String(l.Level)
		case "msg":
			return starlark.String(l.Text)
		}
		return nil
	}}
}
