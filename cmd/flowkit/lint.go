package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/output"
	"flowkit/flowfile"
	"flowkit/flowfile/har"
)

type lintOptions struct {
	inputs
	who   string
	set   har.Importers // of who
	json  bool
	fix   bool
	write string
	rules bool
}

// lintFinding is what lint --json says of one finding; its keys are stable.
type lintFinding struct {
	File     string   `json:"file"`
	Entry    int      `json:"entry,omitempty"`
	Offset   int64    `json:"offset"`
	Path     string   `json:"path"`
	Rule     string   `json:"rule"`
	Rejects  []string `json:"rejects"`
	Misreads []string `json:"misreads"`
	Problem  string   `json:"problem"`
	More     int      `json:"more,omitempty"`
	Wants    string   `json:"wants"`
	Fix      string   `json:"fix"`
}

// lintRule is what lint --rules --json says of a rule; its keys are stable.
type lintRule struct {
	Rule      string   `json:"rule"`
	Rejects   []string `json:"rejects"`
	Misreads  []string `json:"misreads"`
	OnRequest bool     `json:"on_request"`
	Wants     string   `json:"wants"`
	Fix       string   `json:"fix"`
}

func newLintCmd(s *cli.Streams) *cobra.Command {
	o := &lintOptions{}
	c := &cobra.Command{
		Use:   "lint [FILE]...",
		Short: "Say what importers would reject or misread of HARs",
		Long: `Say what Chrome, Firefox, Safari, har-validator, k6 and Insomnia would reject or misread of
HARs: the number of the entry, the place, what is wrong there and what to do about it. The
exit code is 1 if there is anything, 0 if there is nothing.

--for names the importers that matter. Then what only those misread is told, too, that no
HAR of the same traffic could avoid: GET requests with a body for k6, say.

--fix writes the HAR as flowkit understands it, which is as all of them take it, says how
much that mended, and what it could not: then the exit code is 1, else 0.`,
		Example: `  flowkit lint recording.har
  flowkit lint --for chrome,firefox recording.har
  flowkit lint --fix -w mended.har recording.har
  flowkit export --har -r in.mitm | flowkit lint --json -
  flowkit lint --rules`,
		RunE: func(_ *cobra.Command, args []string) error {
			o.paths = append(o.paths, args...)
			return runLint(s, o)
		},
	}
	fl := c.Flags()
	fl.StringArrayVarP(&o.paths, "read", "r", nil, "read a HAR from `FILE`; may be repeated, - is standard input (the default)")
	fl.StringVar(&o.tempDir, "tmpdir", "", "keep what cannot be read again in `DIR` (default the system's)")
	fl.StringVar(&o.who, "for", "", "importers that matter, a `LIST` of "+strings.Join(har.ImporterNames(), ", ")+" (default all)")
	fl.BoolVar(&o.fix, "fix", false, "write the HAR to -w as all importers take it")
	fl.StringVarP(&o.write, "write", "w", "", "with --fix: write to `FILE`; - is standard output")
	fl.BoolVar(&o.json, "json", false, "one JSON object a finding, or a rule: file, entry, offset, path, rule, rejects, misreads, problem, fix …")
	fl.BoolVar(&o.rules, "rules", false, "list the rules instead")
	complete(c, "for", har.ImporterNames()...)
	return c
}

func runLint(s *cli.Streams, o *lintOptions) error {
	if o.who != "" {
		var err error
		if o.set, err = har.ParseImporters(o.who); err != nil {
			return cli.Errorf(cli.Usage, "--for: %w", err)
		}
	}
	if o.rules {
		return listRules(s, o)
	}
	paths, err := o.inputs.check(s)
	switch {
	case err != nil:
		return err
	case o.fix && o.write == "":
		return cli.Hinted(cli.Usage, "add -w FILE", "--fix writes a file, and none is named")
	case !o.fix && o.write != "":
		return cli.Hinted(cli.Usage, "add --fix", "-w is for --fix")
	case o.fix && len(paths) > 1:
		return cli.Errorf(cli.Usage, "--fix is for one file at a time")
	case o.fix && o.json && o.write == "-":
		return cli.Errorf(cli.Usage, "both --json and -w - want standard output")
	}
	code := 0
	for _, path := range paths {
		l := &lintRun{s: s, o: o, path: path, spool: &flowfile.Spool{Dir: o.tempDir}, told: map[*har.Rule]bool{}}
		one, err := l.run()
		if err != nil {
			if err = inputError(err); len(paths) == 1 || cli.Code(err, 0) != cli.Input {
				return err
			}
			s.Say("%v", err)
			one = cli.Input
		}
		if one != 0 {
			code = cli.Worse(code, one)
		}
	}
	if code != 0 {
		return cli.Quiet(code)
	}
	return nil
}

