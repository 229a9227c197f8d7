package script

import (
	"errors"
	"fmt"
	"sync"

	"flowkit/flowfile"
	"flowkit/replay"
)

// Policy is what happens to a flow whose script raised.
type Policy string

// The policies. Keep is the default: the flow stays, with the changes made so far.
const (
	Keep  Policy = "keep"
	Drop  Policy = "drop"
	Abort Policy = "abort"
)

// ParsePolicy checks a policy's name.
func ParsePolicy(s string) (Policy, error) {
	switch p := Policy(s); p {
	case Keep, Drop, Abort:
		return p, nil
	}
	return "", fmt.Errorf("%q is not one of keep, drop, abort", s)
}

// shown is how often the same error is reported in full.
const shown = 5

// Errors decides over errors of scripts and reports them. It is safe for concurrent use.
type Errors struct {
	Policy Policy
	// Report is called with text for the user, of one or more lines.
	Report func(text string)

	mu    sync.Mutex
	total int
	seen  map[string]int
	order []string
}

// Handle is what replay.Events.OnError wants.
func (s *Errors) Handle(f *flowfile.Flow, e *replay.EventError) error {
	if errors.Is(e.Err, replay.ErrStop) {
		return e.Err
	}
	s.report(e)
	switch {
	case f == nil && e.Hook != replay.Done:
		return e // a script that cannot start sees no flow
	case s.Policy == Abort:
		return e
	case s.Policy == Drop && f != nil:
		f.Drop()
	}
	return nil
}

func (s *Errors) report(e *replay.EventError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total++
	key := e.Err.Error()
	if s.seen == nil {
		s.seen = make(map[string]int)
	}
	if s.seen[key] == 0 {
		s.order = append(s.order, key)
	}
	s.seen[key]++
	n := s.seen[key]
	if n > shown || s.Report == nil {
		return
	}
	text := e.Err.Error()
	where := e.Hook.String()
	if e.Flow != "" {
		where += " of flow " + e.Flow
	}
	text += "  (" + where + ")"
	var se *Error
	if errors.As(e.Err, &se) && se.Trace != "" && n == 1 {
		text += "\n" + se.Trace
	}
	if n == shown {
		text += "\n  (further reports of this error are left out)"
	}
	s.Report(text)
}

// Total returns how many errors there were.
func (s *Errors) Total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// Summary returns a line for each error that was left out at the end.
func (s *Errors) Summary() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, key := range s.order {
		if n := s.seen[key]; n > shown {
			lines = append(lines, fmt.Sprintf("%s: %d times in all", key, n))
		}
	}
	return lines
}
