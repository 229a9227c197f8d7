package main

import (
	"bufio"
	"context"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/term"
	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/flowfile/jsonl"
)

type showOptions struct {
	inputs
	headers bool
	body    bool
	raw     bool
	json    bool
	which   string
}

// showLimit is how much of a body is shown.
const showLimit = 1 << 20

func newShowCmd(s *cli.Streams) *cobra.Command {
	o := &showOptions{}
	c := &cobra.Command{
		Use:   "show ID|N [-r FILE]...",
		Short: "Show one flow whole",
		Long: `Show one flow: its number as ls prints it, or its id or the beginning of its id. Bodies
are shown decoded; what is no text is shown in hexadecimal.`,
		Example: `  flowkit show 12 -r in.flow
  flowkit show 12 -r in.flow --body >logo.png
  flowkit show 2f0c --json -r in.mitm | jq .request.headers`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return cli.Hinted(cli.Usage, "flowkit ls prints the numbers", "show takes one flow: its number or id")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.which = args[0]
			return runShow(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	fl := c.Flags()
	fl.BoolVar(&o.headers, "headers", false, "heads only, no bodies")
	fl.BoolVar(&o.body, "body", false, "only the decoded body of the response (of the request, if there is no response)")
	fl.BoolVar(&o.raw, "raw", false, "only that body as it was on the wire")
	fl.BoolVar(&o.json, "json", false, "the flow as a JSON line, as export --json has it")
	return c
}

func runShow(ctx context.Context, s *cli.Streams, o *showOptions) error {
	if o.headers && (o.body || o.raw || o.json) || o.json && (o.body || o.raw) {
		return cli.Errorf(cli.Usage, "--headers, --body (or --raw) and --json exclude each other")
	}
	found, err := o.find(ctx, s)
	if found == nil {
		if err != nil {
			return err
		}
		return cli.Hinted(cli.Negative, "flowkit ls prints numbers, ls --ids prints ids", "there is no flow %s", o.which)
	}
	out := bufio.NewWriter(s.Out)
	if serr := o.show(s, out, found); serr != nil {
		return serr
	}
	if ferr := out.Flush(); ferr != nil {
		return ferr
	}
	return err
}

// find returns the flow that is meant, also if there is damage elsewhere in the input.
func (o *showOptions) find(ctx context.Context, s *cli.Streams) (*flowfile.Flow, error) {
	number, err := strconv.Atoi(o.which)
	byNumber := err == nil && len(o.which) < 8
	need := flowfile.NeedMessages
	if o.json {
		need |= flowfile.NeedBodies
	}
	if !byNumber {
		if f := o.indexed(need); f != nil {
			return f, nil
		}
	}
	var found *flowfile.Flow
	others := 0
	err = look(ctx, s, &o.inputs, nil, need, func(n int, f *flowfile.Flow) error {
		switch {
		case byNumber && n == number, !byNumber && f.ID() == o.which:
			found, others = f, 0
			return io.EOF
		case byNumber || !strings.HasPrefix(f.ID(), o.which):
		case found == nil:
			found = f
		case f.ID() != found.ID():
			others++
		}
		return nil
	})
	if others > 0 {
		return nil, cli.Hinted(cli.Negative, "flowkit ls --ids prints them whole", "%s is the beginning of the ids of %d flows", o.which, others+1)
	}
	return found, err
}

func (o *showOptions) show(s *cli.Streams, w *bufio.Writer, f *flowfile.Flow) error {
	switch {
	case o.json:
		j := jsonl.NewWriter(w, jsonl.Options{})
		if err := j.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); err != nil {
			return err
		}
		return j.Close()
	case o.body || o.raw:
		return o.onlyBody(s, w, f)
	}
	v := &viewer{w: w, bodies: !o.headers, paint: term.PaintFor(s.OutIsTTY)}
	v.flow(f)
	return v.err
}

func (o *showOptions) onlyBody(s *cli.Streams, w io.Writer, f *flowfile.Flow) error {
	var m *flowfile.Message
	switch {
	case f.Response() != nil:
		m = &f.Response().Message
	case f.Request() != nil:
		m = &f.Request().Message
	default:
		return cli.Errorf(cli.Negative, "the flow has no body: it is %s", strings.ToUpper(f.Kind().String()))
	}
	if m.Body().State() == flowfile.BodyAbsent {
		return cli.Errorf(cli.Negative, "the body was not recorded")
	}
	open := func() (io.ReadCloser, error) { return coding.OpenDecoded(m) }
	if o.raw {
		open = m.Body().Open
	}
	if s.OutIsTTY {
		return bodyToTerminal(w, open)
	}
	r, err := open()
	if err != nil {
		return bodyError(err)
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return bodyError(err)
}

// bodyError is for a body that is damaged or not in the coding that its head says.
func bodyError(err error) error {
	if err == nil || cli.Code(err, 0) != 0 {
		return err
	}
	return cli.Hinted(cli.Lost, "--raw writes it as it was on the wire", "the body cannot be read: %w", err)
}

// bodyToTerminal writes text, made safe for the terminal.
func bodyToTerminal(w io.Writer, open func() (io.ReadCloser, error)) error {
	r, err := open()
	if err != nil {
		return bodyError(err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, showLimit+1))
	switch {
	case err != nil:
		return bodyError(err)
	case len(b) > showLimit:
		return cli.Hinted(cli.Usage, "redirect it into a file, or pipe it into a pager", "the body is large, and standard output is a terminal")
	case !utf8.Valid(b) || !isText(b):
		return cli.Hinted(cli.Usage, "redirect it into a file", "the body is no text, and standard output is a terminal")
	}
	_, err = io.WriteString(w, term.SafeText(strings.ReplaceAll(string(b), "\r\n", "\n")))
	return err
}
