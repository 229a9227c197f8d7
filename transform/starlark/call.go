package starlark

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/starlark/lib"
)

// call is one call of a hook and what the script got hold of in it.
type call struct {
	p        *program
	event    *replay.Event
	over     bool // the hook returned; the flow is not ours any more
	flow     flowValue
	request  messageValue    // what flow.request last was
	response messageValue    // what flow.response last was
	others   []*messageValue // those that came before, and made responses that were set
	metadata metadataValue
	// Messages so far; nil until asked for outside of a message hook.
	log     *flowfile.MessageLog
	own     bool    // log was made here, of all messages
	deleted []*gone // what was taken out of log, in order
	walking int     // loops over the messages that are under way
}

// newCall returns the call of a hook for e.
func newCall(p *program, e *replay.Event) *call {
	c := &call{p: p, event: e, log: e.Messages}
	c.flow = flowValue{c: c, flow: e.Flow}
	return c
}

// end lets go of the flow: what the script kept of it shows what it last was, or says that
// it is gone.
func (c *call) end() {
	c.over, c.event = true, nil
	c.request.keep()
	c.response.keep()
	for _, m := range c.others {
		m.keep()
	}
	if c.metadata.c != nil {
		c.metadata.kept = c.flow.flow.Metadata()
	}
}

var errOver = errors.New("the flow was handed on when its hook returned; keep what you need of it, not the flow: its id, a header, flow.response.copy()")

// check fails for what outlived its hook. A nil call is that of something that belongs to
// no flow.
func (c *call) check() error {
	if c != nil && c.over {
		return errOver
	}
	return nil
}

// stepsBetweenLooks is how many steps of the interpreter pass between two looks at the
// clock and the stack, about a millisecond.
const stepsBetweenLooks = 1 << 16

// maxDepth bounds recursion, which would otherwise exhaust the stack of the process.
const maxDepth = 5000

// thread is a thread of the interpreter, used for one call after the other.
type thread struct {
	starlark.Thread
	ctx   context.Context // of the call under way
	start time.Time
}

// thread returns a thread for one call, which ends at the time limit.
func (p *program) thread(ctx context.Context) *thread {
	t, ok := p.threads.Get().(*thread)
	if !ok {
		t = &thread{Thread: starlark.Thread{Name: p.name, Print: p.print, Load: noModules}}
		t.SetLocal(lib.LogKey, p.log)
		t.OnMaxSteps = func(*starlark.Thread) { p.look(t) }
	}
	t.ctx, t.start, t.Steps = ctx, time.Now(), 0
	t.SetMaxExecutionSteps(stepsBetweenLooks)
	return t
}

// release gives a thread back that ended its call without an error.
func (p *program) release(t *thread) {
	t.ctx = nil
	p.threads.Put(t)
}

// look ends a call that takes too long or too much.
func (p *program) look(t *thread) {
	switch {
	case t.ctx.Err() != nil:
		t.Cancel("the run was stopped")
	case t.CallStackDepth() > maxDepth:
		t.Cancel("functions call each other too deeply")
	case time.Since(t.start) > p.limits.Timeout:
		t.Cancel(fmt.Sprintf("the call took more than %v (--script-timeout)", p.limits.Timeout))
	default:
		t.SetMaxExecutionSteps(t.Steps + stepsBetweenLooks)
	}
}

func (p *program) print(_ *starlark.Thread, msg string) {
	if p.spec.Output != nil {
		fmt.Fprintln(p.spec.Output, msg)
	}
}

// limited is a body as a script may have it.
func (p *program) limited(b flowfile.Body) ([]byte, error) {
	data, err := b.Bytes(p.limits.Body)
	return data, sayLimit(err)
}

// sayLimit names the flag that would have let a body pass.
func sayLimit(err error) error {
	if errors.Is(err, flowfile.ErrTooLarge) {
		return fmt.Errorf("%w (--max-script-body)", err)
	}
	return err
}
