package python

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
)

// Session is loaded scripts: one process, or several that each have them all.
type Session struct {
	engine  Engine
	specs   []script.Spec
	python  string
	shim    string
	order   string // of events: "" by each script's era, else modern or classic
	onError func(*flowfile.Flow, *replay.EventError) error
	workers []*worker
	idle    chan *worker // of several workers, those that have nothing to do
	info    []script.Info
	want    replay.Hooks // of all scripts
	live    atomic.Pointer[live]
	seq     atomic.Int64
	closing sync.Once
	closed  error
}

var (
	_ script.Session   = (*Session)(nil)
	_ replay.Submitter = (*Session)(nil)
)

// load starts the processes and waits until the scripts are loaded.
func (s *Session) load() error {
	first, err := s.startWorker()
	if err != nil {
		return err
	}
	r, err := first.hello()
	if err != nil {
		return err
	}
	s.learn(r)
	asserted := true
	for _, i := range s.info {
		asserted = asserted && i.Asserted
	}
	for range s.workersWanted(asserted) - 1 {
		w, err := s.startWorker()
		if err != nil {
			return err
		}
		if _, err := w.hello(); err != nil {
			return err
		}
	}
	s.idle = make(chan *worker, len(s.workers))
	for _, w := range s.workers {
		s.idle <- w
	}
	return nil
}

func (s *Session) startWorker() (*worker, error) {
	w, err := newWorker(s)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.python, err)
	}
	s.workers = append(s.workers, w)
	return w, nil
}

// learn takes over what a READY frame says.
func (s *Session) learn(r *ready) {
	s.want = 0
	s.info = s.info[:0]
	for i, spec := range s.specs {
		info := script.Info{Name: spec.Name(), Ordered: "it may keep a state"}
		info.Interpreter = "Python " + r.python + " (" + s.python + ")"
		if i < len(r.hooks) {
			for _, name := range r.hooks[i] {
				if h, ok := replay.ParseHook(name); ok {
					info.Hooks |= replay.Of(h)
				} else if name == "update" {
					s.want |= flowHooks
				}
			}
			info.Era, info.Asserted = r.eras[i], r.asserted[i]
			if info.Asserted {
				info.Ordered = ""
			} else {
				info.Ordered = r.parallel[i]
			}
		}
		info.Options = r.options[spec.Name()]
		s.want |= info.Hooks
		s.info = append(s.info, info)
	}
	if s.engine.RealMitmproxy {
		s.want = replay.AllHooks // mitmproxy's own addons have some
	}
}

// Info tells what was loaded.
func (s *Session) Info() []script.Info { return s.info }

// SetClassic chooses the order of events: that of mitmproxy 0.18 to 6, or that of 7 and
// later. Where nobody chooses, a script gets that of its era.
func (s *Session) SetClassic(classic bool) {
	s.order = "modern"
	if classic {
		s.order = "classic"
	}
}

// OnError sets what happens to errors of scripts. It is called from goroutines of the
// session, for one flow after the other of each process.
func (s *Session) OnError(f func(*flowfile.Flow, *replay.EventError) error) { s.onError = f }

// Concurrent tells whether there are several processes.
func (s *Session) Concurrent() bool { return len(s.workers) > 1 }

// Processes returns how many processes run the scripts.
func (s *Session) Processes() int { return len(s.workers) }

// failed asks what becomes of an error.
func (s *Session) failed(f *flowfile.Flow, h replay.Hook, err error) error {
	e := &replay.EventError{Hook: h, Err: err}
	if f != nil {
		e.Flow = strings.Clone(f.ID()) // it may lie in a file that somebody cuts short
	}
	if s.onError == nil {
		return e
	}
	return s.onError(f, e)
}

// Start runs load, configure and running of all scripts in each process.
func (s *Session) Start(context.Context) error {
	for _, w := range s.workers {
		r, err := w.start(s.order)
		if err != nil {
			return err
		}
		s.learn(r)
	}
	return nil
}

// Done runs done of all scripts in each process.
func (s *Session) Done(context.Context) error {
	var first error
	for _, w := range s.workers {
		if err := w.done(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Run replays the flows of b through the scripts.
func (s *Session) Run(ctx context.Context, b *flowfile.Batch) error {
	select {
	case w := <-s.idle:
		defer func() { s.idle <- w }()
		return w.submit(ctx, b)()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Submit hands b to the process; see replay.Submitter.
func (s *Session) Submit(ctx context.Context, b *flowfile.Batch) (wait func() error) {
	return s.workers[0].submit(ctx, b)
}

// wants tells whether a script has a hook for flows of the kind.
func (s *Session) wants(k flowfile.Kind) bool { return s.want&kindHooks[k] != 0 }

var kindHooks = [...]replay.Hooks{
	flowfile.HTTP: replay.Of(replay.RequestHeaders, replay.Request, replay.ResponseHeaders, replay.Response, replay.Error,
		replay.WebSocketStart, replay.WebSocketMessage, replay.WebSocketEnd, replay.WebSocketError),
	flowfile.TCP: replay.Of(replay.TCPStart, replay.TCPMessage, replay.TCPEnd, replay.TCPError),
	flowfile.UDP: replay.Of(replay.UDPStart, replay.UDPMessage, replay.UDPEnd, replay.UDPError),
	flowfile.DNS: replay.Of(replay.DNSRequest, replay.DNSResponse, replay.DNSError),
}

// Close ends the processes and waits for them.
func (s *Session) Close() error {
	s.closing.Do(func() {
		for _, w := range s.workers {
			s.closed = errors.Join(s.closed, w.close())
		}
	})
	return s.closed
}

// log passes a line of a script's log on.
func (s *Session) log(level, name, text string) {
	l := s.specs[0].Log
	if l == nil {
		l = slog.Default()
	}
	if name != "" {
		l = l.With("script", name)
	}
	switch level {
	case "error":
		l.Error(text)
	case "warn":
		l.Warn(text)
	case "debug":
		l.Debug(text)
	default:
		l.Info(text)
	}
}
