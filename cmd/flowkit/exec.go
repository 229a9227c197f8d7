package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/exec"
	"flowkit/transform/script"
)

// programFlags are the flags for programs as transforms.
type programFlags struct {
	steps  []step
	bodies string
}

// step is a script or a program, in the order of the command line.
type step struct {
	text    string
	program bool
}

// addFlags adds them behind those for scripts.
func (o *programFlags) addFlags(c *cobra.Command) {
	fl := c.Flags()
	scripts := fl.Lookup("script")
	scripts.Value = &stepFlag{scripts.Value, &o.steps, false}
	var commands []string
	fl.StringArrayVar(&commands, "exec", nil, "pipe the flows through the program `CMD` as JSON lines; may be repeated")
	programs := fl.Lookup("exec")
	programs.Value = &stepFlag{programs.Value, &o.steps, true}
	fl.StringVar(&o.bodies, "bodies", "none", "`WHAT` programs of --exec see of bodies: none, text (decoded), base64 (as they are), or file:DIR")
	complete(c, "bodies", "none", "text", "base64", "file:")
}

// stepFlag is a flag that keeps its place among others.
type stepFlag struct {
	pflag.Value
	steps   *[]step
	program bool
}

// Set adds a step.
func (f *stepFlag) Set(text string) error {
	*f.steps = append(*f.steps, step{text, f.program})
	return f.Value.Set(text)
}

// link is the stages before a program, and the program.
type link struct {
	stages  []replay.Stage
	command string
	options exec.Options
}

// load loads the scripts, and returns what comes before the last program. The stages behind
// it are those of loaded.
func (o *programFlags) load(
	ctx context.Context, scripts scriptFlags, s *cli.Streams, in *inputs, errs *script.Errors, dataOnStdout bool,
) (all *loaded, links []link, err error) {
	all = &loaded{}
	// None are loaded in vain.
	bodies, err := o.folders()
	if err != nil {
		return nil, nil, err
	}
	scripts.scripts = nil
	segment := func() error {
		l, err := scripts.load(ctx, s, in, errs, dataOnStdout)
		if err != nil {
			return err
		}
		all.sessions = append(all.sessions, l.sessions...)
		all.stages, scripts.scripts = l.stages, nil
		return nil
	}
	for _, step := range o.steps {
		if !step.program {
			scripts.scripts = append(scripts.scripts, step.text)
			continue
		}
		if err := segment(); err != nil {
			_ = all.close() // the first error is the one to tell
			return nil, nil, err
		}
		links = append(links, link{all.stages, step.text, exec.Options{
			Bodies: bodies[len(links)], TempDir: in.tempDir, Stderr: &lineSayer{s: s},
		}})
	}
	if err := segment(); err != nil {
		_ = all.close()
		return nil, nil, err
	}
	return all, links, nil
}

// folders checks --bodies and returns what each program sees; of several each has a folder
// of its own.
func (o *programFlags) folders() ([]exec.Bodies, error) {
	bodies, err := exec.ParseBodies(o.bodies)
	if err != nil {
		return nil, cli.Errorf(cli.Usage, "--bodies: %w", err)
	}
	var all []exec.Bodies
	for _, step := range o.steps {
		if step.program {
			all = append(all, bodies)
		}
	}
	if len(all) == 0 && o.bodies != "none" {
		return nil, cli.Hinted(cli.Usage, "scripts see bodies anyway", "--bodies is for programs of --exec")
	}
	for i := range all {
		if len(all) > 1 && bodies.Mode == exec.Files {
			all[i].Dir = filepath.Join(bodies.Dir, fmt.Sprint(i+1))
		}
		if err := all[i].MakeDir(); err != nil {
			return nil, cli.Errorf(cli.Usage, "--bodies: %w", plainPathError(err))
		}
	}
	return all, nil
}

