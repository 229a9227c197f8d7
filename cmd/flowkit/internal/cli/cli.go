// Package cli is what commands share in manners: streams, exit codes, how errors are said.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"flowkit/cmd/flowkit/internal/term"
)

// Exit codes (see the README). If several apply, the first of Usage, Input, Script, Lost,
// Negative is taken.
const (
	OK       = 0
	Negative = 1   // a negative answer: damage found by verify, nothing matched with -e
	Usage    = 2   // flags, filter expression
	Lost     = 3   // done, but something was lost or skipped
	Input    = 4   // input unreadable or of no known format
	Script   = 5   // a script failed
	Stopped  = 130 // by Ctrl-C
	Pipe     = 141 // whoever read the output has gone
)

// Streams are what a command reads and writes.
type Streams struct {
	In       *os.File
	Out      *os.File
	Err      io.Writer
	ErrIsTTY bool
	OutIsTTY bool
	InIsTTY  bool

	mu    sync.Mutex
	clear func()
}

// OnSay sets what is called before a message is written, to take a progress line away;
// nil for nothing.
func (s *Streams) OnSay(clear func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear = clear
}

// Say writes a message for the user, "flowkit: " before its first line. What is in it of
// captured data cannot control a terminal.
func (s *Streams) Say(format string, args ...any) {
	s.Line("flowkit: " + fmt.Sprintf(format, args...))
}

// Line writes a line to stderr as Say does, but without a name before it.
func (s *Streams) Line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clear != nil {
		s.clear()
	}
	fmt.Fprintln(s.Err, term.SafeText(text))
}

// Error is an error with an exit code and perhaps a hint.
type Error struct {
	Code int
	Err  error  // nil: all was said
	Hint string // what next
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit %d", e.Code)
	}
	return e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// ExitCode returns the code.
func (e *Error) ExitCode() int { return e.Code }

// Errorf returns an error with an exit code.
func Errorf(code int, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// Hinted returns an error with an exit code that says what next.
func Hinted(code int, hint, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...), Hint: hint}
}

// Quiet returns an error whose code is all there is to say.
func Quiet(code int) error { return &Error{Code: code} }

// Code returns the exit code of an error, def if it has none.
func Code(err error, def int) int {
	var e interface{ ExitCode() int }
	if errors.As(err, &e) {
		return e.ExitCode()
	}
	return def
}

// Worse returns the code that goes before the other.
func Worse(a, b int) int {
	rank := func(c int) int {
		for i, x := range [...]int{Usage, Input, Script, Lost, Negative} {
			if c == x {
				return i
			}
		}
		return 9
	}
	if rank(a) <= rank(b) {
		return a
	}
	return b
}
