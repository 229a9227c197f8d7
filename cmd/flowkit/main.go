// Command flowkit works with recorded web traffic: it runs scripts over it, converts and
// shows it. Each command is one file here: options, flags, and a short pipeline.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/mattn/go-isatty"

	"flowkit/cmd/flowkit/internal/cli"
)

// version is set by the linker.
var version = ""

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	s := &cli.Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InIsTTY: isTerminal(os.Stdin), OutIsTTY: isTerminal(os.Stdout), ErrIsTTY: isTerminal(os.Stderr),
	}
	root := newRootCmd(s)
	root.SetArgs(args)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.Execute()
	if err == nil {
		return cli.OK
	}
	var e *cli.Error
	if errors.As(err, &e) && e.Err == nil {
		return e.Code
	}
	s.Say("%v", err)
	if errors.As(err, &e) && e.Hint != "" {
		s.Say("hint: %s", e.Hint)
	}
	return cli.Code(err, cli.Negative)
}

func isTerminal(f *os.File) bool {
	fi, err := f.Stat()
	return err == nil && fi.Mode()&os.ModeCharDevice != 0 && isatty.IsTerminal(f.Fd())
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