// inputError gives errors of reading their code.
func inputError(err error) error {
	if cli.Code(err, 0) != 0 {
		return err
	}
	return &cli.Error{Code: cli.Input, Err: plainPathError(err)}
}

func listRules(s *cli.Streams, o *lintOptions) error {
	for _, r := range har.Rules() {
		if o.set != 0 && o.set&r.Importers() == 0 {
			continue
		}
		if o.json {
			if err := writeJSON(s.Out, &lintRule{r.ID, r.Rejects.Names(), r.Misreads.Names(), r.OnRequest, r.Text, r.Fix}); err != nil {
				return err
			}
			continue
		}
		note := ""
		if r.OnRequest {
			note = "; only with --for"
		}
		if _, err := fmt.Fprintf(s.Out, "%s: %s (%s%s)\n    %s\n", r.ID, r.Text, har.Effect(r.Rejects, r.Misreads), note, r.Fix); err != nil {
			return err
		}
	}
	return nil
}

// lintRun is the linting of one file.
type lintRun struct {
	s     *cli.Streams
	o     *lintOptions
	path  string
	spool *flowfile.Spool
	told  map[*har.Rule]bool // whose text was said
}

// run returns the exit code of the file.
func (l *lintRun) run() (int, error) {
	in, err := l.open()
	if err != nil {
		return 0, err
	}
	defer in.Close()
	r, err := unpackHAR(in)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", l.path, err)
	}
	if l.o.fix {
		return l.fix(r, in)
	}
	sum, err := har.Lint(r, har.LintOptions{For: l.o.set, Found: l.say, Spool: l.spool})
	if err != nil {
		return 0, l.unreadable(err)
	}
	if sum.Findings == 0 {
		return 0, l.line("%s: clean, %s", printable(l.path), entriesOf(sum))
	}
	return cli.Negative, l.line("%s: %s in %s: %s", printable(l.path), count(sum.Findings, "finding"), entriesOf(sum), har.Effect(sum.Rejects, sum.Misreads))
}

func (l *lintRun) open() (*os.File, error) {
	if l.path == "-" {
		return l.s.In, nil
	}
	return os.Open(l.path)
}

func (l *lintRun) unreadable(err error) error {
	if errors.Is(err, har.ErrNotHAR) {
		return cli.Hinted(cli.Input, "other formats become HARs with flowkit export --har", "%s: %w", l.path, err)
	}
	return fmt.Errorf("%s: %w", l.path, err)
}

// line writes a line that is not JSON; beside JSON, or a HAR, to standard error.
func (l *lintRun) line(format string, args ...any) error {
	switch {
	case l.o.json:
		return nil
	case l.o.write == "-":
		l.s.Line(fmt.Sprintf(format, args...))
		return nil
	}
	_, err := fmt.Fprintf(l.s.Out, format+"\n", args...)
	return err
}

// say tells of a finding.
func (l *lintRun) say(f *har.Finding) error {
	if l.o.json {
		return writeJSON(l.s.Out, &lintFinding{
			File: l.path, Entry: f.Entry, Offset: f.Offset, Path: f.Path, Rule: f.Rule.ID, Rejects: f.Rejects.Names(),
			Misreads: f.Misreads.Names(), Problem: f.What, More: f.More, Wants: f.Rule.Text, Fix: f.Rule.Fix,
		})
	}
	place := printable(l.path)
	if f.Entry > 0 {
		place += fmt.Sprintf(": entry %d", f.Entry)
	}
	path := ""
	if f.Path != "" {
		path = f.Path + " "
	}
	more := ""
	if f.More > 0 {
		more = fmt.Sprintf(", and %d more there", f.More)
	}
	text := ""
	if !l.told[f.Rule] {
		l.told[f.Rule] = true
		text = "    " + f.Rule.Text + "\n"
	}
	return l.line("%s: byte %d: %s%s%s [%s: %s]\n%s    fix: %s",
		place, f.Offset, path, printable(f.What), more, f.Rule.ID, har.Effect(f.Rejects, f.Misreads), text, f.Rule.Fix)
}

