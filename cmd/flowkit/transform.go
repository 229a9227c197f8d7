package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/term"
	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
)

type transformOptions struct {
	inputs
	outputFlags
	scriptFlags
	programFlags
	events string
	trace  bool
	words  []string
}

const transformHelp = `Replay every flow through the documented sequence of events into scripts, and write the
flows with what the scripts changed.

A script is a mitmproxy addon in Python (.py), unmodified, of any of mitmproxy's eras; it runs in
your own python3 and needs no mitmproxy. Or it is Starlark, a small Python for which nothing has
to be installed: functions named after events, called with the flow.

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
  flowkit transform -s addon.py --set level=2 -j 2 -r in.mitm -w out.mitm
  flowkit transform --events-trace -r in.mitm -w /dev/null`,
		RunE: func(c *cobra.Command, args []string) error {
			o.words = args
			return runTransform(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	o.outputFlags.addFlags(c, "flow")
	o.scriptFlags.addFlags(c)
	o.programFlags.addFlags(c)
	fl := c.Flags()
	fl.StringVar(&o.events, "events", "auto", "`ORDER` of events: modern, classic as in mitmproxy 0.18 to 6, or auto: by the era that a .py script is of")
	fl.BoolVar(&o.trace, "events-trace", false, "print the events to stderr as they fire")
	complete(c, "events", "auto", "modern", "classic")
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
	policy, err := o.policy()
	if err != nil {
		return err
	}
	errs := &script.Errors{Policy: policy, Report: func(text string) { s.Say("%s", text) }}
	l, links, err := o.stages(ctx, s, errs, o.std())
	if err != nil {
		return err
	}
	conv.stages, conv.links = l.stages, links
	err = conv.run(ctx)
	if cerr := l.close(); err == nil {
		err = cerr
	}
	for _, line := range errs.Summary() {
		s.Say("%s", line)
	}
	if n := errs.Total(); n > 0 || errs.Exited() {
		if n > 0 {
			s.Say("scripts raised %s; with --on-script-error %s", count(n, "error"), policyText(policy))
		}
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

// stages is what the flows go through, and what ends it when the run is over.
func (o *transformOptions) stages(ctx context.Context, s *cli.Streams, errs *script.Errors, dataOnStdout bool) (*loaded, []link, error) {
	if o.events != "auto" && o.events != "modern" && o.events != "classic" {
		return nil, nil, cli.Errorf(cli.Usage, "--events is auto, modern or classic, not %q", o.events)
	}
	if o.real && o.events == "classic" {
		return nil, nil, cli.Errorf(cli.Usage, "--real-mitmproxy has the order of events of its version: leave --events out")
	}
	l, links, err := o.programFlags.load(ctx, o.scriptFlags, s, &o.inputs, errs, dataOnStdout)
	if err != nil {
		return nil, nil, err
	}
	for _, session := range l.sessions {
		if c, ok := session.(interface{ SetClassic(bool) }); ok && o.events != "auto" {
			c.SetClassic(o.events == "classic")
		}
	}
	if o.trace {
		first := &l.stages
		if len(links) > 0 {
			first = &links[0].stages
		}
		*first = append([]replay.Stage{traceStage(s, o.events == "classic")}, *first...)
	}
	return l, links, nil
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
