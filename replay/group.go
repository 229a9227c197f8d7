package replay

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"sync"

	"flowkit/flowfile"
)

// run is one run of a pipeline: its context and the goroutines of its stages, all of which
// end when it is cancelled.
type run struct {
	context.Context
	goroutines sync.WaitGroup
}

// job is a batch, or an error in the place of one, on its way from stage to stage.
type job struct {
	batch *flowfile.Batch
	err   error
	done  chan struct{} // closed when the stages so far are through
}

// goes tells whether there is a batch for stages to run on. After ErrStop the batch in hand
// still goes through all of them.
func (j *job) goes() bool {
	return j.batch != nil && (j.err == nil || errors.Is(j.err, ErrStop))
}

// wait waits until the stages so far are through; it is false if the run ended before.
func (j *job) wait(r *run) bool {
	select {
	case <-j.done:
		return true
	case <-r.Done():
		return false
	}
}

// group is neighbouring stages that run on the same number of batches at once.
type group struct {
	stages  []Stage
	workers int
}

// groups parts the stages: neighbours that are Concurrent are together, every other stage is
// alone.
func (p *Pipeline) groups() []group {
	many := p.Workers
	if many <= 0 {
		many = runtime.GOMAXPROCS(0)
	}
	var all []group
	last := false
	for _, s := range p.Stages {
		c, ok := s.(Concurrent)
		concurrent := ok && c.Concurrent()
		if concurrent && last {
			g := &all[len(all)-1]
			g.stages = append(g.stages, s)
			continue
		}
		g := group{[]Stage{s}, 1}
		if concurrent {
			g.workers = many
		}
		all, last = append(all, g), concurrent
	}
	return all
}

// start starts the group on the jobs of in and returns them, in the same order, as they
// leave it.
func (g group) start(r *run, in <-chan *job) <-chan *job {
	out := make(chan *job, 2*g.workers) // bounds what is in memory
	if s, ok := g.stages[0].(Submitter); ok && g.workers == 1 {
		r.goroutines.Go(func() { submit(r, s, in, out) })
		return out
	}
	work := make(chan *job)
	r.goroutines.Go(func() { dispatch(r, in, out, work) })
	for range g.workers {
		r.goroutines.Go(func() {
			for j := range work {
				j.run(r, g.stages)
			}
		})
	}
	return out
}

// dispatch hands the jobs of in to the workers and, in order, to who comes next.
func dispatch(r *run, in <-chan *job, out, work chan<- *job) {
	defer close(out)
	defer close(work)
	for {
		j, ok := receive(r, in)
		if !ok {
			return
		}
		if !j.goes() {
			if !send(r, out, j) {
				return
			}
			continue
		}
		next := &job{batch: j.batch, err: j.err, done: make(chan struct{})}
		if !send(r, out, next) || !send(r, work, next) {
			return
		}
	}
}

// receive returns the next job whose stages so far are through.
func receive(r *run, in <-chan *job) (*job, bool) {
	select {
	case j, ok := <-in:
		return j, ok && j.wait(r)
	case <-r.Done():
		return nil, false
	}
}

func send(r *run, to chan<- *job, j *job) bool {
	select {
	case to <- j:
		return true
	case <-r.Done():
		return false
	}
}

// run takes the batch through the stages.
func (j *job) run(ctx context.Context, stages []Stage) {
	defer close(j.done)
	defer recoverFault(&j.err)
	debug.SetPanicOnFault(true)
	for _, s := range stages {
		if !j.passed(s.Run(ctx, j.batch)) {
			return
		}
	}
}

// passed notes how a stage ended; it is false if no other may follow.
func (j *job) passed(err error) bool {
	if err != nil {
		j.err = err
		if !errors.Is(err, ErrStop) {
			return false
		}
	}
	j.batch.Flows = kept(j.batch.Flows)
	return true
}

func kept(flows []*flowfile.Flow) []*flowfile.Flow {
	out := flows[:0]
	for _, f := range flows {
		if !f.Dropped() {
			out = append(out, f)
		}
	}
	return out
}

// submit hands the jobs of in to a stage that works elsewhere.
func submit(r *run, s Submitter, in <-chan *job, out chan<- *job) {
	type sent struct {
		job  *job
		wait func() error
	}
	waiting := make(chan sent, cap(out))
	defer close(waiting)
	r.goroutines.Go(func() {
		for x := range waiting {
			x.job.waited(x.wait)
		}
	})
	defer close(out)
	debug.SetPanicOnFault(true)
	for {
		j, ok := receive(r, in)
		if !ok {
			return
		}
		if !j.goes() {
			if !send(r, out, j) {
				return
			}
			continue
		}
		next := &job{batch: j.batch, err: j.err, done: make(chan struct{})}
		wait := submitted(r, s, next)
		// Never full: as many may wait as out has room for, and one that is sent.
		if !send(r, out, next) {
			close(next.done)
			return
		}
		select {
		case waiting <- sent{next, wait}:
		case <-r.Done():
			close(next.done)
			return
		}
	}
}

func submitted(ctx context.Context, s Submitter, j *job) (wait func() error) {
	var fault error
	defer func() {
		if fault != nil {
			wait = func() error { return fault }
		}
	}()
	defer recoverFault(&fault)
	return s.Submit(ctx, j.batch)
}

// waited ends the stage of a job.
func (j *job) waited(wait func() error) {
	defer close(j.done)
	defer recoverFault(&j.err)
	debug.SetPanicOnFault(true)
	j.passed(wait())
}
