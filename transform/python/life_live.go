package python

import (
	"context"
	"errors"
	"fmt"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
)

// frame handles a frame of live traffic.
func (l *live) frame(kind byte, v any, raw []byte) error {
	switch kind {
	case frameHeld, frameEnded, frameGivenUp:
		number, ok := v.(int64)
		if !ok {
			return fmt.Errorf("frame %d: %w", kind, errMarshal)
		}
		return l.noted(kind, number)
	}
	t, ok := v.(tuple)
	if !ok {
		return fmt.Errorf("frame %d: %w", kind, errMarshal)
	}
	f := fieldsOf{t: t}
	if kind == frameWish {
		what, flow, toClient, opcode, data := f.text(), f.text(), f.bool(), int(f.int()), f.bytes()
		if f.err == nil {
			l.wish(what, flow, toClient, opcode, data)
		}
		return f.err
	}
	number := f.int()
	if f.err != nil {
		return f.err
	}
	if a := l.waiting(number); a != nil { // else nobody waits any more
		select {
		case a.answer <- answer{t, raw}:
		default:
			return fmt.Errorf("two answers to event %d", number)
		}
	}
	return nil
}

// noted takes note of what the process says of an event or a flow.
func (l *live) noted(kind byte, number int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if kind == frameEnded {
		delete(l.keys, number)
		return nil
	}
	a := l.events[number]
	if a == nil {
		return nil
	}
	c := a.held
	if kind == frameGivenUp {
		c = a.givenUp
	}
	select {
	case <-c:
	default:
		close(c)
	}
	return nil
}

// wish passes on what a script wants of the proxy.
func (l *live) wish(what, flow string, toClient bool, opcode int, data string) {
	switch what {
	case "kill":
		l.proxy.Kill(flow)
	case "shutdown":
		l.proxy.Shutdown()
	case "inject":
		if err := l.proxy.Inject(flow, toClient, opcode, []byte(data)); err != nil {
			s := l.worker.session
			s.log("error", names(s.specs), "inject into flow "+flow+": "+err.Error())
		}
	}
}

// apply takes over what the scripts changed at an event.
func (l *live) apply(s *Session, lf *liveFlow, e *replay.Event, r answer) error {
	f := fieldsOf{t: r.t, pos: 1}
	raised, dropped, request, response, ops := f.list(), f.bool(), f.value(), f.value(), f.tuple()
	stream, conns, stop := f.value(), f.tuple(), f.tuple()
	if f.err != nil {
		return f.err
	}
	a := apply{worker: l.worker, raw: r.raw}
	var err error
	if e.Flow != nil {
		// The process took over of its own what it changed in the marks.
		err = errors.Join(a.request(e.Flow, request), a.response(e.Flow, response), a.live(lf, e, ops))
		if err != nil {
			l.lose(lf)
		}
		l.stream(lf, e, stream)
	} else if len(conns) > 0 {
		err = l.conns(e.Conns, conns)
	}
	var first error
	note := func(err error, hook replay.Hook) {
		if err := s.failed(e.Flow, hook, err); err != nil && first == nil {
			first = err
		}
	}
	if err != nil {
		note(&script.Error{Script: names(s.specs), Msg: "a change cannot be stored: " + err.Error()}, e.Hook)
	}
	for _, v := range raised {
		x := fieldsOf{t: listOf(v)}
		se := &script.Error{Script: x.text(), Line: int(x.int()), Msg: x.text(), Trace: x.text()}
		if x.err != nil {
			return x.err
		}
		note(se, e.Hook)
	}
	if dropped && e.Flow != nil {
		e.Flow.Drop()
	}
	if len(stop) > 2 {
		x := fieldsOf{t: stop, pos: 1}
		code, name := x.text(), x.text()
		note(&script.ExitError{Script: name, Code: code}, e.Hook)
		l.proxy.Shutdown()
	}
	return first
}

// live applies the ops of a flow under way: its messages are the event's.
func (a *apply) live(lf *liveFlow, e *replay.Event, ops tuple) error {
	marks := false
	for i := 0; i+1 < len(ops); i += 2 {
		x := fieldsOf{t: ops[i : i+2]}
		n := int(x.int())
		if n == flowMessages && e.Messages != nil {
			if err := a.log(e.Messages, x.list()); err != nil {
				return err
			}
			lf.messages = e.Messages.Len()
			continue
		}
		marks = marks || n >= flowError && n <= flowWebSocket
		if err := a.flowField(e.Flow, n, &x); err != nil {
			return err
		}
		if x.err != nil {
			return x.err
		}
	}
	if !marks {
		return nil
	}
	var m marshal
	if err := m.cold(e.Flow); err != nil {
		return err
	}
	lf.known[2] = string(m.buf)
	return nil
}

