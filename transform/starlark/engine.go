// Package starlark runs scripts in Starlark, the small Python dialect: nothing has to be
// installed, a script sees nothing but the flow it is handed, and what it may take is
// bounded. The names are those of mitmproxy's API.
//
//	Engine    loads scripts; a Session calls their hooks
//	flow      the flow as a script sees it        flow.go, conn.go
//	message   requests and responses              message.go
//	messages  WebSocket, TCP and UDP              messages.go
//	lib       modules and types without flows     lib/
//
// A script's globals are frozen when it is loaded, so its hooks run for several flows at
// once, unless it uses what depends on their order: state, print or log.
package starlark

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
	"flowkit/transform/starlark/lib"
)

// Engine loads Starlark scripts. The zero value is ready.
type Engine struct{}

var _ script.Engine = Engine{}

// Load compiles the scripts and runs their top levels.
func (Engine) Load(ctx context.Context, specs []script.Spec) (script.Session, error) {
	s := &Session{}
	for _, spec := range specs {
		p, err := load(ctx, spec)
		if err != nil {
			return nil, err
		}
		s.programs = append(s.programs, p)
		s.events.Handlers = append(s.events.Handlers, p)
		if spec.Spool != nil {
			s.events.Spool = spec.Spool
		}
	}
	return s, nil
}

// Session is loaded scripts.
type Session struct {
	programs []*program
	events   replay.Events
}

var _ script.Session = (*Session)(nil)

// Run replays the flows of b through the scripts.
func (s *Session) Run(ctx context.Context, b *flowfile.Batch) error { return s.events.Run(ctx, b) }

// Start calls load (or start), configure and running of all scripts.
func (s *Session) Start(ctx context.Context) error { return s.events.Start(ctx) }

// Done calls done of all scripts.
func (s *Session) Done(ctx context.Context) error { return s.events.Done(ctx) }

// Concurrent tells whether no script depends on the order of flows.
func (s *Session) Concurrent() bool { return s.events.Concurrent() }

// OnError sets what happens to errors of scripts.
func (s *Session) OnError(f func(*flowfile.Flow, *replay.EventError) error) { s.events.OnError = f }

// Handlers returns the scripts one by one, for whoever drives events itself.
func (s *Session) Handlers() []replay.Handler { return s.events.Handlers }

// Info tells what was loaded.
func (s *Session) Info() []script.Info {
	var all []script.Info
	for _, p := range s.programs {
		all = append(all, script.Info{Name: p.name, Hooks: p.want, Ordered: p.ordered})
	}
	return all
}

// Close frees nothing: all is garbage-collected.
func (s *Session) Close() error { return nil }

// program is one loaded script. It is a replay.Handler.
type program struct {
	name    string
	spec    script.Spec
	limits  script.Limits
	log     *slog.Logger
	want    replay.Hooks
	hooks   map[replay.Hook]*starlark.Function
	ordered string
	options *options
	ctx     *contextValue
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
	src := spec.Source
	if src == nil {
		var err error
		if src, err = os.ReadFile(spec.Path); err != nil {
			return nil, err
		}
	}
	f, err := dialect.Parse(spec.Path, src, 0)
	if err != nil {
		return nil, p.loadError(err, src)
	}
	predeclared := lib.Predeclared()
	for name, v := range lib.RewriteBytesLiterals(f) {
		predeclared[name] = v
	}
	p.ctx = &contextValue{p: p}
	for name, v := range flowBuiltins(p) {
		predeclared[name] = v
	}
	p.ordered = ordered(f)
	prog, err := starlark.FileProgram(f, predeclared.Has)
	if err != nil {
		return nil, p.loadError(err, src)
	}
	thread := p.thread(ctx)
	globals, err := prog.Init(thread, predeclared)
	if err != nil {
		return nil, p.error(err)
	}
	globals.Freeze()
	return p, p.findHooks(globals)
}

// ordered returns why the hooks of f must not run for several flows at once.
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

// hookNames are the names that scripts may give to hooks: those of the events, and old ones.
var hookNames = map[string]replay.Hook{
	"start":                replay.Load,
	"websocket_handshake":  replay.WebSocketStart,
	"websockets_handshake": replay.WebSocketStart,
}

func (p *program) findHooks(globals starlark.StringDict) error {
	p.hooks = make(map[replay.Hook]*starlark.Function)
	for name, v := range globals {
		fn, ok := v.(*starlark.Function)
		if !ok {
			continue
		}
		h, ok := hookNames[name]
		if !ok {
			if h, ok = replay.ParseHook(name); !ok {
				continue
			}
		}
		lo, hi := 1, 2
		if h == replay.Load || h == replay.Running || h == replay.Done || h == replay.Configure {
			lo = 0
		}
		if n := fn.NumParams(); n < lo || n > hi {
			return &script.Error{
				Script: p.name, Line: int(fn.Position().Line),
				Msg: fmt.Sprintf("hook %s takes %d parameters; it is called with the flow", name, n),
			}
		}
		p.hooks[h] = fn
		p.want |= replay.Of(h)
	}
	if p.want == 0 {
		p.log.Warn("the script has no hook: no function is called request, response, …")
	}
	return nil
}

// loadError gives an error of parsing or resolving the source line and a caret.
func (p *program) loadError(err error, src []byte) error {
	var pos syntax.Position
	msg := err.Error()
	switch e := err.(type) {
	case syntax.Error:
		pos, msg = e.Pos, e.Msg
	case resolve.ErrorList:
		pos, msg = e[0].Pos, e[0].Msg
	default:
		return &script.Error{Script: p.name, Msg: msg}
	}
	se := &script.Error{Script: p.name, Line: int(pos.Line), Msg: msg}
	lines := strings.Split(string(src), "\n")
	if n := int(pos.Line); n >= 1 && n <= len(lines) {
		line := strings.ReplaceAll(strings.TrimRight(lines[n-1], "\r"), "\t", " ")
		se.Trace = "    " + line + "\n    " + strings.Repeat(" ", max(int(pos.Col)-1, 0)) + "^"
	}
	if hint := pythonHint(lines, int(pos.Line)); hint != "" {
		se.Trace += "\n  hint: " + hint
	}
	return se
}

// pythonHint says what a Python programmer stumbles over.
func pythonHint(lines []string, n int) string {
	if n < 1 || n > len(lines) {
		return ""
	}
	line := strings.TrimSpace(lines[n-1])
	word, _, _ := strings.Cut(line, " ")
	switch word {
	case "import", "from":
		return "Starlark has no import; re, json, base64, hashlib, url, html, math, time, log and state are there without it"
	case "class":
		return "Starlark has no classes; write the hooks as functions, and keep what lasts in state"
	case "try:", "except", "with", "async", "global", "@", "raise":
		return "Starlark has no " + strings.TrimSuffix(word, ":") + "; this is a Python script"
	}
	if strings.HasPrefix(line, "def ") && strings.ContainsAny(line, ":") && (strings.Contains(line, ": ") || strings.Contains(line, "->")) {
		return "Starlark has no annotations: def request(flow):"
	}
	return ""
}

// SetClassic chooses the order of events of mitmproxy 0.18 to 6.
func (s *Session) SetClassic(classic bool) { s.events.Classic = classic }
