package replay_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/replay"
)

// elsewhere is a stage that has its work done by another goroutine, in the order of the
// batches. It stops the run at the batch stopAt, if that is not 0.
type elsewhere struct {
	work   chan func()
	seen   []string
	stopAt int
}

func newElsewhere() *elsewhere {
	e := &elsewhere{work: make(chan func(), 16)}
	go func() {
		for f := range e.work {
			f()
		}
	}()
	return e
}

func (e *elsewhere) Run(ctx context.Context, b *flowfile.Batch) error { return e.Submit(ctx, b)() }

func (e *elsewhere) Submit(_ context.Context, b *flowfile.Batch) func() error {
	done := make(chan error, 1)
	e.work <- func() {
		for _, f := range b.Flows {
			e.seen = append(e.seen, f.ID())
			f.SetComment("seen")
		}
		if e.stopAt > 0 && len(e.seen) >= e.stopAt {
			done <- replay.ErrStop
			return
		}
		done <- nil
	}
	return func() error { return <-done }
}

func TestSubmitterKeepsTheOrder(t *testing.T) {
	e, out := newElsewhere(), &sink{}
	behind := 0
	after := orderedFunc(func(b *flowfile.Batch) error {
		for _, f := range b.Flows {
			if f.ID() != fmt.Sprint(behind) || f.Comment() != "seen" {
				return fmt.Errorf("flow %s with comment %q is number %d behind the stage", f.ID(), f.Comment(), behind)
			}
			behind++
		}
		return nil
	})
	first := replay.StageFunc(func(context.Context, *flowfile.Batch) error { return nil })
	p := replay.Pipeline{Source: batches(50, 3), Stages: []replay.Stage{first, e, after}, Sink: out, Workers: 4}
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(out.ids) != 150 || strings.Join(out.ids, " ") != strings.Join(e.seen, " ") {
		t.Errorf("%d flows came out, or in another order", len(out.ids))
	}
}

func TestSubmitterStops(t *testing.T) {
	e, out := newElsewhere(), &sink{}
	e.stopAt = 6
	p := replay.Pipeline{Source: batches(50, 3), Stages: []replay.Stage{e}, Sink: out}
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(out.ids, " "); got != "0 1 2 3 4 5" {
		t.Errorf("came out: %s", got)
	}
}

// orderedFunc is a stage that wants its batches one at a time.
type orderedFunc func(b *flowfile.Batch) error

func (f orderedFunc) Run(_ context.Context, b *flowfile.Batch) error { return f(b) }
