package script_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
)

func raise(line int, msg string) *replay.EventError {
	return &replay.EventError{
		Hook: replay.Response, Flow: "f1",
		Err: &script.Error{Script: "x.star", Line: line, Msg: msg, Trace: "  trace"},
	}
}

func TestErrorsOfOneLineCollapse(t *testing.T) {
	var got []string
	s := script.Errors{Report: func(text string) { got = append(got, text) }}
	for i := range 7 {
		// The message differs, the place does not.
		if err := s.Handle(flowfile.New(flowfile.Head{}), raise(3, fmt.Sprintf("key %d not found", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Handle(nil, raise(4, "other")); err == nil {
		t.Error("an error without a flow does not end the run")
	}
	want := []string{
		"x.star:3: key 0 not found  (response of flow f1)\n  trace",
		"x.star:3: key 1 not found  (response of flow f1)",
		"x.star:3: key 2 not found  (response of flow f1)",
		"x.star:3: key 3 not found  (response of flow f1)",
		"x.star:3: key 4 not found  (response of flow f1)\n  (further reports of errors there are left out)",
		"x.star:4: other  (response of flow f1)\n  trace",
	}
	if g, w := strings.Join(got, "\n--\n"), strings.Join(want, "\n--\n"); g != w {
		t.Errorf("reported\n%s\nwant\n%s", g, w)
	}
	if s.Total() != 8 {
		t.Errorf("%d errors, want 8", s.Total())
	}
	if g := s.Summary(); len(g) != 1 || g[0] != "x.star:3: key 0 not found: 7 times in all" {
		t.Errorf("summary %q", g)
	}
}

func TestPolicies(t *testing.T) {
	for _, c := range []struct {
		policy         script.Policy
		dropped, stops bool
	}{{script.Keep, false, false}, {script.Drop, true, false}, {script.Abort, false, true}, {"", false, false}} {
		s := script.Errors{Policy: c.policy}
		f := flowfile.New(flowfile.Head{})
		err := s.Handle(f, raise(1, "x"))
		if f.Dropped() != c.dropped || (err != nil) != c.stops {
			t.Errorf("%q: dropped %v, error %v", c.policy, f.Dropped(), err)
		}
	}
	if _, err := script.ParsePolicy("ignore"); err == nil {
		t.Error("ignore is a policy")
	}
}

func TestAStopIsNoError(t *testing.T) {
	for _, want := range []error{replay.ErrStop, context.Canceled} {
		s := script.Errors{Policy: script.Keep, Report: func(text string) { t.Error(text) }}
		e := &replay.EventError{Hook: replay.Request, Err: fmt.Errorf("wrapped: %w", want)}
		if err := s.Handle(flowfile.New(flowfile.Head{}), e); !errors.Is(err, want) || s.Total() != 0 {
			t.Errorf("%v: %v, %d errors", want, err, s.Total())
		}
	}
}

func TestDoneCannotEndTheRun(t *testing.T) {
	s := script.Errors{}
	if err := s.Handle(nil, &replay.EventError{Hook: replay.Done, Err: errors.New("x")}); err != nil {
		t.Error(err)
	}
}
