package script

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"flowkit/flowfile"
	"flowkit/replay"
)

// Reloader is a Live whose scripts are loaded again when their files change, and when the
// process that runs them has ended. The new ones are loaded and started first, then they are in
// charge, and done is called of the old. Scripts that cannot be loaded or started are said
// to the log, and the old go on.
type Reloader struct {
	engine Engine
	specs  []Spec
	every  time.Duration
	log    *slog.Logger

	proxy   Proxy
	onError func(*flowfile.Flow, *replay.EventError) error
	stop    chan struct{}
	watches sync.WaitGroup // the watching goroutine, and those that end old generations
	stamps  []stamp

	mu    sync.RWMutex
	now   *generation   // changed by watch only
	older []*generation // that are not closed
}

var _ Live = (*Reloader)(nil)

// stamp tells whether a file is still the same.
type stamp struct {
	time, size int64
}

// quick is how long scripts must have run to be started again after a crash.
const quick = 10 * time.Second

// NewReloader loads scripts and looks each second, or so often, whether their files have changed.
func NewReloader(ctx context.Context, e Engine, specs []Spec, every time.Duration) (*Reloader, error) {
	r := &Reloader{engine: e, specs: specs, every: every, log: specs[0].Log, stop: make(chan struct{})}
	if r.every <= 0 {
		r.every = time.Second
	}
	if r.log == nil {
		r.log = slog.Default()
	}
	r.stamps = r.look()
	var err error
	r.now, err = r.load(ctx)
	return r, err
}

// generation is what was loaded at one time.
type generation struct {
	Live
	began   time.Time
	given   bool // up: a crash was told, and nothing is done about it
	mu      sync.Mutex
	events  int                    // under way
	streams map[*flowfile.Flow]int // whose bodies a script works on
	idle    chan struct{}          // closed when it is old and has nothing to do
	old     bool
}

func (r *Reloader) load(ctx context.Context) (*generation, error) {
	s, err := r.engine.Load(ctx, r.specs)
	if err != nil {
		return nil, err
	}
	l, ok := s.(Live)
	if !ok {
		return nil, errors.Join(errors.New("scripts of this language cannot work on live traffic"), s.Close())
	}
	return &generation{Live: l, began: time.Now(), streams: make(map[*flowfile.Flow]int), idle: make(chan struct{})}, nil
}

// current returns the generation in charge; an event is counted.
func (r *Reloader) current() *generation {
	r.mu.RLock()
	defer r.mu.RUnlock()
	r.now.mu.Lock()
	defer r.now.mu.Unlock()
	r.now.events++
	return r.now
}

// change notes what has begun or ended.
func (g *generation) change(do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	do()
	if g.old && g.events == 0 && len(g.streams) == 0 {
		select {
		case <-g.idle:
		default:
			close(g.idle)
		}
	}
}

func (g *generation) leave() { g.change(func() { g.events-- }) }

// StartLive starts the scripts and the watch over their files.
func (r *Reloader) StartLive(ctx context.Context, p Proxy) error {
	r.proxy = p
	if err := r.now.StartLive(ctx, p); err != nil {
		return err
	}
	r.watches.Go(func() { r.watch(context.WithoutCancel(ctx)) })
	return nil
}

// Hooks returns the events that the scripts of now want.
func (r *Reloader) Hooks() replay.Hooks {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.now.Hooks()
}

// Handle hands the event to the scripts of now.
func (r *Reloader) Handle(ctx context.Context, e *replay.Event) error {
	g := r.current()
	defer g.leave()
	if !g.Hooks().Has(e.Hook) {
		return nil
	}
	if e.Stream == nil {
		return g.Handle(ctx, e)
	}
	before := *e.Stream
	e.Stream.Chunk = nil
	err := g.Handle(ctx, e)
	switch chunk := e.Stream.Chunk; {
	case chunk != nil:
		f := e.Flow
		g.change(func() { g.streams[f]++ })
		over := false
		e.Stream.Chunk = func(ctx context.Context, data []byte, end bool) ([]byte, error) {
			out, err := chunk(ctx, data, end)
			if (end || err != nil) && !over {
				over = true
				g.change(func() { g.ended(f) })
			}
			return out, err
		}
	case e.Stream.On:
		e.Stream.Chunk = before.Chunk // of somebody else
	}
	return err
}

// ended notes that a body of f is done.
func (g *generation) ended(f *flowfile.Flow) {
	if g.streams[f]--; g.streams[f] <= 0 {
		delete(g.streams, f)
	}
}

