package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/output"
	"flowkit/cmd/flowkit/internal/progress"
	"flowkit/flowfile"
	"flowkit/flowfile/filter"
	"flowkit/flowfile/formats"
	"flowkit/flowfile/native"
	"flowkit/replay"
)

// conversion is what transform, export and cat have in common: flows from inputs through
// stages into one output.
type conversion struct {
	streams *cli.Streams
	inputs  *inputs
	write   string // path; "" or "-" is standard output
	format  formats.Format
	options formats.WriteOptions
	filter  *filter.Filter
	stages  []replay.Stage
	need    flowfile.Need
	append  bool
	trim    bool
	// sameLevel says that native files may stay compressed as they are.
	sameLevel bool
	// sink, if it is set, is made instead of the format's.
	sink func(o *output.Output) flowfile.Sink

	code atomic.Int32 // worst so far, of what was said already
}

// worsen remembers an exit code for the end.
func (c *conversion) worsen(code int) {
	for {
		old := c.code.Load()
		worst := cli.Worse(int(old), code)
		if c.code.CompareAndSwap(old, int32(worst)) {
			return
		}
	}
}

// damage says what was lost.
func (c *conversion) damage(d *flowfile.Damage) {
	var in *formats.InputError
	if errors.As(d.Err, &in) {
		c.streams.Say("%v", plainPathError(in.Err))
		c.worsen(cli.Input)
		return
	}
	c.streams.Say("%v", d)
	c.worsen(cli.Lost)
}

// run does it. Errors found before the first flow leave no output behind.
func (c *conversion) run(ctx context.Context) error {
	s := c.streams
	need := c.need
	if c.filter != nil {
		need |= c.filter.Needs()
	}
	files, err := c.inputs.files(s, need)
	if err != nil {
		return err
	}
	defer files.Close()
	out, sink, err := c.open(files)
	if err != nil {
		return err
	}
	stop := c.onInterrupt(files, out)
	defer stop.end()
	if s.ErrIsTTY && !c.inputs.quiet {
		line := progress.Start(s.Err, files.Progress)
		s.Clear = line.Clear
		defer func() { s.Clear = nil }()
		defer line.Stop()
	}
	p := &replay.Pipeline{
		Source: files, Stages: c.allStages(), Sink: sink, Workers: c.inputs.workers, Stop: stop.stop,
		OnDamage: func(d *flowfile.Damage) error {
			c.damage(d)
			return nil
		},
	}
	if out.Pipe() {
		p.FlushEvery = time.Second
	}
	err = p.Run(ctx)
	var source *replay.SourceError
	if errors.As(err, &source) {
		// What came before it is complete.
		s.Say("%v", plainPathError(source.Err))
		c.worsen(cli.Input)
		err = nil
	}
	if err == nil {
		err = sink.Close()
	}
	if err != nil {
		out.Discard()
		return c.failed(err)
	}
	if err := out.Commit(); err != nil {
		return c.failed(err)
	}
	c.sayLeftOut(sink)
	if stop.hit.Load() {
		return &cli.Error{Code: cli.Stopped}
	}
	if code := int(c.code.Load()); code != 0 {
		return &cli.Error{Code: code}
	}
	return nil
}

// sayLeftOut says what the format of the output cannot hold.
func (c *conversion) sayLeftOut(sink flowfile.Sink) {
	if h, ok := sink.(interface{ Skipped() map[flowfile.Kind]int }); ok {
		total := 0
		var parts []string
		for _, k := range []flowfile.Kind{flowfile.TCP, flowfile.UDP, flowfile.DNS} {
			if n := h.Skipped()[k]; n > 0 {
				total += n
				parts = append(parts, fmt.Sprintf("%d %s", n, strings.ToUpper(k.String())))
			}
		}
		if total > 0 {
			c.streams.Say("%d flows are not HTTP and have no place in a HAR file: %s", total, strings.Join(parts, ", "))
		}
	}
}

// failed gives the error that ended the run its code.
func (c *conversion) failed(err error) error {
	var ee *replay.EventError
	if errors.As(err, &ee) {
		return &cli.Error{Code: cli.Script} // was said when it happened
	}
	if cli.Code(err, 0) != 0 {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) {
		return &cli.Error{Code: cli.Lost, Err: fmt.Errorf("no space is left for the output: %w", err), Hint: "the input is untouched; free some space or write elsewhere"}
	}
	return &cli.Error{Code: cli.Lost, Err: err}
}

func (c *conversion) allStages() []replay.Stage {
	if c.filter == nil {
		return c.stages
	}
	return append([]replay.Stage{filterStage(c.filter)}, c.stages...)
}

// filterStage drops what the filter does not match.
func filterStage(f *filter.Filter) replay.Stage {
	return replay.StageFunc(func(_ context.Context, b *flowfile.Batch) error {
		for _, flow := range b.Flows {
			ok, err := f.Match(flow)
			if err != nil {
				return err
			}
			if !ok {
				flow.Drop()
			}
		}
		return nil
	})
}

