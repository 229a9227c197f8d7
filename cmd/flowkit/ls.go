package main

import (
	"bufio"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
)

type lsOptions struct {
	inputs
	ids   bool
	words []string
}

func newLsCmd(s *cli.Streams) *cobra.Command {
	o := &lsOptions{}
	c := &cobra.Command{
		Use:   "ls [-r FILE]... [filter]",
		Short: "List flows, one line each",
		Long: `List flows, one line each: its number (for show), start time, duration, and what was
asked and answered. Bodies are not touched, whatever their size.`,
		Example: `  flowkit ls -r in.flow
  flowkit ls -r in.mitm '~d api & ~c 500'`,
		RunE: func(c *cobra.Command, args []string) error {
			o.words = args
			return runLs(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	c.Flags().BoolVar(&o.ids, "ids", false, "print flow ids instead of numbers")
	return c
}

func runLs(ctx context.Context, s *cli.Streams, o *lsOptions) error {
	flt, err := parseFilter(s, &o.inputs, o.words)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(s.Out, 64<<10)
	err = look(ctx, s, &o.inputs, flt, flowfile.NeedMessages, func(n int, f *flowfile.Flow) error {
		key := fmt.Sprintf("%5d", n)
		if o.ids {
			key = f.ID()
		}
		start := "                       "
		if t := f.Start(); t.Known() {
			start = t.Time().Format("2006-01-02 15:04:05.000")
		}
		_, err := fmt.Fprintf(out, "%s  %s %9s  %s\n", key, start, duration(f), oneLine(f))
		return err
	})
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	return err
}
