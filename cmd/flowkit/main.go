// Command flowkit works with recorded web traffic: it runs scripts over it, converts and
// shows it. Each command is one file here: options, flags, and a short pipeline.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/term"
)

// version is set by the linker.
var version = ""

func main() {
	tuneGC()
	os.Exit(run(os.Args[1:]))
}

// tuneGC lets garbage grow to five times what lives, up to a bound on all memory: what
// lives is a few batches, so the collector's share of the time falls at no cost. The
// environment's own settings win.
func tuneGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(160 << 20)
	}
}

func run(args []string) int {
	return runOn(&cli.Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InIsTTY: term.Is(os.Stdin), OutIsTTY: term.Is(os.Stdout), ErrIsTTY: term.Is(os.Stderr),
	}, args)
}

func runOn(s *cli.Streams, args []string) int {
	root := newRootCmd(s)
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return cli.OK
	}
	if cli.Code(err, 0) == 0 {
		err = outputError(err)
	}
	var e *cli.Error
	if errors.As(err, &e) && e.Err == nil {
		return e.Code
	}
	s.Say("%v", err)
	if errors.As(err, &e) && e.Hint != "" {
		s.Say("hint: %s", e.Hint)
	}
	return cli.Code(err, cli.Lost) // what is not foreseen is no answer: output was lost
}

// versionText returns the version that was linked in, else what the build knows.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return fmt.Sprintf("devel-%.12s", s.Value)
			}
		}
		if v := info.Main.Version; v != "" && v != "(devel)" {
			return v
		}
	}
	return "devel"
}
