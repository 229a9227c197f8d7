package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
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
	fl.StringVar(&o.to, "to", "", "format of the output: flow, mitm, har, jsonl (default by the name of -w, else "+def+")")
	fl.StringVar(&o.level, "level", "default", "compression of .flow files: fastest, default, better, best")
	fl.IntVar(&o.mitmVersion, "mitm-version", 0, "write dumps in format version `N`, 17 to 21 (default each record's own, 21 for others)")
	fl.BoolVar(&o.trim, "trim", false, "with -w +FILE: cut a torn end off the file")
}

func (o *outputFlags) std() bool { return o.write == "" || o.write == "-" }

// conversion checks the flags.
func (o *outputFlags) conversion(s *cli.Streams, in *inputs) (*conversion, error) {
	path, appending := splitAppend(o.write)
	f, err := outputFormat(path, o.to, o.def)
	if err != nil {
		return nil, err
	}
	level, err := parseLevel(o.level)
	if err != nil {
		return nil, err
	}
	if v := o.mitmVersion; v != 0 && (v < 17 || v > 21) {
		return nil, cli.Errorf(cli.Usage, "--mitm-version is 17 to 21, not %d", v)
	}
	if o.mitmVersion != 0 && o.to == "" && f.Name != "mitm" {
		if o.write != "" && o.write != "-" {
			return nil, cli.Hinted(cli.Usage, "name the output .mitm, or add --to mitm", "--mitm-version is for dumps, but %s is written as %s", path, f.Name)
		}
		if f, err = outputFormat("", "mitm", o.def); err != nil {
			return nil, err
		}
	}
	c := &conversion{streams: s, inputs: in, write: path, format: f, append: appending, trim: o.trim}
	c.options.Level, c.options.MitmVersion = level, o.mitmVersion
	return c, nil
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
