package starlark

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
)

// stepsBetweenLooks is how many steps of the interpreter pass between two looks at the
// clock, some milliseconds.
const stepsBetweenLooks = 1 << 18

// thread returns a thread for one call, which ends at the time limit.
func (p *program) thread(ctx context.Context) *starlark.Thread {
	start := time.Now()
	t := &starlark.Thread{Name: p.name, Print: p.print}
	t.SetLocal("flowkit.log", p.log)
	steps := uint64(stepsBetweenLooks)
	t.SetMaxExecutionSteps(steps)
	t.OnMaxSteps = func(t *starlark.Thread) {
		switch {
		case ctx.Err() != nil:
			t.Cancel("the run was stopped")
		case time.Since(start) > p.limits.Timeout:
			t.Cancel(fmt.Sprintf("the call took more than %v (--script-timeout)", p.limits.Timeout))
		default:
			steps = t.ExecutionSteps() + stepsBetweenLooks
			t.SetMaxExecutionSteps(steps)
		}
	}
	return t
}

func (p *program) print(_ *starlark.Thread, msg string) {
	if p.spec.Output != nil {
		fmt.Fprintln(p.spec.Output, msg)
	}
}

// Hooks returns the events that the script has functions for.
func (p *program) Hooks() replay.Hooks { return p.want }

// Concurrent tells whether several flows may be in the script at once.
func (p *program) Concurrent() bool { return p.ordered == "" }

// Handle calls the hook.
func (p *program) Handle(ctx context.Context, e *replay.Event) error {
	fn := p.hooks[e.Hook]
	if fn == nil {
		return nil
	}
	f := &flowValue{p: p, flow: e.Flow, log: e.Messages}
	if fn.NumParams() == 2 { // mitmproxy up to 0.17
		return p.call(ctx, fn, p.ctx, f)
	}
	return p.call(ctx, fn, f)
}

func (p *program) call(ctx context.Context, fn *starlark.Function, args ...starlark.Value) error {
	_, err := starlark.Call(p.thread(ctx), fn, starlark.Tuple(args), nil)
	if err != nil {
		return p.error(err)
	}
	return nil
}

// Start calls load (or start), configure and running.
func (p *program) Start(ctx context.Context) error {
	if fn := p.hooks[replay.Load]; fn != nil {
		argv := starlark.NewList([]starlark.Value{starlark.String(p.spec.Path)})
		args := [][]starlark.Value{nil, {&loaderValue{p.options}}, {p.ctx, argv}}
		if err := p.call(ctx, fn, args[fn.NumParams()]...); err != nil {
			return err
		}
	}
	if err := p.options.unknown(); err != nil {
		return &script.Error{Script: p.name, Msg: err.Error()}
	}
	if fn := p.hooks[replay.Configure]; fn != nil {
		args := [][]starlark.Value{nil, {p.options.names()}, {p.options, p.options.names()}}
		if err := p.call(ctx, fn, args[fn.NumParams()]...); err != nil {
			return err
		}
	}
	if fn := p.hooks[replay.Running]; fn != nil {
		return p.call(ctx, fn)
	}
	return nil
}

// Done calls done.
func (p *program) Done(ctx context.Context) error {
	fn := p.hooks[replay.Done]
	if fn == nil {
		return nil
	}
	if fn.NumParams() == 1 {
		return p.call(ctx, fn, p.ctx)
	}
	return p.call(ctx, fn)
}

// error turns what the interpreter returns into a script.Error with the source lines.
func (p *program) error(err error) error {
	if errors.Is(err, replay.ErrStop) {
		return replay.ErrStop
	}
	var ee *starlark.EvalError
	if !errors.As(err, &ee) {
		return &script.Error{Script: p.name, Msg: err.Error()}
	}
	se := &script.Error{Script: p.name, Msg: ee.Msg}
	var lines []string
	var b strings.Builder
	for _, fr := range ee.CallStack {
		pos := fr.Pos
		if pos.Filename() == "<builtin>" || pos.Line == 0 {
			continue
		}
		if lines == nil {
			lines = p.lines()
		}
		se.Line = int(pos.Line)
		fmt.Fprintf(&b, "  %s:%d in %s\n", p.name, pos.Line, fr.Name)
		b.WriteString(caret(lines, pos))
	}
	se.Trace = strings.TrimRight(b.String(), "\n")
	return se
}

func (p *program) lines() []string {
	src := p.spec.Source
	if src == nil {
		src, _ = os.ReadFile(p.spec.Path)
	}
	return strings.Split(string(src), "\n")
}

// caret returns the source line of pos with a caret below the place.
func caret(lines []string, pos syntax.Position) string {
	n := int(pos.Line)
	if n < 1 || n > len(lines) {
		return ""
	}
	line := strings.ReplaceAll(strings.TrimRight(lines[n-1], "\r"), "\t", " ")
	trimmed := strings.TrimLeft(line, " ")
	col := max(int(pos.Col)-1-(len(line)-len(trimmed)), 0)
	return "    " + trimmed + "\n    " + strings.Repeat(" ", col) + "^\n"
}

// limited is a body as a script may have it.
func (p *program) limited(b flowfile.Body) ([]byte, error) {
	data, err := b.Bytes(p.limits.Body)
	if errors.Is(err, flowfile.ErrTooLarge) {
		return nil, fmt.Errorf("%w (--max-script-body)", err)
	}
	return data, err
}
