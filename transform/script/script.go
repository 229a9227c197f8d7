// Package script is what all script engines share: how a script is named, limited and
// configured, and what becomes of its errors.
//
//	Spec     one script to load
//	Engine   loads scripts of one language; neighbours become one Session
//	Session  a replay.Stage
//	Errors   reports what scripts raise, each kind a few times
package script

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"flowkit/flowfile"
	"flowkit/replay"
)

// Spec is one script to load.
type Spec struct {
	Path   string
	Args   []string          // of the script itself, as in -s "script.py a b"
	Source []byte            // nil: read from Path
	Set    map[string]string // values of options, from the command line
	// SetArgs are the same as they were given, "name=value" or "name", in their order, for
	// an engine whose options may have several values; nil: made of Set.
	SetArgs []string
	Log     *slog.Logger    // nil: slog.Default
	Output  io.Writer       // where print goes; nil: nowhere
	Spool   *flowfile.Spool // for changed messages
	Limits  Limits
	// Policy is what Errors will make of an error: an engine that runs whole batches
	// elsewhere has to know ahead. "" is Keep.
	Policy Policy
}

// Name returns the script's name for messages.
func (s Spec) Name() string { return filepath.Base(s.Path) }

// Limits bound what one call of a hook may take. Zero values are the defaults.
type Limits struct {
	Timeout time.Duration // 0: 30 s
	Body    int64         // bytes of a body in memory, decoded; 0: 64 MiB
}

// Defaults of Limits.
const (
	DefaultTimeout = 30 * time.Second
	DefaultBody    = 64 << 20
)

// WithDefaults returns l with its zero values filled in.
func (l Limits) WithDefaults() Limits {
	if l.Timeout == 0 {
		l.Timeout = DefaultTimeout
	}
	if l.Body == 0 {
		l.Body = DefaultBody
	}
	return l
}

// Engine loads the scripts of one language.
type Engine interface {
	// Load loads scripts that follow each other into one session, without running any
	// hook. Its errors tell script and line.
	Load(ctx context.Context, specs []Spec) (Session, error)
}

// Session is loaded scripts: event by event, script by script.
type Session interface {
	replay.Stage
	replay.Lifecycle
	// Info tells what was loaded.
	Info() []Info
	// OnError sets what happens to errors of scripts; see replay.Events.
	OnError(func(f *flowfile.Flow, e *replay.EventError) error)
	// Close frees what the session holds.
	Close() error
}

// Info is what an engine knows of a script.
type Info struct {
	Name  string
	Hooks replay.Hooks
	// Ordered tells why the flows must come one at a time, "" if they need not.
	Ordered string
	Details
}

// Info of a script that an engine may know besides.
type Details struct {
	Interpreter string   // "Python 3.11.2 (/usr/bin/python3)"
	Era         string   // of the API that the script is written for
	Options     []Option // that it declares
	Asserted    bool     // it says of itself that it is stateless
}

// Option is an option that a script declares.
type Option struct{ Name, Type, Default, Help string }

// ExitError is a script's wish to end the run, by sys.exit. The flow in hand is the last.
type ExitError struct {
	Script string
	Code   string // as the script gave it
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("%s: the script ended the run with sys.exit(%s)", e.Script, e.Code)
}

// CrashError is the end of the process that runs the scripts. The flows before the batch in
// hand are complete.
type CrashError struct {
	Msg  string
	Flow string // id of the flow in hand, "" if there was none
}

func (e *CrashError) Error() string {
	if e.Flow == "" {
		return e.Msg
	}
	return e.Msg + " at flow " + e.Flow
}

// Error is what a script raised.
type Error struct {
	Script string // name
	Line   int    // 0: unknown
	Msg    string
	Trace  string // the calls, innermost last, one or more lines; "" if there is none
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Script, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s", e.Script, e.Line, e.Msg)
}
