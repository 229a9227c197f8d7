package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/output"
	"flowkit/flowfile"
	"flowkit/flowfile/formats"
	"flowkit/flowfile/native"
	"flowkit/replay"
)

const recoverHelp = `Write what can be read of a damaged file to a new one, and say what is lost. The input is
never changed, and an output that is there already is refused.

Of flowkit's own files every sound part of a damaged block comes out: flows whose bodies are
lost have truncated ones; of a torn block the flows in front of the tear; a byte that is wrong
is put right where two checksums agree on it. Flows that have no end are incomplete. Of other
formats comes out what every command reads of them.

The exit code is 0 if nothing is lost, 3 if something is, 4 if there is nothing.`

type recoverOptions struct {
	inputs
	outputFlags
	json bool
}

// recovered is what recover --json says; its keys are stable.
type recovered struct {
	File    string   `json:"file"`
	Format  string   `json:"format"`
	Whole   int      `json:"whole"`
	Cut     int      `json:"cut"`
	Open    int      `json:"open"`
	Lost    int      `json:"lost"`
	Skipped int64    `json:"skipped"`
	Damage  []string `json:"damage"`
}

func newRecoverCmd(s *cli.Streams) *cobra.Command {
	o := &recoverOptions{}
	c := &cobra.Command{
		Use:   "recover FILE -w NEWFILE",
		Short: "Save what is left of a damaged file",
		Long:  recoverHelp,
		Example: `  flowkit recover torn.flow -w saved.flow
  flowkit recover --json torn.flow -w saved.flow | jq .lost
  flowkit recover damaged.mitm -w saved.mitm`,
		RunE: func(c *cobra.Command, args []string) error {
			o.paths = append(o.paths, args...)
			return runRecover(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	o.outputFlags.addFlags(c, "flow")
	_ = c.Flags().MarkHidden("trim")
	c.Flags().BoolVar(&o.json, "json", false, "with -w FILE: one JSON object: file, format, whole, cut, open, lost, skipped, damage")
	return c
}

func runRecover(ctx context.Context, s *cli.Streams, o *recoverOptions) error {
	conv, err := o.newFile(s)
	if err != nil {
		return err
	}
	paths, err := o.check(s)
	if err != nil {
		return err
	}
	r := &rescue{conversion: conv, path: paths[0], report: &recovered{File: paths[0], Damage: []string{}}}
	if err := r.openInput(o); err != nil {
		return err
	}
	if err := r.run(ctx); err != nil {
		return err
	}
	if o.json {
		if err := writeJSON(s.Out, r.report); err != nil {
			return err
		}
	}
	return conv.said()
}

// newFile checks that there is one input, and an output that is new.
func (o *recoverOptions) newFile(s *cli.Streams) (*conversion, error) {
	if len(o.paths) > 1 {
		return nil, cli.Hinted(cli.Usage, "recover them one by one, then join them with flowkit cat", "recover takes one file, not %d", len(o.paths))
	}
	conv, err := o.conversion(s, &o.inputs)
	switch {
	case err != nil:
		return nil, err
	case conv.append:
		return nil, cli.Hinted(cli.Usage, "name a new file", "recover writes a new file; it does not append")
	case o.json && o.std():
		return nil, cli.Hinted(cli.Usage, "write the flows to a file with -w", "--json goes to standard output, and so would the flows")
	case o.std():
		return conv, nil
	}
	if err := output.Check(conv.write, o.paths, s.In); err != nil {
		return nil, cli.Hinted(cli.Usage, "write to another file; flowkit never changes its input", "%w", err)
	}
	if fi, err := os.Stat(conv.write); err == nil && fi.Mode().IsRegular() {
		return nil, cli.Hinted(cli.Usage, "name a new file", "%s is there already, and recover replaces nothing", conv.write)
	}
	return conv, nil
}

// rescue is one run of recover.
type rescue struct {
	*conversion
	path    string
	file    *os.File // regular
	source  flowfile.Source
	salvage *native.Salvage // nil: not flowkit's own format
	report  *recovered
	packed  error // the input is compressed, and that ends too early
}

// openInput opens the input. What is no regular file is copied to one first: salvage goes back
// and forth.
func (r *rescue) openInput(o *recoverOptions) error {
	unreadable := func(err error) error { return &cli.Error{Code: cli.Input, Err: plainPathError(err)} }
	f := r.streams.In
	name := "standard input"
	if r.path != "-" {
		var err error
		if f, err = os.Open(r.path); err != nil {
			return unreadable(err)
		}
		name = r.path
	}
	fi, err := f.Stat()
	switch {
	case err != nil:
		return unreadable(err)
	case fi.IsDir():
		return cli.Errorf(cli.Input, "%s: is a folder; name the files in it", r.path)
	case !fi.Mode().IsRegular() || r.path == "-":
		if f, err = o.copied(f); err != nil {
			return unreadable(err)
		}
	}
	r.file = f
	if err := r.unpack(o); err != nil {
		return unreadable(err)
	}
	own, err := isOwn(r.file)
	if err != nil {
		return unreadable(err)
	}
	if own {
		r.report.Format = "flow"
		r.salvage = &native.Salvage{}
		r.source = native.NewReader(r.file, native.ReaderOptions{
			Name: name, Need: flowfile.NeedMessages | flowfile.NeedBodies, Workers: o.workers, TempDir: o.tempDir, Salvage: r.salvage,
		})
		return nil
	}
	ro := o.options(flowfile.NeedMessages | flowfile.NeedBodies)
	ro.Name = name
	ro.Notice = func(what string) { r.streams.Say("%s", what) }
	in, err := formats.OpenFile(r.file, ro)
	if err != nil {
		return unreadable(err)
	}
	r.report.Format, r.source = in.Format.Name, in
	return nil
}

// copied copies what can be read only once to a file without a name.
func (o *recoverOptions) copied(r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp(o.tempDir, "flowkit-recover-*")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	if _, err := io.Copy(f, r); err != nil {
		return f, errors.Join(err, rewind(f))
	}
	return f, rewind(f)
}

func rewind(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// unpack unpacks a compressed file of flowkit's own format, as far as it can be; other formats
// are unpacked where they are read.
func (r *rescue) unpack(o *recoverOptions) error {
	plain := r.unpacker()
	if plain == nil {
		return nil
	}
	head := make([]byte, formats.SniffLen)
	n, _ := io.ReadFull(plain, head)
	own, err := formats.ByName("flow")
	if err != nil || !own.Sniff(head[:n]) {
		return err
	}
	f, err := o.copied(io.MultiReader(bytes.NewReader(head[:n]), plain))
	if f == nil {
		return err
	}
	r.file, r.packed = f, err
	return nil
}

func (r *rescue) unpacker() io.Reader {
	var magic [4]byte
	in := io.NewSectionReader(r.file, 0, 1<<62)
	_, _ = r.file.ReadAt(magic[:], 0)
	switch {
	case magic[0] == 0x1f && magic[1] == 0x8b:
		if z, err := gzip.NewReader(in); err == nil {
			return z
		}
	case string(magic[:]) == "\x28\xb5\x2f\xfd":
		if z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20)); err == nil {
			return z
		}
	}
	return nil
}

// isOwn tells whether f is of flowkit's own format, though its beginning may be damaged.
func isOwn(f *os.File) (bool, error) {
	head := make([]byte, formats.SniffLen)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return false, err
	}
	for _, format := range formats.Formats() {
		if format.Sniff(head[:n]) {
			return format.Name == "flow", nil
		}
	}
	if n > 1 && head[0] == 0x1f && head[1] == 0x8b {
		return false, nil
	}
	return native.Begins(f, size64(f))
}

// run writes the flows and says what became of them.
func (r *rescue) run(ctx context.Context) error {
	s := r.streams
	if size64(r.file) == 0 {
		return cli.Errorf(cli.Input, "%s: is empty: there is nothing to recover", r.path)
	}
	out, sink, err := r.open(&formats.Files{Paths: []string{r.path}, Stdin: s.In})
	if err != nil {
		return err
	}
	stop := onInterrupt(s, false, out)
	defer stop.end()
	if of, ok := r.source.(flowfile.Progress); ok {
		defer r.inputs.progress(s, of)()
	}
	flows, open := 0, 0
	p := &replay.Pipeline{
		Source: r.source, Sink: sink, Workers: r.inputs.workers, Stop: stop.stop, OnDamage: r.damaged,
		Stages: []replay.Stage{replay.StageFunc(func(_ context.Context, b *flowfile.Batch) error {
			for _, f := range b.Flows {
				flows++
				if f.Incomplete() {
					open++
				}
			}
			return nil
		})},
	}
	err = p.Run(ctx)
	var source *replay.SourceError
	if errors.As(err, &source) {
		s.Say("%v", plainPathError(source.Err))
		r.worsen(cli.Lost)
		err = nil
	}
	if err == nil {
		err = sink.Close()
	}
	if err != nil {
		out.Discard()
		return r.failed(err)
	}
	if r.packed != nil {
		s.Say("%s: its compression ends too early: %v", r.path, r.packed)
		r.report.Damage = append(r.report.Damage, r.packed.Error())
		r.worsen(cli.Lost)
	}
	r.count(flows, open)
	if flows == 0 && (r.code.Load() != 0 || r.report.Lost > 0) {
		out.Discard()
		what := "there is no flow left in it"
		if n := r.report.Lost; n > 0 {
			what += fmt.Sprintf("; %s known to be lost", areCount(n))
		}
		return cli.Errorf(cli.Input, "%s: %s", r.path, what)
	}
	if err := out.Commit(); err != nil {
		return r.failed(err)
	}
	r.sayLeftOut(sink)
	s.Say("%s", r.report)
	if stop.hit.Load() {
		return cli.Quiet(cli.Stopped)
	}
	return nil
}

// damaged says a damage; one that costs nothing does not make the recovery lossy.
func (r *rescue) damaged(d *flowfile.Damage) error {
	r.report.Damage = append(r.report.Damage, d.Error())
	if r.salvage != nil && r.salvage.Harmless(d) {
		r.streams.Say("%v; no flow is lost by it", d)
		return nil
	}
	r.damage(d)
	skipped := max(d.Length, 0)
	if r.salvage != nil {
		skipped = r.salvage.Skipped(d)
	}
	r.report.Skipped += skipped
	r.report.Lost += max(d.Flows, 0)
	return nil
}

// count completes the report.
func (r *rescue) count(flows, open int) {
	x := r.report
	if r.salvage == nil {
		x.Whole, x.Open = flows-open, open
		return
	}
	c := r.salvage.Counts(r.file)
	x.Whole, x.Cut, x.Open = c.Whole, c.Cut, c.Open
	x.Lost += c.Lost
	if x.Cut > 0 || x.Lost > 0 {
		r.worsen(cli.Lost)
	}
}

// String is the report in a line.
func (x *recovered) String() string {
	parts := []string{strconv.Itoa(x.Whole) + " whole"}
	if x.Cut > 0 {
		parts = append(parts, fmt.Sprintf("%d without some of their bodies, messages or certificates", x.Cut))
	}
	if x.Open > 0 {
		parts = append(parts, fmt.Sprintf("%d without an end", x.Open))
	}
	text := fmt.Sprintf("%s: recovered %s: %s", x.File, count(x.Whole+x.Cut+x.Open, "flow"), strings.Join(parts, ", "))
	if x.Lost > 0 {
		text += fmt.Sprintf("; %s known to be lost", areCount(x.Lost))
	}
	if x.Skipped > 0 {
		text += fmt.Sprintf("; %s skipped", count(int(x.Skipped), "byte"))
	}
	return text
}

func areCount(flows int) string {
	if flows == 1 {
		return "1 flow is"
	}
	return count(flows, "flow") + " are"
}
