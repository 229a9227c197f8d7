package main

import (
	"context"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/replay"
)

type catOptions struct {
	inputs
	outputFlags
	only []string
}

func newCatCmd(s *cli.Streams) *cobra.Command {
	o := &catOptions{}
	c := &cobra.Command{
		Use:   "cat [-w FILE] [FILE]...",
		Short: "Join and convert files",
		Long: `Write the flows of all files, one behind the other, in one format. Files of flowkit's own
format that are whole are joined as they are: checked, but not compressed again.`,
		Example: `  flowkit cat monday.flow tuesday.mitm -w both.flow
  flowkit cat in.mitm --to jsonl | jq -r .request.host
  flowkit cat in.flow --mitm-version 17 -w old.mitm
  flowkit cat --only 22 in.flow | flowkit transform -s addon.py | flowkit show 1`,
		RunE: func(c *cobra.Command, args []string) error {
			o.paths = append(o.paths, args...)
			return runCat(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	o.outputFlags.addFlags(c, "flow")
	c.Flags().StringArrayVar(&o.only, "only", nil, "only the flow `N`: its number, id or the beginning of its id; may be repeated")
	return c
}

func runCat(ctx context.Context, s *cli.Streams, o *catOptions) error {
	conv, err := o.outputFlags.conversion(s, &o.inputs)
	if err != nil {
		return err
	}
	conv.need = flowfile.NeedMessages | flowfile.NeedBodies
	conv.sameLevel = o.level == "default"
	if len(o.only) > 0 {
		pick := newOnly(o.only)
		conv.stages = []replay.Stage{pick}
		if err := conv.run(ctx); err != nil {
			return err
		}
		return pick.missing()
	}
	if done, err := conv.join(); done || err != nil {
		return err
	}
	return conv.run(ctx)
}