// fix reads the HAR, writes it anew, and looks at both on the way.
func (l *lintRun) fix(r io.Reader, in *os.File) (int, error) {
	if l.o.write != "-" {
		if err := output.Check(l.o.write, []string{l.path}, in); err != nil {
			return 0, cli.Hinted(cli.Usage, "write to another file; flowkit never changes its input", "%w", err)
		}
	}
	out, err := output.Open(l.o.write, l.s.Out)
	if err != nil {
		return 0, cli.Errorf(cli.Usage, "%w", plainPathError(err))
	}
	var left []*har.Finding
	before := lintBeside(har.LintOptions{For: l.o.set, Found: l.say, Spool: &flowfile.Spool{Dir: l.o.tempDir}})
	after := lintBeside(har.LintOptions{For: l.o.set, Spool: &flowfile.Spool{Dir: l.o.tempDir}, Found: func(f *har.Finding) error {
		if len(left) < 1000 {
			left = append(left, f)
		}
		return nil
	}})
	lost := 0
	stop := onInterrupt(l.s, false, out)
	defer stop.end()
	err = l.rewrite(io.TeeReader(r, before), io.MultiWriter(out, after), stop.stop, &lost)
	if errors.Is(err, errStopped) {
		_ = before.CloseWithError(err) // so that nothing is said of an end that is none
	}
	was, inErr := before.end()
	is, outErr := after.end()
	switch {
	case errors.Is(err, errStopped):
		if err := out.Commit(); err != nil {
			return 0, &cli.Error{Code: cli.Lost, Err: err}
		}
		return 0, cli.Quiet(cli.Stopped)
	case err == nil && inErr != nil:
		err = l.unreadable(inErr)
	case err == nil && outErr != nil:
		err = outErr
	}
	if err != nil {
		out.Discard()
		return 0, err
	}
	if err := out.Commit(); err != nil {
		return 0, &cli.Error{Code: cli.Lost, Err: err}
	}
	return l.fixed(was, is, left, lost)
}

// fixed says how that went.
func (l *lintRun) fixed(was, is har.Linted, left []*har.Finding, lost int) (int, error) {
	code := 0
	if lost > 0 {
		code = cli.Lost
	}
	name := printable(l.o.write)
	if l.o.write == "-" {
		name = "the output"
	}
	if is.Findings == 0 {
		return code, l.line("%s: %s in %s, all fixed in %s", printable(l.path), count(was.Findings, "finding"), entriesOf(was), name)
	}
	err := l.line("%s: %s in %s, %d fixed in %s; not fixed:", printable(l.path), count(was.Findings, "finding"), entriesOf(was), max(was.Findings-is.Findings, 0), name)
	l.path = l.o.write
	for _, f := range left {
		if err == nil {
			err = l.say(f)
		}
	}
	return cli.Worse(code, cli.Negative), err
}

var errStopped = errors.New("stopped")

// rewrite writes what flowkit understands of a HAR.
func (l *lintRun) rewrite(in io.Reader, out io.Writer, stop <-chan struct{}, lost *int) error {
	damage := func(d *flowfile.Damage) {
		*lost++
		l.s.Say("%v", d)
	}
	r := har.NewReader(in, har.ReaderOptions{Name: l.path, Spool: l.spool})
	defer r.Close()
	w := har.NewWriter(out, har.Options{Version: "flowkit " + versionText(), OnDamage: damage, Mend: true})
	for {
		select {
		case <-stop:
			if err := w.Close(); err != nil {
				return outputError(err)
			}
			return errStopped
		default:
		}
		b, err := r.Next()
		var d *flowfile.Damage
		switch {
		case errors.As(err, &d):
			damage(d)
			continue
		case errors.Is(err, io.EOF):
			if err := w.Close(); err != nil {
				return outputError(err)
			}
			_, err = io.Copy(io.Discard, in)
			return err
		case err != nil:
			return fmt.Errorf("%s: %w", l.path, err)
		}
		if err := w.Write(b); err != nil {
			return outputError(err)
		}
	}
}

func entriesOf(sum har.Linted) string {
	if sum.Entries == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", sum.Entries)
}

// beside lints what is written to it.
type beside struct {
	*io.PipeWriter
	done chan struct{}
	sum  har.Linted
	err  error
}

func lintBeside(o har.LintOptions) *beside {
	r, w := io.Pipe()
	b := &beside{PipeWriter: w, done: make(chan struct{})}
	go func() {
		defer close(b.done)
		b.sum, b.err = har.Lint(r, o)
		_, _ = io.Copy(io.Discard, r)
	}()
	return b
}

func (b *beside) end() (har.Linted, error) {
	b.Close()
	<-b.done
	return b.sum, b.err
}

// unpackHAR undoes gzip and zstd.
func unpackHAR(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case strings.HasPrefix(string(head), "\x1f\x8b"):
		return gzip.NewReader(b)
	case string(head) == "\x28\xb5\x2f\xfd":
		return zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
	}
	return b, nil
}