// runLinked runs p behind links: the flows of p's source go through the stages and the
// program of each, and then through p. It returns what failed first on the way of the
// flows.
func runLinked(ctx context.Context, links []link, p *replay.Pipeline, in *interrupts) error {
	killable(in, p.Stages)
	if len(links) == 0 {
		return p.Run(ctx)
	}
	last := *p
	last.Stop = nil
	stop := p.Stop
	joints := make([]*joint, len(links))
	streams := make([]*exec.Stream, len(links))
	for i, l := range links {
		j := &joint{batches: make(chan *flowfile.Batch), gone: make(chan struct{}), done: make(chan struct{})}
		go j.run(ctx, &replay.Pipeline{
			Source: &leaving{last.Source, j.gone}, Stages: l.stages, Sink: j, Workers: p.Workers, OnDamage: p.OnDamage, Stop: stop,
		})
		joints[i], streams[i] = j, exec.Source(ctx, j, l.command, l.options)
		in.kill(streams[i])
		killable(in, l.stages)
		last.Source, stop = streams[i], nil
	}
	err := last.Run(ctx)
	for i := range slices.Backward(links) {
		streams[i].Close()
		joints[i].Close()
		if w, ok := links[i].options.Stderr.(*lineSayer); ok {
			w.flush()
		}
	}
	for _, j := range joints {
		if <-j.done; j.err != nil {
			err = j.err
			break
		}
	}
	// A program that failed is no matter of the input.
	var failed *exec.Error
	if errors.As(err, &failed) {
		return failed
	}
	return err
}

// killable has the processes of stages ended when the program ends at once.
func killable(in *interrupts, stages []replay.Stage) {
	for _, s := range stages {
		if k, ok := s.(killer); ok {
			in.kill(k)
		}
	}
}

// joint hands what a pipeline writes to who reads on: the sink of the one, the source of
// the other.
type joint struct {
	batches chan *flowfile.Batch
	leave   sync.Once
	gone    chan struct{} // closed when nobody reads on
	done    chan struct{} // closed when the pipeline has ended
	err     error         // then: how
}

var (
	_ flowfile.Sink   = (*joint)(nil)
	_ flowfile.Source = (*joint)(nil)
)

func (j *joint) run(ctx context.Context, p *replay.Pipeline) {
	defer close(j.done)
	j.err = p.Run(ctx)
}

// Write waits until b is taken. When nobody takes it any more, the pipeline may end.
func (j *joint) Write(b *flowfile.Batch) error {
	select {
	case j.batches <- b:
		return nil
	case <-j.gone:
		return replay.ErrStop
	}
}

// Flush does nothing: what is written is taken.
func (j *joint) Flush() error { return nil }

// Next returns what was written; behind it, how the pipeline ended.
func (j *joint) Next() (*flowfile.Batch, error) {
	select {
	case b := <-j.batches:
		return b, nil
	case <-j.done:
	}
	if j.err != nil {
		return nil, j.err
	}
	return nil, io.EOF
}

// Close tells the pipeline that no more is wanted.
func (j *joint) Close() error {
	j.leave.Do(func() { close(j.gone) })
	return nil
}

// leaving is a source that ends when nobody reads on, also while it waits for input.
type leaving struct {
	flowfile.Source
	gone <-chan struct{}
}

// Next returns the next flows.
func (l *leaving) Next() (*flowfile.Batch, error) {
	type result struct {
		batch *flowfile.Batch
		err   error
	}
	next := make(chan result, 1)
	go func() {
		b, err := l.Source.Next()
		next <- result{b, err}
	}()
	select {
	case r := <-next:
		return r.batch, r.err
	case <-l.gone:
		return nil, io.EOF
	}
}

// lineSayer shows on stderr what a program says there, line by line.
type lineSayer struct {
	s    *cli.Streams
	mu   sync.Mutex
	rest []byte
}

// longSaid is the longest line that is waited for.
const longSaid = 64 << 10

func (w *lineSayer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte{'\n'})
		if !ok {
			break
		}
		w.s.Line(string(line))
		w.rest = rest
	}
	if len(w.rest) > longSaid {
		w.s.Line(string(w.rest))
		w.rest = nil
	}
	return len(p), nil
}

// flush shows a last line without an end.
func (w *lineSayer) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.s.Line(string(w.rest))
		w.rest = nil
	}
}
