package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
)

func newVerifyCmd(s *cli.Streams) *cobra.Command {
	o := &inputs{}
	c := &cobra.Command{
		Use:   "verify [FILE]...",
		Short: "Check that files are whole",
		Long: `Read every flow, body and message of the files, and check every checksum. Damage is said
with its place; the exit code is 1 if there is any, 0 if there is none.`,
		Example: "  flowkit verify in.flow && rm in.mitm",
		RunE: func(c *cobra.Command, args []string) error {
			o.paths = append(o.paths, args...)
			return runVerify(c.Context(), s, o)
		},
	}
	o.addFlags(c)
	return c
}

func runVerify(ctx context.Context, s *cli.Streams, o *inputs) error {
	paths := o.paths
	if len(paths) == 0 {
		if s.InIsTTY {
			return cli.Hinted(cli.Usage, "flowkit verify FILE", "there is nothing to read: standard input is a terminal")
		}
		paths = []string{"-"}
	}
	code := 0
	for _, path := range paths {
		info, err := describe(ctx, s, o, path, flowfile.NeedMessages|flowfile.NeedBodies)
		if err != nil {
			s.Say("%v", plainPathError(err))
			code = cli.Worse(code, cli.Input)
			continue
		}
		for _, d := range info.Damage {
			s.Say("%s", d)
		}
		if n := len(info.Damage); n > 0 {
			code = cli.Worse(code, cli.Negative)
			fmt.Fprintf(s.Out, "%s: damaged in %d places; %d flows can be read\n", path, n, info.Flows)
			continue
		}
		fmt.Fprintf(s.Out, "%s: whole, %d flows\n", path, info.Flows)
	}
	if code != 0 {
		return &cli.Error{Code: code}
	}
	return nil
}
