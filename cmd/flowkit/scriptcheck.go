package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/replay"
	"flowkit/transform/python"
	"flowkit/transform/script"
)

type scriptCheckOptions struct {
	scriptFlags
	noStart bool
	json    bool
}

// scriptInfo is what check says of one script; its JSON is stable.
type scriptInfo struct {
	File     string         `json:"file"`
	Language string         `json:"language"`
	RunsIn   string         `json:"interpreter,omitempty"`
	Era      string         `json:"era,omitempty"`
	Hooks    []string       `json:"hooks"`
	Started  bool           `json:"started"`
	Options  []scriptOption `json:"options"` // null if it was not started
	Parallel bool           `json:"parallel"`
	Asserted bool           `json:"asserted,omitempty"`
	Reason   string         `json:"reason,omitempty"` // why it is not parallel
}

type scriptOption struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Default string `json:"default"`
	Help    string `json:"help"`
}

func newScriptCheckCmd(s *cli.Streams) *cobra.Command {
	o := &scriptCheckOptions{}
	o.onError, o.maxBody, o.concurrency, o.shutdown = string(script.Keep), "64m", 1, "ignore"
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Load scripts and say what they are",
		Long: `Load each script by itself, without flows, and say what runs it, of which era of mitmproxy's
API it is, its hooks, its options, and whether flows may be in it in any order, so that
several can be worked on at once.

Options are declared by load, so load, configure and running are called; done is not. A script
that fails to load or to start is said as transform says it, with exit code 5.

A Python script is called parallel if its text proves that it keeps nothing from one flow to
the next, or if it says so itself in a comment: # flowkit: parallel`,
		Example: `  flowkit script check addon.py
  flowkit script check --set level=2 addon.py redact.star
  flowkit script check --json addon.py | jq .hooks`,
		RunE: func(c *cobra.Command, args []string) error {
			o.scripts = args
			return runScriptCheck(c.Context(), s, o)
		},
	}
	o.addLoadFlags(c)
	c.Flags().BoolVar(&o.real, "real-mitmproxy", false, realHelp)
	fl := c.Flags()
	fl.BoolVar(&o.noStart, "no-start", false, "call no hook: run only the top level of the scripts; options are not known then")
	fl.BoolVar(&o.json, "json", false, "one JSON object a script: file, language, hooks, options, parallel …")
	return c
}

func runScriptCheck(ctx context.Context, s *cli.Streams, o *scriptCheckOptions) error {
	if len(o.scripts) == 0 {
		return cli.Hinted(cli.Usage, "flowkit script check FILE...", "there is no script to check")
	}
	specs, err := o.specs(s, &inputs{}, true)
	if err != nil {
		return err
	}
	failed := false
	for i, spec := range specs {
		info, err := o.look(ctx, s, spec)
		if err != nil {
			failed = true
			var said *replay.EventError
			if !errors.As(err, &said) {
				s.Say("%v", err)
				if e := new(cli.Error); errors.As(err, &e) && e.Hint != "" {
					s.Say("hint: %s", e.Hint)
				}
			}
			continue
		}
		if err := o.print(s, info, i > 0); err != nil {
			return err
		}
	}
	if failed {
		return cli.Quiet(cli.Script)
	}
	return nil
}

// look loads a script, starts it and lets it go.
func (o *scriptCheckOptions) look(ctx context.Context, s *cli.Streams, spec script.Spec) (*scriptInfo, error) {
	engine := o.engine(spec.Path, &inputs{})
	if p, ok := engine.(python.Engine); ok {
		p.Verdict, p.Workers = true, 1
		engine = p
	}
	session, err := engine.Load(ctx, []script.Spec{spec})
	if err != nil {
		return nil, loadFailed(err)
	}
	defer session.Close()
	errs := &script.Errors{Report: func(text string) { s.Say("%s", text) }}
	session.OnError(errs.Handle)
	if !o.noStart {
		if err := session.Start(ctx); err != nil {
			var said *replay.EventError
			if errors.As(err, &said) {
				return nil, err
			}
			return nil, loadFailed(err)
		}
	}
	loaded := session.Info()[0]
	info := &scriptInfo{
		File: spec.Path, Language: "starlark", RunsIn: loaded.Interpreter, Era: loaded.Era,
		Hooks: strings.Fields(loaded.Hooks.String()), Started: !o.noStart,
		Parallel: loaded.Ordered == "", Asserted: loaded.Asserted, Reason: loaded.Ordered,
	}
	if isPython(spec.Path) {
		info.Language = "python"
	}
	if info.Started {
		info.Options = []scriptOption{}
		for _, option := range loaded.Options {
			info.Options = append(info.Options, scriptOption(option))
		}
		info.sayStarted(s)
	}
	return info, nil
}

// sayStarted says which hooks were called, for they may have done something.
func (i *scriptInfo) sayStarted(s *cli.Streams) {
	var called []string
	for _, h := range i.Hooks {
		if h == "load" || h == "configure" || h == "running" {
			called = append(called, h)
		}
	}
	if len(called) > 0 {
		s.Say("%s: %s called (--no-start calls nothing)", i.File, strings.Join(called, ", "))
	}
}

func (o *scriptCheckOptions) print(s *cli.Streams, info *scriptInfo, more bool) error {
	if o.json {
		return writeJSON(s.Out, info)
	}
	text := info.text()
	if more {
		text = "\n" + text
	}
	_, err := s.Out.WriteString(text)
	return err
}

var eras = map[string]string{
	"modern": "of mitmproxy 7 and later",
	"0.18":   "of mitmproxy 0.18 to 6",
	"0.17":   "of mitmproxy 0.14 to 0.17, hooks with a context",
	"0.13":   "of mitmproxy 0.8 to 0.13, hooks with a context",
}

func (i *scriptInfo) text() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s %s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	line("file", "%s", i.File)
	switch i.Language {
	case "python":
		line("language", "%s", i.RunsIn)
		line("API", "%s", eras[i.Era])
	default:
		line("language", "Starlark, within flowkit")
	}
	hooks := strings.Join(i.Hooks, " ")
	if hooks == "" {
		hooks = "none"
	}
	line("hooks", "%s", hooks)
	i.writeOptions(line)
	switch {
	case i.Asserted:
		line("parallel", "yes, it says so (# flowkit: parallel)")
	case i.Parallel:
		line("parallel", "yes, it keeps nothing from one flow to the next")
	default:
		line("parallel", "no, flows come in order: %s", i.Reason)
	}
	return b.String()
}

// writeOptions writes a line for each option, in columns.
func (i *scriptInfo) writeOptions(line func(name, format string, args ...any)) {
	switch {
	case !i.Started:
		line("options", "not known, for load was not called (--no-start)")
		return
	case len(i.Options) == 0:
		line("options", "none")
		return
	}
	var columns strings.Builder
	w := tabwriter.NewWriter(&columns, 0, 0, 2, ' ', 0)
	for _, o := range i.Options {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", o.Name, o.Type, o.Default, strings.Join(strings.Fields(o.Help), " "))
	}
	_ = w.Flush() // to memory
	name := "options"
	for text := range strings.Lines(columns.String()) {
		line(name, "%s", strings.TrimRight(text, " \n"))
		name = ""
	}
}
