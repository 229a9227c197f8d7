package main

import (
	"context"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/output"
	"flowkit/flowfile"
	"flowkit/flowfile/formats"
	"flowkit/flowfile/jsonl"
)

type exportOptions struct {
	inputs
	write             string
	har, json, table_ bool
	decoded, pretty   bool
	words             []string
}

func newExportCmd(s *cli.Streams) *cobra.Command {
	o := &exportOptions{}
	c := &cobra.Command{
		Use:   "export --har|--json|--table [-r FILE]... [-w FILE] [filter]",
		Short: "Turn flows into what browsers, jq and people read",
		Example: `  flowkit export --har -r in.flow -w out.har
  flowkit export --json -r in.mitm '~c 500' | jq -r .url
  flowkit export --table -r in.flow`,
		RunE: func(c *cobra.Command, args []string) error {
			o.words = args
			return runExport(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	fl := c.Flags()
	fl.StringVarP(&o.write, "write", "w", "", "write to `FILE`; - is standard output (the default)")
	fl.BoolVar(&o.har, "har", false, "an HTTP archive (HAR 1.2)")
	fl.BoolVar(&o.json, "json", false, "JSON lines, one flow a line")
	fl.BoolVar(&o.table_, "table", false, "a table for people")
	fl.BoolVar(&o.decoded, "decoded", false, "with --json: add the bodies decoded, as text or JSON")
	fl.BoolVar(&o.pretty, "pretty", false, "with --har: indent")
	c.MarkFlagsMutuallyExclusive("har", "json", "table")
	return c
}

func runExport(ctx context.Context, s *cli.Streams, o *exportOptions) error {
	flt, err := parseFilter(s, &o.inputs, o.words)
	if err != nil {
		return err
	}
	conv := &conversion{streams: s, inputs: &o.inputs, write: o.write, filter: flt}
	conv.options.Pretty = o.pretty
	conv.need = flowfile.NeedMessages | flowfile.NeedBodies
	switch {
	case o.har:
		conv.format, err = formats.ByName("har")
	case o.json:
		conv.format, err = formats.ByName("jsonl")
		conv.sink = func(out *output.Output) flowfile.Sink {
			return jsonl.NewWriter(out, jsonl.Options{Decoded: o.decoded, OnDamage: conv.damage})
		}
	case o.table_:
		conv.need = flowfile.NeedHeads
		conv.sink = func(out *output.Output) flowfile.Sink { return newTable(out) }
	default:
		return cli.Hinted(cli.Usage, "choose --har, --json or --table", "the format is missing")
	}
	if err != nil {
		return err
	}
	return conv.run(ctx)
}
