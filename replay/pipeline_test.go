package replay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flowkit/flowfile"
	"flowkit/replay"
)

// source yields batches and errors.
type source struct{ items []any }

func (s *source) Next() (*flowfile.Batch, error) {
	if len(s.items) == 0 {
		return nil, io.EOF
	}
	item := s.items[0]
	s.items = s.items[1:]
	switch item := item.(type) {
	case error:
		return nil, item
	case time.Duration:
		time.Sleep(item)
		return s.Next()
	}
	return item.(*flowfile.Batch), nil
}
func (s *source) Close() error { return nil }

type sink struct {
	ids     []string
	flushes []string // what was written before each flush
}

func (s *sink) Write(b *flowfile.Batch) error {
	for _, f := range b.Flows {
		s.ids = append(s.ids, f.ID())
	}
	return nil
}

func (s *sink) Flush() error {
	s.flushes = append(s.flushes, strings.Join(s.ids, " "))
	return nil
}
func (s *sink) Close() error { return nil }

func batches(n, size int) *source {
	s := &source{}
	for i := range n {
		b := &flowfile.Batch{}
		for j := range size {
			f := shape(flowfile.HTTP, "qr")
			f.SetID(fmt.Sprint(i*size + j))
			b.Flows = append(b.Flows, f)
		}
		s.items = append(s.items, b)
	}
	return s
}

// life is a handler that counts start and done.
type life struct {
	replay.Func
	started, done int
}

func (l *life) Start(context.Context) error { l.started++; return nil }
func (l *life) Done(context.Context) error  { l.done++; return nil }

func TestPipelineKeepsTheOrder(t *testing.T) {
	out := &sink{}
	p := replay.Pipeline{
		Source: batches(50, 7), Sink: out, Workers: 4,
		Stages: []replay.Stage{replay.StageFunc(func(_ context.Context, b *flowfile.Batch) error {
			for _, f := range b.Flows {
				if strings.HasSuffix(f.ID(), "3") {
					f.Drop()
				}
			}
			return nil
		})},
	}
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 350 {
		if s := fmt.Sprint(i); !strings.HasSuffix(s, "3") {
			want = append(want, s)
		}
	}
	if !slices.Equal(out.ids, want) {
		t.Errorf("%v", out.ids)
	}
}

func TestDoneComesOnceWhateverHappens(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		do   error
		src  *source
		want error
	}{
		"end":          {nil, batches(2, 2), nil},
		"script error": {boom, batches(2, 2), boom},
		"source error": {nil, &source{[]any{boom}}, boom},
		"stop":         {replay.ErrStop, batches(2, 2), nil},
	} {
		h := &life{Func: replay.Func{Want: replay.Of(replay.Request), Do: func(context.Context, *replay.Event) error { return c.do }}}
		p := replay.Pipeline{Source: c.src, Sink: &sink{}, Stages: []replay.Stage{&replay.Events{Handlers: []replay.Handler{h}}}}
		if err := p.Run(context.Background()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if h.started != 1 || h.done != 1 {
			t.Errorf("%s: started %d times, done %d times", name, h.started, h.done)
		}
	}
}

func TestStopKeepsWhatWasSeen(t *testing.T) {
	out := &sink{}
	h := replay.Func{Want: replay.Of(replay.Request), Do: func(_ context.Context, e *replay.Event) error {
		if e.Flow.ID() == "4" {
			return replay.ErrStop
		}
		return nil
	}}
	p := replay.Pipeline{Source: batches(3, 3), Sink: out, Stages: []replay.Stage{&replay.Events{Handlers: []replay.Handler{h}}}}
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"0", "1", "2", "3", "4"}; !slices.Equal(out.ids, want) {
		t.Errorf("%v, want %v", out.ids, want)
	}
}

func TestAnErrorOfOneHandlerDoesNotSkipTheNext(t *testing.T) {
	second, errs := 0, 0
	bad := replay.Func{Want: replay.AllHooks, Do: func(context.Context, *replay.Event) error { return errors.New("bad") }}
	good := replay.Func{Want: replay.AllHooks, Do: func(context.Context, *replay.Event) error { second++; return nil }}
	stage := &replay.Events{
		Handlers: []replay.Handler{bad, good},
		OnError:  func(*flowfile.Flow, *replay.EventError) error { errs++; return nil },
	}
	b := &flowfile.Batch{Flows: []*flowfile.Flow{shape(flowfile.HTTP, "qr")}}
	if err := stage.Run(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	if errs != 4 || second != 4 {
		t.Errorf("%d errors, %d events for the second handler; want 4 and 4", errs, second)
	}
}

func TestDamageKeepsItsPlace(t *testing.T) {
	src := batches(2, 1)
	src.items = slices.Insert(src.items, 1, any(&flowfile.Damage{Offset: 7, Err: errors.New("bad byte")}))
	var log []string
	out := &sink{}
	p := replay.Pipeline{Source: src, Sink: out, OnDamage: func(d *flowfile.Damage) error {
		log = append(log, fmt.Sprintf("%d after %d", d.Offset, len(out.ids)))
		return nil
	}}
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"7 after 1"}; !slices.Equal(log, want) {
		t.Errorf("%v, want %v", log, want)
	}
}

// A source that waits does not keep what was written before from the reader of a pipe.
func TestFlushWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := batches(2, 1)
		src.items = slices.Insert(src.items, 1, any(time.Minute))
		out := &sink{}
		p := replay.Pipeline{Source: src, Sink: out, FlushEvery: time.Second}
		if err := p.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if len(out.flushes) == 0 || out.flushes[0] != "0" {
			t.Errorf("flushed after %q, want after the first flow", out.flushes)
		}
	})
}
