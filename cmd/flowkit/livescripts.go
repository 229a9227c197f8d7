package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/live"
	"flowkit/replay"
	"flowkit/transform/script"
)

// liveScripts are scripts that see traffic as it happens: sessions in a row, neighbours of one language in one. It
// implements replay.Handler and live.Ender.
type liveScripts struct {
	chain []script.Live
}

var (
	_ replay.Handler = (*liveScripts)(nil)
	_ live.Ender     = (*liveScripts)(nil)
)

// loadLive loads the scripts of -s for live traffic.
func (o *scriptFlags) loadLive(ctx context.Context, s *cli.Streams, errs *script.Errors, dataOnStdout bool) (*liveScripts, error) {
	l := &liveScripts{}
	in := &inputs{}
	specs, err := o.specs(s, in, dataOnStdout)
	if err != nil {
		return nil, err
	}
	for len(specs) > 0 {
		n := 1
		for n < len(specs) && isPython(specs[n].Path) == isPython(specs[0].Path) {
			n++
		}
		r, err := script.NewReloader(ctx, o.engine(specs[0].Path, in), specs[:n], 0)
		if err != nil {
			return nil, errors.Join(loadFailed(err), l.close())
		}
		r.OnError(errs.Handle)
		l.chain = append(l.chain, r)
		specs = specs[n:]
	}
	return l, nil
}

// liveProxy is what scripts may ask of the proxy.
type liveProxy struct {
	*live.Proxy
	stop func()
}

func (p liveProxy) Shutdown() { p.stop() }

func (l *liveScripts) start(ctx context.Context, p *live.Proxy) error {
	for _, s := range l.chain {
		if err := s.StartLive(ctx, liveProxy{p, p.Stop}); err != nil {
			return err
		}
	}
	return nil
}

// Hooks returns the events that any of the scripts wants.
func (l *liveScripts) Hooks() replay.Hooks {
	var all replay.Hooks
	for _, s := range l.chain {
		all |= s.Hooks()
	}
	return all
}

// Handle hands an event to the scripts one after the other.
func (l *liveScripts) Handle(ctx context.Context, e *replay.Event) error {
	var all error
	for _, s := range l.chain {
		if !s.Hooks().Has(e.Hook) {
			continue
		}
		if err := s.Handle(ctx, e); err != nil {
			all = errors.Join(all, err)
		}
	}
	return all
}

// End lets go of a flow.
func (l *liveScripts) End(f *flowfile.Flow) {
	for _, s := range l.chain {
		s.End(f)
	}
}

func (l *liveScripts) done() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var all error
	for _, s := range l.chain {
		all = errors.Join(all, s.Done(ctx))
	}
	return all
}

func (l *liveScripts) close() error {
	var all error
	for _, s := range l.chain {
		all = errors.Join(all, s.Close())
	}
	return all
}

// logEvents shows scripts what the proxy logs: the event add_log.
type logEvents struct {
	slog.Handler
	scripts *liveScripts
}

func (h *logEvents) Handle(ctx context.Context, r slog.Record) error {
	if h.scripts.Hooks().Has(replay.AddLog) {
		text := r.Message
		r.Attrs(func(a slog.Attr) bool {
			text += "  " + a.String()
			return true
		})
		// A script's error in it is reported by the script's session.
		_ = h.scripts.Handle(ctx, &replay.Event{
			Hook: replay.AddLog, Live: true, Log: &replay.LogEntry{Level: strings.ToLower(r.Level.String()), Text: text},
		})
	}
	return h.Handler.Handle(ctx, r)
}
