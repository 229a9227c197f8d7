package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
)

type verifyOptions struct {
	inputs
	json bool
}

// verdict is what verify --json says of one file; its keys are stable.
type verdict struct {
	File   string   `json:"file"`
	Format string   `json:"format"`
	Whole  bool     `json:"whole"`
	Flows  int      `json:"flows"`
	Damage []string `json:"damage"`
}

func newVerifyCmd(s *cli.Streams) *cobra.Command {
	o := &verifyOptions{}
	c := &cobra.Command{
		Use:   "verify [FILE]...",
		Short: "Check that files are whole",
		Long: `Read every flow, body and message of the files, and check every checksum. Damage is said
with its place; the exit code is 1 if there is any, 0 if there is none.`,
		Example: `  flowkit verify in.flow && rm in.mitm
  flowkit verify --json *.flow | jq -r 'select(.whole | not).file'`,
		RunE: func(c *cobra.Command, args []string) error {
			o.paths = append(o.paths, args...)
			return runVerify(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	c.Flags().BoolVar(&o.json, "json", false, "one JSON object a file: file, format, whole, flows, damage")
	return c
}

func runVerify(ctx context.Context, s *cli.Streams, o *verifyOptions) error {
	return eachFile(ctx, s, &o.inputs, flowfile.NeedMessages|flowfile.NeedBodies, cli.Negative, func(info *fileInfo) error {
		n := len(info.Damage)
		if o.json {
			return writeJSON(s.Out, &verdict{File: info.File, Format: info.Format, Whole: n == 0, Flows: info.Flows, Damage: info.Damage})
		}
		for _, d := range info.Damage {
			s.Say("%s", d)
		}
		text := fmt.Sprintf("%s: whole, %s\n", printable(info.File), count(info.Flows, "flow"))
		if n > 0 {
			text = fmt.Sprintf("%s: damaged in %s; %s can be read\n", printable(info.File), count(n, "place"), count(info.Flows, "flow"))
		}
		_, err := s.Out.WriteString(text)
		return err
	})
}
