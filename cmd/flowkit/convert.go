package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/output"
	"flowkit/flowfile"
	"flowkit/flowfile/filter"
	"flowkit/flowfile/formats"
	"flowkit/flowfile/native"
	"flowkit/replay"
	"flowkit/transform/exec"
	"flowkit/transform/script"
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
	// links are what comes before stages: programs, each with the stages before it.
	links  []link
	need   flowfile.Need
	append bool
	trim   bool
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
	// They are not closed: after an error the pipeline may still be reading, and the end of
	// the program is near.
	out, sink, err := c.open(files)
	if err != nil {
		return err
	}
	_, total := files.Progress()
	stop := onInterrupt(s, total == 0, out)
	defer stop.end()
	defer c.inputs.progress(s, files)()
	p := &replay.Pipeline{
		Source: files, Stages: c.stages, Sink: sink, Workers: c.inputs.workers, Stop: stop.stop,
		OnDamage: func(d *flowfile.Damage) error {
			c.damage(d)
			return nil
		},
	}
	if out.Pipe() || c.inputs.follow {
		p.FlushEvery = time.Second
	}
	err = runLinked(ctx, c.linked(p), p, stop)
	var source *replay.SourceError
	if errors.As(err, &source) {
		// What came before it is complete.
		s.Say("%v", plainPathError(source.Err))
		c.worsen(cli.Input)
		err = nil
	}
	var crash *script.CrashError
	var program *exec.Error
	if errors.As(err, &crash) || errors.As(err, &program) {
		return c.crashed(err, out, sink)
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
		return cli.Quiet(cli.Stopped)
	}
	return c.said()
}

// crashed keeps what was written before the process of a script, or a program, failed.
func (c *conversion) crashed(crash error, out *output.Output, sink flowfile.Sink) error {
	err := sink.Close()
	var kept string
	if err == nil {
		kept, err = out.CommitPartial()
	}
	if err != nil {
		out.Discard()
		c.streams.Say("%v", err)
	}
	hint := "flows before it are complete in the output"
	if kept != "" {
		hint = "flows before it are in " + kept
	}
	return cli.Hinted(cli.Script, hint, "%w", crash)
}

// said returns the exit code of all that was said on the way.
func (c *conversion) said() error {
	if code := int(c.code.Load()); code != 0 {
		return cli.Quiet(code)
	}
	return nil
}

// failed gives the error that ended the run its code.
func (c *conversion) failed(err error) error {
	var ee *replay.EventError
	switch {
	case errors.As(err, &ee):
		return cli.Quiet(cli.Script) // was said when it happened
	case cli.Code(err, 0) != 0:
		return err
	}
	if err = outputError(err); cli.Code(err, 0) != 0 {
		return err
	}
	return &cli.Error{Code: cli.Lost, Err: err}
}

// outputError gives the errors of writing that are nobody's mistake their code.
func outputError(err error) error {
	var of *output.Error
	if errors.As(err, &of) {
		err = of // at which byte of which block is of no use to anybody
	}
	switch {
	case errors.Is(err, syscall.EPIPE):
		return cli.Quiet(cli.Pipe) // they have seen enough
	case errors.Is(err, syscall.ENOSPC):
		return cli.Hinted(cli.Lost, "the input is untouched; free some space or write elsewhere", "%w", err)
	}
	return err
}

// linked returns the links of p, and puts the filter before whatever comes first.
func (c *conversion) linked(p *replay.Pipeline) []link {
	if c.filter == nil {
		return c.links
	}
	filter := []replay.Stage{filterStage(c.filter)}
	if len(c.links) == 0 {
		p.Stages = append(filter, p.Stages...)
		return nil
	}
	links := slices.Clone(c.links)
	links[0].stages = append(filter, links[0].stages...)
	return links
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
		if err := checkStdout(s.Out, files); err != nil {
			return nil, nil, err
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
		return nil, nil, cli.Errorf(cli.Usage, "%w", plainPathError(err))
	}
	if c.sink != nil {
		return out, c.sink(out), nil
	}
	return out, c.format.Write(out, c.options), nil
}

// checkStdout refuses "flowkit … -r x >>x".
func checkStdout(out *os.File, files *formats.Files) error {
	fi, err := out.Stat()
	if err != nil || !fi.Mode().IsRegular() {
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
	w, err := appendTo(c.streams, c.write, native.WriterOptions{
		Level: c.options.Level, Workers: c.options.Workers, Creator: c.options.Creator, OnDamage: c.damage,
	}, c.trim)
	if err != nil {
		return nil, nil, err
	}
	out, err := output.Open(os.DevNull, c.streams.Out)
	return out, w, err
}
