// Package enginetest is the suite that every script engine must pass.
//
// Each case runs one or two scripts, which the caller has in the engine's language, over a
// few flows and looks at what comes out; the comments of testdata/starlark say what each
// script does. The order of events is testdata/traces.txt (see [Traces]).
package enginetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
)

// Dialect is the scripts of the suite in an engine's language.
type Dialect struct {
	Scripts fs.FS  // has a file for each name in Names
	Ext     string // of the files: ".star"
}

// Names returns the names of the scripts that a dialect must have, without extension.
func Names() []string {
	var names []string
	for _, c := range cases {
		names = append(names, c.scripts...)
	}
	return names
}

// Run runs the suite on an engine.
func Run(t *testing.T, e script.Engine, d Dialect) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &suite{T: t, engine: e, dialect: d, scripts: c.scripts}
			c.run(s)
			if t.Failed() {
				t.Log("why: " + c.explanation)
			}
		})
	}
}

// suite is what a case has at hand.
type suite struct {
	*testing.T
	engine  script.Engine
	dialect Dialect
	scripts []string

	// Set before run, if the case wants other than the defaults.
	set     map[string]string
	limits  script.Limits
	policy  script.Policy
	classic bool
	workers int
	live    bool
	after   []replay.Stage // behind the scripts

	errs    script.Errors
	reports []string // what errs reported
	output  bytes.Buffer
	info    []script.Info
}

// run loads the case's scripts and runs flows through them in a pipeline, and returns the
// flows that came out.
func (s *suite) run(flows ...*flowfile.Flow) []*flowfile.Flow {
	s.Helper()
	out, err := s.try(flows...)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// try is run for cases that expect an error.
func (s *suite) try(flows ...*flowfile.Flow) ([]*flowfile.Flow, error) {
	s.Helper()
	var specs []script.Spec
	for _, name := range s.scripts {
		path := name + s.dialect.Ext
		src, err := fs.ReadFile(s.dialect.Scripts, path)
		if err != nil {
			s.Fatalf("the dialect lacks a script: %v", err)
		}
		specs = append(specs, script.Spec{
			Path: path, Source: src, Set: s.set, Limits: s.limits, Output: &s.output,
			Log: slog.New(slog.DiscardHandler), Policy: s.policy,
		})
	}
	ctx := context.Background()
	session, err := s.engine.Load(ctx, specs)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := session.Close(); err != nil {
			s.Error(err)
		}
	}()
	s.info = session.Info()
	s.errs = script.Errors{Policy: s.policy, Report: func(text string) { s.reports = append(s.reports, text) }}
	session.OnError(s.errs.Handle)
	session.(interface{ SetClassic(bool) }).SetClassic(s.classic)
	if s.live {
		return s.driveAll(ctx, session.(script.Live), flows)
	}
	out := &sink{}
	p := replay.Pipeline{
		Source: newSource(flows), Sink: out, Workers: s.workers,
		Stages: append([]replay.Stage{session}, s.after...),
	}
	err = p.Run(ctx)
	return out.flows, err
}

// source yields flows, three to a batch.
type source struct{ flows []*flowfile.Flow }

func newSource(flows []*flowfile.Flow) *source { return &source{flows} }

func (s *source) Next() (*flowfile.Batch, error) {
	if len(s.flows) == 0 {
		return nil, io.EOF
	}
	n := min(3, len(s.flows))
	b := &flowfile.Batch{Flows: append([]*flowfile.Flow(nil), s.flows[:n]...)}
	s.flows = s.flows[n:]
	return b, nil
}
func (*source) Close() error { return nil }

type sink struct{ flows []*flowfile.Flow }

func (s *sink) Write(b *flowfile.Batch) error {
	s.flows = append(s.flows, b.Flows...)
	return nil
}
func (*sink) Flush() error { return nil }
func (*sink) Close() error { return nil }

// noErrors fails if a script raised.
func (s *suite) noErrors() {
	s.Helper()
	if s.errs.Total() > 0 {
		s.Errorf("the script raised: %s", strings.Join(s.reports, "\n"))
	}
}

// equal compares what a case got.
func (s *suite) equal(what string, got, want any) {
	s.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		s.Errorf("%s is %q, want %q", what, g, w)
	}
}

// changed compares what was changed of a recorded flow; live, all of it is new.
func (s *suite) changed(what string, got, want flowfile.Parts) {
	s.Helper()
	if !s.live {
		s.equal(what, got, want)
	}
}

func (s *suite) text(b flowfile.Body) string {
	s.Helper()
	data, err := b.Bytes(-1)
	if err != nil {
		s.Error(err)
	}
	return string(data)
}

func (s *suite) messages(f *flowfile.Flow) string {
	s.Helper()
	var all []string
	for m, err := range f.Messages().All() {
		if err != nil {
			s.Error(err)
		}
		text := s.text(m.Body)
		if m.Dropped {
			text += "(dropped)"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}
