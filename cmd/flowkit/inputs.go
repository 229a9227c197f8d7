package main

import (
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/progress"
	"flowkit/flowfile"
	"flowkit/flowfile/filter"
	"flowkit/flowfile/formats"
)

// inputs are the flags of commands that read flows.
type inputs struct {
	paths   []string
	workers int
	tempDir string
	quiet   bool
	follow  bool
}

func (in *inputs) addFlags(c *cobra.Command) {
	c.Flags().StringArrayVarP(&in.paths, "read", "r", nil, "read flows from `FILE`; may be repeated, - is standard input (the default)")
	c.Flags().IntVarP(&in.workers, "jobs", "j", 0, "use `N` processors (default all)")
	c.Flags().StringVar(&in.tempDir, "tmpdir", "", "keep what cannot be read again in `DIR` (default the system's)")
	c.Flags().BoolVarP(&in.quiet, "quiet", "q", false, "no progress line")
	c.Flags().BoolVar(&in.follow, "follow", false, "read the last FILE on while it is being written, until Ctrl-C; it may be a 'pattern*'")
}

// check looks at the flags and returns the paths to read.
func (in *inputs) check(s *cli.Streams) ([]string, error) {
	if in.workers < 0 {
		return nil, cli.Errorf(cli.Usage, "--jobs is a number of processors, not %d", in.workers)
	}
	if in.tempDir != "" {
		if fi, err := os.Stat(in.tempDir); err != nil || !fi.IsDir() {
			return nil, cli.Errorf(cli.Usage, "--tmpdir: %s is no folder", in.tempDir)
		}
	}
	stdin := 0
	for _, p := range in.paths {
		if p == "-" {
			stdin++
		}
	}
	switch {
	case stdin > 1:
		return nil, cli.Errorf(cli.Usage, "standard input can be read only once")
	case (len(in.paths) == 0 || stdin > 0) && s.InIsTTY:
		return nil, cli.Hinted(cli.Usage, "name a file with -r, or pipe flows in", "there is nothing to read: standard input is a terminal")
	case len(in.paths) == 0:
		return []string{"-"}, nil
	}
	return in.paths, nil
}

// files returns the source of all inputs, started: its first input is open.
func (in *inputs) files(s *cli.Streams, need flowfile.Need) (*formats.Files, error) {
	paths, err := in.check(s)
	if err != nil {
		return nil, err
	}
	o := in.options(need)
	if in.follow {
		o.Follow = untilInterrupt()
	}
	o.Notice = func(what string) { s.Say("%s", what) }
	files := &formats.Files{Paths: paths, Stdin: s.In, Options: o}
	if err := files.Start(); err != nil {
		return nil, &cli.Error{Code: cli.Input, Err: plainPathError(err)}
	}
	return files, nil
}

// untilInterrupt returns a channel that is closed at the first Ctrl-C.
func untilInterrupt() <-chan struct{} {
	signals, end := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		signal.Stop(signals)
		close(end)
	}()
	return end
}

func (in *inputs) options(need flowfile.Need) formats.ReadOptions {
	return formats.ReadOptions{Need: need, Workers: in.workers, TempDir: in.tempDir}
}

// progress draws a line on a terminal from now on until what it returns is called.
func (in *inputs) progress(s *cli.Streams, of flowfile.Progress) (stop func()) {
	if !s.ErrIsTTY || in.quiet {
		return func() {}
	}
	line := progress.Start(s.Err, of.Progress)
	s.OnSay(line.Clear)
	return func() {
		s.OnSay(nil)
		line.Stop()
	}
}

// plainPathError says "x: no such file or directory" rather than "stat x: …".
func plainPathError(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return errors.New(pe.Path + ": " + pe.Err.Error())
	}
	return err
}

// parseFilter compiles the words behind the flags; nil for none.
func parseFilter(s *cli.Streams, in *inputs, words []string) (*filter.Filter, error) {
	if len(words) == 0 {
		return nil, nil
	}
	if len(in.paths) == 0 && s.InIsTTY {
		for _, w := range words {
			if _, err := os.Stat(w); err == nil {
				return nil, cli.Hinted(cli.Usage, "read it with -r "+w, "%q is a file, but words here are a filter", w)
			}
		}
	}
	f, err := filter.Parse(strings.Join(words, " "))
	if err != nil {
		return nil, cli.Hinted(cli.Usage, "flowkit help filter explains the language", "%w", err)
	}
	return f, nil
}
