package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/flowfile/formats"
)

type infoOptions struct {
	inputs
	json bool
}

// fileInfo is what info says of one file; its JSON is stable.
type fileInfo struct {
	File        string         `json:"file"`
	Format      string         `json:"format"`
	Compression string         `json:"compression,omitempty"`
	Bytes       int64          `json:"bytes,omitempty"`
	Flows       int            `json:"flows"`
	Kinds       map[string]int `json:"kinds"`
	Errors      int            `json:"errors"`
	Messages    int            `json:"messages"`
	Incomplete  int            `json:"incomplete"`
	BodyBytes   int64          `json:"body_bytes"`
	First       string         `json:"first,omitempty"`
	Last        string         `json:"last,omitempty"`
	Damage      []string       `json:"damage"`
}

func newInfoCmd(s *cli.Streams) *cobra.Command {
	o := &infoOptions{}
	c := &cobra.Command{
		Use:   "info [FILE]...",
		Short: "Say what is in files",
		Long: `Say of each file its format, how many flows of which kind it has, from when they are, and
what is damaged (then the exit code is 3). Bodies are counted, not read; verify reads them.`,
		Example: `  flowkit info in.flow other.mitm
  flowkit info --json in.flow | jq .flows`,
		RunE: func(c *cobra.Command, args []string) error {
			o.paths = append(o.paths, args...)
			return runInfo(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	c.Flags().BoolVar(&o.json, "json", false, "one JSON object a file: file, format, bytes, flows, kinds, damage …")
	return c
}

func runInfo(ctx context.Context, s *cli.Streams, o *infoOptions) error {
	first := true
	return eachFile(ctx, s, &o.inputs, flowfile.NeedHeads, cli.Lost, func(info *fileInfo) error {
		if o.json {
			return writeJSON(s.Out, info)
		}
		text := info.text()
		if !first {
			text = "\n" + text
		}
		first = false
		_, err := s.Out.WriteString(text)
		return err
	})
}

// eachFile describes each file by itself. A file that cannot be read is said, and the
// others are still described; damaged is the exit code if one is damaged.
func eachFile(ctx context.Context, s *cli.Streams, in *inputs, need flowfile.Need, damaged int, see func(*fileInfo) error) error {
	paths, err := in.check(s)
	if err != nil {
		return err
	}
	code := 0
	for _, path := range paths {
		info, err := describe(ctx, s, in, path, need)
		if err != nil {
			s.Say("%v", plainPathError(err))
			code = cli.Worse(code, cli.Input)
			continue
		}
		if len(info.Damage) > 0 {
			code = cli.Worse(code, damaged)
		}
		if err := see(info); err != nil {
			return err
		}
	}
	if code != 0 {
		return cli.Quiet(code)
	}
	return nil
}

// describe reads a file to its end.
func describe(ctx context.Context, s *cli.Streams, in *inputs, path string, need flowfile.Need) (*fileInfo, error) {
	info := &fileInfo{File: path, Kinds: map[string]int{}, Damage: []string{}}
	files := &formats.Files{Paths: []string{path}, Stdin: s.In, Options: in.options(need), Opened: info.opened}
	if err := files.Start(); err != nil {
		return nil, err
	}
	defer files.Close()
	defer in.progress(s, files)()
	var first, last flowfile.Time
	for f, err := range flowfile.Flows(files) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var d *flowfile.Damage
		if errors.As(err, &d) {
			info.Damage = append(info.Damage, d.Error())
			continue
		}
		if err != nil {
			return nil, err
		}
		info.add(f)
		if t := f.Start(); t.Known() {
			if first == 0 || t < first {
				first = t
			}
			last = max(last, t)
		}
	}
	info.First, info.Last = first.RFC3339(), last.RFC3339()
	return info, nil
}

func (i *fileInfo) opened(in *formats.Input) {
	i.Format, i.Compression = in.Format.Name, in.Compression
	if fi, err := in.File.Stat(); err == nil && fi.Mode().IsRegular() {
		i.Bytes = fi.Size()
	}
}

func (i *fileInfo) add(f *flowfile.Flow) {
	i.Flows++
	kind := f.Kind().String()
	if f.WebSocket() != nil {
		kind = "websocket"
	}
	i.Kinds[kind]++
	if f.Error() != nil {
		i.Errors++
	}
	if f.Incomplete() {
		i.Incomplete++
	}
	i.Messages += f.Messages().Len()
	if r := f.Request(); r != nil {
		i.BodyBytes += max(r.Body().Size(), 0)
	}
	if r := f.Response(); r != nil {
		i.BodyBytes += max(r.Body().Size(), 0)
	}
}

func (i *fileInfo) text() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s %s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	line("file", "%s", i.File)
	if i.Compression != "" {
		line("format", "%s, compressed by %s", i.Format, i.Compression)
	} else {
		line("format", "%s", i.Format)
	}
	if i.Bytes > 0 {
		line("size", "%s (%d bytes), bodies %s", size(i.Bytes), i.Bytes, size(i.BodyBytes))
	}
	var kinds []string
	for _, k := range []string{"http", "websocket", "tcp", "udp", "dns"} {
		if n := i.Kinds[k]; n > 0 {
			kinds = append(kinds, fmt.Sprintf("%d %s", n, k))
		}
	}
	flows := strconv.Itoa(i.Flows)
	if len(kinds) > 0 {
		flows += ": " + strings.Join(kinds, ", ")
	}
	line("flows", "%s", flows)
	if i.Messages > 0 {
		line("messages", "%d", i.Messages)
	}
	if i.Errors > 0 {
		line("errors", "%d", i.Errors)
	}
	if i.Incomplete > 0 {
		line("open", "%s not complete when the recording ended", count(i.Incomplete, "flow"))
	}
	if i.First != "" {
		line("time", "%s to %s", i.First, i.Last)
	}
	for _, d := range i.Damage {
		line("damage", "%s", d)
	}
	return b.String()
}