// log makes the messages of an event what the scripts made of them: a list of numbers of
// those that stay and of new ones.
func (a *apply) log(log *flowfile.MessageLog, list []any) error {
	old := make([]flowfile.Msg, log.Len())
	for i := range old {
		old[i] = log.At(i)
	}
	same := 0 // at the start
	for same < len(list) && same < len(old) && list[same] == any(int64(same)) {
		same++
	}
	made := make([]flowfile.Msg, 0, len(list)-same)
	for _, v := range list[same:] {
		if n, ok := v.(int64); ok {
			if n < 0 || int(n) >= len(old) {
				return fmt.Errorf("message %d: %w", n, errMarshal)
			}
			made = append(made, old[n])
			continue
		}
		m, err := a.newMessage(listOf(v), old)
		if err != nil {
			return err
		}
		made = append(made, m)
	}
	for i, m := range made {
		var err error
		if same+i < log.Len() {
			err = log.Set(same+i, m)
		} else {
			err = log.Insert(same+i, m)
		}
		if err != nil {
			return err
		}
	}
	for log.Len() > len(list) {
		log.Delete(log.Len() - 1)
	}
	return nil
}

// stream takes over how a body goes on.
func (l *live) stream(lf *liveFlow, e *replay.Event, v any) {
	if e.Stream == nil || v == nil {
		return
	}
	on, _ := v.(bool)
	e.Stream.On, e.Stream.Chunk = on, nil
	if v != "call" {
		return
	}
	side, f, hook := int64(0), e.Flow, e.Hook
	if hook == replay.ResponseHeaders {
		side = 1
	}
	e.Stream.On = true
	e.Stream.Chunk = func(ctx context.Context, data []byte, end bool) ([]byte, error) {
		return l.chunk(ctx, lf.key, side, f, hook, data, end)
	}
}

// chunk has a script's function make of a part of a body what goes on.
func (l *live) chunk(ctx context.Context, key, side int64, f *flowfile.Flow, hook replay.Hook, data []byte, end bool) ([]byte, error) {
	number, wait := l.await()
	defer l.forget(number)
	m := buffers.get()
	m.tuple(5)
	m.integer(number)
	m.integer(key)
	m.integer(side)
	m.bytes(alias(data))
	m.boolean(end)
	r, err := l.ask(ctx, frameChunk, m, wait)
	if err != nil {
		if errors.Is(err, errSlow) {
			_ = l.unanswered(ctx, &replay.Event{Hook: hook, Flow: f}, number, wait, err)
		} else if errors.Is(err, errEnded) {
			l.crashed()
		}
		return nil, fmt.Errorf("stream: %w", err)
	}
	x := fieldsOf{t: r.t, pos: 1}
	if raised := x.list(); len(raised) > 0 {
		y := fieldsOf{t: listOf(raised[0])}
		se := &script.Error{Script: y.text(), Line: int(y.int()), Msg: y.text(), Trace: y.text()}
		_ = l.worker.session.failed(f, hook, se) // the connection ends in any case
		return nil, se
	}
	return r.raw, x.err
}

// conns takes over what was changed of connections.
func (l *live) conns(c *replay.Conns, t tuple) error {
	f := fieldsOf{t: t}
	client, server, ignore, first, protocol, valid := f.tuple(), f.tuple(), f.bool(), f.bool(), f.textOrEmpty(), f.bool()
	if f.err != nil || c == nil {
		return f.err
	}
	if len(client) > 0 {
		n, err := connOf(c.Client, client, false)
		if err != nil {
			return err
		}
		c.Client = n
	}
	if len(server) > 0 {
		n, err := connOf(c.Server, server, true)
		if err != nil {
			return err
		}
		c.Server = n
	}
	switch {
	case c.Hello != nil:
		c.Ignore, c.ServerFirst = ignore, first
	case c.Next != nil:
		c.Ignore = ignore
		if protocol != "" {
			c.Next.Protocol = protocol
		}
	case c.Auth != nil:
		c.Auth.Valid = valid
	}
	return nil
}

// fetch answers what a script touched of a flow under way.
func (l *live) fetch(what string, key int64, part int) error {
	l.mu.Lock()
	lf := l.keys[key]
	l.mu.Unlock()
	if what != "body" || part < 0 || part > 1 {
		return fmt.Errorf("fetch of %q", what)
	}
	m := buffers.get()
	if lf == nil {
		m.tuple(3)
		m.none()
		m.integer(0)
		m.text("the flow has ended")
	} else {
		lf.mu.Lock()
		b := lf.bodies[part]
		lf.mu.Unlock()
		l.worker.body(&m, b)
	}
	l.worker.send(frameReply, m)
	return nil
}

// kill ends the process, which then says why.
func (w *worker) kill(why string) {
	w.mu.Lock()
	w.hung = why
	w.mu.Unlock()
	_ = w.cmd.Process.Kill() // it may have ended by itself
}