// open opens the output after everything else is known to be right.
func (c *conversion) open(files *formats.Files) (*output.Output, flowfile.Sink, error) {
	s := c.streams
	std := c.write == "" || c.write == "-"
	if std && s.OutIsTTY && c.format.Binary && c.sink == nil {
		return nil, nil, cli.Hinted(cli.Usage, "write to a file with -w, pipe it on, or choose --to jsonl",
			"%s files are not for terminals", c.format.Title)
	}
	if std {
		if fi, err := s.Out.Stat(); err == nil && fi.Mode().IsRegular() {
			if err := checkStdout(s.Out, files); err != nil {
				return nil, nil, err
			}
		}
	} else if err := output.Check(c.write, files.Paths, s.In); err != nil {
		return nil, nil, cli.Hinted(cli.Usage, "write to another file; flowkit never changes its input", "%w", err)
	}
	c.options.OnDamage = c.damage
	c.options.TempDir = c.inputs.tempDir
	c.options.Workers = c.inputs.workers
	c.options.Creator = "flowkit " + versionText()
	if c.append {
		return c.openAppend()
	}
	out, err := output.Open(c.write, s.Out)
	if err != nil {
		return nil, nil, &cli.Error{Code: cli.Usage, Err: plainPathError(err)}
	}
	if c.sink != nil {
		return out, c.sink(out), nil
	}
	return out, c.format.Write(out, c.options), nil
}

func checkStdout(out *os.File, files *formats.Files) error {
	fi, err := out.Stat()
	if err != nil {
		return nil
	}
	for _, p := range files.Paths {
		in, err := os.Stat(p)
		if p == "-" {
			in, err = files.Stdin.Stat()
		}
		if err == nil && os.SameFile(fi, in) {
			return cli.Hinted(cli.Usage, "write to another file; flowkit never changes its input", "standard output %w", output.ErrIsInput)
		}
	}
	return nil
}

// openAppend goes on behind the last block of a native file.
func (c *conversion) openAppend() (*output.Output, flowfile.Sink, error) {
	if c.format.Name != "flow" {
		return nil, nil, cli.Hinted(cli.Usage, "flowkit's own files can", "%s files cannot be appended to", c.format.Title)
	}
	w, tail, err := native.OpenAppend(c.write, native.WriterOptions{
		Level: c.options.Level, Workers: c.options.Workers, Creator: c.options.Creator, OnDamage: c.damage,
	}, c.trim)
	if err != nil {
		return nil, nil, &cli.Error{Code: cli.Input, Err: err}
	}
	if tail.Torn > 0 {
		what := "left in place"
		if c.trim {
			what = "cut off"
		}
		c.streams.Say("%s: the last %d bytes, from byte %d, are a torn block; they are %s", c.write, tail.Torn, tail.Offset, what)
	}
	out, err := output.Open(os.DevNull, c.streams.Out)
	return out, w, err
}

// interrupts is the handling of Ctrl-C.
type interrupts struct {
	stop chan struct{}
	hit  atomic.Bool
	end  func()
}

// onInterrupt ends a source that is a file at the first Ctrl-C, so that the output is
// completed. A pipe is read to its end, since Ctrl-C reached the whole pipeline. The
// second Ctrl-C ends the program.
func (c *conversion) onInterrupt(files *formats.Files, out *output.Output) *interrupts {
	in := &interrupts{stop: make(chan struct{})}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	quit := make(chan struct{})
	in.end = func() {
		signal.Stop(signals)
		close(quit)
	}
	go func() {
		for n := 0; ; n++ {
			select {
			case <-quit:
				return
			case <-signals:
			}
			if n > 0 {
				if t := out.Temp(); t != "" {
					os.Remove(t)
				}
				os.Exit(cli.Stopped)
			}
			in.hit.Store(true)
			if _, total := files.Progress(); total > 0 {
				close(in.stop)
				c.streams.Say("stopping: the output is being completed (again to quit at once)")
			} else {
				c.streams.Say("reading to the end of the input (again to quit at once)")
			}
		}
	}()
	return in
}

// outputFormat finds the format that -w is written in.
func outputFormat(path, to, def string) (formats.Format, error) {
	if to != "" {
		f, err := formats.ByName(to)
		if err != nil {
			return f, &cli.Error{Code: cli.Usage, Err: err}
		}
		return f, nil
	}
	if f, ok := formats.ByExtension(path); ok {
		return f, nil
	}
	return formats.ByName(def)
}

// splitAppend takes the + off "-w +file".
func splitAppend(path string) (string, bool) {
	if p, ok := strings.CutPrefix(path, "+"); ok {
		return p, true
	}
	return path, false
}

var levels = map[string]native.Level{
	"fastest": native.Fastest, "default": native.Default, "better": native.Better, "best": native.Best,
}

func parseLevel(s string) (native.Level, error) {
	l, ok := levels[s]
	if !ok {
		return 0, cli.Errorf(cli.Usage, "there is no level %q; there are fastest, default, better, best", s)
	}
	return l, nil
}
