package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/output"
	"flowkit/cmd/flowkit/internal/term"
	"flowkit/flowfile"
	"flowkit/flowfile/formats"
	"flowkit/flowfile/jsonl"
)

type exportOptions struct {
	inputs
	write             string
	har, json, table_ bool
	texts             textFlags
	decoded, pretty   bool
	words             []string
}

func newExportCmd(s *cli.Streams) *cobra.Command {
	o := &exportOptions{}
	c := &cobra.Command{
		Use:   "export --har|--json|--table|--curl|… [-r FILE]... [-w FILE] [filter]",
		Short: "Turn flows into what browsers, jq, shells and people read",
		Long: `Write flows as an HTTP archive (HAR 1.2), as JSON lines, as a table, as commands that send the
requests again, as raw messages, or their bodies as files. JSON lines hold everything; but for
them and tables, flows other than HTTP and WebSocket are counted and left out.

Commands are for any POSIX shell and quoted whatever the flow holds; a request that curl cannot
repeat byte for byte is a comment that says why, and the exit code is 3. Raw messages are bytes
as on the wire, one behind the other; HTTP/2 is written as HTTP/1.1.

--extract writes the decoded bodies of responses as NNNNN-host-path.ext, NNNNN being the number
that ls prints, and those of requests as NNNNN-host-path.request.ext. It never overwrites a file.`,
		Example: `  flowkit export --har -r in.flow -w out.har
  flowkit export --json -r in.mitm '~c 500' | jq -r .url
  flowkit export --table -r in.flow
  flowkit export --curl -r in.flow '~m POST & ~u /order' | sh
  flowkit export --extract bodies -r in.flow '~t image/'`,
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
	o.texts.addFlags(fl)
	fl.BoolVar(&o.decoded, "decoded", false, "with --json: add the bodies decoded, as text or JSON")
	fl.BoolVar(&o.pretty, "pretty", false, "with --har: indent")
	return c
}

// format is har, json, table or one of textFlags.
func (o *exportOptions) format() (string, error) {
	var chosen []string
	for name, on := range map[string]bool{"har": o.har, "json": o.json, "table": o.table_} {
		if on {
			chosen = append(chosen, name)
		}
	}
	texts := o.texts.chosen()
	switch {
	case len(texts) > 1 || len(texts) == 1 && len(chosen) > 0:
		return "", cli.Errorf(cli.Usage, "--%s and --%s exclude each other", append(chosen, texts...)[0], texts[len(texts)-1])
	case len(chosen)+len(texts) == 0:
		return "", cli.Hinted(cli.Usage, "choose --har, --json, --table, --curl or another (flowkit export --help)", "the format is missing")
	case len(chosen) > 1:
		return "", cli.Errorf(cli.Usage, "--har, --json and --table exclude each other")
	case o.decoded && !o.json:
		return "", cli.Errorf(cli.Usage, "--decoded is for --json")
	case o.pretty && !o.har:
		return "", cli.Errorf(cli.Usage, "--pretty is for --har")
	case strings.HasPrefix(o.write, "+"):
		return "", cli.Hinted(cli.Usage, "cat and transform append to .flow files; a file whose name begins with + is -w ./+NAME", "-w %s: export does not append", o.write)
	case len(texts) == 1 && texts[0] == "extract" && o.write != "":
		return "", cli.Errorf(cli.Usage, "--extract writes into its folder: -w has no meaning")
	case len(texts) == 1:
		return texts[0], nil
	}
	return chosen[0], nil
}

func runExport(ctx context.Context, s *cli.Streams, o *exportOptions) error {
	format, err := o.format()
	if err != nil {
		return err
	}
	flt, err := parseFilter(s, &o.inputs, o.words)
	if err != nil {
		return err
	}
	if format == "extract" {
		return runExtract(ctx, s, o, flt)
	}
	conv := &conversion{streams: s, inputs: &o.inputs, write: o.write, filter: flt}
	conv.options.Pretty = o.pretty
	conv.need = flowfile.NeedMessages | flowfile.NeedBodies
	switch format {
	case "har":
		conv.format, err = formats.ByName("har")
	case "json":
		conv.sink = func(out *output.Output) flowfile.Sink {
			return jsonl.NewWriter(out, jsonl.Options{Decoded: o.decoded, OnDamage: conv.damage})
		}
	case "table":
		conv.need = flowfile.NeedHeads
		if flt != nil {
			conv.need |= flt.Needs()
			conv.filter = nil
		}
		conv.sink = func(out *output.Output) flowfile.Sink { return newTable(out, o.tableWidth(s), flt) }
	default:
		return runText(ctx, o, conv, format)
	}
	if err != nil {
		return err
	}
	return conv.run(ctx)
}

// tableWidth is how wide a table may get: as the terminal that it is for; 0 for any width.
func (o *exportOptions) tableWidth(s *cli.Streams) int {
	if s.OutIsTTY && (o.write == "" || o.write == "-") {
		return term.Width(s.Out)
	}
	return 0
}
