package replay

import (
	"context"
	"errors"
	"fmt"

	"flowkit/flowfile"
)

// Handler sees, and may change, a flow at one event.
type Handler interface {
	// Hooks returns the events it wants; asked once.
	Hooks() Hooks
	// Handle is called for each of them. An error does not keep other handlers from
	// their events.
	Handle(ctx context.Context, e *Event) error
}

// Func is a Handler of one function.
type Func struct {
	Want Hooks
	Do   func(ctx context.Context, e *Event) error
}

// Hooks returns Want.
func (f Func) Hooks() Hooks { return f.Want }

// Handle calls Do.
func (f Func) Handle(ctx context.Context, e *Event) error { return f.Do(ctx, e) }

// Lifecycle is implemented by handlers and stages that want to know where a run begins
// and ends.
type Lifecycle interface {
	// Start is called once before the first flow.
	Start(ctx context.Context) error
	// Done is called once behind the last flow, also after an error or an early stop,
	// if Start was called.
	Done(ctx context.Context) error
}

// Concurrent is implemented by handlers and stages that may be called for several flows
// at once with the same result; the others are called in order, one at a time.
type Concurrent interface {
	Concurrent() bool
}

// EventError is what went wrong in a handler.
type EventError struct {
	Hook Hook
	Flow string // id; "" for start and done
	Err  error
}

func (e *EventError) Error() string {
	if e.Flow == "" {
		return fmt.Sprintf("%s: %v", e.Hook, e.Err)
	}
	return fmt.Sprintf("%s of flow %s: %v", e.Hook, e.Flow, e.Err)
}

func (e *EventError) Unwrap() error { return e.Err }

// Events is the Stage that drives the event order: each flow of a batch goes through its
// sequence, and each event goes to the handlers one after the other.
type Events struct {
	Handlers []Handler
	Classic  bool // see Order
	Spool    *flowfile.Spool
	// OnError is asked what to do after an error of a handler: nil goes on with the next
	// handler, another error ends the run. Nil ends the run. It may be called
	// concurrently, if the handlers may.
	OnError func(f *flowfile.Flow, e *EventError) error
}

// Run replays the flows of b.
func (s *Events) Run(ctx context.Context, b *flowfile.Batch) error {
	order := Order{Classic: s.Classic, Spool: s.Spool}
	wants := make([]Hooks, len(s.Handlers))
	for i, h := range s.Handlers {
		wants[i] = h.Hooks()
		order.Want |= wants[i]
	}
	emit := func(e *Event) error {
		for i, h := range s.Handlers {
			if !wants[i].Has(e.Hook) || e.Flow.Dropped() {
				continue
			}
			if err := h.Handle(ctx, e); err != nil {
				if err := s.failed(e.Flow, e.Hook, err); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for i, f := range b.Flows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f.Dropped() {
			continue
		}
		err := order.Sequence(f, emit)
		if errors.Is(err, ErrStop) {
			for _, f := range b.Flows[i+1:] {
				f.Drop() // no handler has seen them
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Events) failed(f *flowfile.Flow, h Hook, err error) error {
	e := &EventError{Hook: h, Err: err}
	if f != nil {
		e.Flow = f.ID()
	}
	if s.OnError == nil {
		return e
	}
	return s.OnError(f, e)
}

// Start starts the handlers in order. If one fails, those before it are done.
func (s *Events) Start(ctx context.Context) error {
	for i, h := range s.Handlers {
		l, ok := h.(Lifecycle)
		if !ok {
			continue
		}
		if err := l.Start(ctx); err != nil {
			if err := s.failed(nil, Load, err); err != nil {
				(&Events{Handlers: s.Handlers[:i], OnError: s.OnError}).Done(ctx)
				return err
			}
		}
	}
	return nil
}

// Done ends the handlers in order, all of them whatever fails.
func (s *Events) Done(ctx context.Context) error {
	var first error
	for _, h := range s.Handlers {
		l, ok := h.(Lifecycle)
		if !ok {
			continue
		}
		if err := l.Done(ctx); err != nil {
			if err := s.failed(nil, Done, err); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// Concurrent tells whether all handlers are.
func (s *Events) Concurrent() bool {
	for _, h := range s.Handlers {
		if c, ok := h.(Concurrent); !ok || !c.Concurrent() {
			return false
		}
	}
	return true
}
