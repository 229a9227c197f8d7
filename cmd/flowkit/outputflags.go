package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile/formats"
	"flowkit/flowfile/native"
)

// outputFlags are the flags of commands that write flows.
type outputFlags struct {
	write       string
	to          string
	level       string
	mitmVersion int
	trim        bool
	def         string
}

func (o *outputFlags) addFlags(c *cobra.Command, def string) {
	o.def = def
	fl := c.Flags()
	fl.StringVarP(&o.write, "write", "w", "", "write flows to `FILE`; - is standard output (the default), +FILE appends")
	fl.StringVar(&o.to, "to", "", "`FORMAT` of the output: flow, mitm, har, jsonl (default by the name of -w, else "+def+")")
	fl.StringVar(&o.level, "level", "default", "`LEVEL` of compression of .flow files: fastest, default, better, best")
	fl.IntVar(&o.mitmVersion, "mitm-version", 0, "write dumps in format version `N`, 17 to 21 (default each record's own, 21 for others)")
	fl.BoolVar(&o.trim, "trim", false, "with -w +FILE: cut a torn end off the file")
	complete(c, "to", "flow", "mitm", "har", "jsonl")
	complete(c, "level", "fastest", "default", "better", "best")
	complete(c, "mitm-version", "17", "18", "19", "20", "21")
}

func (o *outputFlags) std() bool { return o.write == "" || o.write == "-" }

// conversion checks the flags.
func (o *outputFlags) conversion(s *cli.Streams, in *inputs) (*conversion, error) {
	path, appending := strings.CutPrefix(o.write, "+")
	switch {
	case appending && (path == "" || path == "-"):
		return nil, cli.Hinted(cli.Usage, "append to a file: -w +FILE", "-w %s names no file", o.write)
	case o.trim && !appending:
		return nil, cli.Hinted(cli.Usage, "append to a file: -w +FILE", "--trim is for appending")
	}
	f, err := o.format(path)
	if err != nil {
		return nil, err
	}
	level, ok := levels[o.level]
	switch {
	case !ok:
		return nil, cli.Errorf(cli.Usage, "there is no level %q; there are fastest, default, better, best", o.level)
	case o.level != "default" && f.Name != "flow":
		return nil, cli.Errorf(cli.Usage, "--level is for flowkit's own format, but the output is %s", f.Name)
	case appending && f.Name != "flow":
		return nil, cli.Hinted(cli.Usage, "flowkit's own files (.flow) can; a file whose name begins with + is -w ./+NAME",
			"%s: %s files cannot be appended to", path, f.Name)
	}
	c := &conversion{streams: s, inputs: in, write: path, format: f, append: appending, trim: o.trim}
	c.options.Level, c.options.MitmVersion = level, o.mitmVersion
	return c, nil
}

// format finds the format of the output: that of --to, else by the name, else what the
// other flags are for, else the default.
func (o *outputFlags) format(path string) (formats.Format, error) {
	v := o.mitmVersion
	if v != 0 && (v < 17 || v > 21) {
		return formats.Format{}, cli.Errorf(cli.Usage, "--mitm-version is 17 to 21, not %d", v)
	}
	f, ok := formats.ByExtension(path)
	switch {
	case o.to != "":
		var err error
		if f, err = formats.ByName(o.to); err != nil {
			return f, cli.Errorf(cli.Usage, "--to: %w", err)
		}
	case !ok && v != 0:
		return formats.ByName("mitm")
	case !ok:
		return formats.ByName(o.def)
	}
	if v != 0 && f.Name != "mitm" {
		return f, cli.Hinted(cli.Usage, "name the output .mitm, or add --to mitm", "--mitm-version is for dumps, but the output is %s", f.Name)
	}
	return f, nil
}

var levels = map[string]native.Level{
	"fastest": native.Fastest, "default": native.Default, "better": native.Better, "best": native.Best,
}

// complete offers the values of a flag to the shell.
func complete(c *cobra.Command, flag string, values ...string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic("flowkit: internal error: " + err.Error())
	}
}

// parseSize reads a number of bytes with k, m or g behind it, 1024-based.
func parseSize(s string) (int64, error) {
	digits, shift := s, 0
	if i := len(s) - 1; i > 0 {
		if at := strings.IndexByte("kmgt", s[i]|0x20); at >= 0 {
			digits, shift = s[:i], 10*(at+1)
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift {
		return 0, fmt.Errorf("%q is no size like 500k, 64m or 2g", s)
	}
	return n << shift, nil
}
