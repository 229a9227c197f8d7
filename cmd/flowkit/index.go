package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile/formats"
	"flowkit/flowfile/native"
)

const indexHelp = `Make the index of a .flow file anew, by which a flow is found without reading the file. It is
needed where a recording was killed, joined or damaged. The index is written behind the end of
the file; nothing that is there is changed, and nothing is written if the index is right.

--check says whether the index agrees with the file: exit code 0 if it does, 1 if not.`

type indexOptions struct {
	paths []string
	check bool
	json  bool
}

// indexed is what index --json says of one file; its keys are stable.
type indexed struct {
	File     string   `json:"file"`
	Right    bool     `json:"right"`
	Blocks   int      `json:"blocks"`
	Flows    int      `json:"flows"`
	Problems []string `json:"problems"`
	Written  int64    `json:"written"`
}

func newIndexCmd(s *cli.Streams) *cobra.Command {
	o := &indexOptions{}
	c := &cobra.Command{
		Use:   "index [--check] FILE...",
		Short: "Rebuild the index of a .flow file, or check it",
		Long:  indexHelp,
		Example: `  flowkit index killed.flow
  flowkit index --check *.flow`,
		RunE: func(_ *cobra.Command, args []string) error {
			o.paths = append(o.paths, args...)
			return runIndex(s, o)
		},
	}
	c.Flags().StringArrayVarP(&o.paths, "read", "r", nil, "the `FILE`; may be repeated")
	c.Flags().BoolVar(&o.check, "check", false, "only say whether the index agrees with the file")
	c.Flags().BoolVar(&o.json, "json", false, "one JSON object a file: file, right, blocks, flows, problems, written")
	return c
}

func runIndex(s *cli.Streams, o *indexOptions) error {
	if len(o.paths) == 0 {
		return cli.Hinted(cli.Usage, "flowkit index FILE", "there is no file to index")
	}
	code := 0
	for _, path := range o.paths {
		x, err := o.one(path)
		if err != nil {
			s.Say("%v", plainPathError(err))
			code = cli.Worse(code, cli.Code(err, cli.Input))
			continue
		}
		if o.check && !x.Right {
			code = cli.Worse(code, cli.Negative)
		}
		if err := o.print(s, x); err != nil {
			return err
		}
	}
	if code != 0 {
		return cli.Quiet(code)
	}
	return nil
}

// one checks or rebuilds the index of one file.
func (o *indexOptions) one(path string) (*indexed, error) {
	if path == "-" {
		return nil, cli.Errorf(cli.Usage, "an index is for files, not for standard input")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, cli.Errorf(cli.Input, "%s: is no file that can have an index", path)
	}
	head := make([]byte, formats.SniffLen)
	n, _ := f.ReadAt(head, 0)
	if own, err := formats.ByName("flow"); err != nil || n > 0 && !own.Sniff(head[:n]) {
		return nil, cli.Errorf(cli.Input, "%s: only flowkit's own files (.flow) have an index", path)
	}
	var st *native.IndexState
	var written int64
	if o.check {
		st, err = native.CheckIndex(f, fi.Size())
	} else {
		var re *native.Rebuilt
		if re, err = native.RebuildIndex(path); err == nil {
			st, written = &re.IndexState, re.Written
		}
	}
	switch {
	case errors.Is(err, native.ErrLocked):
		return nil, cli.Errorf(cli.Usage, "%s: %w, which writes the index at its end", path, native.ErrLocked)
	case err != nil:
		return nil, err
	}
	x := &indexed{File: path, Right: len(st.Problems) == 0, Blocks: st.Blocks, Flows: st.Flows, Problems: st.Problems, Written: written}
	if x.Problems == nil {
		x.Problems = []string{}
	}
	return x, nil
}

func (o *indexOptions) print(s *cli.Streams, x *indexed) error {
	if o.json {
		return writeJSON(s.Out, x)
	}
	if o.check {
		for _, p := range x.Problems {
			s.Say("%s: %s", x.File, p)
		}
	}
	what := "the index agrees with the file"
	switch {
	case x.Written > 0:
		what = fmt.Sprintf("wrote an index of %d bytes", x.Written)
	case !x.Right && o.check:
		what = "the index does not agree with the file"
	case !x.Right:
		what = "the index is as good as it can be"
	}
	_, err := fmt.Fprintf(s.Out, "%s: %s; %s in %s\n", printable(x.File), what, count(x.Flows, "flow"), count(x.Blocks, "block"))
	return err
}
