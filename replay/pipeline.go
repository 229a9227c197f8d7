package replay

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"time"

	"flowkit/flowfile"
)

// Stage changes the flows of a batch, drops them, or only looks.
type Stage interface {
	Run(ctx context.Context, b *flowfile.Batch) error
}

// StageFunc is a Stage of one function, which must be safe for concurrent use.
type StageFunc func(ctx context.Context, b *flowfile.Batch) error

// Run calls f.
func (f StageFunc) Run(ctx context.Context, b *flowfile.Batch) error { return f(ctx, b) }

// Concurrent is true.
func (f StageFunc) Concurrent() bool { return true }

// Submitter is a Stage that works elsewhere, in another process say, so that several
// batches can be on their way.
type Submitter interface {
	Stage
	// Submit hands b over; what it returns waits until the stage is done with b. Calls
	// come in the order of the input, those of what was returned likewise, perhaps from
	// another goroutine. In between b is the stage's.
	Submit(ctx context.Context, b *flowfile.Batch) (wait func() error)
}

// Pipeline moves flows from a source through stages into a sink, in the order of the
// input. Reading, the stages and writing overlap: neighbouring stages that are Concurrent
// run on several batches at once, every other stage on one at a time, beside the others.
type Pipeline struct {
	Source flowfile.Source
	Stages []Stage
	Sink   flowfile.Sink // nil: flows are dropped behind the last stage
	// Workers is how many batches are in neighbouring Concurrent stages at once; 0 is one
	// per processor.
	Workers int
	// OnDamage is told of each *flowfile.Damage, in its place in the order; an error it
	// returns ends the run. Nil ignores damage.
	OnDamage func(d *flowfile.Damage) error
	// FlushEvery flushes the sink that long after a write at the latest; 0 never.
	FlushEvery time.Duration
	// Stop, when closed, ends the input: what was read is completed.
	Stop <-chan struct{}
}

// ErrStop is returned by a stage or handler to end the run early without an error: flows
// up to and with the batch in hand are written, and done is called.
var ErrStop = errors.New("run stopped")

// SourceError is a final error of the source. What came before it was written.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }

func (e *SourceError) Unwrap() error { return e.Err }

// Run runs the pipeline to the end of the source. It closes neither source nor sink. After
// an error the source may still be waiting for input in another goroutine.
func (p *Pipeline) Run(ctx context.Context) (err error) {
	started := 0
	defer func() {
		// done comes also after an error; then ctx may be cancelled already.
		for _, s := range p.Stages[:started] {
			if l, ok := s.(Lifecycle); ok {
				if derr := l.Done(context.WithoutCancel(ctx)); err == nil {
					err = derr
				}
			}
		}
	}()
	for _, s := range p.Stages {
		if l, ok := s.(Lifecycle); ok {
			if err := l.Start(ctx); err != nil {
				return err
			}
		}
		started++
	}
	return p.flows(ctx)
}

func (p *Pipeline) flows(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	r := &run{Context: ctx}
	defer r.goroutines.Wait()
	defer cancel()
	groups := p.groups()
	jobs := make(chan *job, max(1, 2-len(groups))) // bounds what is in memory
	go p.read(ctx, jobs)
	var order <-chan *job = jobs
	for _, g := range groups {
		order = g.start(r, order)
	}
	return p.write(ctx, order)
}

// read hands batches and errors on in their order.
func (p *Pipeline) read(ctx context.Context, order chan<- *job) {
	defer close(order)
	debug.SetPanicOnFault(true)
	for {
		select {
		case <-p.Stop:
			return
		case <-ctx.Done():
			return
		default:
		}
		j := &job{done: make(chan struct{})}
		close(j.done)
		j.batch, j.err = p.Source.Next()
		if j.err == io.EOF {
			return
		}
		var damage *flowfile.Damage
		final := j.err != nil && !errors.As(j.err, &damage)
		if final {
			j.err = &SourceError{j.err}
		}
		select {
		case order <- j:
		case <-ctx.Done():
			return
		}
		if final {
			return
		}
	}
}

// write gives the batches to the sink.
func (p *Pipeline) write(ctx context.Context, order <-chan *job) (err error) {
	defer recoverFault(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	flush := p.newFlusher()
	defer flush.stop()
	for {
		var j *job
		var ok bool
		select {
		case j, ok = <-order:
			if !ok {
				return ctx.Err()
			}
		case <-flush.due():
			if err := flush.now(); err != nil {
				return err
			}
			continue
		}
		// The batch may take its time; what was written before must not wait for it.
		for waiting := true; waiting; {
			select {
			case <-j.done:
				waiting = false
			case <-ctx.Done():
				return ctx.Err()
			case <-flush.due():
				if err := flush.now(); err != nil {
					return err
				}
			}
		}
		if err := p.deliver(j, flush); err != nil {
			if errors.Is(err, ErrStop) {
				return nil
			}
			return err
		}
	}
}

func (p *Pipeline) deliver(j *job, flush *flusher) error {
	var damage *flowfile.Damage
	if j.batch == nil && errors.As(j.err, &damage) {
		if p.OnDamage != nil {
			return p.OnDamage(damage)
		}
		return nil
	}
	if j.err != nil && !errors.Is(j.err, ErrStop) {
		return j.err
	}
	if p.Sink != nil && len(j.batch.Flows) > 0 {
		if err := p.Sink.Write(j.batch); err != nil {
			return err
		}
		flush.wrote()
	}
	return j.err
}

// flusher flushes a sink some time after the first unflushed write.
type flusher struct {
	sink  flowfile.Sink
	every time.Duration
	timer *time.Timer
}

func (p *Pipeline) newFlusher() *flusher { return &flusher{sink: p.Sink, every: p.FlushEvery} }

func (f *flusher) wrote() {
	if f.every > 0 && f.timer == nil {
		f.timer = time.NewTimer(f.every)
	}
}

func (f *flusher) due() <-chan time.Time {
	if f.timer == nil {
		return nil
	}
	return f.timer.C
}

func (f *flusher) now() error {
	f.timer = nil
	return f.sink.Flush()
}

func (f *flusher) stop() {
	if f.timer != nil {
		f.timer.Stop()
	}
}

// ErrInputChanged is returned when a mapped input was cut short while it was read.
var ErrInputChanged = errors.New("the input was cut short by somebody while it was read")

func recoverFault(err *error) {
	if r := recover(); r != nil {
		// What SetPanicOnFault makes of a fault has the address.
		if _, ok := r.(interface{ Addr() uintptr }); ok {
			*err = ErrInputChanged
			return
		}
		panic(r)
	}
}
