package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/output"
	"flowkit/cmd/flowkit/internal/term"
	"flowkit/flowfile"
)

type lsOptions struct {
	inputs
	ids, json  bool
	exitStatus bool
	words      []string
}

func newLsCmd(s *cli.Streams) *cobra.Command {
	o := &lsOptions{}
	c := &cobra.Command{
		Use:   "ls [-r FILE]... [filter]",
		Short: "List flows, one line each",
		Long: `List flows, one line each: its number (for show), start time in UTC, duration, and what was
asked and answered. Bodies are not touched, whatever their size.

With --json a line is an object with the keys n, id, type, start, seconds, method, url,
status, reason, content_type, size, messages, error and incomplete, as far as the flow has
them; size is the response body's as it was on the wire.`,
		Example: `  flowkit ls -r in.flow
  flowkit ls -r in.mitm '~d api & ~c 500'
  flowkit ls -e -r in.flow ~e >/dev/null && echo 'something went wrong'`,
		RunE: func(c *cobra.Command, args []string) error {
			o.words = args
			return runLs(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	fl := c.Flags()
	fl.BoolVar(&o.ids, "ids", false, "print flow ids instead of numbers")
	fl.BoolVar(&o.json, "json", false, "one JSON object a line")
	fl.BoolVarP(&o.exitStatus, "exit-status", "e", false, "exit with 1 if there is no such flow")
	return c
}

func runLs(ctx context.Context, s *cli.Streams, o *lsOptions) error {
	flt, err := parseFilter(s, &o.inputs, o.words)
	if err != nil {
		return err
	}
	out := output.NewLazy(s.Out)
	paint := term.PaintFor(s.OutIsTTY)
	found := false
	err = look(ctx, s, &o.inputs, flt, flowfile.NeedHeads, func(n int, f *flowfile.Flow) error {
		found = true
		if o.json {
			return writeJSON(out, newRow(n, f))
		}
		_, err := fmt.Fprintf(out, "%s  %s %9s  %s\n", o.key(n, f), startTime(f), duration(f), oneLine(f, paint))
		return err
	})
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	if err == nil && o.exitStatus && !found {
		return cli.Quiet(cli.Negative)
	}
	return err
}

func (o *lsOptions) key(n int, f *flowfile.Flow) string {
	if o.ids {
		return printable(f.ID())
	}
	return fmt.Sprintf("%5d", n)
}

// startTime is as wide for flows that have none.
func startTime(f *flowfile.Flow) string {
	const layout = "2006-01-02 15:04:05.000"
	if t := f.Start(); t.Known() {
		return t.Time().Format(layout)
	}
	return strings.Repeat(" ", len(layout))
}

// row is a line of ls --json; its keys are stable.
type row struct {
	N           int      `json:"n"`
	ID          string   `json:"id"`
	Type        string   `json:"type"`
	Start       string   `json:"start,omitempty"`
	Seconds     *float64 `json:"seconds,omitempty"`
	Method      string   `json:"method,omitempty"`
	URL         string   `json:"url,omitempty"`
	Status      int      `json:"status,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	ContentType string   `json:"content_type,omitempty"`
	Size        *int64   `json:"size,omitempty"`
	Messages    int      `json:"messages,omitempty"`
	Error       string   `json:"error,omitempty"`
	Incomplete  bool     `json:"incomplete,omitempty"`
}

func newRow(n int, f *flowfile.Flow) *row {
	w := &row{
		N: n, ID: f.ID(), Type: f.Kind().String(), Start: f.Start().RFC3339(),
		Messages: f.Messages().Len(), Incomplete: f.Incomplete(),
	}
	if d, ok := f.End().Sub(f.Start()); ok {
		seconds := d.Seconds()
		w.Seconds = &seconds
	}
	if r := f.Request(); r != nil {
		w.Method, w.URL = r.Method(), r.PrettyURL()
	}
	if r := f.Response(); r != nil {
		w.Status, w.Reason, w.ContentType = r.Status(), r.Reason(), contentType(f)
		if b := r.Body(); b.State() != flowfile.BodyAbsent && b.Size() >= 0 {
			size := b.Size()
			w.Size = &size
		}
	}
	if e := f.Error(); e != nil {
		w.Error = e.Msg
	}
	return w
}
