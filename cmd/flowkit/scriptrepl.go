package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/flowfile/formats"
)

type scriptReplOptions struct {
	inputs
	python string
	words  []string
}

func newScriptReplCmd(s *cli.Streams) *cobra.Command {
	o := &scriptReplOptions{}
	c := &cobra.Command{
		Use:   "repl -r FILE... [filter]",
		Short: "A Python prompt with the flows of a file",
		Long: `Start python3 with the flows of the inputs as a list named flows, and http, flowfilter and ctx
of mitmproxy imported. A flow is read when it is asked for: flows[0] twice is two objects.
Nothing that is changed there is written anywhere.

The prompt is Python's alone; there is none for Starlark.`,
		Example: `  flowkit script repl -r in.flow
  flowkit script repl -r in.mitm '~d example.com & ~c 500'
  echo 'print(flows[0].request.pretty_url)' | flowkit script repl -r in.mitm`,
		RunE: func(c *cobra.Command, args []string) error {
			o.words = args
			return runScriptRepl(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	pythonFlag(c, &o.python)
	return c
}

// replStart is what Python runs before the first prompt.
const replStart = "from _flowkit.repl import *"

func runScriptRepl(ctx context.Context, s *cli.Streams, o *scriptReplOptions) error {
	if len(o.paths) == 0 || slices.Contains(o.paths, "-") {
		return cli.Hinted(cli.Usage, "name a file with -r", "standard input is for the prompt, so flows cannot come from there")
	}
	flt, err := parseFilter(s, &o.inputs, o.words)
	if err != nil {
		return err
	}
	format, err := formats.ByName("mitm")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.tempDir, "flowkit-repl-")
	if err != nil {
		return cli.Errorf(cli.Usage, "%w", plainPathError(err))
	}
	defer os.RemoveAll(dir)
	dump := filepath.Join(dir, "flows.mitm")
	conv := &conversion{streams: s, inputs: &o.inputs, write: dump, format: format, filter: flt}
	conv.options.MitmVersion = 21
	conv.need = flowfile.NeedMessages | flowfile.NeedBodies
	lost := conv.run(ctx)
	if code := cli.Code(lost, cli.OK); code == cli.Stopped || !exists(dump) {
		return lost
	}
	s.Say("flows is what was read; http, flowfilter and ctx are imported; Ctrl-D leaves")
	if err := runPython(ctx, s, o.python, "-i", "-c", replStart, dump); err != nil {
		return err
	}
	return lost
}
