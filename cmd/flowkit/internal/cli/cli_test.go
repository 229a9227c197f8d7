package cli

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestWorse(t *testing.T) {
	// If several apply: 2, 4, 5, 3, 1.
	order := []int{Usage, Input, Script, Lost, Negative, OK}
	for i, a := range order {
		for _, b := range order[i:] {
			if Worse(a, b) != a || Worse(b, a) != a {
				t.Errorf("of %d and %d, %d and %d are taken", a, b, Worse(a, b), Worse(b, a))
			}
		}
	}
}

func TestCode(t *testing.T) {
	err := fmt.Errorf("outer: %w", Hinted(Input, "what next", "what"))
	if got := Code(err, Lost); got != Input {
		t.Errorf("code %d, want %d", got, Input)
	}
	if got := Code(errors.New("unforeseen"), Lost); got != Lost {
		t.Errorf("code %d, want %d", got, Lost)
	}
}

func TestSay(t *testing.T) {
	var b bytes.Buffer
	s := &Streams{Err: &b}
	cleared := 0
	s.OnSay(func() { cleared++ })
	s.Say("%s", "two\nlines \x1b[2J")
	s.OnSay(nil)
	s.Line("trace")
	if got, want := b.String(), "flowkit: two\nlines \\x1b[2J\ntrace\n"; got != want || cleared != 1 {
		t.Errorf("said %q, cleared %d times, want %q", got, cleared, want)
	}
}