// End lets go of the flow.
func (r *Reloader) End(f *flowfile.Flow) {
	r.mu.RLock()
	all := append([]*generation{r.now}, r.older...)
	r.mu.RUnlock()
	for _, g := range all {
		g.Live.End(f)
		g.change(func() { delete(g.streams, f) })
	}
}

// Info tells what is loaded now.
func (r *Reloader) Info() []Info {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.now.Info()
}

// OnError sets what happens to errors of scripts, before StartLive.
func (r *Reloader) OnError(f func(*flowfile.Flow, *replay.EventError) error) {
	r.onError = f
	r.now.OnError(f)
}

// Done ends the watch and runs done of the scripts of now.
func (r *Reloader) Done(ctx context.Context) error {
	close(r.stop)
	r.watches.Wait()
	return r.now.Done(ctx)
}

// Close frees what the scripts hold, those of before, too.
func (r *Reloader) Close() error {
	err := r.now.Close()
	for _, g := range r.older {
		err = errors.Join(err, g.Close())
	}
	return err
}

// watch looks at the files until the end.
func (r *Reloader) watch(ctx context.Context) {
	tick := time.NewTicker(r.every)
	defer tick.Stop()
	for {
		crashed := r.crashed()
		select {
		case <-r.stop:
			return
		case <-crashed:
			r.revive(ctx)
		case <-tick.C:
			if now := r.look(); now != nil && !slices.Equal(now, r.stamps) {
				r.stamps = now
				r.replace(ctx, "the script was changed and is loaded again")
			}
		}
	}
}

// crashed is closed when the process of the scripts of now has ended and nothing was done about it.
func (r *Reloader) crashed() <-chan struct{} {
	if c, ok := r.now.Live.(interface{ Crashed() <-chan struct{} }); ok && !r.now.given {
		return c.Crashed()
	}
	return nil
}

// revive starts scripts again whose process has ended, unless that was at once.
func (r *Reloader) revive(ctx context.Context) {
	if time.Since(r.now.began) < quick {
		r.now.given = true
		r.log.Error("scripts ended soon after they were started and are not started again until a file changes; traffic goes on without them", "scripts", names(r.specs))
		return
	}
	if !r.replace(ctx, "the scripts are started again") {
		r.now.given = true
	}
}

// replace puts newly loaded scripts in charge.
func (r *Reloader) replace(ctx context.Context, why string) bool {
	g, err := r.load(ctx)
	if err == nil {
		g.OnError(r.onError)
		if err = g.StartLive(ctx, r.proxy); err != nil {
			_ = g.Close() // the first error is the one to tell
		}
	}
	if err != nil {
		text := err.Error()
		if se := new(Error); errors.As(err, &se) && se.Trace != "" {
			text += "\n" + se.Trace
		}
		r.log.Error("the script cannot be loaded again, what was loaded before goes on: "+text, "scripts", names(r.specs))
		return false
	}
	r.mu.Lock()
	old := r.now
	r.now, r.older = g, append(r.older, old)
	r.mu.Unlock()
	r.log.Info(why, "scripts", names(r.specs))
	old.change(func() { old.old = true })
	if err := old.Done(ctx); err != nil {
		r.log.Error(err.Error())
	}
	r.watches.Go(func() { r.retire(old) })
	return true
}

// retire closes an old generation when it has nothing to do any more.
func (r *Reloader) retire(g *generation) {
	select {
	case <-g.idle:
	case <-r.stop:
		return // Close does it
	}
	r.mu.Lock()
	r.older = slices.DeleteFunc(r.older, func(o *generation) bool { return o == g })
	r.mu.Unlock()
	if err := g.Close(); err != nil {
		r.log.Error(err.Error())
	}
}

// look returns the stamps of the files, nil if one is not there: it is being written.
func (r *Reloader) look() []stamp {
	all := make([]stamp, 0, len(r.specs))
	for _, s := range r.specs {
		if s.Source != nil {
			all = append(all, stamp{})
			continue
		}
		info, err := os.Stat(s.Path)
		if err != nil {
			return nil
		}
		all = append(all, stamp{info.ModTime().UnixNano(), info.Size()})
	}
	return all
}

func names(specs []Spec) string {
	var all []string
	for _, s := range specs {
		all = append(all, s.Name())
	}
	return strings.Join(all, ", ")
}
