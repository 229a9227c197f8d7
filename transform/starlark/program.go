package starlark

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"flowkit/replay"
	"flowkit/transform/script"
	"flowkit/transform/starlark/lib"
)

// program is one loaded script. It is a replay.Handler.
type program struct {
	name    string
	spec    script.Spec
	limits  script.Limits
	log     *slog.Logger
	lines   []string // of the source, for errors
	want    replay.Hooks
	hooks   map[replay.Hook]hook
	ordered string
	options *options
	ctx     *contextValue
	threads sync.Pool // of *thread
	live    *live     // nil: flows are recorded ones
}

var (
	_ replay.Handler    = (*program)(nil)
	_ replay.Lifecycle  = (*program)(nil)
	_ replay.Concurrent = (*program)(nil)
)

// dialect is as close to Python as Starlark goes.
var dialect = syntax.FileOptions{
	Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true,
}

func load(ctx context.Context, spec script.Spec) (*program, error) {
	p := &program{
		name: spec.Name(), spec: spec, limits: spec.Limits.WithDefaults(), log: spec.Log,
		options: newOptions(spec.Set),
	}
	if p.log == nil {
		p.log = slog.Default()
	}
	p.log = p.log.With("script", p.name)
	p.ctx = &contextValue{p: p}
	src := spec.Source
	if src == nil {
		var err error
		if src, err = os.ReadFile(spec.Path); err != nil {
			return nil, err
		}
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	p.lines = strings.Split(string(src), "\n")
	f, err := parse(spec.Path, src)
	if err != nil {
		return nil, p.loadError(err)
	}
	predeclared := lib.Predeclared()
	for name, v := range lib.RewriteBytesLiterals(f) {
		predeclared[name] = v
	}
	for name, v := range flowBuiltins(p) {
		predeclared[name] = v
	}
	p.ordered = ordered(f)
	prog, err := starlark.FileProgram(f, predeclared.Has)
	if err != nil {
		return nil, p.loadError(err)
	}
	t := p.thread(ctx)
	globals, err := prog.Init(&t.Thread, predeclared)
	if err != nil {
		return nil, p.error(ctx, err)
	}
	p.release(t)
	globals.Freeze()
	return p, p.findHooks(globals)
}

// loadName stands for load, which is a keyword of Starlark, where a script defines a hook
// of that name. The o is Cyrillic: a name of four letters that nobody has.
const loadName = "l\u043ead"

var defLoad = regexp.MustCompile(`^(def[ \t]+)load([ \t]*\()`)

// parse parses a script, in which, unlike in Starlark, a function may be named load.
func parse(path string, src []byte) (*syntax.File, error) {
	f, err := dialect.Parse(path, src, 0)
	e, ok := err.(syntax.Error)
	if !ok {
		return f, err
	}
	lines := bytes.SplitAfter(src, []byte("\n"))
	n := int(e.Pos.Line) - 1
	if n < 0 || n >= len(lines) || !defLoad.Match(lines[n]) {
		return f, err
	}
	lines[n] = defLoad.ReplaceAll(lines[n], []byte("${1}"+loadName+"${2}"))
	return dialect.Parse(path, bytes.Join(lines, nil), 0)
}

// ordered returns why the hooks of f must not run for several flows at once: the name of
// something predeclared that depends on the order, used anywhere in f.
func ordered(f *syntax.File) string {
	found := ""
	look := func(name string) bool {
		switch name {
		case "state", "print", "log", "ctx":
			if found == "" {
				found = "it uses " + name
			}
		}
		return true
	}
	// Errors are those of the compilation that follows.
	_ = resolve.File(f, look, look)
	return found
}

// Hooks returns the events that the script has functions for.
func (p *program) Hooks() replay.Hooks { return p.want }

// Concurrent tells whether several flows may be in the script at once.
func (p *program) Concurrent() bool { return p.ordered == "" }

// Handle calls the hook.
func (p *program) Handle(ctx context.Context, e *replay.Event) error {
	h, ok := p.hooks[e.Hook]
	if !ok {
		return nil
	}
	if e.Flow == nil {
		return p.handleConns(ctx, e, h)
	}
	c := newCall(p, e)
	defer c.end()
	if h.args == 2 { // mitmproxy up to 0.17
		return p.call(ctx, h.fn, p.ctx, &c.flow)
	}
	return p.call(ctx, h.fn, &c.flow)
}

func (p *program) call(ctx context.Context, fn *starlark.Function, args ...starlark.Value) error {
	t := p.thread(ctx)
	_, err := starlark.Call(&t.Thread, fn, starlark.Tuple(args), nil)
	if err != nil {
		return p.error(ctx, err) // t may be cancelled; it is not used again
	}
	p.release(t)
	return nil
}

// Start calls load (or start), configure and running, for whoever drives handlers one by
// one; a Session calls each of all its scripts before the next.
func (p *program) Start(ctx context.Context) error {
	if err := p.callLoad(ctx); err != nil {
		return err
	}
	if err := p.options.unknown([]*program{p}); err != nil {
		return &script.Error{Script: p.name, Msg: err.Error()}
	}
	if err := p.callConfigure(ctx); err != nil {
		return err
	}
	return p.callRunning(ctx)
}

func (p *program) callLoad(ctx context.Context) error {
	one := starlark.Tuple{&loaderValue{p.options}}
	if p.hooks[replay.Load].name == "start" { // mitmproxy up to 0.9
		one = starlark.Tuple{p.ctx}
	}
	argv := starlark.NewList([]starlark.Value{starlark.String(p.spec.Path)})
	return p.lifecycle(ctx, replay.Load, nil, one, starlark.Tuple{p.ctx, argv})
}

func (p *program) callConfigure(ctx context.Context) error {
	names := p.options.names()
	return p.lifecycle(ctx, replay.Configure, nil, starlark.Tuple{names}, starlark.Tuple{p.options, names})
}

func (p *program) callRunning(ctx context.Context) error {
	return p.lifecycle(ctx, replay.Running, nil, starlark.Tuple{p.ctx})
}

// Done calls done.
func (p *program) Done(ctx context.Context) error {
	return p.lifecycle(ctx, replay.Done, nil, starlark.Tuple{p.ctx})
}

// lifecycle calls the hook with the arguments for its number of parameters.
func (p *program) lifecycle(ctx context.Context, h replay.Hook, args ...starlark.Tuple) error {
	k, ok := p.hooks[h]
	if !ok {
		return nil
	}
	return p.call(ctx, k.fn, args[k.args]...)
}

// noModules is what the load statement gets.
func noModules(*starlark.Thread, string) (starlark.StringDict, error) {
	return nil, fmt.Errorf("a script is one file and cannot load others")
}
