package script

import (
	"context"
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

// shown is how often an error of the same place is reported, the first time in full.
const shown = 5

// Errors decides over errors of scripts and reports them. It is safe for concurrent use.
type Errors struct {
	Policy Policy
	// Report is called with text for the user, of one or more lines.
	Report func(text string)

	mu    sync.Mutex
	total int
	exits int // scripts that ended the run
	seen  map[string]*kind
	order []*kind
}

// kind is errors of one place: of a line of a script, whatever the message says, which may
// name what was different each time.
type kind struct {
	first string
	times int
}

// Handle is what replay.Events.OnError wants. A run that was stopped is no error of a
// script.
func (s *Errors) Handle(f *flowfile.Flow, e *replay.EventError) error {
	if errors.Is(e.Err, replay.ErrStop) || errors.Is(e.Err, context.Canceled) {
		return e.Err
	}
	if exit := new(ExitError); errors.As(e.Err, &exit) {
		s.exited(e)
		return nil
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
	k := s.kind(e.Err)
	k.times++
	if k.times > shown || s.Report == nil {
		return
	}
	where := e.Hook.String()
	if e.Flow != "" {
		where += " of flow " + e.Flow
	}
	text := fmt.Sprintf("%v  (%s)", e.Err, where)
	var se *Error
	if errors.As(e.Err, &se) && se.Trace != "" && k.times == 1 {
		text += "\n" + se.Trace
	}
	if k.times == shown {
		text += "\n  (further reports of errors there are left out)"
	}
	s.Report(text)
}

// exited reports that a script ended the run, which no policy is for.
func (s *Errors) exited(e *replay.EventError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exits++
	if s.Report != nil {
		s.Report(fmt.Sprintf("%v  (%s of flow %s)", e.Err, e.Hook, e.Flow))
	}
}

// Exited tells whether a script ended the run.
func (s *Errors) Exited() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exits > 0
}

func (s *Errors) kind(err error) *kind {
	place := err.Error()
	var se *Error
	if errors.As(err, &se) && se.Line > 0 {
		place = fmt.Sprintf("%s:%d", se.Script, se.Line)
	}
	k := s.seen[place]
	if k == nil {
		if s.seen == nil {
			s.seen = make(map[string]*kind)
		}
		k = &kind{first: err.Error()}
		s.seen[place] = k
		s.order = append(s.order, k)
	}
	return k
}

// Total returns how many errors there were.
func (s *Errors) Total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// Summary returns a line for each place of errors that were left out at the end.
func (s *Errors) Summary() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, k := range s.order {
		if k.times > shown {
			lines = append(lines, fmt.Sprintf("%s: %d times in all", k.first, k.times))
		}
	}
	return lines
}
