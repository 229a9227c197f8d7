package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/term"
	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
	"flowkit/transform/starlark"
)

type transformOptions struct {
	inputs
	outputFlags
	scripts   []string
	set       []string
	onError   string
	timeout   time.Duration
	maxBody   string
	events    string
	trace     bool
	verbosity string
	words     []string
}

const transformHelp = `Replay every flow through the documented sequence of events into scripts, and write the
flows with what the scripts changed.

A script is Starlark, a small Python: functions named after events, called with the flow.

  def response(flow):
      flow.response.headers["newheader"] = "foo"

Several -s run one after the other, event by event. The filter chooses the flows that are
read; the others are left out. Flows that no script changed are written as they were: from
dump to dump byte for byte.`

func newTransformCmd(s *cli.Streams) *cobra.Command {
	o := &transformOptions{}
	c := &cobra.Command{
		Use:   "transform [-s SCRIPT]... [-r FILE]... [-w FILE] [filter]",
		Short: "Run scripts over flows",
		Long:  transformHelp,
		Example: `  flowkit transform -s add_header.star -r in.mitm -w out.mitm
  flowkit transform -s redact.star --set level=2 -r in.flow -w - '~d example.com' | flowkit export --har
  flowkit transform --events-trace -r in.mitm -w /dev/null`,
		RunE: func(c *cobra.Command, args []string) error {
			o.words = args
			return runTransform(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	o.outputFlags.addFlags(c, "flow")
	fl := c.Flags()
	fl.StringArrayVarP(&o.scripts, "script", "s", nil, "run the script `FILE`; may be repeated")
	fl.StringArrayVar(&o.set, "set", nil, "give the scripts the option `NAME=VALUE`")
	fl.StringVar(&o.onError, "on-script-error", "keep", "what to `DO` when a script raises: keep the flow, drop it, or abort the run")
	fl.DurationVar(&o.timeout, "script-timeout", script.DefaultTimeout, "end a call that takes longer than `TIME`")
	fl.StringVar(&o.maxBody, "max-script-body", "64m", "raise in the script for a body larger than `SIZE` (k, m, g)")
	fl.StringVar(&o.events, "events", "modern", "`ORDER` of events: modern, or classic as in mitmproxy 0.18 to 6")
	fl.BoolVar(&o.trace, "events-trace", false, "print the events to stderr as they fire")
	fl.StringVar(&o.verbosity, "log-level", "info", "show messages of scripts from `LEVEL` on: debug, info, warn, error")
	complete(c, "on-script-error", "keep", "drop", "abort")
	complete(c, "events", "modern", "classic")
	complete(c, "log-level", "debug", "info", "warn", "error")
	return c
}

func runTransform(ctx context.Context, s *cli.Streams, o *transformOptions) error {
	flt, err := parseFilter(s, &o.inputs, o.words)
	if err != nil {
		return err
	}
	conv, err := o.outputFlags.conversion(s, &o.inputs)
	if err != nil {
		return err
	}
	conv.filter = flt
	conv.need = flowfile.NeedMessages | flowfile.NeedBodies
	policy, err := script.ParsePolicy(o.onError)
	if err != nil {
		return cli.Errorf(cli.Usage, "--on-script-error: %w", err)
	}
	errs := &script.Errors{Policy: policy, Report: func(text string) { s.Say("%s", text) }}
	stages, err := o.stages(ctx, s, errs, o.std())
	if err != nil {
		return err
	}
	conv.stages = stages
	err = conv.run(ctx)
	for _, line := range errs.Summary() {
		s.Say("%s", line)
	}
	if n := errs.Total(); n > 0 {
		s.Say("scripts raised %s; with --on-script-error %s", count(n, "error"), policyText(policy))
		if cli.Code(err, cli.OK) != cli.Stopped {
			code := cli.Worse(cli.Script, cli.Code(err, cli.Script))
			var e *cli.Error
			if errors.As(err, &e) && e.Err != nil {
				return &cli.Error{Code: code, Err: e.Err, Hint: e.Hint}
			}
			return cli.Quiet(code)
		}
	}
	return err
}

func policyText(p script.Policy) string {
	switch p {
	case script.Drop:
		return "drop, their flows were left out"
	case script.Abort:
		return "abort, the run ended there"
	}
	return "keep, their flows were kept with the changes made so far"
}

// stages loads the scripts.
func (o *transformOptions) stages(ctx context.Context, s *cli.Streams, errs *script.Errors, dataOnStdout bool) ([]replay.Stage, error) {
	if o.timeout <= 0 {
		return nil, cli.Errorf(cli.Usage, "--script-timeout is a time like 500ms or 10s, not %v", o.timeout)
	}
	if o.events != "modern" && o.events != "classic" {
		return nil, cli.Errorf(cli.Usage, "--events is modern or classic, not %q", o.events)
	}
	var stages []replay.Stage
	if o.trace {
		stages = append(stages, traceStage(s, o.events == "classic"))
	}
	specs, err := o.specs(s, dataOnStdout)
	if err != nil || len(specs) == 0 {
		return stages, err
	}
	session, err := starlark.Engine{}.Load(ctx, specs)
	if err != nil {
		return nil, loadFailed(err)
	}
	session.OnError(errs.Handle)
	session.(*starlark.Session).SetClassic(o.events == "classic")
	return append(stages, session), nil
}

func loadFailed(err error) error {
	text := plainPathError(err).Error()
	if e, ok := err.(*script.Error); ok && e.Trace != "" {
		text += "\n" + e.Trace
	}
	return cli.Errorf(cli.Script, "%s", text)
}

func (o *transformOptions) specs(s *cli.Streams, dataOnStdout bool) ([]script.Spec, error) {
	set := make(map[string]string)
	for _, kv := range o.set {
		k, v, _ := strings.Cut(kv, "=")
		if k == "" {
			return nil, cli.Errorf(cli.Usage, "--set wants NAME=VALUE, not %q", kv)
		}
		set[k] = v
	}
	body, err := parseSize(o.maxBody)
	if err == nil && body == 0 {
		err = errors.New("scripts need some room")
	}
	if err != nil {
		return nil, cli.Errorf(cli.Usage, "--max-script-body: %w", err)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.verbosity)); err != nil {
		return nil, cli.Errorf(cli.Usage, "--log-level: %q is not one of debug, info, warn, error", o.verbosity)
	}
	var printTo io.Writer = s.Out
	if dataOnStdout {
		printTo = s.Err
	}
	var specs []script.Spec
	for _, path := range o.scripts {
		if ext := strings.ToLower(filepath.Ext(path)); ext == ".py" {
			return nil, cli.Hinted(cli.Usage, "write it in Starlark, or run it with mitmdump until then",
				"%s: this version of flowkit runs Starlark scripts; Python scripts are not supported yet", path)
		}
		specs = append(specs, script.Spec{
			Path: path, Set: set, Output: printTo, Log: slog.New(&logHandler{s: s, level: level}),
			Spool:  &flowfile.Spool{Dir: o.tempDir},
			Limits: script.Limits{Timeout: o.timeout, Body: body},
		})
	}
	return specs, nil
}

// traceStage prints each event to stderr.
func traceStage(s *cli.Streams, classic bool) replay.Stage {
	return &replay.Events{
		Classic: classic,
		Handlers: []replay.Handler{replay.Func{
			Want: replay.AllHooks,
			Do: func(_ context.Context, e *replay.Event) error {
				s.Line(traceLine(e))
				return nil
			},
		}},
	}
}

func traceLine(e *replay.Event) string {
	line := fmt.Sprintf("%-17s %s", e.Hook, oneLine(e.Flow, term.Paint{}))
	if e.Messages != nil && e.Messages.Len() > 0 {
		m := e.Messages.At(e.Messages.Len() - 1)
		dir := "<-"
		if m.FromClient {
			dir = "->"
		}
		line += fmt.Sprintf("  %s %s", dir, count(int(m.Body.Size()), "byte"))
	}
	return line
}
