// Package starlark runs scripts in Starlark, the small Python dialect: nothing has to be
// installed, a script sees nothing but the flow it is handed, and what it may take is
// bounded. The names are those of mitmproxy's API; API.md is the reference for who writes
// scripts.
//
//	Engine    loads scripts; a Session calls their hooks
//	program   one script: its hooks, its errors        program.go, hooks.go, errors.go
//	call      one call of a hook                       call.go
//	flow      the flow as a script sees it             flow.go, conn.go, metadata.go
//	message   requests and responses                   message.go, setmessage.go
//	messages  WebSocket, TCP and UDP                   messages.go
//	options   --set and loader.add_option              options.go
//	live      traffic as it happens                    live.go, liveconn.go
//	lib       modules and types without flows          lib/
//
// A script's globals are frozen when it is loaded, so its hooks run for several flows at
// once, unless it uses what depends on their order: state, print, log or ctx.
//
// What a script gets hold of in a hook is good until the hook returns: then the flow is
// another stage's, or written. A flow or message that was kept in state says so when it is
// used later; headers, a query and metadata that were kept show what they held last.
package starlark

import (
	"context"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
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

// Concurrent tells whether no script depends on the order of flows.
func (s *Session) Concurrent() bool { return s.events.Concurrent() }

// OnError sets what happens to errors of scripts.
func (s *Session) OnError(f func(*flowfile.Flow, *replay.EventError) error) { s.events.OnError = f }

// SetClassic chooses the order of events of mitmproxy 0.18 to 6.
func (s *Session) SetClassic(classic bool) { s.events.Classic = classic }

// Handlers returns the scripts one by one, for whoever drives events itself.
func (s *Session) Handlers() []replay.Handler { return s.events.Handlers }

// Info tells what was loaded.
func (s *Session) Info() []script.Info {
	var all []script.Info
	for _, p := range s.programs {
		all = append(all, script.Info{
			Name: p.name, Hooks: p.want, Ordered: p.ordered, Details: script.Details{Options: p.options.info},
		})
	}
	return all
}

// Start calls load (or start) of all scripts, checks the options, and calls configure and
// then running of all. If one fails, done is called of those that were loaded.
func (s *Session) Start(ctx context.Context) error {
	loaded, err := s.start(ctx)
	if err != nil {
		_ = s.done(ctx, s.programs[:loaded]) // the first error is the one to tell
	}
	return err
}

func (s *Session) start(ctx context.Context) (loaded int, err error) {
	phases := []struct {
		hook replay.Hook
		call func(*program, context.Context) error
	}{
		{replay.Load, (*program).callLoad},
		{replay.Configure, s.configure},
		{replay.Running, (*program).callRunning},
	}
	for _, phase := range phases {
		for _, p := range s.programs {
			if err := phase.call(p, ctx); err != nil {
				if err := s.failed(phase.hook, err); err != nil {
					return loaded, err
				}
			}
			if phase.hook == replay.Load {
				loaded++
			}
		}
	}
	return loaded, nil
}

func (s *Session) configure(p *program, ctx context.Context) error {
	if err := p.options.unknown(s.programs); err != nil {
		return &script.Error{Script: p.name, Msg: err.Error()}
	}
	return p.callConfigure(ctx)
}

func (s *Session) failed(h replay.Hook, err error) error {
	e := &replay.EventError{Hook: h, Err: err}
	if s.events.OnError == nil {
		return e
	}
	return s.events.OnError(nil, e)
}

// Done calls done of all scripts, whatever fails.
func (s *Session) Done(ctx context.Context) error { return s.done(ctx, s.programs) }

func (s *Session) done(ctx context.Context, programs []*program) error {
	var first error
	for _, p := range programs {
		if err := p.Done(ctx); err != nil {
			if err := s.failed(replay.Done, err); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// Close frees nothing: all is garbage-collected.
func (s *Session) Close() error { return nil }
