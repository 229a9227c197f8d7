package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

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
		RunE: func(c *cobra.Command, args []string) error {
			o.paths = append(o.paths, args...)
			return runInfo(c.Context(), s, o)
		},
		Example: "  flowkit info in.flow other.mitm",
	}
	o.inputs.addFlags(c)
	c.Flags().BoolVar(&o.json, "json", false, "one JSON object a file")
	return c
}

func runInfo(ctx context.Context, s *cli.Streams, o *infoOptions) error {
	paths := o.paths
	if len(paths) == 0 {
		if s.InIsTTY {
			return cli.Hinted(cli.Usage, "flowkit info FILE", "there is nothing to read: standard input is a terminal")
		}
		paths = []string{"-"}
	}
	code := 0
	for i, path := range paths {
		info, err := describe(ctx, s, &o.inputs, path, flowfile.NeedMessages)
		if err != nil {
			s.Say("%v", plainPathError(err))
			code = cli.Worse(code, cli.Input)
			continue
		}
		if len(info.Damage) > 0 {
			code = cli.Worse(code, cli.Lost)
		}
		if o.json {
			if err := json.NewEncoder(s.Out).Encode(info); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(s.Out)
		}
		info.print(s.Out)
	}
	if code != 0 {
		return &cli.Error{Code: code}
	}
	return nil
}

// describe reads a file to its end.
func describe(ctx context.Context, s *cli.Streams, in *inputs, path string, need flowfile.Need) (*fileInfo, error) {
	info := &fileInfo{File: path, Kinds: map[string]int{}, Damage: []string{}}
	files := &formats.Files{
		Paths: []string{path}, Stdin: s.In,
		Options: formats.ReadOptions{Need: need, Workers: in.workers, TempDir: in.tempDir},
		Opened: func(in *formats.Input) {
			info.Format, info.Compression = in.Format.Name, in.Compression
			if fi, err := in.File.Stat(); err == nil && fi.Mode().IsRegular() {
				info.Bytes = fi.Size()
			}
		},
	}
	if err := files.Start(); err != nil {
		return nil, err
	}
	defer files.Close()
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

func (i *fileInfo) print(w *os.File) {
	format := i.Format
	if i.Compression != "" {
		format += ", compressed by " + i.Compression
	}
	fmt.Fprintf(w, "file      %s\nformat    %s\n", i.File, format)
	if i.Bytes > 0 {
		fmt.Fprintf(w, "size      %s (%d bytes), bodies %s\n", size(i.Bytes), i.Bytes, size(i.BodyBytes))
	}
	fmt.Fprintf(w, "flows     %d", i.Flows)
	sep := ": "
	for _, k := range []string{"http", "websocket", "tcp", "udp", "dns"} {
		if n := i.Kinds[k]; n > 0 {
			fmt.Fprintf(w, "%s%d %s", sep, n, k)
			sep = ", "
		}
	}
	fmt.Fprintln(w)
	if i.Messages > 0 {
		fmt.Fprintf(w, "messages  %d\n", i.Messages)
	}
	if i.Errors > 0 {
		fmt.Fprintf(w, "errors    %d\n", i.Errors)
	}
	if i.Incomplete > 0 {
		fmt.Fprintf(w, "open      %d flows were not complete when the recording ended\n", i.Incomplete)
	}
	if i.First != "" {
		fmt.Fprintf(w, "time      %s to %s\n", i.First, i.Last)
	}
	for _, d := range i.Damage {
		fmt.Fprintf(w, "damage    %s\n", d)
	}
}
